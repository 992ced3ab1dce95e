"""What the release page shows: a moment read back, who signed what, who gets it, and the receipt."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Q
from django.urls import reverse

from approvals.models import Decision
from approvals.rules import StepState
from stories.clocks import lasting, office
from stories.models import Revision, Story
from stories.moments import Moment

from . import watch_page
from .models import Announcement, Chosen, Event, Receiver, Release, Subscriber, Visibility
from .state import State

#: From when on an announcement that has not come is a fault, and not just on its way.
PATIENCE = timedelta(seconds=5)


def exactly(instant: datetime) -> str:
    """An instant on the press office's clocks, to the millisecond: "11:00:00.064 BST"."""
    moment = office(instant)
    return f"{moment.local:%H:%M:%S}.{instant.microsecond // 1000:03} {moment.zone_word}"


@dataclass(frozen=True)
class Reading:
    """A moment read back: in words, in full, how far off, and what the clocks do."""

    moment: Moment
    now: datetime

    @property
    def left(self) -> str:
        return lasting(self.moment.instant - self.now)

    @property
    def at_the_office(self) -> str:
        """The same on the press office's clocks, where it was meant in another zone."""
        there = office(self.moment.instant)
        return there.public if there.local.utcoffset() != self.moment.local.utcoffset() else ""


def signed(decision: Decision) -> str:
    """Who decided, when, on which revision."""
    at = office(decision.at)
    day = f"{at.local:%a} {at.local.day} {at.local:%b}"
    return f"{decision.who}, {at.local:%H:%M} {at.zone_word}, {day}, on revision {decision.revision.number}"


@dataclass(frozen=True)
class Signing:
    """A step, with the sign-offs that stand, or else the desk's last decision."""

    step: StepState
    decisions: tuple[Decision, ...]

    @property
    def look_at(self) -> str:
        """What there is to see on the clearing page, where the desk decided otherwise, or on other words."""
        found = {"again": "what changed", "asked": "what is asked", "refused": "why"}
        return found.get(self.step.state, "")

    @property
    def words(self) -> str:
        """Who decided, when, on which revision; and what else has to be known about the step."""
        counts = self.step.decisions or self.step.covered is None
        said = [signed(decision) for decision in self.decisions] if counts else []
        closed = "opens when the stages before are met" if self.step.missing and not self.step.is_open else ""
        deadline = office(self.step.due) if self.step.due and self.step.missing else None
        due = f"due {deadline.local:%H:%M} {deadline.zone_word}, {deadline.short_day}" if deadline else ""
        return "; ".join(filter(None, (*said, self.step.quorum_words, closed, due)))


def signings(state: State, decisions: dict[int, Decision]) -> list[Signing]:
    """The steps asked of the newest revision, those that are missing first, with the sign-offs that count."""
    steps = sorted(state.progress.steps, key=lambda step: not step.missing)
    return [
        Signing(
            step,
            tuple(decisions[pk] for pk in step.decisions if pk in decisions)
            or ((step.last,) if step.last else ()),
        )
        for step in steps
    ]


def stood(release: Release) -> list[tuple[Decision, str]]:
    """The sign-offs on which a release was armed, each with its words: whatever was decided since."""
    rows = release.signoffs.select_related(
        "decision__by", "decision__on_behalf", "decision__desk", "decision__revision"
    )
    return [(row.decision, signed(row.decision)) for row in rows.order_by("decision__desk__name")]


@dataclass(frozen=True)
class Audience:
    """Who gets a story at its moment."""

    address: str
    #: Those who get it at once, and those who get it with the news of its day.
    at_once: int
    daily: int
    receivers: int


def audience(revision: Revision) -> Audience:
    """Who would get a story with these words now."""
    try:
        address = settings.SITE_URL + reverse("story", args=[revision.slug])
    # A slug that no page can have: arming says so.
    except LookupError:
        address = ""
    wanting = Subscriber.objects.wanting(Chosen.objects.of_content(revision.content))
    found = wanting.aggregate(
        at_once=Count("pk", filter=Q(daily=False)), daily=Count("pk", filter=Q(daily=True))
    )
    return Audience(address, **found, receivers=Receiver.objects.filter(active=True).count())


@dataclass(frozen=True)
class Receipt:
    """What became of a release that is public: due, announced, late by, seen from outside, delivered."""

    release: Release
    due: datetime
    announcement: Announcement | None
    deliveries: int
    sent: int
    given_up: int
    #: Those that are still tried.
    waiting: int
    last_sent: datetime | None
    outside: watch_page.Outside
    now: datetime

    @property
    def headline(self) -> str:
        return self.release.revision.headline

    @property
    def due_words(self) -> str:
        return f"{exactly(self.due)}, {office(self.due).day}"

    @property
    def announced_words(self) -> str:
        return exactly(self.announcement.at) if self.announcement else ""

    @property
    def late_by(self) -> str:
        return f"{self.announcement.lateness.total_seconds():.3f} s" if self.announcement else ""

    @property
    def overdue(self) -> str:
        """How long the announcement has been missing, where that is a fault."""
        gap = self.now - self.due
        return lasting(gap) if self.announcement is None and gap > PATIENCE else ""

    @property
    def seen_words(self) -> str:
        """When a stranger first was answered what was cleared."""
        return exactly(self.outside.first.at) if self.outside.first else ""

    @property
    def differs_since(self) -> str:
        """Since when a stranger is not answered what was cleared."""
        last = self.outside.last
        return exactly(last.at) if last and not last.seen else ""

    @property
    def last_sent_words(self) -> str:
        return exactly(self.last_sent) if self.last_sent else ""

    @property
    def armed_words(self) -> str:
        at = office(self.release.at)
        return f"{self.release.by}, {at.public}"


def receipt(state: State, now: datetime) -> Receipt | None:
    """The receipt of a story that is public, or was until it was withdrawn."""
    shown = state.live
    if shown is None and state.withdrawal:
        shown = Visibility.objects.with_public().filter(release=state.withdrawal.release_id).first()
    if shown is None or shown.visible_from is None:
        return None
    release = shown.release
    announced = Q(release__deliveries__event__in=[Event.RELEASE, Event.CORRECTION, Event.UPDATE])
    announcement = Announcement.objects.filter(release=release).annotate(
        count=Count("release__deliveries", filter=announced),
        sent=Count("release__deliveries", filter=announced & Q(release__deliveries__sent_at__isnull=False)),
        given_up=Count(
            "release__deliveries", filter=announced & Q(release__deliveries__given_up_at__isnull=False)
        ),
        waiting=Count(
            "release__deliveries",
            filter=announced
            & Q(release__deliveries__sent_at=None, release__deliveries__next_attempt__isnull=False),
        ),
        last_sent=Max("release__deliveries__sent_at", filter=announced),
    )
    row = announcement.first()
    return Receipt(
        release=release,
        due=shown.visible_from,
        announcement=row,
        deliveries=row.count if row else 0,
        sent=row.sent if row else 0,
        given_up=row.given_up if row else 0,
        waiting=row.waiting if row else 0,
        last_sent=row.last_sent if row else None,
        outside=watch_page.outside(release),
        now=state.withdrawal.at if state.withdrawal else now,
    )


def last_disarm(story: Story) -> str:
    """Who called the last release off and why, where nothing has been armed since."""
    disarm = story.disarms.select_related("by").order_by("-id").first()
    newest = story.releases.order_by("-id").first()
    if disarm is None or newest is None or disarm.release_id != newest.pk:
        return ""
    return f"Disarmed by {disarm.by}, {office(disarm.at).public}: “{disarm.reason}”"
