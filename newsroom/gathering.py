"""Public stories that are gathered: by type, topic, organisation, who is quoted, and when they came out."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Subquery, Value

from stories.clocks import office
from stories.kinds import TYPES
from stories.models import Organisation, Topic
from stories.moments import zone_of
from stories.rendering import type_label

from .models import Release, ReleaseQuerySet, Tag, TagKind
from .places import ORDER

FIRST_FROM = "visibility__first_from"
#: By what there are so few that all of them can be named together.
FEW = (TagKind.TYPE, TagKind.TOPIC, TagKind.ORGANISATION)


class Gathered(NamedTuple):
    """What stories are gathered by, as it stands in addresses and as people call it."""

    slug: str
    name: str


class NothingPublic(LookupError):
    """No public story is of this type, about this topic, from this organisation, or quotes this person."""


def named(kind: TagKind, slug: str) -> Gathered:
    """A type, a topic, an organisation or a person as the newest public story calls it.

    Raises:
        NothingPublic: see there.
    """
    name = _public(kind, slug).order_by(*ORDER).values_list("tags__name", flat=True).first()
    if name is None:
        raise NothingPublic
    return Gathered(slug, type_label(slug) if kind == TagKind.TYPE and slug in TYPES else name)


def tagged(kind: str, slug: str) -> Exists:
    """Whether a release, on which it is asked, is of, about or from something, or quotes somebody."""
    return Exists(Tag.objects.filter(release=OuterRef("pk"), kind=kind, slug=slug))


def known(kind: TagKind) -> list[Gathered]:
    """The types, the topics or the organisations of public stories (see `FEW`), by their names. One query.

    What nothing public is about is not among them, though staff have set it up.
    """
    if kind == TagKind.TYPE:
        used = _filled((code, _public(kind, code)) for code in TYPES)
        return [Gathered(code, type_label(code)) for code in TYPES if code in used]
    # One look for each, which ends at the first: a join would go through all stories.
    first = Subquery(_public(kind, OuterRef("slug")).values("pk")[:1])
    model: type[Topic | Organisation] = Topic if kind == TagKind.TOPIC else Organisation
    rows = model.objects.annotate(first=first).filter(first__isnull=False).order_by("name")
    return [Gathered(*row) for row in rows.values_list("slug", "name")]


def of(kind: TagKind, slug: str) -> ReleaseQuerySet:
    """The public releases of a type, about a topic, from or with an organisation, or that quote a person."""
    return Release.objects.public().filter(tagged(kind, slug))


def _public(kind: TagKind, slug: str | OuterRef) -> ReleaseQuerySet:
    return Release.objects.public().filter(tags__kind=kind, tags__slug=slug)


def _filled(each: Iterable[tuple[str, ReleaseQuerySet]]) -> set[str]:
    """Of sets of releases, the names of those in which there is any. One query."""
    first, *others = [releases.annotate(of=Value(name)).values_list("of")[:1] for name, releases in each]
    return {name for (name,) in first.union(*others, all=True)}


# By when they were published


def day_begins(day: date, later: int = 0) -> datetime:
    """When a day begins on the press office's clocks, or the one some days later."""
    try:
        day += timedelta(days=later)
        return datetime.combine(day, time(), zone_of(settings.PRESS_OFFICE_ZONE)).astimezone(UTC)
    except OverflowError:
        # The first day there is, or the last.
        return datetime.combine(day, time(), UTC)


def published_in(year: int, month: int = 0) -> ReleaseQuerySet:
    """The public releases of a year, or of a month, by the press office's clocks.

    Raises:
        ValueError: there is no such year or month.
    """
    begins = date(year, month or 1, 1)
    after = date(year + (month in {0, 12}), month % 12 + 1 if month else 1, 1)
    return Release.objects.public().filter(
        **{f"{FIRST_FROM}__gte": day_begins(begins), f"{FIRST_FROM}__lt": day_begins(after)}
    )


def years() -> list[int]:
    """The years in which something was published that is public, the newest first. Three queries."""
    in_order = Release.objects.public().order_by(*ORDER)
    # Each end comes from the index of the order; an aggregate would look at every story.
    newest, oldest = (
        each.values_list(FIRST_FROM, flat=True).first() for each in (in_order, in_order.reverse())
    )
    if newest is None or oldest is None:
        return []
    span = range(office(newest).local.year, office(oldest).local.year - 1, -1)
    filled = _filled((str(year), published_in(year)) for year in span)
    return [year for year in span if str(year) in filled]


def counts() -> list[tuple[date, int]]:
    """The months in which something public was published, by their first days, and how much; in order.

    One query, which counts what is public in the index of its order.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT month, stories FROM published_by_month(%s)", [settings.PRESS_OFFICE_ZONE])
        found: list[tuple[date, int]] = cursor.fetchall()
    return found


def months(year: int) -> list[date]:
    """The months of a year in which something public was published, each by its first day. One query."""
    filled = _filled((str(month), published_in(year, month)) for month in range(1, 13))
    return [date(year, month, 1) for month in range(1, 13) if str(month) in filled]
