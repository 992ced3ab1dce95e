"""The verbs of release. Each is safe to run twice; the database checks each rule once more."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import Error, connection, transaction
from django.utils.crypto import salted_hmac

from approvals import rules
from stories.models import Revision, Story, User
from stories.moments import Moment, zone_of
from stories.refusals import hint_of

from .models import Announcement, Delivery, Disarm, Hold, HoldLift, Release, Subscriber, Visibility

log = logging.getLogger(__name__)

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


BY_HINT: dict[str, tuple[type[Refused], str]] = {
    "past": (PastEmbargo, "Not armed: that moment has gone by. Choose a later one, or release now."),
    "far": (FarEmbargo, "Not armed: that moment is more than ten years ahead. Choose an earlier one."),
    "unfit": (
        Unfit,
        "Not armed: the story has no headline, or no address that a page can have. Mend it in the draft.",
    ),
    "public": (AlreadyPublic, "Nothing was done: the story is public already."),
    "stale": (Moved, "Not armed: somebody saved a newer revision meanwhile. Look at it first."),
    "not_armed": (NotArmed, "Nothing was done: no release of this story is armed."),
    "held": (AlreadyHeld, "Nothing was done: the story is held already."),
    "not_held": (NotHeld, "Nothing was done: the story is not held."),
}
BY_CONSTRAINT: dict[str, tuple[type[Refused], str]] = {
    "newsroom_visibility_slug": (
        AddressTaken,
        "Not armed: another story has the same address. Change the address in the draft and have it cleared.",
    ),
    "newsroom_holdlift_hold": (NotHeld, "Nothing was done: somebody else has lifted the hold."),
    "newsroom_disarm_release": (NotArmed, "Nothing was done: somebody else has disarmed it."),
}


def arm(
    *, revision: Revision, by: User, moment: Moment | None, zone: str = "UTC", replacing: int | None = ANY
) -> Release:
    """Fix a revision, its sign-offs and the moment at which it becomes public; None is now.

    Arming again before that moment replaces the release that was armed; arming the same again changes
    nothing and gives the release that is there. `zone` names the zone in which "now" is meant,
    `replacing` the id of the release that was armed on the screen (None where none was).

    Raises:
        NotCleared: sign-offs are missing on exactly this revision.
        Moved: there is a newer revision, or another release is armed than was on the screen.
        PastEmbargo, FarEmbargo, Unfit, AlreadyPublic, AddressTaken: see there.
        UnknownZone: nobody knows the zone in which the moment, or "now", is meant.
    """
    zone_of(moment.zone if moment else zone)
    try:
        with transaction.atomic():
            Story.objects.select_for_update().get(pk=revision.story_id)
            armed = _armed(revision.story_id)
            if armed and moment and _same(armed, revision, moment):
                return armed
            if armed and moment is None and _just_now(armed, revision, by, replacing):
                return armed
            if replacing != ANY and replacing != (armed.pk if armed else None):
                raise Moved(_moved(armed))
            release = Release.objects.create(
                story_id=revision.story_id,
                by=by,
                revision=revision,
                zone=moment.zone if moment else zone,
                # Left out, it is the instant at which the database takes the row.
                **({"embargo": moment.instant} if moment else {}),
            )
            release.refresh_from_db()
            return release
    except Error as error:
        if hint_of(error) == "not_cleared":
            raise NotCleared(revision, rules.progress(revision)) from error
        raise _in_words(error) from error


def _armed(story_id: int) -> Release | None:
    """The release of a story that is armed or public."""
    return Release.objects.filter(visibility__story=story_id).select_related("by").first()


def _same(armed: Release, revision: Revision, moment: Moment) -> bool:
    return (armed.revision_id, armed.moment) == (revision.pk, moment)


def _just_now(armed: Release, revision: Revision, by: User, replacing: int | None) -> bool:
    """Whether this is the second click of somebody who released the same words at once."""
    at_once = armed.embargo == armed.at and replacing not in (ANY, armed.pk)
    return at_once and (armed.revision_id, armed.by_id) == (revision.pk, by.pk)


def _moved(armed: Release | None) -> str:
    if armed is None:
        return "Not armed: the release that you were looking at was disarmed meanwhile. Look again."
    return f"Not armed: {armed.by} armed it meanwhile, for {armed.moment.in_full}. Look again."


def _in_words(error: Error) -> Exception:
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
    reason = _reason(reason)
    armed = _armed(story.pk)
    if armed is None:
        raise NotArmed(BY_HINT["not_armed"][1])
    if release not in {ANY, armed.pk}:
        raise Moved(
            f"Not disarmed: {armed.by} armed it anew meanwhile, for {armed.moment.in_full}. Look again."
        )
    try:
        with transaction.atomic():
            return Disarm.objects.create(story=story, by=by, release=armed, reason=reason)
    except Error as error:
        raise _in_words(error) from error


def hold(*, story: Story, by: User, reason: str) -> Hold:
    """Stop a story from going out, at this commit, until the hold is lifted.

    Raises:
        AlreadyHeld, AlreadyPublic: see there.
        ReasonMissing: `reason` is empty.
    """
    reason = _reason(reason)
    try:
        with transaction.atomic():
            return Hold.objects.create(story=story, by=by, reason=reason)
    except Error as error:
        raise _in_words(error) from error


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
        raise _in_words(error) from error


def _reason(reason: str) -> str:
    if not reason.strip():
        raise ReasonMissing("Nothing was done: give a reason. It is kept on the record.")
    return reason.strip()


def announce(*, release_id: int, worker: str) -> Announcement | None:
    """Write the receipt of a public release and its deliveries, in one transaction, once.

    The insertion of the receipt is the claim. None where another worker has it, or where the release is
    not public (it was held, called off, or its moment has not come), or was never there.
    """
    story_id = Release.objects.filter(pk=release_id).values_list("story_id", flat=True).first()
    if story_id is None:
        return None
    try:
        with transaction.atomic():
            receipt = Announcement.objects.create(story_id=story_id, release_id=release_id, worker=worker)
            _write_deliveries(receipt)
    except Error as error:
        if hint_of(error) == "not_public" or _is_claimed(error):
            return None
        raise
    log.info("announced release %s, %.3f s after it was due", release_id, receipt.lateness.total_seconds())
    return receipt


def _is_claimed(error: Error) -> bool:
    diagnosis = getattr(error.__cause__, "diag", None)
    name = (diagnosis and diagnosis.constraint_name) or ""
    return name.startswith("newsroom_announcement_release")


def _write_deliveries(receipt: Announcement) -> None:
    emails = Subscriber.objects.filter(active=True).values_list("email", flat=True)
    Delivery.objects.bulk_create(
        (
            Delivery(announcement=receipt, recipient=email, key=delivery_key(receipt, email))
            for email in emails
        ),
        batch_size=1000,
    )


def delivery_key(receipt: Announcement, recipient: str) -> str:
    """The idempotency key of a delivery: the same however often it is tried."""
    # Keyed, so that nobody can count releases by trying numbers.
    value = f"{receipt.release_id}:{recipient}"
    return salted_hmac("newsroom.delivery", value, algorithm="sha256").hexdigest()


def seconds_to_go(release_id: int) -> float | None:
    """How long until a release is visible; None where it has its receipt already, or is not on its way."""
    return waits([release_id]).get(release_id)


def waits(release_ids: Sequence[int]) -> dict[int, float]:
    """How many seconds until each release is visible, by the database's clock; not above 0 once it is.

    Without those that have their receipt already, or are not on their way: held, called off, replaced.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT release_id, extract(epoch FROM visible_from - clock_timestamp())::float8"
            " FROM newsroom_visibility"
            " WHERE release_id = ANY(%s) AND visible_from IS NOT NULL AND NOT announced",
            [list(release_ids)],
        )
        return dict(cursor.fetchall())


def due(before: datetime) -> list[tuple[int, datetime]]:
    """The releases that are visible from `before` or earlier and have no receipt, with that instant."""
    rows = Visibility.objects.filter(visible_from__lte=before, announced=False).order_by("visible_from")
    pairs = rows.values_list("release_id", "visible_from")
    return [(release_id, visible_from) for release_id, visible_from in pairs if visible_from]
