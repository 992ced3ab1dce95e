"""Local times that exist once, never or twice, and how a moment reads."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stories.moments import (
    AmbiguousTime,
    Moment,
    NonexistentTime,
    UnknownZone,
    number_words,
    resolve,
    words_of,
    zone_of,
    zones,
)

LONDON = "Europe/London"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def moment(*parts: int, zone: str = LONDON) -> Moment:
    return Moment(utc(*parts), zone)


# From a clock on a wall to an instant


@pytest.mark.parametrize(
    ("day", "at", "zone", "instant"),
    [
        (date(2017, 10, 17), time(0, 1), LONDON, utc(2017, 10, 16, 23, 1)),
        (date(2017, 1, 17), time(0, 1), LONDON, utc(2017, 1, 17, 0, 1)),
        (date(2026, 7, 1), time(9, 30, 15), "UTC", utc(2026, 7, 1, 9, 30, 15)),
        (date(2026, 7, 1), time(9, 30), "Asia/Kathmandu", utc(2026, 7, 1, 3, 45)),
        (date(2026, 7, 1), time(9, 30), "Pacific/Kiritimati", utc(2026, 6, 30, 19, 30)),
        (date(2026, 7, 1), time(9, 30), "America/New_York", utc(2026, 7, 1, 13, 30)),
    ],
)
def test_a_time_that_exists_once(day, at, zone, instant):
    assert resolve(day, at, zone) == Moment(instant, zone)


@pytest.mark.parametrize("fold", [0, 1])
def test_saying_which_of_two_changes_nothing_where_there_is_one(fold):
    assert resolve(date(2026, 7, 1), time(9), LONDON, fold) == moment(2026, 7, 1, 8)


@pytest.mark.parametrize(
    ("day", "at", "zone", "before", "after"),
    [
        # One hour, at 01:00 UTC.
        (date(2026, 3, 29), time(1, 30), LONDON, utc(2026, 3, 29, 0, 59), utc(2026, 3, 29, 1)),
        # The first and the last second that are skipped.
        (date(2026, 3, 29), time(1), LONDON, utc(2026, 3, 29, 0, 59), utc(2026, 3, 29, 1)),
        (date(2026, 3, 29), time(1, 59, 59), LONDON, utc(2026, 3, 29, 0, 59), utc(2026, 3, 29, 1)),
        (date(2026, 3, 8), time(2, 30), "America/New_York", utc(2026, 3, 8, 6, 59), utc(2026, 3, 8, 7)),
        # Half an hour.
        (
            date(2026, 10, 4),
            time(2, 15),
            "Australia/Lord_Howe",
            utc(2026, 10, 3, 15, 29),
            utc(2026, 10, 3, 15, 30),
        ),
        # A midnight that does not exist.
        (date(2026, 9, 6), time(0), "America/Santiago", utc(2026, 9, 6, 3, 59), utc(2026, 9, 6, 4)),
        # A whole day.
        (date(2011, 12, 30), time(12), "Pacific/Apia", utc(2011, 12, 30, 9, 59), utc(2011, 12, 30, 10)),
    ],
)
def test_a_time_that_does_not_exist_is_refused_with_the_nearest(day, at, zone, before, after):
    with pytest.raises(NonexistentTime) as refusal:
        resolve(day, at, zone)
    assert (refusal.value.before.instant, refusal.value.after.instant) == (before, after)
    assert refusal.value.before.in_full in str(refusal.value)
    assert refusal.value.after.in_full in str(refusal.value)


@pytest.mark.parametrize("fold", [0, 1])
def test_a_time_that_does_not_exist_is_refused_whichever_of_two_is_said(fold):
    with pytest.raises(NonexistentTime):
        resolve(date(2026, 3, 29), time(1, 30), LONDON, fold)


@pytest.mark.parametrize(
    ("day", "at", "zone", "first", "second"),
    [
        (date(2026, 10, 25), time(1, 30), LONDON, utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30)),
        (date(2026, 10, 25), time(1), LONDON, utc(2026, 10, 25, 0), utc(2026, 10, 25, 1)),
        (
            date(2026, 11, 1),
            time(1, 30),
            "America/New_York",
            utc(2026, 11, 1, 5, 30),
            utc(2026, 11, 1, 6, 30),
        ),
        (
            date(2026, 4, 5),
            time(1, 45),
            "Australia/Lord_Howe",
            utc(2026, 4, 4, 14, 45),
            utc(2026, 4, 4, 15, 15),
        ),
    ],
)
def test_a_time_that_happens_twice_is_asked_about(day, at, zone, first, second):
    with pytest.raises(AmbiguousTime) as question:
        resolve(day, at, zone)
    assert [one.instant for one in question.value.moments] == [first, second]
    assert question.value.moments[0].in_full in str(question.value)
    assert question.value.moments[1].in_full in str(question.value)
    assert resolve(day, at, zone, 0).instant == first
    assert resolve(day, at, zone, 1).instant == second


def test_the_minute_after_the_clocks_went_back_exists_once():
    assert resolve(date(2026, 10, 25), time(2), LONDON) == moment(2026, 10, 25, 2)


BAD_ZONES = ["", "Nowhere/Special", "../../etc/passwd", "/etc/localtime", "Europe", "a\0b", "É"]


@pytest.mark.parametrize("zone", BAD_ZONES)
def test_a_zone_that_there_is_not(zone):
    with pytest.raises(UnknownZone):
        resolve(date(2026, 7, 1), time(9), zone)


DAYS = st.dates(date(1980, 1, 1), date(2037, 12, 31))
TIMES = st.times().map(lambda at: at.replace(microsecond=0))


@given(DAYS, TIMES, st.sampled_from(zones()))
def test_what_is_resolved_shows_on_the_clock_and_nothing_else_does(day, at, zone):
    local = datetime.combine(day, at)
    try:
        found = [resolve(day, at, zone)]
    except AmbiguousTime as question:
        found = list(question.moments)
    except NonexistentTime as refusal:
        found = []
        nearest = [one.local.replace(tzinfo=None) for one in (refusal.before, refusal.after)]
        assert nearest[0] < local < nearest[1]
    instants = {one.instant for one in found}
    assert instants == set(instants_that_show(local, zone))


def instants_that_show(local: datetime, zone: str) -> list[datetime]:
    """Each instant at which the clocks of `zone` show `local`: by trying each offset that a zone can have."""
    place, naive = zone_of(zone), local.replace(tzinfo=UTC)
    tried = {naive - offset for offset in offsets_near(naive, zone)}
    return [instant for instant in tried if instant.astimezone(place).replace(tzinfo=None) == local]


def offsets_near(instant: datetime, zone: str) -> set[timedelta]:
    hours = (instant + timedelta(hours=hour) for hour in range(-48, 49))
    return {hour.astimezone(zone_of(zone)).utcoffset() or timedelta() for hour in hours}


# How a moment reads


def test_in_full_with_the_day_of_utc_where_it_is_another():
    assert moment(2017, 10, 16, 23, 1).in_full == "00:01 BST, Tuesday 17 October 2017 (23:01 UTC, Monday)"
    assert moment(2017, 10, 17, 8, 30).in_full == "09:30 BST, Tuesday 17 October 2017 (08:30 UTC)"
    assert moment(2017, 10, 17, 8, 30).public == "09:30 BST, Tuesday 17 October 2017"


def test_seconds_are_told_where_there_are_any():
    assert moment(2026, 1, 5, 9, 30, 7).in_full == "09:30:07 GMT, Monday 5 January 2026 (09:30:07 UTC)"


@pytest.mark.parametrize(
    ("zone", "word"),
    [
        (LONDON, "BST"),
        ("UTC", "UTC"),
        ("America/New_York", "EDT"),
        ("Asia/Dubai", "UTC+4"),
        ("Asia/Kathmandu", "UTC+5:45"),
        ("America/Sao_Paulo", "UTC-3"),
        ("Pacific/Marquesas", "UTC-9:30"),
    ],
)
def test_the_zone_in_letters_or_as_an_offset(zone, word):
    assert moment(2026, 7, 1, 9, zone=zone).zone_word == word


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ((23, 0), "midnight, in the night from Tuesday to Wednesday"),
        ((23, 1), "one minute past midnight, in the night from Tuesday to Wednesday"),
        ((23, 59), "fifty-nine minutes past midnight, in the night from Tuesday to Wednesday"),
        ((0, 0), "one o’clock in the morning on Wednesday"),
        ((8, 30), "half past nine in the morning on Wednesday"),
        ((8, 45), "nine forty-five in the morning on Wednesday"),
        ((10, 59), "eleven fifty-nine in the morning on Wednesday"),
        ((11, 0), "noon on Wednesday"),
        ((11, 1), "one minute past twelve in the afternoon on Wednesday"),
        ((12, 15), "a quarter past one in the afternoon on Wednesday"),
        ((16, 59), "five fifty-nine in the afternoon on Wednesday"),
        ((17, 0), "six o’clock in the evening on Wednesday"),
        ((22, 59), "eleven fifty-nine in the evening on Wednesday"),
        ((11, 0, 20), "noon and twenty seconds on Wednesday"),
        ((8, 30, 1), "half past nine and one second in the morning on Wednesday"),
    ],
)
def test_spoken(at, words):
    day = 30 if at[0] == 23 else 1
    month = 6 if at[0] == 23 else 7
    assert moment(2026, month, day, *at).spoken == words


@pytest.mark.parametrize(("number", "words"), [(1, "one"), (20, "twenty"), (59, "fifty-nine")])
def test_numbers(number, words):
    assert number_words(number) == words


def test_the_day_on_which_the_clocks_change_next():
    assert moment(2017, 10, 16, 23, 1).next_change == "Sunday 29 October 2017"
    assert moment(2026, 3, 28, 12).next_change == "Sunday 29 March 2026"
    assert moment(2026, 3, 29, 0, 30).next_change == "Sunday 29 March 2026"
    assert moment(2026, 3, 29, 1).next_change == "Sunday 25 October 2026"
    assert moment(2026, 3, 28, 12, zone="UTC").next_change == ""


def test_a_moment_near_the_end_of_the_calendar_has_no_next_change():
    assert Moment(utc(9999, 12, 1), "UTC").next_change == ""


def test_a_moment_from_a_fact():
    assert Moment.parse("2017-10-16T23:01:00+00:00", LONDON) == moment(2017, 10, 16, 23, 1)
    assert Moment.parse("2017-10-17T00:01:00+01:00", LONDON) == moment(2017, 10, 16, 23, 1)


def test_zones_are_places_and_utc():
    assert {LONDON, "America/Argentina/Ushuaia", "UTC"} < set(zones())
    assert not {"GB", "EST", "Etc/GMT+1"} & set(zones())
    assert len(zones()) == len(set(zones()))


def test_words_of_a_day():
    assert words_of(date(2017, 10, 17)) == "Tuesday 17 October 2017"
