"""What people call the state of a story: derived from the facts by one function, a query a list."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from django.db.models import F, Q
from django.utils import timezone

from approvals import board, rules
from stories.clocks import lasting
from stories.models import Embargo, Revision, Story
from stories.moments import Moment

from .models import Disarm, Hold, Release, Visibility

SOON = timedelta(hours=2)


@dataclass(frozen=True)
class Chip:
    """A state as it is shown: its class, its icon and its words."""

    css: str
    icon: str
    words: str


@dataclass(frozen=True)
class TimeLeft:
    """The moment that counts for a story, and how far off it is."""

    moment: Moment
    now: datetime
    of: str

    @property
    def left(self) -> str:
        """The time left in words: "7 h 19 min", or "12 min ago"."""
        gap = self.moment.instant - self.now
        return lasting(gap) if gap > timedelta() else f"{lasting(gap)} ago"

    @property
    def left_class(self) -> str:
        gap = self.moment.instant - self.now
        return "soon" if timedelta() < gap < SOON else ""

    @property
    def words(self) -> str:
        return self.moment.public

    @property
    def utc(self) -> str:
        return f"({self.moment.utc})"


class Clearance(Protocol):
    """A story's newest revision, and how far its clearance has come."""

    @property
    def revision(self) -> Revision: ...
    @property
    def progress(self) -> rules.Progress: ...


@dataclass(frozen=True)
class State:
    """A story with its newest revision and what follows from all that happened to it."""

    story: Story
    revision: Revision
    progress: rules.Progress
    visibility: Visibility | None
    hold: Hold | None
    disarm: Disarm | None
    embargo: Embargo | None
    now: datetime

    @property
    def public(self) -> bool:
        """Whether anybody can read it, by the database's clock when this was asked."""
        return bool(self.visibility and self.visibility.is_public)

    @property
    def armed(self) -> bool:
        return self.visibility is not None and not self.public

    @property
    def release(self) -> Release | None:
        """The release that is armed or public."""
        return self.visibility.release if self.visibility else None

    @property
    def chip(self) -> Chip:
        """The one word for it."""
        if self.public:
            return Chip("is-live", "live", "live")
        if self.hold:
            return Chip("is-hold", "hold", "on hold")
        if self.armed:
            return Chip("is-armed", "armed", "armed")
        state = self.progress.state
        return Chip(f"is-{state}", state, self.progress.words)

    @property
    def mini(self) -> board.Mini | None:
        """The route in few pixels, once clearance was requested."""
        return board.mini(self.progress) if self.progress.requested and not self.public else None

    @property
    def moment(self) -> TimeLeft | None:
        """The instant from which it was public, else the armed or the planned embargo."""
        if self.visibility and self.public and self.visibility.visible_from:
            zone = self.visibility.release.zone
            return TimeLeft(Moment(self.visibility.visible_from, zone), self.now, "public")
        if self.visibility:
            return TimeLeft(self.visibility.release.moment, self.now, "to embargo")
        if self.planned:
            return TimeLeft(self.planned, self.now, "to planned embargo")
        return None

    @property
    def planned(self) -> Moment | None:
        """The moment for which the story is meant, if anybody has said."""
        return Moment(self.embargo.instant, self.embargo.zone) if self.embargo else None

    @property
    def headline(self) -> str:
        return self.revision.headline or "Story without a headline"

    @property
    def type_label(self) -> str:
        return self.revision.type_label

    @property
    def number(self) -> int:
        return self.revision.number

    @property
    def short_digest(self) -> str:
        return self.revision.short_digest


def state_of(story: Story, known: Clearance | None = None) -> State:
    """The state of one story. What is `known` of its clearance is not looked up again."""
    if known is None:
        return states_of([story])[0]
    return _states([story], {story.pk: known.revision}, {story.pk: known.progress})[0]


def states_of(stories: Iterable[Story]) -> list[State]:
    """The states of stories, in their order, in as many queries for one as for a page of them."""
    listed = list(stories)
    ids = [story.pk for story in listed]
    newest = _newest(Revision.objects.filter(story__in=ids).select_related("by"), "story_id", "-number")
    return _states(listed, newest, rules.newest_progress(ids))


def _states(
    listed: list[Story], newest: Mapping[int, Revision], progress: Mapping[int, rules.Progress]
) -> list[State]:
    ids = [story.pk for story in listed]
    now = timezone.now().astimezone(UTC)
    visible = Visibility.objects.filter(story__in=ids).with_public()
    visibility = {row.story_id: row for row in visible}
    holds = _newest(Hold.objects.filter(story__in=ids, lift=None).select_related("by"), "story_id", "-id")
    disarms = _newest(Disarm.objects.filter(story__in=ids).select_related("by"), "story_id", "-id")
    embargoes = _newest(Embargo.objects.filter(story__in=ids), "story_id", "-id")
    return [
        State(
            story=story,
            revision=newest[story.pk],
            progress=progress[story.pk],
            visibility=visibility.get(story.pk),
            hold=holds.get(story.pk),
            disarm=disarms.get(story.pk),
            embargo=embargoes.get(story.pk),
            now=now,
        )
        for story in listed
        if story.pk in newest
    ]


def _newest(rows: Any, key: str, order: str) -> dict[int, Any]:
    """The first of each story's rows in the order given, by the story's id."""
    return {getattr(row, key): row for row in rows.order_by(key, order).distinct(key)}


def going_out(user: Any, now: datetime, until: datetime) -> list[Story]:
    """The stories for `user` that are armed or were released between `now` minus a day and `until`."""
    between = (now - timedelta(days=1), until)
    # Nothing is visible before its embargo: few, and found by an index.
    near = Visibility.objects.filter(Q(visible_from__range=between) | Q(visible_from=None))
    armed = Release.objects.filter(
        pk__in=list(near.values_list("release", flat=True)), embargo__range=between
    )
    rows = Story.objects.visible_to(user).filter(visibility__release__in=armed)
    return list(rows.annotate(due=F("visibility__release__embargo")).order_by("due")[:50])
