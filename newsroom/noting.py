"""What the public is told of words that were wrong: corrections of public stories, and withdrawals.

Nothing is in the log that the story's own address does not say: the corrections of what was withdrawn since
are gone with it, a story that was killed is not named, and what is public again is not said to be withdrawn.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext, gettext_noop

from stories import languages, rendering
from stories.moments import Moment

from .listing import language_of, published
from .models import Kind, Release, Visibility, Withdrawal, release_clock, visible

CORRECTION, WITHDRAWAL = gettext_noop("Correction"), gettext_noop("Withdrawal")


class Noted(NamedTuple):
    """A correction or a withdrawal, with the story as the public finds it now."""

    kind: str
    #: When it came into effect.
    published: Moment
    note: str
    uid: str
    slug: str
    headline: str
    type_label: str
    language: str

    @property
    def label(self) -> str:
        """Which of the two it is, in words."""
        return gettext(self.kind)

    @property
    def lang(self) -> str:
        """The language of the story, where that is not the one of the page around."""
        return languages.other(self.language)

    @property
    def is_withdrawal(self) -> bool:
        return self.kind == WITHDRAWAL

    @property
    def key(self) -> str:
        """What names it in a feed for ever; it tells of no number by which anything is counted."""
        return str(uuid5(NAMESPACE_URL, f"{self.uid} {self.kind} {self.published.instant.isoformat()}"))


def noted(start: int, stop: int) -> list[Noted]:
    """Corrections and withdrawals from place `start` to before place `stop`, the newest first. Two queries.

    The places are counted without the words, which are fetched for those shown.
    """
    both = _corrections()[:stop].union(_withdrawals()[:stop], all=True)
    rows: list[Any] = list(both.order_by("-when", "of")[start:stop])
    corrected = {row["of"] for row in rows if row["label"] == CORRECTION}
    withdrawn = {row["gone"] for row in rows if row["label"] == WITHDRAWAL}
    shown = {each["story_id"]: each for each in _shown(corrected, withdrawn)}
    return [_of_row({**row, **shown[row["of"]]}) for row in rows if row["of"] in shown]


def _corrections() -> QuerySet[Release, Any]:
    """The corrections that are in effect, of stories that were not withdrawn since."""
    made = Release.objects.filter(
        kind=Kind.CORRECTION, visibility__visible_from__lte=release_clock(), visibility__withdrawn_at=None
    )
    return made.order_by("-visibility__visible_from").values(
        label=Value(CORRECTION),
        when=F("visibility__visible_from"),
        meant_in=F("zone"),
        told=F("note"),
        of=F("story_id"),
        gone=F("pk"),
    )


def _withdrawals() -> QuerySet[Withdrawal, Any]:
    """The withdrawals of what is withdrawn now, and not killed since."""
    later = Withdrawal.objects.filter(story=OuterRef("story"), pk__gt=OuterRef("pk"))
    public = Release.objects.public().filter(story=OuterRef("story"))
    made = Withdrawal.objects.filter(~Exists(later), ~Exists(public), kill=False)
    return made.order_by("-at").values(
        label=Value(WITHDRAWAL),
        when=F("at"),
        meant_in=F("release__zone"),
        told=F("reason"),
        of=F("story_id"),
        gone=F("release_id"),
    )


def _shown(corrected: set[int], withdrawn: set[int]) -> Iterable[Any]:
    """The address and the words of stories: of what is public now, or, of what was withdrawn, of that."""
    content = "release__revision__content"
    return Visibility.objects.filter(Q(visible(), story__in=corrected) | Q(pk__in=withdrawn)).values(
        "story_id",
        "slug",
        uid=F("story__uid"),
        headline=KeyTextTransform("headline", content),
        story_type=KeyTextTransform("type", content),
        language=KeyTextTransform("language", content),
    )


def _of_row(row: Mapping[str, Any]) -> Noted:
    return Noted(
        kind=row["label"],
        published=published(row["when"], row["meant_in"]),
        note=row["told"],
        uid=str(row["uid"]),
        slug=row["slug"],
        headline=row["headline"],
        type_label=rendering.type_label(row["story_type"]),
        language=language_of(row),
    )
