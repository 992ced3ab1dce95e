"""The verbs of release. Each is safe to run twice; the database checks each rule once more."""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from django.db import Error, transaction
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Func, Q, QuerySet

from approvals import rules
from stories.models import Organisation, Revision, Story, User
from stories.moments import Moment, zone_of
from stories.refusals import hint_of

from . import delivering
from .models import (
    Announcement,
    Disarm,
    Event,
    Freeze,
    FreezeEnd,
    FreezeExemption,
    Hold,
    HoldAll,
    HoldAllLift,
    HoldLift,
    Kind,
    Move,
    Release,
    Visibility,
    Withdrawal,
    release_clock,
)

log = logging.getLogger(__name__)

#: What everybody is told of a release. Nobody is written to for a small update.
EVENTS: dict[str, str] = {
    Kind.NEW: Event.RELEASE,
    Kind.CORRECTION: Event.CORRECTION,
    Kind.MAJOR: Event.UPDATE,
}

#: After every moment that there can be.
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
#: In the place of the id of what was on the screen: act on whatever there is now.
ANY = 0


class Refused(Exception):
    """Release refused something. The message says what, why and what to do next."""


class NotCleared(Refused):
    """Sign-offs are missing on exactly this revision. `missing` are the steps."""

    def __init__(self, revision: Revision, progress: rules.Progress) -> None:
        self.revision, self.missing = revision, progress.missing
        super().__init__(f"Not armed: {self._why(progress)} on revision {revision.number}.")

    @staticmethod
    def _why(progress: rules.Progress) -> str:
        if not progress.requested:
            return "clearance has not been requested"
        if not progress.missing:
            return "nobody has cleared everything"
        return "missing: " + ", ".join(f"{step.desk} ({step.words})" for step in progress.missing)


class Moved(Refused):
    """What was on the screen is not what is there any more."""


class PastEmbargo(Refused):
    """The moment has gone by."""


class FarEmbargo(Refused):
    """The moment lies further ahead than anybody plans."""


class Unfit(Refused):
    """The story has no headline, or no address that a page can have."""


class AlreadyPublic(Refused):
    """The story can be read by anybody already."""


class NotPublic(Refused):
    """The story cannot be read by anybody: there is nothing to correct or to withdraw."""


class Killed(Refused):
    """The story was killed, and never comes back."""


class SameWords(Refused):
    """The public reads these very words already."""


class Frozen(Refused):
    """The moment falls into a freeze."""


class NotFrozen(Refused):
    """There is no such freeze, or it is over."""


class NoTime(Refused):
    """A freeze that ends before it begins, or has ended."""


class NoteMissing(Refused):
    """A correction or an update needs a note for the public."""


class AddressTaken(Refused):
    """Another story is armed for the same address, or was public there once."""


class NotArmed(Refused):
    """There is no armed release to act on."""


class AlreadyHeld(Refused):
    """The story is held already."""


class NotHeld(Refused):
    """There is no hold to lift."""


class ReasonMissing(Refused):
    """A reason is needed and none was given."""


class NameMissing(Refused):
    """A name is needed and none was given."""


class AlreadyBundled(Refused):
    """The story is in a bundle that is still to go out."""


class NotBundled(Refused):
    """The story is not in this bundle, or the bundle has gone out."""


class BundleGone(Refused):
    """The bundle has gone out."""


BY_HINT: dict[str, tuple[type[Refused], str]] = {
    "past": (PastEmbargo, "Not armed: that moment has gone by. Choose a later one, or release now."),
    "far": (FarEmbargo, "Not armed: that moment is more than ten years ahead. Choose an earlier one."),
    "unfit": (
        Unfit,
        "Not armed: the story has no headline, or no address that a page can have. Mend it in the draft.",
    ),
    "public": (
        AlreadyPublic,
        "Nothing was done: the story is public already. Newer words go out as a correction or an update.",
    ),
    "not_public": (NotPublic, "Nothing was done: the story is not public."),
    "killed": (Killed, "Nothing was done: the story was killed. Its words can be used in a new one."),
    "same": (SameWords, "Not armed: the public reads these very words already."),
    "frozen": (
        Frozen,
        "Not armed: that moment falls into a freeze. Choose one outside it, or have the story exempted.",
    ),
    "not_frozen": (NotFrozen, "Nothing was done: that freeze is over."),
    "no_time": (NoTime, "Nothing was frozen: it would end before it begins. Choose a later end."),
    "no_note": (
        NoteMissing,
        "Not armed: say for the public what is corrected or changed. The note stands on the page.",
    ),
    "stale": (Moved, "Not armed: somebody saved a newer revision meanwhile. Look at it first."),
    "not_armed": (NotArmed, "Nothing was done: no release of this story is armed."),
    "held": (AlreadyHeld, "Nothing was done: the story is held already."),
    "not_held": (NotHeld, "Nothing was done: the story is not held."),
    "bundled": (
        AlreadyBundled,
        "Nothing was done: the story is in a bundle already. Take it out of that one first.",
    ),
    "not_bundled": (
        NotBundled,
        "Nothing was done: the story is not in that bundle any more, or the bundle has gone out.",
    ),
    "gone": (BundleGone, "Nothing was done: that bundle has gone out. Choose another, or make a new one."),
}
BY_CONSTRAINT: dict[str, tuple[type[Refused], str]] = {
    "address_of_one_story": (
        AddressTaken,
        "Not armed: another story has this address, or had it. Change it in the draft and have it cleared.",
    ),
    "exempt_once": (NotFrozen, "Nothing was done: the story is exempted already."),
    "newsroom_freezeend_freeze": (NotFrozen, "Nothing was done: somebody else has ended that freeze."),
    "withdrawn_once": (NotPublic, "Nothing was done: somebody else has withdrawn it."),
    "newsroom_holdlift_hold": (NotHeld, "Nothing was done: somebody else has lifted the hold."),
    "newsroom_holdalllift_hold": (NotHeld, "Nothing was done: somebody else has lifted the hold."),
    "newsroom_unbundling_bundling": (NotBundled, "Nothing was done: somebody else has taken it out."),
    "newsroom_disarm_release": (NotArmed, "Nothing was done: somebody else has disarmed it."),
}


def arm(
    *,
    revision: Revision,
    by: User,
    moment: Moment | None,
    zone: str = "UTC",
    replacing: int | None = ANY,
    kind: str = Kind.NEW,
    note: str = "",
) -> Release:
    """Fix a revision, its sign-offs and the moment at which it becomes public; None is now.

    Arming again before that moment replaces the release that was armed; arming the same again changes
    nothing and gives the release that is there. `zone` names the zone in which "now" is meant,
    `replacing` the id of the release that was armed on the screen (None where none was). What takes the
    place of words that are public is of another `kind`, with a `note` for the public.

    Raises:
        NotCleared: sign-offs are missing on exactly this revision.
        Moved: there is a newer revision, or another release is armed than was on the screen.
        NoteMissing, SameWords: of a correction or an update; NotPublic: there is nothing to correct.
        Frozen: the moment falls into a freeze from which the story is not exempted.
        PastEmbargo, FarEmbargo, Unfit, AlreadyPublic, Killed, AddressTaken: see there.
        UnknownZone: nobody knows the zone in which the moment, or "now", is meant.
    """
    zone_of(moment.zone if moment else zone)
    note = note.strip() if kind != Kind.NEW else ""
    try:
        with transaction.atomic():
            Story.objects.select_for_update().get(pk=revision.story_id)
            armed = _armed(revision.story_id)
            if armed and moment and _same(armed, revision, moment, kind, note):
                return armed
            for there in (armed, _public(revision.story_id)) if moment is None else ():
                if there and _just_now(there, revision, by, replacing):
                    return there
            if replacing != ANY and replacing != (armed.pk if armed else None):
                raise Moved(_moved(armed))
            release = Release.objects.create(
                story_id=revision.story_id,
                by=by,
                revision=revision,
                kind=kind,
                note=note,
                zone=moment.zone if moment else zone,
                # Left out, it is the instant at which the database takes the row.
                **({"embargo": moment.instant} if moment else {}),
            )
            release.refresh_from_db()
            return release
    except Error as error:
        if hint_of(error) == "not_cleared":
            raise NotCleared(revision, rules.progress(revision)) from error
        raise in_words(error) from error


def _armed(story_id: int) -> Release | None:
    """The release of a story that is armed."""
    armed = Visibility.objects.armed().filter(story=story_id)
    return Release.objects.filter(visibility__in=armed).select_related("by", "visibility").first()


def _public(story_id: int) -> Release | None:
    """The release of a story that anybody can read."""
    return Release.objects.public().filter(story=story_id).select_related("by").first()


def _same(armed: Release, revision: Revision, moment: Moment, kind: str, note: str) -> bool:
    was = (armed.revision_id, armed.visibility.moment, armed.kind, armed.note)
    return was == (revision.pk, moment, kind, note)


def _just_now(there: Release, revision: Revision, by: User, replacing: int | None) -> bool:
    """Whether this is the second click of somebody who released the same words at once."""
    at_once = there.embargo == there.at and replacing not in (ANY, there.pk)
    return at_once and (there.revision_id, there.by_id) == (revision.pk, by.pk)


def _moved(armed: Release | None) -> str:
    if armed is None:
        return "Not armed: the release that you were looking at was disarmed meanwhile. Look again."
    return f"Not armed: {armed.by} armed it meanwhile, for {armed.visibility.moment.in_full}. Look again."


def in_words(error: Error) -> Exception:
    """The named refusal for what the database said; the error itself where it is something else."""
    diagnosis = getattr(error.__cause__, "diag", None)
    constraint = (diagnosis and diagnosis.constraint_name) or ""
    found = BY_HINT.get(hint_of(error)) or next(
        (refusal for name, refusal in BY_CONSTRAINT.items() if constraint.startswith(name)), None
    )
    return found[0](found[1]) if found else error


def disarm(*, story: Story, by: User, reason: str, release: int = ANY) -> Disarm:
    """Call an armed release off, before it is public; `release` is the id of the one on the screen.

    Raises:
        NotArmed: nothing is armed, or it is public already.
        Moved: another release is armed than was on the screen.
        ReasonMissing: `reason` is empty.
    """
    reason = reason_of(reason)
    armed = _armed(story.pk)
    if armed is None:
        raise NotArmed(BY_HINT["not_armed"][1])
    if release not in {ANY, armed.pk}:
        raise Moved(
            f"Not disarmed: {armed.by} armed it anew meanwhile, for {armed.visibility.moment.in_full}. "
            "Look again."
        )
    try:
        with transaction.atomic():
            return Disarm.objects.create(story=story, by=by, release=armed, reason=reason)
    except Error as error:
        raise in_words(error) from error


def move(*, story: Story, by: User, moment: Moment, reason: str, seen: tuple[int, Moment]) -> Move:
    """Move the moment of an armed release, earlier or later.

    `seen` is what was on the screen: the id of the release, and the moment for which it was armed.

    Raises:
        NotArmed: nothing is armed, or it is public already.
        Moved: another release is armed than was on the screen, or for another moment.
        PastEmbargo, FarEmbargo, Frozen: see there.
        ReasonMissing: `reason` is empty.
    """
    reason = reason_of(reason)
    try:
        with transaction.atomic():
            Story.objects.select_for_update().get(pk=story.pk)
            armed = _armed(story.pk)
            if armed is None:
                raise NotArmed(BY_HINT["not_armed"][1])
            if (armed.pk, armed.visibility.moment) != seen:
                raise Moved(
                    f"Not moved: it is armed for {armed.visibility.moment.in_full} now, which was not on "
                    "your screen. Look again."
                )
            return Move.objects.create(
                story=story,
                by=by,
                release=armed,
                embargo=moment.instant,
                zone=moment.zone,
                reason=reason,
            )
    except Error as error:
        raise in_words(error) from error


def withdraw(*, story: Story, by: User, reason: str, release: int = ANY, kill: bool = False) -> Withdrawal:
    """Take back what is public, at this commit: from every list, feed and file.

    Its address says that it was withdrawn and why (`reason`); or, to `kill`, that it is gone. What was
    withdrawn can be killed later. `release` is the id of what was on the screen. Whoever was sent the story
    is told, by deliveries that are written in the same transaction.

    Raises:
        NotPublic: nobody can read the story.
        Killed: it was killed already.
        Moved: the public reads another release than was on the screen.
        ReasonMissing: `reason` is empty.
    """
    reason = reason_of(reason)
    try:
        with transaction.atomic():
            Story.objects.select_for_update().get(pk=story.pk)
            public = _public(story.pk)
            if public and release not in {ANY, public.pk}:
                raise Moved(
                    "Nothing was withdrawn: the public reads newer words than were on your screen. Look "
                    "again."
                )
            if Withdrawal.objects.filter(story=story, kill=True).exists():
                raise Killed("Nothing was done: the story was killed already.")
            gone = Withdrawal.objects.create(story=story, by=by, reason=reason, kill=kill)
            gone.refresh_from_db()
            event = Event.KILL if kill else Event.WITHDRAWAL
            delivering.write(event=event, release=gone.release, cause=f"withdrawal:{gone.pk}")
            return gone
    except Error as error:
        raise in_words(error) from error


def hold_everything(*, by: User, reason: str) -> HoldAll:
    """Let nothing more go out, at this commit, until it is lifted. What is public stays.

    Raises:
        AlreadyHeld: everything is held.
        ReasonMissing: `reason` is empty.
    """
    reason = reason_of(reason)
    try:
        with transaction.atomic():
            return HoldAll.objects.create(by=by, reason=reason)
    except Error as error:
        if hint_of(error) == "held":
            raise AlreadyHeld("Nothing was done: everything is held already.") from error
        raise in_words(error) from error


def lift_everything(*, by: User, hold: int = ANY) -> HoldAllLift:
    """Lift the hold of everything; `hold` is the id of the one on the screen.

    Stories whose moment has passed meanwhile are public from this instant.

    Raises:
        NotHeld: not everything is held, or somebody else lifted it at the same time.
        Moved: it is held, but anew: by another hold than was on the screen.
    """
    held = everything_held()
    if held is None:
        raise NotHeld("Nothing was done: not everything is held.")
    if hold not in {ANY, held.pk}:
        raise Moved(f"Not lifted: {held.by} held everything anew meanwhile: “{held.reason}”. Look again.")
    try:
        with transaction.atomic():
            return HoldAllLift.objects.create(by=by, hold=held)
    except Error as error:
        raise in_words(error) from error


def freeze(
    *, by: User, organisation: Organisation | None, since: datetime, until: datetime, reason: str
) -> Freeze:
    """Let nothing new of an organisation (None: of any) go out between two aware instants.

    What is armed for a moment in it is stopped, at this commit; what is public stays.

    Raises:
        NoTime: it would end before it begins, or has ended.
        ReasonMissing: `reason` is empty.
    """
    reason = reason_of(reason)
    try:
        with transaction.atomic():
            return Freeze.objects.create(
                by=by, organisation=organisation, since=since, until=until, reason=reason
            )
    except Error as error:
        raise in_words(error) from error


def end_freeze(*, freeze: Freeze, by: User, reason: str) -> FreezeEnd:
    """End a freeze before its time. What it stopped has to be moved, armed anew or exempted.

    Raises:
        NotFrozen: it is over.
        ReasonMissing: `reason` is empty.
    """
    reason = reason_of(reason)
    try:
        with transaction.atomic():
            return FreezeEnd.objects.create(by=by, freeze=freeze, reason=reason)
    except Error as error:
        raise in_words(error) from error


def exempt(*, story: Story, freeze: Freeze, by: User, reason: str) -> FreezeExemption:
    """Let a story go out in spite of a freeze, from this instant on.

    Raises:
        NotFrozen: it is exempted already.
        ReasonMissing: `reason` is empty.
    """
    reason = reason_of(reason)
    try:
        with transaction.atomic():
            return FreezeExemption.objects.create(story=story, by=by, freeze=freeze, reason=reason)
    except Error as error:
        raise in_words(error) from error


def freezes(organisation: str, at: datetime) -> list[Freeze]:
    """The freezes into which an aware instant falls for the news of an organisation, by its slug."""
    theirs = Q(organisation=None) | Q(organisation__slug=organisation)
    there = Freeze.objects.filter(theirs, since__lte=at, until__gt=at)
    return list(there.filter(Q(end=None) | Q(end__at__gt=at)).select_related("organisation", "by"))


def everything_held() -> HoldAll | None:
    """The hold of everything that is in force, if there is one."""
    return HoldAll.objects.filter(lift=None).select_related("by").first()


def hold(*, story: Story, by: User, reason: str) -> Hold:
    """Stop a story from going out, at this commit, until the hold is lifted.

    Raises:
        AlreadyHeld, AlreadyPublic: see there.
        ReasonMissing: `reason` is empty.
    """
    reason = reason_of(reason)
    try:
        with transaction.atomic():
            return Hold.objects.create(story=story, by=by, reason=reason)
    except Error as error:
        raise in_words(error) from error


def unhold(*, story: Story, by: User, hold: int = ANY) -> HoldLift:
    """Lift the hold; `hold` is the id of the one on the screen.

    A story whose embargo has passed is public from this instant.

    Raises:
        NotHeld: the story is not held, or somebody else lifted the hold at the same time.
        Moved: it is held, but anew: by another hold than was on the screen.
    """
    held = Hold.objects.filter(story=story, lift=None).select_related("by").first()
    if held is None:
        raise NotHeld(BY_HINT["not_held"][1])
    if hold not in {ANY, held.pk}:
        raise Moved(f"Not lifted: {held.by} held it anew meanwhile: “{held.reason}”. Look again.")
    try:
        with transaction.atomic():
            return HoldLift.objects.create(story=story, by=by, hold=held)
    except Error as error:
        raise in_words(error) from error


def reason_of(reason: str) -> str:
    """The reason without the white space round it.

    Raises:
        ReasonMissing: nothing is left.
    """
    if not reason.strip():
        raise ReasonMissing("Nothing was done: give a reason. It is kept on the record.")
    return reason.strip()


def announce(*, release_id: int, worker: str) -> Announcement | None:
    """Write the receipt of a public release and its deliveries, in one transaction, once.

    The insertion of the receipt is the claim. None where another worker has it, or where the release is
    not public (it was held, called off, or its moment has not come), or was never there. What came out of
    the story before it and has no receipt yet is announced first: a correction never overtakes its release.
    """
    release = Release.objects.filter(pk=release_id).first()
    if release is None:
        return None
    up_to_it = _to_announce().filter(story=release.story_id, pk__lte=release_id)
    waiting = list(up_to_it.order_by("pk").values_list("pk", flat=True))
    if release_id not in waiting:
        return None
    for earlier in waiting[:-1]:
        announce(release_id=earlier, worker=worker)
    try:
        with transaction.atomic():
            receipt = Announcement.objects.create(story_id=release.story_id, release=release, worker=worker)
            _tell([receipt])
    except Error as error:
        if hint_of(error) == "not_public" or _is_claimed(error):
            return None
        raise
    log.info("announced release %s, %.3f s after it was due", release_id, receipt.lateness.total_seconds())
    return receipt


@transaction.atomic
def announce_together(*, release_ids: Sequence[int], worker: str) -> list[Announcement]:
    """Announce those of several that are public, have no receipt, and whose story nobody is busy with.

    In one transaction: it costs a fraction of as many by `announce`, which is there for those that are left.
    Left are also the members of a bundle, of which whoever has one may be waiting for another, and what has
    something before it in its story that has no receipt yet.

    Raises:
        Error: one of them could not be announced, and so none was.
    """
    receipts = list(
        Announcement.objects.raw(
            _ANNOUNCE, {"releases": list(release_ids), "worker": worker}
        ).prefetch_related("release")
    )
    _tell(receipts)
    if receipts:
        late = max(receipt.lateness.total_seconds() for receipt in receipts)
        which = ", ".join(str(receipt.release_id) for receipt in receipts)
        log.info("announced releases %s, at most %.3f s after they were due", which, late)
    return receipts


# In the order of their stories, and without waiting for any: so two workers with the same ones share them. Of
# one story the earliest alone: one statement, one fact; a correction never overtakes its release.
_ANNOUNCE = """
WITH free AS MATERIALIZED (
    SELECT v.story_id, v.release_id FROM newsroom_visibility v JOIN stories_story s ON s.id = v.story_id
    WHERE v.release_id = ANY(%(releases)s) AND NOT v.announced AND v.withdrawn_at IS NULL
      AND v.visible_from <= release_clock()
      AND NOT EXISTS (SELECT 1 FROM newsroom_bundledrelease b WHERE b.release_id = v.release_id)
      AND NOT EXISTS (
          SELECT 1 FROM newsroom_visibility e WHERE e.story_id = v.story_id AND e.release_id < v.release_id
            AND NOT e.announced AND e.withdrawn_at IS NULL AND e.visible_from <= release_clock())
    ORDER BY v.story_id FOR UPDATE OF s SKIP LOCKED)
INSERT INTO newsroom_announcement (story_id, release_id, worker)
SELECT story_id, release_id, %(worker)s FROM free ORDER BY story_id
ON CONFLICT (release_id) DO NOTHING RETURNING *
"""


def _tell(receipts: Iterable[Announcement]) -> None:
    """Have everybody told of what was announced, but for small updates."""
    delivering.write_all(
        [
            delivering.News(event, receipt.release, f"announcement:{receipt.pk}")
            for receipt in receipts
            if (event := EVENTS.get(receipt.release.kind))
        ]
    )


def _is_claimed(error: Error) -> bool:
    diagnosis = getattr(error.__cause__, "diag", None)
    name = (diagnosis and diagnosis.constraint_name) or ""
    return name.startswith("newsroom_announcement_release")


def waits(release_ids: Sequence[int]) -> dict[int, float]:
    """How many seconds until each release is visible, by the database's clock; not above 0 once it is.

    Without those that have their receipt already, or are not on their way: held, called off, replaced.
    """
    clock = Func(function="clock_timestamp", output_field=DateTimeField())
    wait = ExpressionWrapper(F("visible_from") - clock, DurationField())
    rows = _to_announce(END_OF_TIME).filter(pk__in=release_ids).values_list("pk", wait)
    return {pk: left.total_seconds() for pk, left in rows}


def due(before: datetime, stories: QuerySet[Story] | None = None) -> list[tuple[int, datetime]]:
    """The releases (of some stories) that are visible from `before` or earlier and have no receipt, with that
    instant, in its order. None that is held, by itself or with everything."""
    rows = _to_announce(before)
    rows = rows.filter(story__in=stories) if stories is not None else rows
    pairs = rows.order_by("visible_from", "release_id").values_list("release_id", "visible_from")
    return [(release_id, visible_from) for release_id, visible_from in pairs if visible_from]


def _to_announce(before: datetime | None = None) -> "QuerySet[Visibility]":
    """What is visible from `before` (now) or earlier, has no receipt, and is stopped by no hold."""
    return Visibility.objects.filter(
        visible_from__lte=release_clock(before), announced=False, withdrawn_at=None
    )
