"""Moments that cannot be, or that are not what somebody meant: by the page, by the verb and by raw SQL.

A verb and a row hold an instant, of which there is always exactly one; a local time is resolved in the
form. So the traps of the clocks are the form's to see, and what the others have to keep is that an instant
is told truly.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import pytest
from django.db import Error, connections
from django.test import Client
from django.urls import reverse

from newsroom import releasing, visibility
from newsroom.models import Release, Visibility
from stories import drafting, record
from stories.access import Role
from stories.clocks import database_now
from stories.models import Revision
from stories.moments import AmbiguousTime, Moment, NonexistentTime, UnknownZone, resolve
from tests.newsroom.pages import fields_of
from tests.newsroom.test_release_guards import sql
from tests.newsroom.test_release_views import LONDON, at, press_arm, read_back, text, tomorrow
from tests.people import person

pytestmark = pytest.mark.django_db


class Trap(NamedTuple):
    """A local time that the clocks of a zone skip, or show twice."""

    zone: str
    day: str
    time: str


class Skipped(NamedTuple):
    """With the last minute before, and the first after, in UTC."""

    trap: Trap
    before: datetime
    after: datetime


class Twice(NamedTuple):
    """With both instants."""

    trap: Trap
    first: datetime
    second: datetime


def utc(*values: int) -> datetime:
    return datetime(*values, tzinfo=UTC)


# Lord Howe's clocks change by half an hour.
SKIPPED = [
    Skipped(Trap(LONDON, "2030-03-31", "01:30"), utc(2030, 3, 31, 0, 59), utc(2030, 3, 31, 1, 0)),
    Skipped(Trap("America/New_York", "2030-03-10", "02:30"), utc(2030, 3, 10, 6, 59), utc(2030, 3, 10, 7, 0)),
    Skipped(
        Trap("Australia/Lord_Howe", "2030-10-06", "02:15"), utc(2030, 10, 5, 15, 29), utc(2030, 10, 5, 15, 30)
    ),
]
TWICE = [
    Twice(Trap(LONDON, "2030-10-27", "01:30"), utc(2030, 10, 27, 0, 30), utc(2030, 10, 27, 1, 30)),
    Twice(Trap("America/New_York", "2030-11-03", "01:30"), utc(2030, 11, 3, 5, 30), utc(2030, 11, 3, 6, 30)),
    Twice(
        Trap("Australia/Lord_Howe", "2030-04-07", "01:45"), utc(2030, 4, 6, 14, 45), utc(2030, 4, 6, 15, 15)
    ),
]
ZONES_THAT_ARE_NONE = [
    "",
    " ",
    "Atlantis",
    "Europe/Atlantis",
    "BST",
    "GB",
    "EST",
    "+01:00",
    "Europe/London\x00",
    "../UTC",
]


def by_trap(value: object) -> str:
    return value.trap.zone if isinstance(value, Skipped | Twice) else repr(value)


# By the page


@pytest.mark.parametrize("skipped", SKIPPED, ids=by_trap)
def test_a_time_that_the_clocks_skip_is_refused_with_what_lies_beside_it(newsroom, as_, skipped):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    page = browser.get(at("story_release", revision.story), skipped.trap._asdict())
    for moment in (skipped.before, skipped.after):
        assert Moment(moment, skipped.trap.zone).in_full in text(page)
    sent = {**fields_of(page, at("story_arm", revision.story)), **skipped.trap._asdict(), "confirm": "1"}
    for seen in (skipped.before, skipped.after):
        answer = browser.post(at("story_arm", revision.story), {**sent, "seen": seen.isoformat()})
        assert answer.status_code == 422
    assert not Release.objects.exists()


@pytest.mark.parametrize("twice", TWICE, ids=by_trap)
@pytest.mark.parametrize("fold", [0, 1])
def test_a_time_that_comes_twice_is_asked_about_and_armed_as_chosen(newsroom, as_, twice, fold):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    page = browser.get(at("story_release", revision.story), twice.trap._asdict())
    for moment in (twice.first, twice.second):
        assert Moment(moment, twice.trap.zone).in_full in text(page)
    refused = browser.post(at("story_arm", revision.story), {**twice.trap._asdict(), "confirm": "1"})
    assert (refused.status_code, Release.objects.count()) == (422, 0)
    page = browser.get(at("story_release", revision.story), {**twice.trap._asdict(), "fold": str(fold)})
    press_arm(browser, page, revision.story)
    release = Release.objects.get()
    assert (release.embargo, release.zone) == (twice[1 + fold], twice.trap.zone)
    assert release.moment.in_full in text(browser.get(at("story_record", revision.story)))


@pytest.mark.parametrize("zone", ZONES_THAT_ARE_NONE)
def test_a_zone_that_is_none_is_refused_by_the_page(newsroom, as_, zone):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    page = read_back(browser, revision.story, zone=zone)
    assert page.status_code == 200
    assert "Not read back" in text(page)
    sent = {
        "day": "2030-07-01",
        "time": "09:30",
        "zone": zone,
        "seen": "2030-07-01T08:30:00+00:00",
        "confirm": "1",
    }
    sent |= {"revision": str(revision.pk)}
    assert browser.post(at("story_arm", revision.story), sent).status_code == 422
    assert not Release.objects.exists()


def test_an_embargo_that_somebody_moved_while_the_page_was_open_is_not_moved_back(newsroom, as_):
    """Armed by one, moved by another; the first goes on from the page that they have."""
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    press_arm(browser, read_back(browser, revision.story), revision.story)
    page = read_back(browser, revision.story, Moment(tomorrow().instant + timedelta(hours=1), "UTC"))
    moved = Moment(tomorrow().instant + timedelta(hours=2), LONDON)
    other = releasing.arm(revision=revision, by=newsroom.officer, moment=moved)
    answer = press_arm(browser, page, revision.story)
    assert answer.status_code == 409
    assert moved.in_full in text(answer)
    assert Visibility.objects.get().release == other


def test_a_planned_embargo_that_moves_while_the_page_is_open_moves_nothing_that_was_read_back(newsroom, as_):
    revision, browser, planned = newsroom.cleared(), as_(newsroom.officer), tomorrow()
    drafting.plan_embargo(story=revision.story, by=newsroom.drafter, moment=planned)
    page = browser.get(at("story_release", revision.story))
    later = Moment(planned.instant + timedelta(hours=3), "UTC")
    drafting.plan_embargo(story=revision.story, by=newsroom.drafter, moment=later)
    press_arm(browser, page, revision.story)
    assert Release.objects.get().moment == planned


# By the verb


@pytest.mark.parametrize("skipped", SKIPPED, ids=by_trap)
@pytest.mark.parametrize("fold", [None, 0, 1])
def test_there_is_no_moment_in_what_the_clocks_skip(skipped, fold):
    with pytest.raises(NonexistentTime) as refusal:
        resolve(
            date.fromisoformat(skipped.trap.day),
            time.fromisoformat(skipped.trap.time),
            skipped.trap.zone,
            fold,
        )
    assert (refusal.value.before.instant, refusal.value.after.instant) == (skipped.before, skipped.after)


@pytest.mark.parametrize("twice", TWICE, ids=by_trap)
def test_either_of_two_is_armed_and_told_as_itself(newsroom, twice):
    day, clock = date.fromisoformat(twice.trap.day), time.fromisoformat(twice.trap.time)
    with pytest.raises(AmbiguousTime):
        resolve(day, clock, twice.trap.zone)
    for fold, instant in enumerate((twice.first, twice.second)):
        moment = resolve(day, clock, twice.trap.zone, fold)
        revision = newsroom.cleared(slug=f"twice-{fold}")
        release = releasing.arm(revision=revision, by=newsroom.officer, moment=moment)
        assert release.embargo == instant
        assert (
            not Release.objects.public(at=instant - timedelta(microseconds=1)).filter(pk=release.pk).exists()
        )
        assert Release.objects.public(at=instant).filter(pk=release.pk).exists()
        assert (release.moment.local.time(), release.moment.local.fold) == (clock, fold)


@pytest.mark.parametrize("zone", ZONES_THAT_ARE_NONE)
def test_a_zone_that_is_none_is_refused_by_the_verb(newsroom, zone):
    revision = newsroom.cleared()
    with pytest.raises(UnknownZone, match="no time zone called"):
        releasing.arm(revision=revision, by=newsroom.officer, moment=Moment(utc(2030, 7, 1), zone))
    assert not Release.objects.exists()


@pytest.mark.parametrize(
    ("instant", "refusal"),
    [
        (utc(1, 1, 1), releasing.PastEmbargo),
        (utc(1970, 1, 1), releasing.PastEmbargo),
        (utc(9999, 12, 31, 23, 59), releasing.FarEmbargo),
        (datetime.max.replace(tzinfo=UTC), releasing.FarEmbargo),
    ],
)
def test_the_ends_of_the_calendar_are_refused_by_the_verb(newsroom, instant, refusal):
    with pytest.raises(refusal):
        releasing.arm(revision=newsroom.cleared(), by=newsroom.officer, moment=Moment(instant, "UTC"))
    assert not Release.objects.exists()


def test_a_microsecond_ago_is_past(newsroom):
    revision = newsroom.cleared()
    ago = Moment(database_now().astimezone(UTC) - timedelta(microseconds=1), "UTC")
    with pytest.raises(releasing.PastEmbargo):
        releasing.arm(revision=revision, by=newsroom.officer, moment=ago)


# By raw SQL


def insert(revision: Revision, by: int, embargo: str, zone: str) -> None:
    """A release, past the verb."""
    sql(
        "INSERT INTO newsroom_release (story_id, revision_id, by_id, embargo, zone, at)"
        " VALUES (%s, %s, %s, %s::timestamptz, %s, now())",
        revision.story_id,
        revision.pk,
        by,
        embargo,
        zone,
    )


class TestRawSql:
    """Committed data: a refusal ends the transaction."""

    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.mark.parametrize("zone", [zone for zone in ZONES_THAT_ARE_NONE if "\x00" not in zone])
    def test_a_zone_that_is_none_is_refused(self, live_newsroom, zone):
        revision = live_newsroom.cleared()
        with pytest.raises(Error):
            insert(revision, live_newsroom.officer.pk, "2030-07-01 00:00+00", zone)
        assert not Release.objects.exists()

    @pytest.mark.parametrize(
        "trap", [case.trap for case in (*SKIPPED, *TWICE)], ids=lambda trap: " ".join(trap)
    )
    def test_what_the_database_makes_of_a_local_time_is_told_as_it_is(self, live_newsroom, trap):
        """PostgreSQL chooses without a word; the page and the record say which instant it chose."""
        revision = live_newsroom.cleared()
        insert(revision, live_newsroom.officer.pk, f"{trap.day} {trap.time} {trap.zone}", trap.zone)
        moment = Release.objects.get().moment
        local = moment.local
        assert resolve(local.date(), local.time(), trap.zone, local.fold) == moment
        client = Client()
        client.force_login(live_newsroom.officer)
        assert moment.public in text(client.get(at("story_release", revision.story)))
        assert moment.in_full in text(client.get(at("story_record", revision.story)))


# All at once

PRESSES, ARMS, AT_A_TIME = 60, 500, 32


class TestAllAtOnce:
    """Two officers and their impatient fingers."""

    pytestmark = pytest.mark.django_db(transaction=True)

    def test_presses_of_two_buttons_arm_one_release(self, live_newsroom):
        revision = live_newsroom.cleared()
        officers = [live_newsroom.officer, person("otto", "Otto Wren", Role.DUTY_OFFICER)]
        pages = []
        for hours, officer in enumerate(officers):
            browser = Client(raise_request_exception=False)
            browser.force_login(officer)
            moment = Moment(tomorrow().instant + timedelta(hours=hours), "UTC")
            page = read_back(browser, revision.story, moment)
            action = reverse("story_arm", args=[revision.story.uid])
            pages.append(
                (browser.cookies["sessionid"].value, {**fields_of(page, action), "confirm": "1"}, moment)
            )

        def press(number: int) -> int:
            session, fields, _ = pages[number % 2]
            browser = Client(raise_request_exception=False)
            browser.cookies["sessionid"] = session
            try:
                return browser.post(action, fields).status_code
            finally:
                connections.close_all()

        with ThreadPoolExecutor(AT_A_TIME) as pool:
            answers = Counter(pool.map(press, range(PRESSES)))
        release = Release.objects.get()
        # Who was first is told so each time; the other, that it was armed meanwhile.
        assert answers == Counter({302: PRESSES // 2, 409: PRESSES // 2})
        assert release.moment in [moment for _, _, moment in pages]
        assert Visibility.objects.get().release == release
        assert [*visibility.differences(), *record.verify()] == []

    def test_five_hundred_arms_for_as_many_moments_arm_one(self, live_newsroom):
        revision, begin = live_newsroom.cleared(), tomorrow().instant

        def press(number: int) -> str:
            moment = Moment(begin + timedelta(minutes=number), LONDON)
            by = live_newsroom.officer
            try:
                return type(releasing.arm(revision=revision, by=by, moment=moment, replacing=None)).__name__
            except releasing.Refused as refused:
                return type(refused).__name__
            finally:
                connections.close_all()

        with ThreadPoolExecutor(AT_A_TIME) as pool:
            answers = Counter(pool.map(press, range(ARMS)))
        assert answers == Counter(Release=1, Moved=ARMS - 1)
        assert Visibility.objects.get().release == Release.objects.get()
        assert [*visibility.differences(), *record.verify()] == []
