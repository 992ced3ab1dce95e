"""The alarm: who is told that a release is late or not seen as cleared, where, and how often."""

from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from newsroom import alarming, alarms, mailbox, probing, releasing
from newsroom.models import Alarm, Heartbeat, Lookout, Release
from stories import drafting, record
from stories.access import Role
from stories.clocks import database_now
from stories.models import Story, Team
from tests.newsroom.smtp import mail_server
from tests.people import person

pytestmark = pytest.mark.django_db

WRONG = probing.Look(404, "the page answered 404, not 200")


def text(response) -> str:
    return " ".join(response.content.decode().split())


def mails() -> list[EmailMessage]:
    while alarming.send_next():
        pass
    return [mailbox.read(path) for path in mailbox.messages()]


@pytest.fixture
def impatient(monkeypatch) -> None:
    """An announcement is late at once."""
    monkeypatch.setattr(alarms, "OVERDUE", timedelta(0))


@pytest.fixture
def out(newsroom) -> Release:
    """Public, announced in time, and not looked for yet."""
    release = newsroom.public(headline="Canary headline")
    releasing.announce(release_id=release.pk, worker="test")
    return release


def not_as_cleared(release: Release) -> Release:
    probing.note(release=release, look=WRONG, worker="test")
    return release


def limited(newsroom, story: Story) -> Team:
    """Limit a story to a team that the drafter is in, and the duty officer is not."""
    team = Team.objects.create(name="Budget")
    newsroom.drafter.teams.add(team)
    drafting.limit(story=story, by=newsroom.drafter, team=team)
    return team


# What is found


def test_nothing_is_wrong_with_what_is_as_it_should_be(newsroom, out, impatient):
    newsroom.armed(slug="armed")
    probing.note(release=out, look=probing.Look(200), worker="test")
    Lookout.objects.update(sent_at=Now())
    assert not alarms.overdue().exists()
    assert not alarms.unseen().exists()
    assert alarms.banner(newsroom.officer) is None


def test_a_release_is_overdue_until_it_is_announced(newsroom, impatient):
    release = newsroom.public()
    assert list(alarms.overdue()) == [release]
    releasing.announce(release_id=release.pk, worker="test")
    assert not alarms.overdue().exists()


def test_five_seconds_are_given(newsroom):
    newsroom.public()
    assert not alarms.overdue().exists()
    assert timedelta(seconds=5) == alarms.OVERDUE


def test_what_is_not_as_cleared_is_unseen_until_it_is(newsroom, out):
    assert not alarms.unseen().exists()
    not_as_cleared(out)
    assert list(alarms.unseen()) == [out]
    probing.note(release=out, look=probing.Look(200), worker="test")
    assert not alarms.unseen().exists()


def test_what_nobody_looked_for_in_time_is_unseen(newsroom, out, monkeypatch):
    assert not alarms.unseen().exists()
    monkeypatch.setattr(alarms, "NOT_LOOKED", timedelta(0))
    assert list(alarms.unseen()) == [out]


def test_when_its_time_is_over_the_receipt_says_it_and_no_banner(newsroom, as_, out, monkeypatch):
    not_as_cleared(out)
    monkeypatch.setattr(alarms, "LASTING", timedelta(0))
    assert not alarms.unseen().exists()
    page = text(as_(newsroom.officer).get(reverse("story_release", args=[out.story.uid])))
    assert "From outside, the page answered 404, not 200." in page
    assert "It is looked for again." in page
    Lookout.objects.update(next_attempt=None)
    page = text(as_(newsroom.officer).get(reverse("story_release", args=[out.story.uid])))
    assert "It is not looked for any more: look at the page yourself." in page


def test_the_receipt_says_when_it_was_first_seen_and_how_late(newsroom, as_, out):
    page = reverse("story_release", args=[out.story.uid])
    assert "not looked for yet" in text(as_(newsroom.officer).get(page))
    probe = probing.note(release=out, look=probing.Look(200), worker="test")
    body = text(as_(newsroom.officer).get(page))
    assert f"{probe.lateness.total_seconds():.3f} s after it was due" in body
    assert "not as cleared" not in body


# The banner


def test_the_banner_is_on_every_staff_page_for_as_long_as_it_lasts(newsroom, as_, out):
    browser = as_(newsroom.officer)
    pages = [
        reverse("desk"),
        reverse("story_list"),
        reverse("deputies"),
        reverse("story_record", args=[out.story.uid]),
    ]
    for path in pages:
        assert "Alarm" not in text(browser.get(path))
    not_as_cleared(out)
    for path in pages:
        body = text(browser.get(path))
        assert '<section class="alarm" aria-label="Alarm">' in body
        assert "Canary headline</a> is not seen from outside as it was cleared." in body
        assert reverse("story_release", args=[out.story.uid]) in body
    probing.note(release=out, look=probing.Look(200), worker="test")
    for path in pages:
        assert "Alarm" not in text(browser.get(path))


def test_the_banner_says_what_was_not_announced(newsroom, as_, impatient):
    newsroom.public(headline="Canary headline")
    assert "Canary headline</a> is public and has not been announced." in text(
        as_(newsroom.drafter).get("/desk/")
    )


def test_nobody_outside_the_team_reads_the_headline_of_a_limited_story(newsroom, as_, out):
    limited(newsroom, out.story)
    not_as_cleared(out)
    body = text(as_(newsroom.officer).get("/desk/deputies/"))
    assert "1 release is public and not announced, or not seen" in body
    assert "Canary" not in body
    assert str(out.story.uid) not in body
    assert "Canary headline" in text(as_(newsroom.drafter).get("/desk/deputies/"))


def test_who_has_no_role_and_who_is_not_signed_in_reads_nothing_of_it(newsroom, as_, client, out):
    not_as_cleared(out)
    assert "Alarm" not in text(client.get("/accounts/login/"))
    assert "Alarm" not in text(as_(newsroom.nobody).get("/accounts/password/change/"))


def test_three_are_named_and_the_others_counted_in_two_queries(
    newsroom, impatient, django_assert_num_queries
):
    for number in range(3):
        newsroom.public(slug=f"first-{number}")
    with django_assert_num_queries(2):
        banner = alarms.banner(newsroom.officer)
    assert (len(banner.named), banner.others) == (3, 0)
    for number in range(5):
        newsroom.public(slug=f"second-{number}")
    with django_assert_num_queries(2):
        banner = alarms.banner(newsroom.officer)
    assert (len(banner.named), banner.others, banner.others_words) == (3, 5, "5 other releases")


def test_no_more_are_counted_than_anybody_reads(newsroom, impatient, monkeypatch):
    monkeypatch.setattr(alarms, "COUNTED", 4)
    for number in range(6):
        newsroom.public(slug=f"number-{number}")
    assert alarms.banner(newsroom.officer).others_words == "1+ other releases"


# /readyz


def test_readyz_says_what_is_not_seen(newsroom, client, out):
    Heartbeat.objects.create(name="sweep", at=database_now())
    assert client.get("/readyz").json()["unseen"] == 0
    not_as_cleared(out)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["unseen"], answer.json()["ready"]) == (503, 1, False)


def test_the_heartbeat_of_the_watch_is_not_that_of_the_announcing_worker(newsroom, client):
    Heartbeat.objects.create(name="watch", at=database_now())
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["heartbeat_age"]) == (503, None)


# The mail


def test_the_duty_officers_get_one_mail_each_for_each_release_and_kind(newsroom, out):
    person("ben", "Ben Adeyemi", Role.DUTY_OFFICER)
    person("gone", "Gone Away", Role.DUTY_OFFICER, is_active=False)
    not_as_cleared(out)
    assert alarming.write() == 1
    assert alarming.write() == 0
    found = mails()
    assert sorted(str(mail["To"]) for mail in found) == ["ben@newsroom.example", "ines@newsroom.example"]
    # It goes on being wrong, in another way, and again: that is told by the banner.
    probing.note(release=out, look=probing.Look(500, "the page answered 500, not 200"), worker="test")
    alarming.write()
    assert len(mails()) == 2
    assert set(Alarm.objects.values_list("kind", "attempts")) == {("unseen", 1)}
    assert list(record.verify()) == []


def test_a_mail_says_no_word_of_the_story_and_where_to_look(newsroom, out):
    not_as_cleared(out)
    alarming.write()
    (mail,) = mails()
    body = mail.get_content()
    assert mail["Subject"] == "Alarm: a release not seen from outside as cleared"
    assert f"/desk/stories/{out.story.uid}/release/" in body
    assert "Canary" not in f"{mail['Subject']}{body}"
    assert out.revision.slug not in body


def test_an_officer_outside_the_team_is_told_without_the_way_there(newsroom, out):
    limited(newsroom, out.story)
    not_as_cleared(out)
    alarming.write()
    (mail,) = mails()
    assert str(out.story.uid) not in mail.get_content()
    assert "limited to a team" in mail.get_content()


def test_what_was_announced_late_is_told_though_it_is_over(newsroom, impatient):
    release = newsroom.public()
    releasing.announce(release_id=release.pk, worker="test")
    assert not alarms.overdue().exists()
    assert alarming.write() == 1
    assert mails()[0]["Subject"] == "Alarm: a release announced late"
    assert alarming.write() == 0


def test_what_is_late_now_and_announced_later_is_told_once(newsroom, impatient):
    release = newsroom.public()
    assert alarming.write() == 1
    releasing.announce(release_id=release.pk, worker="test")
    assert alarming.write() == 0
    assert Alarm.objects.count() == 1


def test_a_bad_minute_is_one_mail(newsroom, impatient):
    for number in range(12):
        newsroom.public(slug=f"number-{number}")
    assert alarming.write() == 12
    (mail,) = mails()
    assert mail["Subject"] == "Alarm: 12 releases announced late"
    assert mail.get_content().count("/release/") == 10
    assert "and 2 more" in mail.get_content()
    assert not Alarm.objects.filter(sent_at=None).exists()


def test_a_mail_server_that_fails_is_tried_again_and_nothing_is_lost(newsroom, out, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    not_as_cleared(out)
    alarming.write()
    assert alarming.send_next()
    alarm = Alarm.objects.get()
    assert (alarm.sent_at, alarm.attempts) == (None, 1)
    assert "ConnectionRefusedError" in alarm.error
    Alarm.objects.update(next_attempt=Now())
    with mail_server() as server:
        settings.EMAIL_PORT = server.port
        assert alarming.send_next()
        assert not alarming.outstanding()
    ((recipient, mail),) = server.messages
    assert (recipient, mail["Message-ID"]) == ("ines@newsroom.example", alarming.message_id(alarm))


def test_what_went_into_a_mail_that_failed_is_sent_with_the_next(newsroom, impatient, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    for number in range(3):
        newsroom.public(slug=f"number-{number}")
    alarming.write()
    assert alarming.send_next()
    assert not alarming.send_next()
    Alarm.objects.update(next_attempt=Now())
    with mail_server() as server:
        settings.EMAIL_PORT = server.port
        assert alarming.send_next()
        assert not alarming.send_next()
    assert [mail["Subject"] for _, mail in server.messages] == ["Alarm: 3 releases announced late"]


def test_somebody_who_cannot_be_written_to_any_more_is_not(newsroom, out):
    not_as_cleared(out)
    alarming.write()
    newsroom.officer.is_active = False
    newsroom.officer.save()
    assert mails() == []
    assert Alarm.objects.get().error == "Not sent: the person cannot be written to."
