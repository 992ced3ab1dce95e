"""The verbs of release. Each is safe to run twice; the database checks each rule once more."""

import logging
from datetime import datetime

from django.db import Error, IntegrityError, transaction

from approvals import rules
from stories.models import Revision, Story, User
from stories.moments import Moment
from stories.refusals import hint_of

from .models import Announcement, Delivery, Disarm, Hold, HoldLift, Release, Subscriber, Visibility

log = logging.getLogger(__name__)


class Refused(Exception):
    """Release refused something. The message says what, why and what to do next."""


class NotCleared(Refused):
    """Sign-offs are missing on exactly this revision. `missing` are the steps."""

    def __init__(self, revision: Revision, missing: list[rules.StepState]) -> None:
        if not missing:
            names = "clearance has not been requested"
        else:
            names = "missing: " + ", ".join(f"{step.desk} ({step.words})" for step in missing)
        super().__init__(f"Not armed: {names} on revision {revision.number}.")
        self.revision, self.missing = revision, missing


class Moved(Refused):
    """The revision on the screen is not the newest one any more."""


class PastEmbargo(Refused):
    """The moment has gone by."""


class AlreadyPublic(Refused):
    """The story can be read by anybody already."""


class AddressTaken(Refused):
    """Another armed or public story has the same address."""


class NotArmed(Refused):
    """There is no armed release to act on."""


class AlreadyHeld(Refused):
    """The story is held already."""


class NotHeld(Refused):
    """There is no hold to lift."""


class ReasonMissing(Refused):
    """A reason is needed and none was given."""


WORDS: dict[str, tuple[type[Refused], str]] = {
    "past": (PastEmbargo, "Not armed: that moment has gone by. Choose a later one, or release now."),
    "public": (AlreadyPublic, "Nothing was done: the story is public already."),
    "stale": (Moved, "Not armed: somebody saved a newer revision meanwhile. Look at it first."),
    "not_armed": (NotArmed, "Nothing was done: no release of this story is armed."),
    "held": (AlreadyHeld, "Nothing was done: the story is held already."),
    "not_held": (NotHeld, "Nothing was done: the story is not held."),
}


def arm(*, revision: Revision, by: User, moment: Moment | None, zone: str = "UTC") -> Release:
    """Fix a revision, its sign-offs and the moment at which it becomes public; None is now.

    Arming again before that moment replaces the release that was armed. `zone` names the zone in which
    "now" is meant.

    Raises:
        NotCleared: sign-offs are missing on exactly this revision.
        Moved, PastEmbargo, AlreadyPublic, AddressTaken: see there.
    """
    try:
        with transaction.atomic():
            release = Release.objects.create(
                story=revision.story,
                by=by,
                revision=revision,
                embargo=moment.instant if moment else None,
                zone=moment.zone if moment else zone,
            )
            release.refresh_from_db()
            return release
    except IntegrityError as error:
        if hint_of(error) == "not_cleared":
            raise NotCleared(revision, rules.progress(revision).missing) from error
        raise _in_words(error) from error
    except Error as error:
        raise _in_words(error) from error


def _in_words(error: Error) -> Exception:
    """The named refusal for what the database said; the error itself where it is something else."""
    kind, words = WORDS.get(hint_of(error), (None, ""))
    if kind:
        return kind(words)
    if "newsroom_visibility_slug" in str(error):
        return AddressTaken(
            "Not armed: another story has the same address. Change the address in the draft and have it cleared."
        )
    return error


def disarm(*, story: Story, by: User, reason: str) -> Disarm:
    """Call an armed release off, before it is public.

    Raises:
        NotArmed: nothing is armed, or it is public already.
        ReasonMissing: `reason` is empty.
    """
    reason = _reason(reason)
    armed = Visibility.objects.filter(story=story).first()
    if armed is None:
        raise NotArmed(WORDS["not_armed"][1])
    try:
        with transaction.atomic():
            return Disarm.objects.create(story=story, by=by, release_id=armed.release_id, reason=reason)
    except Error as error:
        raise _in_words(error) from error


def hold(*, story: Story, by: User, reason: str) -> Hold:
    """Stop a story from going out, at this commit, until the hold is lifted.

    Raises:
        AlreadyHeld, AlreadyPublic: see there.
        ReasonMissing: `reason` is empty.
    """
    try:
        with transaction.atomic():
            return Hold.objects.create(story=story, by=by, reason=_reason(reason))
    except Error as error:
        raise _in_words(error) from error


def unhold(*, story: Story, by: User) -> HoldLift:
    """Lift the hold. A story whose embargo has passed is public from this instant.

    Raises:
        NotHeld: the story is not held, or somebody else lifted the hold at the same time.
    """
    held = Hold.objects.filter(story=story, lift=None).first()
    if held is None:
        raise NotHeld(WORDS["not_held"][1])
    try:
        with transaction.atomic():
            return HoldLift.objects.create(story=story, by=by, hold=held)
    except IntegrityError as error:
        raise NotHeld(WORDS["not_held"][1]) from error


def _reason(reason: str) -> str:
    if not reason.strip():
        raise ReasonMissing("Nothing was done: give a reason. It is kept on the record.")
    return reason.strip()


def announce(*, release_id: int, worker: str) -> Announcement | None:
    """Write the receipt of a public release and its deliveries, in one transaction, once.

    The insertion of the receipt is the claim. None where another worker has it, or where the release is
    not public (it was held, called off, or its moment has not come).
    """
    release = Release.objects.only("story_id").get(pk=release_id)
    try:
        with transaction.atomic():
            receipt = Announcement.objects.create(
                story_id=release.story_id, release_id=release_id, worker=worker
            )
            emails = Subscriber.objects.filter(active=True).values_list("email", flat=True)
            Delivery.objects.bulk_create(
                Delivery(announcement=receipt, recipient=email, key=delivery_key(receipt, email))
                for email in emails
            )
    except IntegrityError as error:
        if hint_of(error) == "not_public" or "newsroom_announcement_release" in str(error):
            return None
        raise
    log.info("announced release %s, %.3f s after it was due", release_id, receipt.lateness.total_seconds())
    return receipt


def delivery_key(receipt: Announcement, recipient: str) -> str:
    """The idempotency key of a delivery: the same however often it is tried."""
    from hashlib import sha256

    return sha256(f"{receipt.release_id}:{recipient}".encode()).hexdigest()


def due(before: datetime) -> list[tuple[int, datetime]]:
    """The releases that are visible from an instant before `before` and have no receipt, with that instant."""
    return list(
        Visibility.objects.filter(visible_from__lt=before, announced=False)
        .order_by("visible_from")
        .values_list("release_id", "visible_from")
    )
