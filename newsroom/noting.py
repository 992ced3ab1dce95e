"""What the public is told of words that were wrong: corrections of public stories, and withdrawals.

Nothing is in the log that the story's own address does not say: the corrections of what was withdrawn since
are gone with it, a story that was killed is not named, and what is public again is not said to be withdrawn.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.fields.json import KeyTextTransform

from stories import rendering
from stories.moments import Moment

from .listing import published
from .models import Kind, Release, Withdrawal, release_clock

CORRECTION, WITHDRAWAL = "Correction", "Withdrawal"


class Noted(NamedTuple):
    """A correction or a withdrawal, with the story as the public finds it now."""

    label: str
    #: When it came into effect.
    published: Moment
    note: str
    uid: str
    slug: str
    headline: str
    type_label: str

    @property
    def is_withdrawal(self) -> bool:
        return self.label == WITHDRAWAL

    @property
    def key(self) -> str:
        """What names it in a feed for ever; it tells of no number by which anything is counted."""
        return str(uuid5(NAMESPACE_URL, f"{self.uid} {self.label} {self.published.instant.isoformat()}"))


def noted(start: int, stop: int) -> list[Noted]:
    """Corrections and withdrawals from place `start` to before place `stop`, the newest first. One query."""
    both = _corrections()[:stop].union(_withdrawals()[:stop], all=True)
    return [_of_row(row) for row in both.order_by("-when", "slug")[start:stop]]


def _corrections() -> QuerySet[Release, Any]:
    """The corrections that are in effect, of stories that are public, by the words that are public now."""
    now = Release.objects.public().filter(story=OuterRef("story"))
    made = Release.objects.filter(
        Exists(now),
        kind=Kind.CORRECTION,
        visibility__visible_from__lte=release_clock(),
        visibility__withdrawn_at=None,
    )
    return made.order_by("-visibility__visible_from").values(
        label=Value(CORRECTION),
        when=F("visibility__visible_from"),
        moment_zone=F("zone"),
        told=F("note"),
        uid=F("story__uid"),
        slug=Subquery(now.values("visibility__slug")),
        headline=Subquery(now.values(words=KeyTextTransform("headline", "revision__content"))),
        story_type=Subquery(now.values(words=KeyTextTransform("type", "revision__content"))),
    )


def _withdrawals() -> QuerySet[Withdrawal, Any]:
    """The withdrawals of what is withdrawn now, and not killed since."""
    of_the_story = Withdrawal.objects.filter(story=OuterRef("story"))
    public = Release.objects.public().filter(story=OuterRef("story"))
    made = Withdrawal.objects.filter(
        ~Exists(of_the_story.filter(pk__gt=OuterRef("pk"))), ~Exists(public), kill=False
    )
    content = "release__revision__content"
    return made.order_by("-at").values(
        label=Value(WITHDRAWAL),
        when=F("at"),
        moment_zone=F("release__zone"),
        told=F("reason"),
        uid=F("story__uid"),
        slug=F("release__visibility__slug"),
        headline=KeyTextTransform("headline", content),
        story_type=KeyTextTransform("type", content),
    )


def _of_row(row: Mapping[str, Any]) -> Noted:
    return Noted(
        label=row["label"],
        published=published(row["when"], row["moment_zone"]),
        note=row["told"],
        uid=str(row["uid"]),
        slug=row["slug"],
        headline=row["headline"],
        type_label=rendering.type_label(row["story_type"]),
    )
