"""What is wrong with a release that is out, or should be: found from the facts whenever it is asked.

The banner of the staff pages and `/readyz` ask here, and need no worker. The mail is for `alarming`.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Now

from stories.models import Story

from .models import Announcement, Lookout, Probe, Release, Visibility

#: How long a public release may be without its receipt before something is wrong.
OVERDUE = timedelta(seconds=5)
#: How long nobody may have looked for an announced release from outside. With many at once it takes its time.
NOT_LOOKED = timedelta(minutes=10)
#: What is older is not told any more, and stands in no banner: the release page says it.
LASTING = timedelta(days=1)
#: How many are named in the banner; how many are counted.
NAMED, COUNTED = 3, 100

LATE, UNSEEN, PREFLIGHT = "late", "unseen", "preflight"


def overdue() -> QuerySet[Release]:
    """The releases that are public, and should have been announced by now. None that is still to come."""
    return Release.objects.public().filter(
        visibility__announced=False, visibility__visible_from__lt=Now() - OVERDUE
    )


def unseen() -> QuerySet[Release]:
    """The public releases that a stranger is not answered as they were cleared, or that nobody looked for."""
    newest = Probe.objects.filter(release=OuterRef("pk")).order_by("-pk").values("seen")[:1]
    public = Release.objects.public()
    waiting = public.filter(lookout__sent_at=None, lookout__since__gt=Now() - LASTING)
    found = waiting.annotate(newest=Subquery(newest))
    return found.filter(Q(newest=False) | Q(newest=None, lookout__since__lt=Now() - NOT_LOOKED))


def announced_late() -> QuerySet[Release]:
    """The releases of the last day that were announced too late."""
    late = Announcement.objects.filter(at__gt=Now() - LASTING).filter(at__gt=F("due") + OVERDUE)
    return Release.objects.filter(announcement__in=late)


# The banner


@dataclass(frozen=True)
class Trouble:
    """A release with which something is wrong now, as its banner names it."""

    uid: UUID
    headline: str
    kind: str

    @property
    def words(self) -> str:
        """What is wrong."""
        if self.kind == LATE:
            return "is public and has not been announced"
        return "is not seen from outside as it was cleared"


@dataclass(frozen=True)
class Banner:
    """What the staff pages say: a few releases by their names, and how many there are besides."""

    named: tuple[Trouble, ...]
    others: int
    more: bool

    @property
    def others_words(self) -> str:
        """How many others there are: "100+ other releases"."""
        what = "other release" if self.named else "release"
        return f"{self.others}{'+' * self.more} {what}{'' if self.others == 1 and not self.more else 's'}"


def _may_be() -> bool:
    """Whether anything can be wrong: over the indexes of what is outstanding, which as a rule is nothing.

    To put the whole question together takes longer than the rest of what a staff page asks.
    """
    late = Visibility.objects.filter(announced=False, withdrawn_at=None, visible_from__lt=Now() - OVERDUE)
    return late.exists() or Lookout.objects.filter(sent_at=None, since__gt=Now() - LASTING).exists()


def banner(user: Any) -> Banner | None:
    """What is wrong now, for `user`; None where nothing is. Three queries at most, on every staff page.

    A story that does not exist for the person is counted, and neither named nor led to.
    """
    if not _may_be():
        return None
    mine = Exists(Story.objects.visible_to(user).filter(pk=OuterRef("story")))
    words = KeyTextTransform("headline", "revision__content")
    headline = Case(When(mine, then=words), default=Value(""), output_field=TextField())
    fields = ("trouble", "mine", "uid", "headline")

    def told(rows: QuerySet[Release], kind: str) -> QuerySet[Any, Any]:
        rows = rows.annotate(trouble=Value(kind), mine=mine, uid=F("story__uid"), headline=headline)
        return rows.order_by().values_list(*fields)

    found = list(told(overdue(), LATE).union(told(unseen(), UNSEEN), all=True)[: COUNTED + 1])
    if not found:
        return None
    named = [Trouble(uid, words, kind) for kind, visible, uid, words in found if visible][:NAMED]
    shown = found[:COUNTED]
    return Banner(tuple(named), len(shown) - len(named), more=len(found) > COUNTED)
