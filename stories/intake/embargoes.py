"""The embargo line: whether a paragraph is one, and which moment it names.

Everything doubtful is left to a person: the worst that can come out of here is
a wrong moment that looks right.
"""

import re
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from stories.intake.shapes import EmbargoLine
from stories.moments import words_of

LONDON = "Europe/London"
_LIMIT = 300
_UNTIL = r"(?:until|till|til|to|for|before)\b"
_EMBARGO = re.compile(
    r"[*_\[(<>\s#]{0,8}(?:"
    r"(?:strict(?:ly)?\s+|under\s+(?:a\s+)?)*(?P<word>embargo(?:ed)?)(?:\s+copy)?"
    rf"(?:\s*(?P<colon>:|\s[-–—]\s)\s*|\s+(?P<until>{_UNTIL})|(?P<alone>[*_\])\s.]*$))"
    r"|(?:strictly\s+)?(?P<never>not)\s+(?:for|to\s+be)\s+(?:publication|published|release|released|broadcast|use|used)\b"
    r"(?=.{0,80}\b(?:before|until|till|prior))"
    r")",
    re.IGNORECASE,
)
_SAYS_WHEN = re.compile(
    r"\d|\b(?:not for|not to be|until|delivery|noon|midnight|none|immediate)\b", re.IGNORECASE
)

_MONTH_NAMES = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DAY_NAMES = "mon|tue|wed|thu|fri|sat|sun"
_MONTHS = {name: n for n, name in enumerate(_MONTH_NAMES.split("|"), 1)}
_DAYS = {name: n for n, name in enumerate(_DAY_NAMES.split("|"))}
_MONTH = rf"(?P<month>{_MONTH_NAMES})[a-z]{{0,6}}\.?"
_ORDINAL = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE | re.ASCII)
    for pattern in (
        r"(?<!\d)(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})T?(?!\d{3})",
        rf"(?<![\d:.]){_ORDINAL}\s+(?:of\s+)?{_MONTH},?\s+(?P<year>\d{{4}})(?!\d)",
        rf"\b{_MONTH}\s+{_ORDINAL},?\s+(?P<year>\d{{4}})(?!\d)",
        r"(?<![\d:])(?P<day>\d{1,2})(?P<between>[/.])(?P<number>\d{1,2})(?P=between)(?P<year>\d{4})(?!\d)",
    )
)
_WEEKDAY = re.compile(rf"\b(?P<name>{_DAY_NAMES})(?:day|s|sday|nesday|r|rs|rsday|ur|urday)?\b", re.IGNORECASE)
_TIME = re.compile(
    r"(?<![\d:.+-])(?:(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?"
    r"|(?P<four>[0-2]\d[0-5]\d)|(?P<hour_alone>\d{1,2})(?=\s*(?:am|pm|a\.m|p\.m)))"
    r"(?!\d)\s*(?:hrs|hours|h\b)?\s*(?P<half>am\b|pm\b|a\.m\.?|p\.m\.?)?"
    r"|\b(?P<word>noon|midday)\b",
    re.IGNORECASE | re.ASCII,
)
_MIDNIGHT = re.compile(r"\bmidnight\b", re.IGNORECASE)
_OFFSET = re.compile(r"(?:\b(?:UTC|GMT)\s*|\d)[+−]\s?\d|\d{2}-\d{2}:?\d{2}\b", re.ASCII)
_LETTERS = re.compile(r"\b[A-Z]{2,4}\b|(?<=\d)(?:Z|GMT|BST|UTC)\b", re.ASCII)
_AFTER_TIME = re.compile(r"(?:\d|hrs|hours|[ap]m)\s?(?P<name>[A-Z]{2,4}T)\b", re.ASCII)
_NAMED = re.compile(r"\b[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_]+)?\b")
_PLACE = re.compile(
    r"\b(?P<place>UK|British|London|Brussels|Paris|Berlin|New York|Washington|Dublin)\s+(?:local\s+)?time\b",
    re.I,
)
_ZONES = {
    **dict.fromkeys(("Z", "UTC", "GMT"), "UTC"),
    **dict.fromkeys(("BST", "UK", "BRITISH", "LONDON"), LONDON),
    **dict.fromkeys(("CET", "CEST", "BRUSSELS"), "Europe/Brussels"),
    **dict.fromkeys(("EST", "EDT", "ET", "NEW YORK", "WASHINGTON"), "America/New_York"),
    **dict.fromkeys(("PST", "PDT", "PT"), "America/Los_Angeles"),
    **dict.fromkeys(("AEST", "AEDT"), "Australia/Sydney"),
    "JST": "Asia/Tokyo",
    "PARIS": "Europe/Paris",
    "BERLIN": "Europe/Berlin",
    "DUBLIN": "Europe/Dublin",
}
_NOT_ZONES = frozenset({"SAT", "OCT", "SEPT"})


class _Doubt(Exception):
    """The line does not name one moment; the sentence says why."""


def is_embargo(plain: str, *, in_body: bool) -> bool:
    """Whether a paragraph is an embargo line. Within the body only the plainest wording counts."""
    found = _EMBARGO.match(plain) if len(plain) <= _LIMIT else None
    if not found:
        return False
    if found["never"] or found["alone"] is not None:
        return True
    rest = plain[found.end() :]
    if found["colon"]:
        return bool(_SAYS_WHEN.search(rest))
    shouted = found["word"].isupper()
    return _is_until(found, rest, plain) and (shouted or not in_body)


def _is_until(found: re.Match[str], rest: str, plain: str) -> bool:
    # "Embargo until the war ends, says minister" is a headline, and
    # "Embargoed until 2019, the papers show ..." a story.
    if any(pattern.search(rest) for pattern in _DATES):
        return len(plain) <= 120 or found["word"].isupper()
    return found["word"].lower() == "embargoed" and len(plain) <= 120 and plain[-1] != "."


def read(words: str, plain: str) -> EmbargoLine:
    """What the line says, with the moment if it names exactly one."""
    zone = LONDON
    try:
        zone = _zone(plain)
        local, weekday = _moment(plain)
        return EmbargoLine(words, local, zone, _weekday_doubt(local, weekday) or _summer_doubt(local, plain))
    except _Doubt as doubt:
        return EmbargoLine(words, None, zone, str(doubt))


def _moment(plain: str) -> tuple[datetime, int | None]:
    day, rest = _date(plain)
    return datetime.combine(day, _time(rest)), _weekday(rest)


def _date(plain: str) -> tuple[date, str]:
    """The one date in the line, and the line without it, so that its figures are not read as a time."""
    found = [match for pattern in _DATES for match in pattern.finditer(plain)]
    if not found:
        raise _Doubt("The line gives no full date: day, month and year.")
    days = {_one_date(match) for match in found}
    if len(days) > 1:
        raise _Doubt("The line gives more than one date.")
    for match in found:
        plain = plain[: match.start()] + " " * len(match[0]) + plain[match.end() :]
    return days.pop(), plain


def _one_date(found: re.Match[str]) -> date:
    parts = found.groupdict()
    day, year = int(parts["day"]), int(parts["year"])
    month = int(parts["number"]) if "number" in parts else _MONTHS[parts["month"].lower()]
    if "between" in parts and day <= 12 and month <= 12 and day != month:
        raise _Doubt(f"{found[0]} can be read as two different days.")
    try:
        return date(year, month, day)
    except ValueError:
        raise _Doubt(f"There is no such day as {found[0].strip()}.") from None


def _time(rest: str) -> time:
    if _MIDNIGHT.search(rest):
        raise _Doubt("“Midnight” can mean the start or the end of that day: choose 00:01 or 23:59.")
    times = {_one_time(found) for found in _TIME.finditer(rest)}
    if not times:
        raise _Doubt("The line gives a date and no time.")
    if len(times) > 1:
        raise _Doubt("The line gives more than one time.")
    return times.pop()


def _one_time(found: re.Match[str]) -> time:
    if found["word"]:
        return time(12)
    four = found["four"] or ""
    hour = int(four[:2] or found["hour"] or found["hour_alone"])
    minute = int(four[2:] or found["minute"] or 0)
    try:
        return time(_hour(hour, found["half"]), minute, int(found["second"] or 0))
    except ValueError:
        raise _Doubt(f"{found[0].strip()} is not a time of day.") from None


def _hour(hour: int, half: str | None) -> int:
    if not half:
        return hour
    afternoon = half[0] in "pP"
    if hour > 12 or (hour == 0 and afternoon):
        if (hour > 12) == afternoon:
            return hour  # 13:00pm says the same thing twice
        raise ValueError(hour)
    return hour % 12 + 12 * afternoon


def _weekday(rest: str) -> int | None:
    days = {_DAYS[found["name"].lower()] for found in _WEEKDAY.finditer(rest)}
    return days.pop() if len(days) == 1 else None


def _zone(plain: str) -> str:
    if _OFFSET.search(plain):
        raise _Doubt("The time is given with an offset: choose the zone it is meant in.")
    names = {_known_zone(name) for name in _zone_names(plain)}
    if len(names) > 1:
        raise _Doubt("The line names more than one time zone.")
    return names.pop() if names else LONDON


def _zone_names(plain: str) -> list[str]:
    """Letters that are known, wherever they stand, and unknown ones right after a time."""
    letters = [name for name in _LETTERS.findall(plain) if name in _ZONES]
    unknown = [name for name in _AFTER_TIME.findall(plain) if name not in _NOT_ZONES]
    return [*letters, *unknown, *_NAMED.findall(plain), *(found["place"] for found in _PLACE.finditer(plain))]


def _known_zone(name: str) -> str:
    if "/" not in name:
        known = _ZONES.get(name.upper())
        if known:
            return known
        raise _Doubt(f"We do not know which time zone “{name}” is.")
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise _Doubt(f"There is no time zone called “{name}”.") from None


def _weekday_doubt(local: datetime, weekday: int | None) -> str:
    if weekday is None or weekday == local.weekday():
        return ""
    raise _Doubt(f"The day of the week does not fit the date: it is {words_of(local.date())}.")


def _summer_doubt(local: datetime, plain: str) -> str:
    """GMT written in summer, and BST in winter, are an hour off what was meant as often as not."""
    summer = bool(local.replace(tzinfo=ZoneInfo(LONDON)).dst())
    if summer and re.search(r"\bGMT\b", plain):
        return "British Summer Time is in force on that day, and the line says GMT."
    if not summer and re.search(r"\bBST\b", plain):
        return "British Summer Time is not in force on that day, and the line says BST."
    return ""
