"""Public stories in lists: what the home page and the feeds show of each, in one query."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple, Protocol, TypeVar

from django.conf import settings
from django.db.models import F, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.urls import reverse

from stories import languages, rendering, renditions
from stories.clocks import office
from stories.moments import Moment, UnknownZone, zone_of

from .models import Release
from .places import ORDER, Place

WORDS: dict[str, Combinable] = {
    "uid": F("story__uid"),
    "slug": F("visibility__slug"),
    "first_from": F("visibility__first_from"),
    "updated_at": F("visibility__updated_at"),
    "story_type": KeyTextTransform("type", "revision__content"),
    "language": KeyTextTransform("language", "revision__content"),
    "headline": KeyTextTransform("headline", "revision__content"),
    "summary": KeyTextTransform("summary", "revision__content"),
    "picture": F("revision__content__picture"),
    "topics": F("revision__content__topics"),
    "organisation": F("revision__content__organisation"),
    "attachments": F("revision__content__attachments"),
    "forms": renditions.column("revision"),
}


class Listed(NamedTuple):
    """A story in a list or a feed."""

    uid: str
    slug: str
    type_label: str
    language: str
    headline: str
    summary: str
    published: Moment
    #: When it was corrected, or changed in something of weight; as published where it was not.
    updated: Moment
    picture: rendering.Picture | None
    topics: list[str]
    organisation: str
    documents: tuple[rendering.Document, ...]
    place: Place
    #: On the page of a person, what they say in it.
    quotes: tuple[rendering.Block, ...] = ()

    @property
    def lang(self) -> str:
        """Its language, where that is not the one of the page around."""
        return languages.other(self.language)


def published(instant: datetime, zone: str) -> Moment:
    """When something became public, to the second, in the zone in which its embargo was meant.

    A zone that nobody knows, which raw SQL can store, is taken for UTC.
    """
    try:
        zone_of(zone)
    except UnknownZone:
        zone = "UTC"
    return Moment(instant.replace(microsecond=0), zone)


def address(slug: str) -> str:
    """The public address of a story, in full."""
    return f"{settings.SITE_URL}{reverse('story', args=[slug])}"


def newest(start: int, stop: int) -> list[Listed]:
    """The public stories from place `start` to before place `stop`, the newest first. One query."""
    return listed(Release.objects.public(), start, stop)


def listed(releases: QuerySet[Release], start: int, stop: int, **more: Any) -> list[Listed]:
    """Of `releases`, which are public, those from place `start` to before place `stop`. One query.

    The places are counted without the words, which are fetched, bodies excepted, for those shown. With `more`
    columns: the `quotes` of somebody.
    """
    shown = releases.order_by(*ORDER).values("pk")[start:stop]
    rows = Release.objects.filter(pk__in=shown).order_by(*ORDER).values("zone", **WORDS, **more)
    return [of_row(row) for row in rows]


def of_row(row: Mapping[str, Any]) -> Listed:
    """A public story, from its release's zone and the columns of `WORDS`."""
    return Listed(
        uid=str(row["uid"]),
        slug=row["slug"],
        type_label=rendering.type_label(row["story_type"]),
        language=language_of(row),
        headline=row["headline"],
        summary=row["summary"],
        published=published(row["first_from"], row["zone"]),
        updated=published(row["updated_at"], row["zone"]),
        picture=rendering.picture(
            row["picture"],
            picture_url(row["picture"]),
            rendering.fetched(renditions.forms(row["forms"]), "media"),
        ),
        topics=[topic["name"] for topic in row["topics"]],
        organisation=(row["organisation"] or {}).get("name", ""),
        documents=rendering.documents(row["attachments"] or [], "media"),
        place=Place(row["first_from"], row["slug"]),
        quotes=tuple(rendering.quote(stored) for stored in row.get("quotes", ())),
    )


def language_of(row: Mapping[str, Any]) -> str:
    """The language of a story of which a row has that part of the content, if it has one."""
    return row["language"] or languages.DEFAULT


def picture_url(picture: dict[str, Any] | None) -> str:
    """Where the public fetches a picture of a story's content."""
    return reverse("media", args=[picture["name"]]) if picture else ""


class Dated(Protocol):
    """What was made public at some moment."""

    @property
    def published(self) -> Moment: ...


D = TypeVar("D", bound=Dated)


def by_day(stories: Iterable[D]) -> list[tuple[Moment, list[D]]]:
    """Stories with their day on the press office's clocks, whatever zone each was meant in."""

    def day(story: D) -> Moment:
        return office(story.published.instant)

    days = groupby(stories, key=lambda story: day(story).day)
    return [(day(items[0]), items) for items in (list(group) for _, group in days)]
