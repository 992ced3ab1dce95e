"""Moments: an instant in UTC together with the zone in which somebody meant it.

`zoneinfo` takes local times that do not exist, and those that happen twice, without a word; here they
are refused or asked about.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.utils.translation import gettext, gettext_noop

ONES = """midnight one two three four five six seven eight nine ten eleven twelve thirteen fourteen
fifteen sixteen seventeen eighteen nineteen""".split()  # noqa: SIM905
NO_ZONES = {"Factory", "localtime", "posixrules"}
DAYS = (
    gettext_noop("Monday"),
    gettext_noop("Tuesday"),
    gettext_noop("Wednesday"),
    gettext_noop("Thursday"),
    gettext_noop("Friday"),
    gettext_noop("Saturday"),
    gettext_noop("Sunday"),
)
MONTHS = (
    gettext_noop("January"),
    gettext_noop("February"),
    gettext_noop("March"),
    gettext_noop("April"),
    gettext_noop("May"),
    gettext_noop("June"),
    gettext_noop("July"),
    gettext_noop("August"),
    gettext_noop("September"),
    gettext_noop("October"),
    gettext_noop("November"),
    gettext_noop("December"),
)
TENS = {20: "twenty", 30: "thirty", 40: "forty", 50: "fifty"}


class UnknownZone(ValueError):
    """There is no time zone of that name."""


class NonexistentTime(ValueError):
    """The clocks skip this local time. `before` and `after` are the moments nearest to it."""

    def __init__(self, local: datetime, zone: str, before: "Moment", after: "Moment") -> None:
        super().__init__(
            f"{local:%H:%M} on {words_of(local.date())} does not exist in {zone}: the clocks go forward "
            f"and skip it. The last minute before is {before.in_full}, the first after is {after.in_full}."
        )
        self.before, self.after = before, after


class AmbiguousTime(ValueError):
    """The local time happens twice, because the clocks go back. `moments` are the two, in order."""

    def __init__(self, local: datetime, zone: str, moments: tuple["Moment", "Moment"]) -> None:
        super().__init__(
            f"{local:%H:%M} on {words_of(local.date())} happens twice in {zone}, because the clocks go back. "
            f"Choose {moments[0].in_full} or {moments[1].in_full}."
        )
        self.moments = moments


def words_of(day: date) -> str:
    """A day in words: "Tuesday 17 October 2017"."""
    return f"{gettext(DAYS[day.weekday()])} {day.day} {month_of(day)} {day.year:04}"


def month_of(day: date) -> str:
    """Its month in words: "October"."""
    return gettext(MONTHS[day.month - 1])


def number_words(number: int) -> str:
    """A number from 1 to 59 in words."""
    if number < 20:
        return ONES[number]
    tens, ones = TENS[number // 10 * 10], number % 10
    return f"{tens}-{ONES[ones]}" if ones else tens


@cache
def zones() -> tuple[str, ...]:
    """The names of all zones that stand for a place, and UTC."""
    places = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    return (*places, "UTC")


@cache
def _names() -> frozenset[str]:
    """The names that a zone can be meant by: those that the database takes too (`check_moment`).

    So none of the old names without a place, such as GB and EST, of which half mean another zone in summer.
    """
    found = {name for name in available_timezones() - NO_ZONES if "/" in name or name == "UTC"}
    return frozenset(name for name in found if not name.startswith(("right/", "posix/")))


def zone_of(name: str) -> ZoneInfo:
    """The zone called `name`.

    Raises:
        UnknownZone: there is none.
    """
    # Not every file of the zone database is a zone that somebody can mean: `right/` counts leap seconds.
    if name in _names():
        return ZoneInfo(name)
    raise UnknownZone(f"There is no time zone called “{name}”. Choose one such as Europe/London.")


@dataclass(frozen=True)
class Moment:
    """An aware UTC instant, and the name of the zone in which it was meant."""

    instant: datetime
    zone: str

    @classmethod
    def parse(cls, instant: str, zone: str) -> "Moment":
        """From an ISO 8601 text with an offset, as facts hold it."""
        return cls(datetime.fromisoformat(instant).astimezone(UTC), zone)

    @property
    def local(self) -> datetime:
        """The same instant on the clocks of the zone."""
        return self.instant.astimezone(zone_of(self.zone))

    @property
    def stamp(self) -> str:
        """The same for a machine that reads HTML: with an offset, and no finer than milliseconds."""
        return self.local.isoformat(timespec="milliseconds" if self.local.microsecond else "seconds")

    @property
    def zone_word(self) -> str:
        """The zone in letters: "BST", or "UTC+4" where the zone has no letters of its own."""
        return zone_word(self.local)

    @property
    def time(self) -> str:
        """The time on the clock without its zone: "00:01"."""
        return clock(self.local)

    @property
    def short_day(self) -> str:
        """The day in brief, for a list that gives the zone elsewhere: "Tue 17 Oct"."""
        local = self.local
        return f"{local:%a} {local.day} {local:%b}"

    @property
    def clock(self) -> str:
        """The time on the clock, with seconds where there are any: "00:01 BST"."""
        return f"{clock(self.local)} {self.zone_word}"

    @property
    def day(self) -> str:
        """The day in words: "Tuesday 17 October 2017"."""
        return words_of(self.local.date())

    @property
    def public(self) -> str:
        """As the public reads it: "00:01 BST, Tuesday 17 October 2017"."""
        return f"{self.clock}, {self.day}"

    @property
    def utc(self) -> str:
        """The instant in UTC, with the day where it is another: "23:01 UTC, Monday"."""
        utc = self.instant.astimezone(UTC)
        other_day = f", {utc:%A}" if utc.date() != self.local.date() else ""
        return f"{clock(utc)} UTC{other_day}"

    @property
    def in_full(self) -> str:
        """As staff read it: "00:01 BST, Tuesday 17 October 2017 (23:01 UTC, Monday)"."""
        return f"{self.public} ({self.utc})"

    @property
    def spoken(self) -> str:
        """Read back in words, so that 00:01 is not mistaken for the night after."""
        local = self.local
        day, before = f"{local:%A}", f"{local - timedelta(days=1):%A}"
        plural = "s" * (local.second > 1)
        seconds = f" and {number_words(local.second)} second{plural}" if local.second else ""
        if local.hour == 0:
            minutes = f"{number_words(local.minute)} minute{'s' * (local.minute > 1)} past " * bool(
                local.minute
            )
            return f"{minutes}midnight{seconds}, in the night from {before} to {day}"
        if (local.hour, local.minute) == (12, 0):
            return f"noon{seconds} on {day}"
        return f"{spoken_time(local)}{seconds} {part_of_day(local.hour)} on {day}"

    @property
    def next_change(self) -> str:
        """When the clocks of the zone change next within a year, in words; empty when they do not."""
        place = zone_of(self.zone)
        before = self.instant
        for days in range(1, 366):
            try:
                after = self.instant + timedelta(days=days)
                changed = after.astimezone(place).utcoffset() != before.astimezone(place).utcoffset()
            except OverflowError:
                break
            if changed:
                return words_of(_edge(before, after, place).astimezone(place).date())
            before = after
        return ""


def clock(moment: datetime) -> str:
    """Hours and minutes, and seconds where they are not zero."""
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def zone_word(local: datetime) -> str:
    """The letters of an aware time's zone, or its offset from UTC."""
    name = local.tzname() or ""
    if name.isalpha():
        return name
    minutes = int((local.utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def part_of_day(hour: int) -> str:
    """The part of the day that `hour` (1 to 23) falls in."""
    if hour < 12:
        return "in the morning"
    return "in the afternoon" if hour < 18 else "in the evening"


def spoken_time(local: datetime) -> str:
    """The time of a twelve-hour clock in words: "half past nine"."""
    hour, minute = number_words((local.hour - 1) % 12 + 1), local.minute
    named = {0: f"{hour} o’clock", 15: f"a quarter past {hour}", 30: f"half past {hour}"}
    if minute in named:
        return named[minute]
    if minute < 30:
        return f"{number_words(minute)} minute{'s' * (minute > 1)} past {hour}"
    return f"{hour} {number_words(minute)}"


def resolve(day: date, at: time, zone: str, fold: int | None = None) -> Moment:
    """The moment at which the clocks of `zone` show `at` on `day`.

    `fold` says which of two is meant, 0 the first and 1 the second, where the clocks show a time twice.

    Raises:
        UnknownZone: no such zone.
        NonexistentTime: the clocks skip this time.
        AmbiguousTime: they show it twice, and `fold` is None.
    """
    place = zone_of(zone)
    local = datetime.combine(day, at)
    first, second = (local.replace(tzinfo=place, fold=f).astimezone(UTC) for f in (0, 1))
    if first.astimezone(place).replace(tzinfo=None) != local:
        # In a gap, fold 1 gives the instant before it and fold 0 the one after, each off by the gap's length.
        edge = _edge(second, first, place)
        raise NonexistentTime(local, zone, Moment(edge - timedelta(minutes=1), zone), Moment(edge, zone))
    if first != second and fold is None:
        raise AmbiguousTime(local, zone, (Moment(first, zone), Moment(second, zone)))
    return Moment(second if fold else first, zone)


def _edge(low: datetime, high: datetime, place: ZoneInfo) -> datetime:
    """The first minute after the change of offset between `low` and `high`, in UTC."""
    offset = low.astimezone(place).utcoffset()
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) / 2
        if middle.astimezone(place).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high.replace(second=0, microsecond=0)
