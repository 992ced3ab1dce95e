"""What people call the state of a story: derived from the facts by one function, a query a list."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from approvals import board, rules
from stories.clocks import lasting, office
from stories.models import Embargo, Revision, Story
from stories.moments import Moment

from .models import Bundle, BundledRelease, Disarm, Hold, Release, Visibility, Withdrawal

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
    #: What the public reads, and what is armed: both, where a correction is on its way.
    live: Visibility | None
    pending: Visibility | None
    hold: Hold | None
    disarm: Disarm | None
    #: Of a story that was public and is not any more.
    withdrawal: Withdrawal | None
    embargo: Embargo | None
    #: For whose other stories what is armed waits, so that nobody knows when it goes out.
    bundle: Bundle | None
    now: datetime

    @property
    def public(self) -> bool:
        """Whether anybody can read it, by the database's clock when this was asked."""
        return self.live is not None

    @property
    def armed(self) -> bool:
        return self.pending is not None

    @property
    def release(self) -> Release | None:
        """The release that is armed; else the one that is public."""
        row = self.pending or self.live
        return row.release if row else None

    @property
    def changed(self) -> bool:
        """Whether there are newer words than those which the public reads."""
        return self.live is not None and self.live.release.revision_id != self.revision.pk

    @property
    def ready(self) -> bool:
        """Whether its newest words are cleared, and wait for somebody who arms them."""
        if self.armed or not self.progress.cleared or (self.withdrawal and self.withdrawal.kill):
            return False
        out = self.live or self.withdrawal
        return out is None or out.release.revision_id != self.revision.pk

    @property
    def settled(self) -> bool:
        """Whether the public reads the newest words: there is nothing to arm."""
        return self.live is not None and not self.changed and self.pending is None

    @property
    def pending_words(self) -> str:
        """What is armed: "release", "correction", "update"."""
        return str(self.pending.release.get_kind_display()) if self.pending else ""

    @property
    def chip(self) -> Chip:
        """The one word for it."""
        if self.pending and self.live:
            held = "on hold" if self.hold else "armed"
            return Chip("is-live", "live", f"live, {self.pending_words} {held}")
        if self.public:
            return Chip("is-live", "live", "live")
        if self.hold:
            return Chip("is-hold", "hold", "on hold")
        if self.pending:
            if self.bundle:
                return Chip("is-armed", "armed", "armed, waits for others")
            if self.pending.visible_from is None:
                return Chip("is-hold", "hold", "armed, and frozen")
            return Chip("is-armed", "armed", "armed")
        if self.withdrawal:
            return Chip("is-withdrawn", "withdrawn", "killed" if self.withdrawal.kill else "withdrawn")
        state = self.progress.state
        return Chip(f"is-{state}", state, self.progress.words)

    @property
    def mini(self) -> board.Mini | None:
        """The route in few pixels, once clearance was requested."""
        return board.mini(self.progress) if self.progress.requested and not self.settled else None

    @property
    def moment(self) -> TimeLeft | None:
        """The instant from which it was public, else the armed or the planned embargo."""
        if self.pending:
            of = "to embargo" if self.live is None else f"to the {self.pending_words}"
            return TimeLeft(self.pending.goes_out, self.now, of)
        if self.live and self.live.first_from:
            return TimeLeft(Moment(self.live.first_from, self.live.zone), self.now, "public")
        if self.withdrawal:
            return TimeLeft(office(self.withdrawal.at), self.now, self.chip.words)
        if self.planned:
            return TimeLeft(self.planned, self.now, "to planned embargo")
        return None

    @property
    def planned(self) -> Moment | None:
        """The moment for which its newest words are meant, if anybody has said since it was out."""
        if self.embargo is None or (self.live and self.embargo.at < self.live.release.at):
            return None
        return Moment(self.embargo.instant, self.embargo.zone)

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
    rows = list(Visibility.objects.filter(story__in=ids).with_public())
    live = {row.story_id: row for row in rows if row.is_public}
    pending = {row.story_id: row for row in rows if row.is_armed}
    gone = {row.story_id for row in rows} - live.keys() - pending.keys()
    withdrawn = Withdrawal.objects.filter(story__in=gone).select_related("by", "release") if gone else None
    withdrawals = _newest(withdrawn, "story_id", "-id") if withdrawn is not None else {}
    holds = _newest(Hold.objects.filter(story__in=ids, lift=None).select_related("by"), "story_id", "-id")
    disarms = _newest(Disarm.objects.filter(story__in=ids).select_related("by"), "story_id", "-id")
    stopped = [row.pk for row in pending.values() if row.visible_from is None]
    waiting = _bundles(stopped) if stopped else {}
    embargoes = _newest(Embargo.objects.filter(story__in=ids), "story_id", "-id")
    return [
        State(
            story=story,
            revision=newest[story.pk],
            progress=progress[story.pk],
            live=live.get(story.pk),
            pending=pending.get(story.pk),
            withdrawal=withdrawals.get(story.pk),
            hold=holds.get(story.pk),
            disarm=disarms.get(story.pk),
            embargo=embargoes.get(story.pk),
            bundle=waiting.get(story.pk),
            now=now,
        )
        for story in listed
        if story.pk in newest
    ]


def _bundles(releases: list[int]) -> dict[int, Bundle]:
    """The bundles with which releases go out, by the story's id."""
    there = BundledRelease.objects.filter(release__in=releases, bundling__end=None)
    return {row.bundling.story_id: row.bundling.bundle for row in there.select_related("bundling__bundle")}


def _newest(rows: Any, key: str, order: str) -> dict[int, Any]:
    """The first of each story's rows in the order given, by the story's id."""
    return {getattr(row, key): row for row in rows.order_by(key, order).distinct(key)}


def going_out(user: Any, now: datetime, until: datetime) -> list[Story]:
    """The stories for `user` that are armed or were released between `now` minus a day and `until`."""
    between = (now - timedelta(days=1), until)
    stopped = Q(visible_from=None, embargo__range=between)
    near = Visibility.objects.filter(Q(visible_from__range=between) | stopped)
    goes_out = Coalesce("visible_from", "embargo")
    due = dict(near.order_by(goes_out).values_list("story", goes_out))
    stories = Story.objects.visible_to(user).in_bulk(due)
    return [stories[pk] for pk in due if pk in stories][:50]
