"""The database's clock, and times as staff read them: by the press office's clocks, the zone in words."""

from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.db import connection

from .moments import Moment, clock, zone_of


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
    """A length of time in its two largest units: "2 d 17 h", "7 h 19 min", "18 min", "40 s"."""
    seconds = int(abs(gap).total_seconds())
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


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
