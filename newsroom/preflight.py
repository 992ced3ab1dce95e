"""Pre-flight: the checks at 24 hours, an hour and a quarter of an hour before the moment of a release.

The database is the schedule. Which release has come to which mark without its pre-flight is one query; what
is found is a fact, under a constraint that takes each once. After an outage only the last mark that has come
is of use. A release that is moved or armed anew has another moment or is another release.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import Error, transaction
from django.db.models import Case, CharField, DateTimeField, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Now

from stories.models import Story, User
from stories.refusals import hint_of

from . import alarming, checking, links
from .models import Mark, Preflight, Release, Visibility
from .releasing import NotArmed

#: How long before the moment each mark comes, the last one first.
BEFORE = {Mark.QUARTER: timedelta(minutes=15), Mark.HOUR: timedelta(hours=1), Mark.DAY: timedelta(hours=24)}
#: What is as it is until somebody decides otherwise: told when it is found, and not at every mark again.
ADVICE = frozenset({"daylight", "quiet", "clashes"})
#: How many the release page shows.
SHOWN = 10


@dataclass(frozen=True)
class Due:
    """A release that has come to a mark."""

    release_id: int
    moment: datetime
    mark: Mark


def due(limit: int, at: datetime | None = None) -> list[Due]:
    """The armed releases whose last mark that has come has no pre-flight, the most urgent first. One query.

    By the database's clock, or at the aware instant `at`.
    """
    done = Preflight.objects.filter(
        release=OuterRef("release"), moment=OuterRef("meant_for"), mark=OuterRef("mark")
    )
    rows = _armed(at or Now()).filter(~Exists(done)).order_by("meant_for", "pk")
    return [
        Due(release_id, moment, Mark(mark))
        for release_id, moment, mark in rows.values_list("release", "meant_for", "mark")[:limit]
    ]


def outstanding() -> bool:
    """Whether a pre-flight is due."""
    return bool(due(1))


def _armed(now: datetime | Now) -> QuerySet[Any]:
    """What is armed for the next day, with its `moment` and the `mark` that has come last.

    What is held is among it: that nothing will go out at its moment is worth a word.
    """
    clock = Value(now, DateTimeField()) if isinstance(now, datetime) else now
    marks = [When(meant_for__lte=clock + ahead, then=Value(mark.value)) for mark, ahead in BEFORE.items()]
    furthest = clock + BEFORE[Mark.DAY]
    soon = Q(visible_from__gt=clock, visible_from__lte=furthest)
    held = Q(visible_from=None, embargo__gt=clock, embargo__lte=furthest)
    found = Visibility.objects.filter(soon | held, announced=False, visible_until=None, withdrawn_at=None)
    moment = Coalesce("visible_from", "embargo")
    return found.annotate(meant_for=moment, mark=Case(*marks, output_field=CharField()))


class Run:
    """What the checks of one run share: what the machines answered, and which links were asked."""

    def __init__(self) -> None:
        self.machines = checking.Machines()
        self.asking = links.Asking()

    def subject(self, release: Release, moment: datetime) -> checking.Subject:
        return checking.Subject(release, moment, self.asking, self.machines)


def take(one: Due, run: Run) -> Preflight | None:
    """Check a release that has come to a mark, and tell the duty officers if something is not right.

    None where somebody else was first, or where it is not armed for that moment any more.
    """
    release = _with_story(Release.objects.filter(pk=one.release_id)).first()
    if release is None:
        return None
    return _store(release, one.moment, one.mark, run, by=None)


def check_now(*, story: Story, by: User) -> Preflight:
    """Check the armed release of a story because somebody asks for it. No mail: whoever asked looks at it.

    Raises:
        NotArmed: nothing is armed, or it is public already.
    """
    armed = Visibility.objects.armed().filter(story=story)
    found = armed.annotate(meant_for=Coalesce("visible_from", "embargo")).values_list("release", "meant_for")
    for release_id, moment in found:
        release = _with_story(Release.objects.filter(pk=release_id)).get()
        if preflight := _store(release, moment, Mark.NOW, Run(), by=by):
            return preflight
    raise NotArmed("Nothing was checked: no release of this story is armed.")


def _with_story(releases: QuerySet[Release]) -> QuerySet[Release]:
    return releases.select_related("revision", "story", "visibility")


def _store(release: Release, moment: datetime, mark: Mark, run: Run, by: User | None) -> Preflight | None:
    # Outside the transaction: nobody waits for a lock on the story because a link is slow.
    results = checking.run(run.subject(release, moment))
    try:
        with transaction.atomic():
            preflight = Preflight.objects.create(
                story=release.story, by=by, release=release, moment=moment, mark=mark, results=results
            )
            preflight.refresh_from_db(fields=["at"])
            if mark != Mark.NOW and is_news(preflight):
                alarming.write_preflight(preflight)
    except Error as error:
        if hint_of(error) == "not_armed" or _is_taken(error):
            return None
        raise
    return preflight


def _is_taken(error: Error) -> bool:
    diagnosis = getattr(error.__cause__, "diag", None)
    return ((diagnosis and diagnosis.constraint_name) or "") == "preflight_once"


def is_news(preflight: Preflight) -> bool:
    """Whether the duty officers have to hear of what was found: of advice once, of all else each time."""
    found = set(preflight.not_right)
    if found - ADVICE:
        return True
    before = Preflight.objects.filter(
        release=preflight.release_id, moment=preflight.moment, pk__lt=preflight.pk
    )
    heard: set[str] = set()
    for earlier in before.exclude(mark=Mark.NOW):
        heard.update(earlier.not_right)
    return bool(found - heard)


def of(release: Release) -> list[Preflight]:
    """The newest pre-flights of a release, newest first."""
    return list(Preflight.objects.filter(release=release).select_related("by").order_by("-pk")[:SHOWN])
