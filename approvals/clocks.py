"""Times as clearance says them: on the press office's clocks, with the zone in words."""

from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.db import connection

from stories.moments import Moment, clock, zone_of


def database_now() -> datetime:
    """The database's clock, by which embargoes lift."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT facts_now()")
        now: datetime = cursor.fetchone()[0]
    return now


def office(instant: datetime) -> Moment:
    """An instant on the press office's clocks."""
    return Moment(instant, settings.PRESS_OFFICE_ZONE)


def midnight(now: datetime) -> datetime:
    """The instant at which the press office's day is over."""
    tomorrow = office(now).local.date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone_of(settings.PRESS_OFFICE_ZONE)).astimezone(UTC)


def lasting(gap: timedelta) -> str:
    """A length of time in its two largest units: "2 d 17 h", "1 h 18 min", "12 min"."""
    minutes = int(abs(gap).total_seconds() // 60)
    units = [(minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min")]
    first = next((place for place, (count, _) in enumerate(units) if count), 2)
    return " ".join(f"{count} {unit}" for count, unit in units[first : first + 2])


def said(moment: Moment, now: datetime) -> str:
    """A moment as briefly as it is clear: "18:00 BST", with the day where it is another one."""
    local = moment.local
    time_and_zone = f"{clock(local.replace(second=0))} {moment.zone_word}"
    today = now.astimezone(local.tzinfo)
    if local.date() == today.date():
        return time_and_zone
    return f"{time_and_zone}, {day(moment, now)}"


def day(moment: Moment, now: datetime) -> str:
    """A day in words, with the year where it is another one: "Tuesday 17 October"."""
    local = moment.local
    year = "" if local.year == now.astimezone(local.tzinfo).year else f" {local.year}"
    return f"{local:%A} {local.day} {local:%B}{year}"
