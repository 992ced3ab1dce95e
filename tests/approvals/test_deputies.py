"""Standing in: who may appoint whom, what a deputy sees and decides, and that it ends when it ends."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from approvals import clearing, deputies, rules
from approvals.models import Decision, Deputyship, Desk
from stories.access import Role, roles_of
from stories.models import Revision, Story, Team, User
from tests.approvals.doing import covered
from tests.newsroom.pages import fields_of
from tests.people import person

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def appoint(newsroom, **more) -> Deputyship:
    """Nemo Outis stands in for the lawyer for a day."""
    now = datetime.now(UTC)
    given = {
        "person": newsroom.lawyer,
        "deputy": newsroom.nobody,
        "desk": None,
        "since": now,
        "until": now + timedelta(days=1),
        "by": newsroom.lawyer,
    }
    return deputies.appoint(**{**given, **more})


def limited(newsroom) -> Revision:
    """A story of a team, laid before the desks."""
    team = Team.objects.create(name="Coasts")
    team.members.add(newsroom.drafter)
    revision = newsroom.draft(team=team, headline="For few")
    clearing.request(revision=revision, by=newsroom.drafter)
    return revision


def anew(user: User) -> User:
    """The person as another request finds them: roles are looked up once a request."""
    return User.objects.get(pk=user.pk)


# Appointing


def test_a_deputy_is_a_clearer_and_sees_what_waits_until_it_ends(newsroom):
    story = limited(newsroom).story
    seen = Story.objects.visible_to(newsroom.nobody)
    assert (roles_of(anew(newsroom.nobody)), seen.count()) == (frozenset(), 0)
    made = appoint(newsroom)
    assert roles_of(anew(newsroom.nobody)) == {Role.CLEARER}
    assert list(Story.objects.visible_to(newsroom.nobody)) == [story]
    deputies.end(deputyship=made, by=newsroom.lawyer)
    assert (roles_of(anew(newsroom.nobody)), Story.objects.visible_to(newsroom.nobody).count()) == (
        frozenset(),
        0,
    )


def test_it_begins_and_ends_by_itself(newsroom, live_clock):
    now = datetime.now(UTC)
    appoint(newsroom, since=now + HOUR, until=now + 2 * HOUR)
    assert not rules.desks_of(newsroom.nobody)
    made = appoint(newsroom, until=now + timedelta(seconds=1.2))
    assert rules.desks_of(newsroom.nobody) == {newsroom.legal.pk}
    live_clock(made.until)
    assert not rules.desks_of(newsroom.nobody)


@pytest.fixture
def live_clock():
    """Waits until the database's clock shows an instant."""
    from time import sleep

    from stories.clocks import database_now

    def wait(instant: datetime) -> None:
        while (left := (instant - database_now()).total_seconds()) >= 0:
            sleep(left + 0.01)

    return wait


def test_on_one_desk_it_is_on_that_one_alone(newsroom):
    newsroom.private_office.members.add(newsroom.lawyer)
    appoint(newsroom, desk=newsroom.private_office)
    assert rules.desks_of(newsroom.nobody) == {newsroom.private_office.pk}


def test_it_is_no_longer_than_the_person_is_on_the_desk(newsroom):
    appoint(newsroom)
    newsroom.legal.members.remove(newsroom.lawyer)
    assert not rules.desks_of(newsroom.nobody)


def test_who_appoints(newsroom):
    appoint(newsroom, by=newsroom.administrator)
    for by in (newsroom.nobody, newsroom.second_lawyer, newsroom.officer):
        with pytest.raises(deputies.NotYours):
            appoint(newsroom, desk=newsroom.legal, until=datetime.now(UTC) + timedelta(days=3), by=by)
    with pytest.raises(deputies.NotYours):
        appoint(newsroom, deputy=newsroom.administrator, by=newsroom.administrator)


def test_there_has_to_be_something_to_stand_in_for(newsroom):
    with pytest.raises(deputies.NobodyToStandInFor, match="is on no desk"):
        appoint(newsroom, person=newsroom.drafter, by=newsroom.drafter)
    with pytest.raises(deputies.NobodyToStandInFor, match="is not on the desk Private Office"):
        appoint(newsroom, desk=newsroom.private_office)


def test_the_deputy_is_somebody_else_who_can_sign_in(newsroom):
    gone = person("gone", "Gone Away", is_active=False)
    for deputy in (newsroom.lawyer, gone):
        with pytest.raises(deputies.NoDeputy):
            appoint(newsroom, deputy=deputy)


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        (-2 * HOUR, -HOUR, "has gone by"),
        (3 * HOUR, 2 * HOUR, "before the beginning"),
        (HOUR, 9000 * HOUR, "a year"),
    ],
)
def test_the_time_has_to_make_sense(newsroom, since, until, words):
    now = datetime.now(UTC)
    with pytest.raises(deputies.WrongTime, match=words):
        appoint(newsroom, since=now + since, until=now + until)


def test_nobody_stood_in_before_it_was_said(newsroom):
    made = appoint(newsroom, since=datetime.now(UTC) - timedelta(days=9))
    assert datetime.now(UTC) - made.since < timedelta(minutes=1)


def test_the_same_twice_is_once(newsroom):
    until = datetime.now(UTC) + HOUR
    appoint(newsroom, until=until)
    for more in ({}, {"desk": newsroom.legal}):
        with pytest.raises(deputies.AlreadyStandsIn):
            appoint(newsroom, until=until, **more)
    appoint(newsroom, until=until + HOUR)


def test_who_ends_it(newsroom):
    made = appoint(newsroom)
    for by in (newsroom.second_lawyer, newsroom.officer):
        with pytest.raises(deputies.NotYours):
            deputies.end(deputyship=made, by=by)
    deputies.end(deputyship=made, by=newsroom.nobody)
    with pytest.raises(deputies.Over):
        deputies.end(deputyship=made, by=newsroom.lawyer)
    later = appoint(newsroom, since=datetime.now(UTC) + HOUR)
    ended = deputies.end(deputyship=later, by=newsroom.administrator)
    assert ended.until == ended.since


# Deciding


def decide(newsroom, revision: Revision, by: User, verdict: str = "cleared", **more: object) -> Client:
    client = Client()
    client.force_login(by)
    step = newsroom.step(revision.story, newsroom.legal)
    sent = {
        "revision": revision.pk,
        "covered": covered(revision, newsroom.legal),
        "verdict": verdict,
        **more,
    }
    address = reverse("story_decide", args=[revision.story.uid, step.pk])
    return client.post(address, sent, follow=True)


def page(newsroom, revision: Revision, by: User):
    client = Client()
    client.force_login(by)
    step = newsroom.step(revision.story, newsroom.legal)
    return client.get(reverse("story_clearing", args=[revision.story.uid]), {"step": step.pk}), step


def test_who_can_decide_only_as_a_deputy_is_told_for_whom_and_sends_it(newsroom):
    revision = newsroom.submitted()
    appoint(newsroom)
    shown, step = page(newsroom, revision, newsroom.nobody)
    assert "You decide on behalf of <b>Adaeze Nwosu</b>." in shown.content.decode()
    form = fields_of(shown, reverse("story_decide", args=[revision.story.uid, step.pk]))
    assert form["on_behalf"] == str(newsroom.lawyer.pk)
    answer = decide(newsroom, revision, newsroom.nobody, on_behalf=form["on_behalf"])
    assert "Signed, on behalf of Adaeze Nwosu: Legal cleared" in answer.content.decode()
    assert Decision.objects.get().who == "Nemo Outis, on behalf of Adaeze Nwosu"


def test_who_is_on_the_desk_and_stands_in_chooses(newsroom):
    revision = newsroom.submitted()
    appoint(newsroom, deputy=newsroom.second_lawyer)
    text = page(newsroom, revision, newsroom.second_lawyer)[0].content.decode()
    assert '<select class="form-select w-auto" name="on_behalf">' in text
    assert '<option value="">yourself</option>' in text
    decide(newsroom, revision, newsroom.second_lawyer, on_behalf="")
    assert Decision.objects.get().on_behalf is None


def test_who_stands_in_for_two_chooses_between_them(newsroom):
    revision = newsroom.submitted()
    for whom in (newsroom.lawyer, newsroom.second_lawyer):
        appoint(newsroom, person=whom, by=whom)
    text = page(newsroom, revision, newsroom.nobody)[0].content.decode()
    assert "yourself" not in text
    assert ">Adaeze Nwosu</option>" in text
    assert ">Hugh Penrose</option>" in text
    decide(newsroom, revision, newsroom.nobody, on_behalf=newsroom.second_lawyer.pk)
    assert Decision.objects.get().on_behalf == newsroom.second_lawyer


def test_without_a_choice_nothing_is_asked(newsroom):
    text = page(newsroom, newsroom.submitted(), newsroom.lawyer)[0].content.decode()
    assert "on_behalf" not in text


def test_whom_one_stands_in_for_is_left_out_where_they_wrote_words(newsroom):
    revision = newsroom.submitted()
    newsroom.edit(revision.story, by=newsroom.lawyer, summary="By the lawyer.")
    for whom in (newsroom.lawyer, newsroom.second_lawyer):
        appoint(newsroom, person=whom, by=whom)
    text = page(newsroom, revision, newsroom.nobody)[0].content.decode()
    assert "You decide on behalf of <b>Hugh Penrose</b>." in text


def test_for_somebody_for_whom_one_does_not_stand_in_nothing_is_signed(newsroom):
    revision = newsroom.submitted()
    answer = decide(newsroom, revision, newsroom.second_lawyer, on_behalf=newsroom.lawyer.pk)
    assert answer.status_code == 403
    assert "you do not stand in for this person" in answer.content.decode()
    answer = decide(newsroom, revision, newsroom.second_lawyer, on_behalf="nonsense")
    assert answer.status_code == 422
    assert not Decision.objects.exists()


def test_what_ended_while_the_page_was_open_signs_nothing(newsroom):
    newsroom.private_office.members.add(newsroom.nobody)
    revision = newsroom.submitted()
    made = appoint(newsroom)
    deputies.end(deputyship=made, by=newsroom.lawyer)
    answer = decide(newsroom, revision, newsroom.nobody, on_behalf=newsroom.lawyer.pk)
    assert answer.status_code == 403
    assert not Decision.objects.exists()


def test_changes_are_asked_on_behalf_too(newsroom):
    revision = newsroom.submitted()
    appoint(newsroom)
    sent = {"reason": "Say when.", "on_behalf": newsroom.lawyer.pk}
    decide(newsroom, revision, newsroom.nobody, "changes", **sent)
    assert Decision.objects.get().on_behalf == newsroom.lawyer


# The page


def send(browser, **more: object):
    """The form as it stands, with `more`."""
    address = reverse("deputies")
    form = fields_of(browser.get(address), address)
    day = datetime.now(UTC) + timedelta(days=3)
    return browser.post(address, {**form, "until-day": f"{day:%Y-%m-%d}", **more}, follow=True)


def test_somebody_says_who_stands_in_for_them(newsroom, as_):
    browser = as_(newsroom.lawyer)
    text = send(browser, deputy=newsroom.nobody.pk).content.decode()
    assert "Nemo Outis stands in for Adaeze Nwosu until 18:00 " in text
    made = Deputyship.objects.get()
    assert (made.desk, made.by) == (None, newsroom.lawyer)
    ended = browser.post(reverse("deputy_end", args=[made.pk]), follow=True).content.decode()
    assert "Nemo Outis does not stand in for Adaeze Nwosu any more." in ended
    assert "Over" in ended


def test_an_administrator_says_it_of_others_and_not_of_themself(newsroom, as_):
    browser = as_(newsroom.administrator)
    send(browser, person=newsroom.lawyer.pk, deputy=newsroom.nobody.pk, desk=newsroom.legal.pk)
    assert Deputyship.objects.get().by == newsroom.administrator
    answer = send(browser, person=newsroom.lawyer.pk, deputy=newsroom.administrator.pk)
    assert answer.status_code == 403
    text = browser.get(reverse("deputies")).content.decode()
    assert "Nemo Outis for Adaeze Nwosu" in text
    assert "appointed by Callum Byrne" in text


def test_nobody_appoints_for_another_by_naming_them(newsroom, as_):
    send(as_(newsroom.second_lawyer), person=newsroom.lawyer.pk, deputy=newsroom.nobody.pk)
    assert Deputyship.objects.get().person == newsroom.second_lawyer


def test_who_is_on_no_desk_sees_why_not(newsroom, as_):
    browser = as_(newsroom.drafter)
    text = browser.get(reverse("deputies")).content.decode()
    assert "You have nobody to appoint" in text
    answer = browser.post(
        reverse("deputies"),
        {
            "deputy": newsroom.nobody.pk,
            "since-day": "2030-01-01",
            "since-time": "10:00",
            "until-day": "2030-01-02",
            "until-time": "10:00",
        },
    )
    assert answer.status_code == 422
    assert "is on no desk" in answer.content.decode()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"until-day": "2030-03-31", "until-time": "01:30"}, "does not exist in Europe/London"),
        ({"until-day": "2030-10-27", "until-time": "01:30"}, "happens twice in Europe/London"),
        ({"until-day": "2001-10-27"}, "has gone by"),
        ({"until-time": ""}, "This field is required"),
        ({"deputy": ""}, "Choose who stands in."),
        ({"desk": "999"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(newsroom, as_, more, words):
    answer = send(as_(newsroom.lawyer), **{"deputy": newsroom.nobody.pk, **more})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert words in text
    if more.get("deputy") is None:
        assert f'<option value="{newsroom.nobody.pk}" selected>' in text
    assert not Deputyship.objects.exists()


def test_the_time_that_happens_twice_is_asked_about(newsroom, as_):
    now = datetime.now(UTC)
    # The next time that the clocks go back within the year.
    years = (now.year, now.year + 1)
    last = [
        max(day for day in range(25, 32) if datetime(y, 10, day, tzinfo=UTC).weekday() == 6) for y in years
    ]
    back = next(
        datetime(y, 10, day, tzinfo=UTC)
        for y, day in zip(years, last, strict=True)
        if datetime(y, 10, day, tzinfo=UTC) > now + timedelta(days=2)
    )
    more = {"deputy": newsroom.nobody.pk, "until-day": f"{back:%Y-%m-%d}", "until-time": "01:30"}
    browser = as_(newsroom.lawyer)
    assert 'name="until-fold"' in send(browser, **more).content.decode()
    send(browser, **more, **{"until-fold": "1"})
    assert Deputyship.objects.get().until == back.replace(hour=1, minute=30)


def test_others_deputyships_do_not_exist_for_somebody(newsroom, as_):
    made = appoint(newsroom)
    assert as_(newsroom.officer).post(reverse("deputy_end", args=[made.pk])).status_code == 404
    text = as_(newsroom.second_lawyer).get(reverse("deputies")).content.decode()
    assert "Nemo" not in text.partition("<form")[0]
    assert as_(newsroom.lawyer).get(reverse("deputy_end", args=[made.pk])).status_code == 302
    made.refresh_from_db()
    assert made.until > datetime.now(UTC)


def test_the_history_has_pages_and_as_many_queries_for_three_as_for_one(
    newsroom, as_, django_assert_max_num_queries
):
    now = datetime.now(UTC)
    for number in range(26):
        Deputyship.objects.create(
            person=newsroom.lawyer,
            deputy=newsroom.nobody,
            since=now - timedelta(days=number + 2),
            until=now - timedelta(days=number + 1),
            by=newsroom.lawyer,
        )
    Desk.objects.create(name="Another")
    browser = as_(newsroom.lawyer)
    with django_assert_max_num_queries(22):
        text = browser.get(reverse("deputies")).content.decode()
    assert text.count("Nemo Outis for Adaeze Nwosu") == 25
    assert "page 1 of 2" in text
    second = browser.get(reverse("deputies"), {"page": 2}).content.decode()
    assert second.count("Nemo Outis for Adaeze Nwosu") == 1
