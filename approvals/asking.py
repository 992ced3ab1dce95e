"""What a step asks, in words: of a route that is being built, and of a story that is laid before it."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol

from stories.kinds import TYPES
from stories.models import Organisation, Topic

from . import coverage
from .models import ALL, Condition, Covers

#: What a condition's value is the code of, by condition.
CODED = (Condition.TYPE, Condition.TOPIC, Condition.PARTNER)
#: Coverage that names somebody.
NAMED = (Covers.SPEAKER, Covers.ROLE)
#: No deadline lies further before an embargo.
FARTHEST = timedelta(days=60)
EXAMPLES = "Write it as 6 h, 90 min or 1 d 2 h."

_UNITS = {"d": 1440, "day": 1440, "h": 60, "hour": 60, "hr": 60, "min": 1, "minute": 1, "m": 1}
_SPAN = re.compile(r"(\d{1,5})\s*([a-z]+)", re.IGNORECASE)


class NotASpan(ValueError):
    """A text does not say how long. The message says how it can be said."""


class Asks(Protocol):
    """Whatever says what it covers, and when it is asked."""

    @property
    def covers(self) -> str: ...

    @property
    def whom(self) -> str: ...

    @property
    def condition(self) -> str: ...

    @property
    def value(self) -> str: ...


Names = dict[tuple[str, str], str]


def names_of(steps: Iterable[Asks]) -> Names:
    """What people call the topics, types and organisations of conditions, in two queries at most."""
    wanted: dict[str, set[str]] = {condition.value: set() for condition in CODED}
    for step in steps:
        if step.condition in wanted and step.value:
            wanted[step.condition].add(step.value)
    found: Names = {(Condition.TYPE.value, code): TYPES.get(code, code) for code in wanted[Condition.TYPE]}
    for condition, model in ((Condition.TOPIC, Topic), (Condition.PARTNER, Organisation)):
        if wanted[condition]:
            rows = model.objects.filter(slug__in=wanted[condition]).values_list("slug", "name")
            found |= {(condition.value, slug): name for slug, name in rows}
    return found


def covers_words(step: Asks) -> str:
    """What a step covers: "everything", "the quotes of Eleanor Whitcombe", "their own quotes"."""
    if step.covers in NAMED and not step.whom:
        return "their own quotes"
    return coverage.in_words(step.covers, step.whom)


def when_words(step: Asks, names: Names) -> str:
    """When it is asked: "when a figure appears"; empty where it always is."""
    if step.condition == Condition.ALWAYS:
        return ""
    if step.condition == Condition.PARTNER and not step.value:
        return "when a partner organisation is named"
    return coverage.when_in_words(step.condition, names.get((step.condition, step.value), step.value))


def quorum_words(quorum: int) -> str:
    """How many have to sign, where that is more than one."""
    return {2: "two of the desk sign", ALL: "all of the desk sign"}.get(quorum, "")


def span_words(span: timedelta) -> str:
    """How long, as it is typed: "1 d 2 h", "90 min"."""
    minutes = int(span.total_seconds() // 60)
    units = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    return " ".join(f"{count} {unit}" for count, unit in units if count) or "0 min"


def parse_span(text: str) -> timedelta:
    """How long a text says: "6 h", "1 d 2 h", "90 min".

    Raises:
        NotASpan: it says nothing of the kind, or no time at all, or too long a one.
    """
    parts = _SPAN.findall(text)
    rest = _SPAN.sub("", text).replace(",", " ").replace(" and ", " ").strip()
    units = [_UNITS.get(unit.lower(), _UNITS.get(unit.lower().removesuffix("s"))) for _, unit in parts]
    if not parts or rest or None in units:
        raise NotASpan(f"“{text.strip()}” does not say how long. {EXAMPLES}")
    minutes = sum(int(count) * (unit or 0) for (count, _), unit in zip(parts, units, strict=True))
    if not minutes:
        raise NotASpan(f"That is no time at all. {EXAMPLES}")
    if minutes > FARTHEST.total_seconds() // 60:
        raise NotASpan(f"Nothing can be more than {FARTHEST.days} days ahead.")
    return timedelta(minutes=minutes)
