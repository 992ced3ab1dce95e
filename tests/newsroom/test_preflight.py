"""When a release is checked, that it is once for each mark, and who hears of it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import Error, connection, transaction
from django.urls import reverse

from newsroom import alarming, mailbox, preflight, releasing, watch_tasks
from newsroom.models import Alarm, Finding, Heartbeat, Mark, Preflight, Release
from stories import drafting, record
from stories.access import Role
from stories.clocks import database_now
from stories.models import Team
from stories.moments import Moment
from stories.refusals import hint_of
from tests.newsroom.pages import fields_of
from tests.newsroom.racing import race
from tests.newsroom.test_tasks import _messages_stay_here, sent  # noqa: F401
from tests.newsroom.web import serving
from tests.people import person

pytestmark = pytest.mark.django_db

LONDON = "Europe/London"
#: A Tuesday morning far from any change of clocks.
MOMENT = datetime(2027, 6, 15, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _machines_are_well(db, settings, monkeypatch):
    """Everything that is asked of the machines is in order, and nobody waits for the next mail."""
    monkeypatch.setattr(alarming, "APART", timedelta(0))
    watch_tasks._runs.cache_clear()
    for name in ("sweep", "watch"):
        Heartbeat.objects.create(name=name, at=database_now())
    with serving(lambda method, path: (200, {}, b"ok")) as web:
        settings.PROBE_URL = web.url
        yield


def arm(newsroom, moment: datetime = MOMENT, zone: str = LONDON, **words) -> Release:
    revision = newsroom.cleared(**words)
    return releasing.arm(revision=revision, by=newsroom.officer, moment=Moment(moment, zone))


def rearm(newsroom, release: Release, moment: datetime) -> Release:
    return releasing.arm(revision=release.revision, by=newsroom.officer, moment=Moment(moment, LONDON))


def marks(at: datetime) -> list[str]:
    """The marks that are due at an instant."""
    return [str(due.mark) for due in preflight.due(100, at)]


def take_all(at: datetime) -> list[Preflight]:
    taken = [preflight.take(due, preflight.Run()) for due in preflight.due(100, at)]
    return [one for one in taken if one]


def text(response) -> str:
    return " ".join(response.content.decode().split())


def mails() -> list[str]:
    while alarming.send_next():
        pass
    return [str(mailbox.read(path).get_content()) for path in mailbox.messages()]


# When


@pytest.mark.parametrize(("before", "found"), [
    (timedelta(hours=24, seconds=1), []),
    (timedelta(hours=24), ["24h"]),
    (timedelta(hours=1, seconds=1), ["24h"]),
    (timedelta(hours=1), ["1h"]),
    (timedelta(minutes=15, seconds=1), ["1h"]),
    (timedelta(minutes=15), ["15min"]),
    (timedelta(seconds=1), ["15min"]),
    (timedelta(0), []),
    (timedelta(hours=-1), []),
])  # fmt: skip
@pytest.mark.parametrize("moment", [
    MOMENT,
    # The two nights in which the clocks change, in London and in New York.
    datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC),
    datetime(2027, 3, 28, 1, tzinfo=UTC),
    datetime(2027, 3, 28, 12, tzinfo=UTC),
    datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
    datetime(2027, 10, 31, 1, 30, tzinfo=UTC),
    datetime(2027, 11, 7, 5, 30, tzinfo=UTC),
])  # fmt: skip
def test_the_last_mark_that_has_come_is_due_whatever_the_clocks_do(newsroom, moment, before, found):
    arm(newsroom, moment, "America/New_York" if moment.month == 11 else LONDON)
    assert marks(moment - before) == found


def test_each_mark_is_taken_once(newsroom):
    release = arm(newsroom)
    for before, mark in ((24 * HOUR, Mark.DAY), (HOUR, Mark.HOUR), (HOUR / 4, Mark.QUARTER)):
        (taken,) = take_all(MOMENT - before)
        assert (taken.release, taken.moment, taken.mark) == (release, MOMENT, mark)
        assert (taken.by, taken.not_right) == (None, [])
        assert {result["state"] for result in taken.results} == {Finding.OK}
        assert take_all(MOMENT - before) == []
    assert Preflight.objects.count() == 3
    assert not Alarm.objects.exists()
    assert list(record.verify()) == []
    entry = record.lines(release.story)[0]
    assert record.words(entry).title == "Pre-flight, 15 minutes before: all in order"


def test_after_an_outage_only_the_last_mark_is_taken(newsroom):
    arm(newsroom)
    (taken,) = take_all(MOMENT - timedelta(minutes=5))
    assert taken.mark == Mark.QUARTER
    assert marks(MOMENT - timedelta(minutes=4)) == []


def test_what_is_moved_is_checked_for_its_new_moment(newsroom):
    release = arm(newsroom)
    take_all(MOMENT - HOUR)
    later = rearm(newsroom, release, MOMENT + HOUR / 2)
    # It has an hour and a half to go again: the mark of a day is its last.
    (taken,) = take_all(MOMENT - HOUR)
    assert (taken.release, taken.moment, taken.mark) == (later, MOMENT + HOUR / 2, Mark.DAY)
    assert marks(MOMENT - HOUR / 2) == ["1h"]


def test_what_is_disarmed_between_marks_is_not_checked_until_it_is_armed_anew(newsroom):
    release = arm(newsroom)
    take_all(MOMENT - 24 * HOUR)
    releasing.disarm(story=release.story, by=newsroom.officer, reason="Not yet.")
    assert marks(MOMENT - HOUR) == []
    rearm(newsroom, release, MOMENT)
    (taken,) = take_all(MOMENT - HOUR)
    assert taken.mark == Mark.HOUR


def test_what_was_disarmed_while_it_was_checked_leaves_no_row(newsroom):
    release = arm(newsroom)
    (due,) = preflight.due(10, MOMENT - HOUR)
    releasing.disarm(story=release.story, by=newsroom.officer, reason="Not yet.")
    assert preflight.take(due, preflight.Run()) is None
    assert not Preflight.objects.exists()


def test_what_is_held_is_checked_and_told(newsroom):
    release = arm(newsroom)
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait.")
    (taken,) = take_all(MOMENT - HOUR)
    assert taken.not_right == ["hold"]


def test_the_most_urgent_come_first_and_no_more_than_asked_for(newsroom):
    releases = [arm(newsroom, MOMENT + number * HOUR, slug=f"n-{number}") for number in (2, 0, 1)]
    found = preflight.due(2, MOMENT - HOUR / 2)
    assert [due.release_id for due in found] == [releases[1].pk, releases[2].pk]


@pytest.mark.parametrize("count", [3, 30])
def test_the_database_is_asked_once_what_is_due(newsroom, count, django_assert_num_queries):
    for number in range(count):
        arm(newsroom, MOMENT + number * timedelta(minutes=20), slug=f"n-{number}")
    with django_assert_num_queries(1):
        assert len(preflight.due(100, MOMENT - HOUR)) == count


@pytest.mark.parametrize("count", [3, 30])
def test_a_pre_flight_asks_no_more_of_the_database_for_more_releases(
    newsroom, count, django_assert_max_num_queries
):
    for number in range(count):
        arm(newsroom, MOMENT + number * timedelta(minutes=20), slug=f"n-{number}")
    run = preflight.Run()
    first, second, *_ = preflight.due(100, MOMENT - HOUR)
    preflight.take(first, run)
    with django_assert_max_num_queries(16):
        preflight.take(second, run)


class TestAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_of_many_workers_one_stores_what_it_found(self, live_newsroom):
        arm(live_newsroom)
        (due,) = preflight.due(10, MOMENT - HOUR)
        taken = race(6, lambda _: preflight.take(due, preflight.Run()))
        assert [one for one in taken if one is not None] == list(Preflight.objects.all())
        assert list(record.verify()) == []


# Who hears of it


def test_the_duty_officers_hear_of_what_is_not_right_and_of_no_words(newsroom):
    release = arm(newsroom, headline="Canary headline", slug="canary-slug")
    releasing.hold(story=release.story, by=newsroom.officer, reason="Canary reason.")
    take_all(MOMENT - 24 * HOUR)
    (mail,) = mails()
    assert "- Hold" in mail
    assert "Sign-offs" not in mail
    assert "10:30 BST, Tuesday 15 June 2027 (09:30 UTC)" in mail
    assert reverse("story_release", args=[release.story.uid]) in mail
    assert "canary" not in mail.lower()
    # At the next mark it is not right still.
    take_all(MOMENT - HOUR)
    assert len(mails()) == 2
    assert list(record.verify()) == []


def test_advice_is_told_when_it_is_new(newsroom):
    release = arm(newsroom)
    arm(newsroom, slug="near")
    for before in (24 * HOUR, HOUR):
        for taken in take_all(MOMENT - before):
            assert taken.not_right == ["clashes"]
    # Each of the two once, at the first mark.
    assert Alarm.objects.count() == 2
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait.")
    take_all(MOMENT - HOUR / 4)
    assert list(Alarm.objects.order_by("pk").values_list("release", "preflight__mark"))[2:] == [
        (release.pk, "15min")
    ]


def test_thousands_that_are_not_right_are_a_mail_a_minute(newsroom, monkeypatch):
    monkeypatch.setattr(alarming, "APART", timedelta(minutes=1))
    releases = [arm(newsroom, MOMENT + timedelta(minutes=number), slug=f"n-{number}") for number in range(4)]
    releasing.hold(story=releases[1].story, by=newsroom.officer, reason="Wait.")
    take_all(MOMENT - HOUR)
    (mail,) = mails()
    assert "4 releases are armed, the first of them for 10:30 BST, Tuesday 15 June 2027" in mail
    assert "- Other releases: 4 of 4" in mail
    assert "- Hold: 1 of 4" in mail
    assert mail.count("/release/") == 4
    # The next ones wait until the minute is over.
    take_all(MOMENT - HOUR / 4 + timedelta(minutes=3))
    assert len(mails()) == 1
    assert not alarming.outstanding()
    monkeypatch.setattr(alarming, "APART", timedelta(0))
    assert len(mails()) == 2
    assert not Alarm.objects.filter(sent_at=None).exists()


def test_what_could_not_be_asked_is_no_reason_for_a_mail(newsroom, settings):
    settings.PROBE_URL = "http://127.0.0.1:1"
    arm(newsroom)
    (taken,) = take_all(MOMENT - HOUR)
    assert "unknown" in {result["state"] for result in taken.results}
    assert mails() == []


def test_nobody_outside_the_team_hears_of_a_limited_story(newsroom):
    inside = person("ben", "Ben Adeyemi", Role.DUTY_OFFICER)
    team = Team.objects.create(name="Budget")
    team.members.add(inside, newsroom.drafter)
    release = arm(newsroom)
    drafting.limit(story=release.story, by=newsroom.drafter, team=team)
    releasing.hold(story=release.story, by=inside, reason="Wait.")
    take_all(MOMENT - HOUR)
    assert list(Alarm.objects.values_list("recipient", flat=True)) == [inside.pk]
    # Whoever leaves the team before the mail goes out does not hear of it either.
    team.members.remove(inside)
    assert mails() == []
    assert Alarm.objects.get().error == "Not sent: the story does not exist for the person."


def test_what_has_moved_is_not_told_any_more(newsroom):
    release = arm(newsroom)
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait.")
    take_all(MOMENT - HOUR)
    rearm(newsroom, release, MOMENT + HOUR)
    assert mails() == []
    assert "its moment has moved" in Alarm.objects.get().error


def test_what_was_moved_before_is_told_by_its_new_moment(newsroom):
    release, later = arm(newsroom), MOMENT + HOUR
    seen = (release.pk, release.moment)
    moment = Moment(later, LONDON)
    releasing.move(story=release.story, by=newsroom.officer, moment=moment, reason="Later.", seen=seen)
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait.")
    (taken,) = take_all(later - HOUR)
    assert (taken.moment, taken.not_right) == (later, ["hold"])
    assert len(mails()) == 1


# What the database refuses

INSERT = """INSERT INTO newsroom_preflight (story_id, release_id, moment, mark, results)
            VALUES (%s, %s, %s, %s, '[]')"""


def refused(sql: str, *values: object) -> str:
    with pytest.raises(Error) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    diagnosis = getattr(caught.value.__cause__, "diag", None)
    return hint_of(caught.value) or (diagnosis.constraint_name or "") or str(diagnosis.sqlstate)


def test_a_preflight_is_of_an_armed_release_of_its_story_for_its_moment_and_stays(newsroom):
    release, other = arm(newsroom), arm(newsroom, slug="other")
    out = newsroom.public(slug="out")
    assert refused(INSERT, other.story_id, release.pk, MOMENT, "1h") == "not_armed"
    assert refused(INSERT, release.story_id, release.pk, MOMENT + HOUR, "1h") == "not_armed"
    assert refused(INSERT, out.story_id, out.pk, out.embargo, "1h") == "not_armed"
    take_all(MOMENT - HOUR)
    assert refused(INSERT, release.story_id, release.pk, MOMENT, "1h") == "preflight_once"
    assert refused("UPDATE newsroom_preflight SET results = '[]'") == "42501"
    assert refused("DELETE FROM newsroom_preflight") == "42501"


# On the page


def press(browser, story):
    action = reverse("story_preflight", args=[story.uid])
    page = browser.get(reverse("story_release", args=[story.uid]))
    return browser.post(action, fields_of(page, action), follow=True)


def test_a_duty_officer_checks_now_and_reads_what_was_found(newsroom, as_):
    release = arm(newsroom)
    browser = as_(newsroom.officer)
    body = text(press(browser, release.story))
    assert "Checked: all in order." in body
    assert "Asked for by Ines Okoro" in body
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait for it.")
    body = text(press(browser, release.story))
    assert "Checked: something is not right." in body
    assert "1 not right" in body
    assert "On hold by Ines Okoro, “Wait for it.”: at its moment nothing goes out." in body
    assert "Lift the hold in time, or disarm it." in body
    assert list(Preflight.objects.values_list("mark", "by")) == [("now", newsroom.officer.pk)] * 2
    # Whoever asked looks at it: no mail.
    assert not Alarm.objects.exists()


def test_the_page_says_when_it_is_checked_next(newsroom, as_):
    release = newsroom.armed(ahead=timedelta(hours=30))
    page = reverse("story_release", args=[release.story.uid])
    assert "It is checked next 24 hours before, in 5 h 59 min." in text(as_(newsroom.officer).get(page))


def test_who_may_not_release_reads_it_and_has_no_button(newsroom, as_):
    release = arm(newsroom)
    take_all(MOMENT - HOUR)
    body = text(as_(newsroom.drafter).get(reverse("story_release", args=[release.story.uid])))
    assert "1 hour before" in body
    assert "Check now" not in body
    action = reverse("story_preflight", args=[release.story.uid])
    assert as_(newsroom.drafter).post(action).status_code == 403
    assert Preflight.objects.count() == 1


def test_a_story_that_does_not_exist_for_somebody_is_not_found(newsroom, as_):
    release = arm(newsroom)
    team = Team.objects.create(name="Budget")
    drafting.limit(story=release.story, by=newsroom.drafter, team=team)
    action = reverse("story_preflight", args=[release.story.uid])
    assert as_(newsroom.officer).post(action).status_code == 404
    assert as_(newsroom.officer).get(action).status_code == 404
    assert not Preflight.objects.exists()


def test_what_is_not_armed_cannot_be_checked(newsroom, as_):
    revision = newsroom.cleared()
    action = reverse("story_preflight", args=[revision.story.uid])
    answer = as_(newsroom.officer).post(action)
    assert answer.status_code == 409
    assert "Nothing was checked: no release of this story is armed." in text(answer)
    out = newsroom.public(slug="out")
    assert as_(newsroom.officer).post(reverse("story_preflight", args=[out.story.uid])).status_code == 409


def test_ten_are_shown_in_no_more_queries_than_one(newsroom, as_, django_assert_max_num_queries):
    release = arm(newsroom)
    browser, page = as_(newsroom.officer), reverse("story_release", args=[release.story.uid])
    press(browser, release.story)
    with django_assert_max_num_queries(40) as one:
        browser.get(page)
    for _ in range(11):
        preflight.check_now(story=release.story, by=newsroom.officer)
    with django_assert_max_num_queries(len(one)):
        assert "Earlier (9)" in text(browser.get(page))


# The tasks


def test_the_task_takes_what_is_due_and_has_the_mail_sent(newsroom, sent):  # noqa: F811
    release = newsroom.armed(ahead=HOUR / 2)
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait.")
    newsroom.armed(ahead=timedelta(days=3), slug="far")
    sent.clear()
    assert watch_tasks.preflights() == 1
    assert Preflight.objects.get().mark == Mark.HOUR
    assert [name for name, _ in sent] == ["tell"]
    assert watch_tasks.tell() == 1
    assert watch_tasks.preflights() == 0


def test_a_release_that_breaks_stops_no_other(newsroom, sent, monkeypatch):  # noqa: F811
    bad = newsroom.armed(ahead=HOUR / 2, slug="bad")
    good = newsroom.armed(ahead=HOUR / 2 + timedelta(minutes=1), slug="good")
    take = preflight.take

    def breaks(due, run):
        if due.release_id == bad.pk:
            raise ValueError("bad")
        return take(due, run)

    monkeypatch.setattr(preflight, "take", breaks)
    assert watch_tasks.preflights() == 2
    assert [one.release for one in Preflight.objects.all()] == [good]


def test_a_task_gives_its_place_to_others_in_time(newsroom, sent, monkeypatch):  # noqa: F811
    for number in range(3):
        newsroom.armed(ahead=HOUR / 2 + number * HOUR, slug=f"n-{number}")
    sent.clear()
    monkeypatch.setattr(watch_tasks, "SLICE", 0)
    assert [watch_tasks.preflights() for _ in range(4)] == [1, 1, 1, 0]
    assert [name for name, _ in sent if name == "preflights"] == ["preflights"] * 3


def test_the_watch_gives_a_sign_of_life_and_starts_what_is_due(newsroom, sent):  # noqa: F811
    Heartbeat.objects.filter(name="watch").delete()
    release = newsroom.public()
    releasing.announce(release_id=release.pk, worker="test")
    watch_tasks.watch()
    assert database_now() - Heartbeat.objects.get(name="watch").at < timedelta(seconds=5)
    assert [name for name, _ in sent] == ["probe"]
    assert watch_tasks.probe() == 1
    # The page that answers here is no story.
    assert release.probes.get().differed.startswith("the page is not what was cleared")
    assert Alarm.objects.get().kind == "unseen"
    sent.clear()
    watch_tasks.watch()
    assert [name for name, _ in sent] == ["tell"]


def test_what_watches_is_in_a_queue_of_its_own(settings, newsroom, sent):  # noqa: F811
    app = watch_tasks.app
    for task in ("watch", "probe", "tell", "preflights"):
        assert app.amqp.router.route({}, f"newsroom.watch_tasks.{task}")["queue"].name == "watching"
    for task in ("newsroom.tasks.announce", "newsroom.tasks.sweep", "approvals.tasks.remind"):
        assert (
            "queue" not in app.amqp.router.route({}, task)
            or app.amqp.router.route({}, task)["queue"].name == "celery"
        )
    queues = settings.CELERY_TASK_QUEUES
    assert [(queue.name, queue.exchange.name, queue.routing_key) for queue in queues] == [
        ("celery", "celery", "celery"), ("watching", "watching", "watching"),
    ]  # fmt: skip
