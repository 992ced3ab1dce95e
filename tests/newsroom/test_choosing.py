"""What subscribers choose, and who is told of what: topics and organisations, at once or once a day."""

import logging
import re

import pytest
from django.core import signing
from django.db import Error, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from newsroom import choosing, delivering, logs, mailbox, releasing, subscribing
from newsroom.choosing import Choice
from newsroom.models import Chosen, Delivery, Subscriber, SubscriptionRequest
from stories.models import Organisation, Topic
from tests.newsroom.racing import race
from tests.newsroom.test_subscribing import EDITOR, link_in, reader, sent, words

pytestmark = pytest.mark.django_db

__all__ = ["reader"]

BRIDGES, FERRIES = ({"slug": slug, "name": slug.capitalize()} for slug in ("bridges", "ferries"))
RIVERS = {"slug": "rivers", "name": "Department for Rivers and Coasts"}
TO_BRIDGES = Choice(tags=(("topic", "bridges"),))


def subscribed(email: str, *tags: tuple[str, str], daily: bool = False, active: bool = True) -> Subscriber:
    """Somebody on the list who has chosen; without `tags`, everything."""
    someone = Subscriber.objects.create(email=email, everything=not tags, daily=daily, active=active)
    Chosen.objects.bulk_create(
        Chosen(subscriber=someone, kind=kind, slug=slug, name=slug.capitalize()) for kind, slug in tags
    )
    return someone


def announced(newsroom, slug: str, **changes) -> None:
    """A public story, announced."""
    releasing.announce(release_id=newsroom.public(slug=slug, **changes).pk, worker="test")


@pytest.fixture
def offers(newsroom) -> None:
    """A public story about bridges, from Rivers; and what there is no public story of."""
    newsroom.public(slug="bridge", topics=[BRIDGES], organisation=RIVERS)
    Topic.objects.create(name="Canarytopic", slug="canarytopic")
    Organisation.objects.create(name="Canaryorganisation", slug="canaryorganisation")
    newsroom.armed(
        slug="secret",
        topics=[{"slug": "canarytopic", "name": "Canarytopic"}],
        organisation={"slug": "canaryorganisation", "name": "Canaryorganisation"},
    )


def ask_for(reader: Client, *, often: str = "at-once", email: str = EDITOR, **more):
    what = "chosen" if more else "everything"
    return reader.post("/subscribe/", {"email": email, "what": what, "often": often, **more})


# Asking and confirming


def test_from_the_choice_on_the_page_to_what_is_sent(newsroom, offers, reader):
    page = ask_for(reader, topic=["bridges"], organisation=["rivers"], often="daily")
    assert "Look into your mailbox" in words(page)
    (text,) = sent()
    page = words(reader.get(link_in(text)))
    assert "One mail a day, at five o’clock in the afternoon (17:00, London time), with the stories" in page
    assert "Bridges" in page
    assert "Department for Rivers and Coasts" in page
    assert not Subscriber.objects.exists()
    done = reader.post(link_in(text))
    assert "Bridges" in words(done)
    someone = Subscriber.objects.get()
    assert (someone.everything, someone.daily) == (False, True)
    assert set(someone.chosen.values_list("kind", "slug")) == {
        ("topic", "bridges"),
        ("organisation", "rivers"),
    }
    assert subscribing.choices_path(someone).encode() in done.content


def test_only_what_is_public_is_offered(offers, reader):
    page = reader.get("/subscribe/").content
    assert b"Bridges" in page
    assert b"anary" not in page


def test_what_is_to_come_is_answered_like_what_never_was(offers, reader):
    answers = [ask_for(reader, topic=[slug]) for slug in ("canarytopic", "nevertopic")]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].content == answers[1].content
    assert "Choose topics from the list" in words(answers[0])
    asked = [reader.get(f"/subscribe/?topic={slug}&organisation={slug}") for slug in ("canarytopic", "never")]
    assert asked[0].content == asked[1].content == reader.get("/subscribe/").content
    links = [subscribing.confirm_path(EDITOR, Choice(tags=(("topic", s),))) for s in ("canarytopic", "never")]
    assert len({reader.get(link).content for link in links}) == 1
    assert {reader.post(link).status_code for link in links} == {410}
    assert not Subscriber.objects.exists()


def test_a_page_of_a_topic_leads_to_the_form_with_it_ticked(offers, reader):
    link = b"/subscribe/?topic=bridges"
    assert link in reader.get("/topics/bridges/").content
    assert b"/subscribe/?organisation=rivers" in reader.get("/organisations/rivers/").content
    page = reader.get(link.decode()).content.decode()
    assert re.search('name="what" value="chosen" checked', page)
    assert re.findall('value="([a-z]+)" checked', page) == ["chosen", "bridges"]
    assert not SubscriptionRequest.objects.exists()


@pytest.mark.parametrize(
    ("sends", "fault", "leads_to"),
    [
        ({"what": "chosen"}, "Tick at least one topic or organisation", "#what"),
        ({"what": "everything", "topic": "bridges"}, "choose one of the two", "#what"),
        ({"what": ""}, "Choose what you want to get", "#what"),
        ({"what": "x"}, "Choose what you want to get", "#what"),
        ({"often": "x"}, "Choose how often you want to get it", "#often"),
        ({"what": "chosen", "organisation": "x"}, "Choose organisations from the list", "#organisation"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(offers, reader, sends, fault, leads_to):
    response = reader.post("/subscribe/", {"email": EDITOR, "what": "everything", "often": "daily", **sends})
    assert response.status_code == 422
    body = response.content.decode()
    assert re.search(f'<a href="{leads_to}">[^<]*{fault}', body)
    assert f'id="{leads_to[1:]}"' in body
    assert f'value="{EDITOR}"' in body, "what was typed is kept"
    assert not SubscriptionRequest.objects.exists()


def test_not_more_is_chosen_than_a_link_can_hold(newsroom, reader):
    many = [{"slug": f"topic-{number}", "name": f"Topic {number}"} for number in range(choosing.MOST + 1)]
    Topic.objects.bulk_create(Topic(**each) for each in many)
    newsroom.public(slug="many", topics=many)
    every = [each["slug"] for each in many]
    assert ask_for(reader, topic=every).status_code == 422
    assert ask_for(reader, topic=every[1:]).status_code == 200
    (text,) = sent()
    assert len(link_in(text)) < 1500
    assert reader.post(link_in(text)).status_code == 200
    assert Chosen.objects.count() == choosing.MOST


def test_a_stranger_changes_and_sees_nothing(offers, reader):
    subscribed(EDITOR, ("topic", "bridges"))
    known = ask_for(reader, often="daily")
    unknown = ask_for(reader, often="daily", email="unknown@paper.example")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    someone = Subscriber.objects.get()
    assert (someone.everything, someone.daily, choosing.of(someone)) == (False, False, TO_BRIDGES)
    texts = sent()
    assert len({re.sub(r"/subscribe/\S+", "", text) for text in texts}) == 1
    assert not any("ridges" in text for text in texts)
    # Whoever reads the mail may: what was chosen is replaced.
    reader.post(link_in(next(text for text in texts if EDITOR in words(reader.get(link_in(text))))))
    someone.refresh_from_db()
    assert (someone.everything, someone.daily, someone.chosen.count()) == (True, True, 0)


def test_a_link_of_before_the_choices_is_old(reader):
    old = signing.dumps(EDITOR, salt="newsroom.subscribe")
    assert reader.get(f"/subscribe/{old}/").status_code == 410


def test_what_has_no_news_any_more_is_left_out(newsroom, reader):
    withdrawn = newsroom.public(slug="ferry", topics=[FERRIES])
    newsroom.public(slug="bridge", topics=[BRIDGES])
    Topic.objects.create(name="Ferries", slug="ferries")
    both = subscribing.confirm_path(EDITOR, Choice(tags=(("topic", "ferries"), ("topic", "bridges"))))
    assert "Ferries" in words(reader.get(both))
    releasing.withdraw(story=withdrawn.story, by=newsroom.officer, reason="Wrong.")
    assert "Ferries" not in words(reader.get(both))
    reader.post(both)
    assert choosing.of(Subscriber.objects.get()) == TO_BRIDGES


# The page of somebody's choice


def test_changing_what_one_gets(offers, reader):
    someone = subscribed(EDITOR)
    path = subscribing.choices_path(someone)
    page = reader.get(path)
    assert EDITOR in words(page)
    assert page["Cache-Control"] == "no-store"
    assert page.cookies == {}
    saved = reader.post(path, {"what": "chosen", "topic": "bridges", "often": "daily"})
    assert "Your choice is saved" in words(saved)
    someone.refresh_from_db()
    assert (someone.everything, choosing.of(someone)) == (False, Choice(True, (("topic", "bridges"),)))
    assert re.findall('value="([a-z]+)" checked', reader.get(path).content.decode()) == [
        "chosen",
        "bridges",
        "daily",
    ]
    assert reader.post(path, {"what": "chosen", "often": "daily"}).status_code == 422
    reader.post(path, {"what": "everything", "often": "at-once"})
    someone.refresh_from_db()
    assert (someone.everything, choosing.of(someone)) == (True, choosing.EVERYTHING)


def test_what_was_chosen_stays_to_be_kept_when_it_has_no_news(offers, reader):
    """Under the name that it had then, whatever it is called now."""
    someone = subscribed(EDITOR, ("topic", "ferries"))
    Topic.objects.create(name="Secret ferries", slug="ferries")
    page = words(reader.get(subscribing.choices_path(someone)))
    assert "Ferries" in page
    assert "Secret" not in page
    assert "Ferries" not in words(reader.get("/subscribe/"))
    reader.post(subscribing.choices_path(someone), {"what": "chosen", "topic": "ferries", "often": "daily"})
    assert choosing.of(someone).tags == (("topic", "ferries"),)


def test_leaving_from_there_and_coming_back(offers, reader):
    someone = subscribed(EDITOR, ("topic", "bridges"))
    path, leave = subscribing.choices_path(someone), subscribing.unsubscribe_path(someone)
    assert f'action="{leave}"' in reader.get(path).content.decode()
    reader.post(leave)
    for answer in (reader.get(path), reader.post(path, {"what": "everything", "often": "daily"})):
        assert "You are off the list" in words(answer)
    someone.refresh_from_db()
    assert (someone.active, someone.everything) == (False, False)
    reader.post(subscribing.confirm_path(EDITOR))
    someone.refresh_from_db()
    assert (someone.active, someone.everything) == (True, True)


def test_a_link_to_choose_is_good_for_one_person_and_for_nothing_else(reader):
    one, two = (Subscriber.objects.create(email=f"{n}@paper.example") for n in range(2))
    token = subscribing.choices_path(one).split("/")[3]
    mark = token.partition("-")[2]
    leaving = subscribing.unsubscribe_path(one).split("/")[2]
    for wrong in (f"{two.pk}-{mark}", leaving, f"{one.pk}", "-", "x-y", f"{'9' * 30}-{mark}"):
        path = reverse("subscribe_choices", args=[wrong])
        assert reader.get(path).status_code == reader.post(path).status_code == 404
    assert reader.post(reverse("unsubscribe", args=[token])).status_code == 404


def test_every_mail_has_the_link(newsroom):
    someone = subscribed(EDITOR, ("topic", "bridges"))
    announced(newsroom, "bridge", topics=[BRIDGES])
    delivering.run(60)
    text = mailbox.read(mailbox.messages()[0]).get_content()
    assert subscribing.choices_path(someone) in text
    assert subscribing.unsubscribe_path(someone) in text


# Who is told


def recipients(event: str = "release") -> set[str]:
    return set(Delivery.objects.filter(event=event).values_list("recipient", flat=True))


@pytest.fixture
def everybody() -> None:
    subscribed("all@paper.example")
    subscribed("bridges@paper.example", ("topic", "bridges"))
    subscribed("ferries@paper.example", ("topic", "ferries"))
    subscribed("rivers@paper.example", ("organisation", "rivers"))
    subscribed("both@paper.example", ("topic", "bridges"), ("organisation", "rivers"))
    subscribed("same-slug@paper.example", ("organisation", "bridges"))
    subscribed("daily@paper.example", ("topic", "bridges"), daily=True)
    subscribed("gone@paper.example", ("topic", "bridges"), active=False)


def test_a_story_goes_at_once_to_those_who_chose_it(newsroom, everybody):
    announced(newsroom, "bridge", topics=[BRIDGES], organisation=RIVERS)
    names = {email.partition("@")[0] for email in recipients()}
    assert names == {"all", "bridges", "rivers", "both"}


def test_a_story_of_a_partner_goes_to_those_who_chose_them(newsroom, everybody):
    announced(newsroom, "ferry", topics=[FERRIES], partners=[RIVERS])
    assert {email.partition("@")[0] for email in recipients()} == {"all", "ferries", "rivers", "both"}


def test_a_story_about_nothing_goes_to_those_who_want_everything(newsroom, everybody):
    announced(newsroom, "plain")
    assert recipients() == {"all@paper.example"}


def corrected(newsroom, story, **changes):
    """A correction of a public story, announced."""
    revision = newsroom.edit(story, **changes)
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    if any(block["kind"] == "quote" for block in revision.content["body"]):
        newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    release = releasing.arm(
        revision=revision, by=newsroom.officer, moment=None, kind="correction", note="The date was wrong."
    )
    releasing.announce(release_id=release.pk, worker="test")
    return release


def test_a_correction_goes_to_whoever_was_sent_the_story(newsroom, everybody):
    """Also where they chose something else since, or the story is about something else now."""
    announced(newsroom, "bridge", topics=[BRIDGES])
    delivering.run(60)
    someone = Subscriber.objects.get(email="bridges@paper.example")
    choosing.store(subscriber=someone, choice=Choice(True), offers=[])
    story = Delivery.objects.first().story
    corrected(newsroom, story, topics=[FERRIES], summary="It opens in May.")
    assert {email.partition("@")[0] for email in recipients("correction")} == {
        "all",
        "bridges",
        "both",
        "ferries",
    }


def test_a_recall_goes_to_whoever_was_sent_the_story_and_to_nobody_else(newsroom, everybody):
    announced(newsroom, "bridge", topics=[BRIDGES])
    delivering.run(60)
    story = Delivery.objects.first().story
    someone = Subscriber.objects.get(email="bridges@paper.example")
    choosing.store(subscriber=someone, choice=Choice(tags=(("topic", "ferries"),)), offers=[])
    releasing.withdraw(story=story, by=newsroom.officer, reason="Wrong.", kill=True)
    assert {email.partition("@")[0] for email in recipients("kill")} == {"all", "bridges", "both"}


def test_who_is_told_takes_as_many_queries_for_many_as_for_one(newsroom, django_assert_num_queries):
    release = newsroom.public(topics=[BRIDGES])
    subscribed(EDITOR, ("topic", "bridges"))
    with django_assert_num_queries(5):
        assert delivering.write(event="release", release=release, cause="announcement:1") == 1
    for number in range(20):
        subscribed(f"{number}@paper.example", ("topic", "bridges"), ("topic", "ferries"))
    for event in ("release", "correction", "update"):
        # Of a correction it is asked, too, who was sent what it corrects.
        with django_assert_num_queries(6 if event == "correction" else 5):
            delivering.write(event=event, release=release, cause=f"{event}:2")
    assert Delivery.objects.count() == 1 + 3 * 21


def test_no_log_line_has_a_link_of_theirs(reader):
    someone = Subscriber.objects.create(email=EDITOR)
    paths = [subscribing.choices_path(someone), subscribing.unsubscribe_path(someone)]
    for path in (*paths, subscribing.confirm_path(EDITOR)):
        line = logging.LogRecord("x", logging.WARNING, "", 0, "Not Found: %s", (path,), None)
        assert logs.WithoutTokens().filter(line)
        assert path.rstrip("/").rpartition("/")[2] not in line.getMessage()


# The database


@pytest.mark.parametrize(("kind", "slug"), [("type", "news-story"), ("x", "bridges")])
def test_the_database_takes_no_other_kind(kind, slug):
    someone = Subscriber.objects.create(email=EDITOR)
    with pytest.raises(Error), transaction.atomic():
        Chosen.objects.create(subscriber=someone, kind=kind, slug=slug, name=slug)


def test_the_database_takes_nothing_twice():
    someone = subscribed(EDITOR, ("topic", "bridges"))
    with pytest.raises(Error), transaction.atomic():
        Chosen.objects.create(subscriber=someone, kind="topic", slug="bridges", name="Bridges")


def test_the_form_takes_as_many_queries_for_many_topics_as_for_one(newsroom, reader):
    newsroom.public(slug="one", topics=[BRIDGES])
    someone = subscribed(EDITOR, ("topic", "bridges"))
    paths = ["/subscribe/", subscribing.choices_path(someone)]

    def asked() -> list[int]:
        found = []
        for path in paths:
            with CaptureQueriesContext(connection) as queries:
                reader.get(path)
            found.append(len(queries))
        return found

    before = asked()
    for number in range(3):
        each = {"slug": f"topic-{number}", "name": f"Topic {number}"}
        Topic.objects.create(**each)
        newsroom.public(slug=f"story-{number}", topics=[each])
        Chosen.objects.create(subscriber=someone, kind="topic", **each)
    assert asked() == before


class TestAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_who_saves_twice_at_once_has_one_of_the_two_choices(self, live_newsroom):
        live_newsroom.public(slug="bridge", topics=[BRIDGES], organisation=RIVERS)
        someone = Subscriber.objects.create(email=EDITOR)
        token = subscribing.choices_path(someone).split("/")[3]
        tags = [(("topic", "bridges"),), (("organisation", "rivers"),)]
        race(8, lambda n: subscribing.choose(token=token, choice=Choice(tags=tags[n % 2])))
        assert choosing.of(someone).tags in tags
