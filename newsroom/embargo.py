"""Copies under embargo: a named reader is given an armed story, and first says to keep the embargo.

The words of an armed story are shown to nobody else. A copy opens on an acknowledgement of exactly what is
armed and of its moment; when either changes, when it is held or called off, it is closed at that commit.
The database checks each rule once more (`EmbargoGrant`, `Acknowledgement`, `Opening`).
"""

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import Error, IntegrityError, transaction
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from stories.models import Story, User
from stories.moments import Moment
from stories.refusals import hint_of

from .models import (
    Acknowledgement,
    EmbargoGrant,
    EmbargoRevocation,
    Opening,
    Visibility,
    Withdrawal,
    release_clock,
)

_TOKEN, _SEEN = "newsroom.embargo.token", "newsroom.embargo.seen"
#: What a token looks like: 256 bits in the letters of an address.
_SHAPE = re.compile(r"[-_0-9A-Za-z]{43}")


class Refused(Exception):
    """Something about a copy was refused. The message says what, why and what to do next."""


class NotArmed(Refused):
    """No release of the story is armed."""


class Stopped(Refused):
    """The armed release is held or frozen."""


class AlreadyGiven(Refused):
    """The address has a copy of the story already."""


class Incomplete(Refused):
    """It was not said whom the copy is for, or where they can be written to."""


class AlreadyRevoked(Refused):
    """The copy was revoked before."""


class ReasonMissing(Refused):
    """A reason is needed and none was given."""


class Unknown(Refused):
    """There is no copy with this link, or not any more."""


class NotNow(Refused):
    """The copy cannot be read at present."""


class Changed(Refused):
    """What was on the screen is not what is armed any more."""


BY_HINT: dict[str, tuple[type[Refused], str]] = {
    "not_armed": (NotArmed, "No copy was given: no release of this story is armed. Arm it first."),
    "stopped": (
        Stopped,
        "No copy was given: the story is held or frozen. Give it once it is on its way again.",
    ),
    "given": (
        AlreadyGiven,
        "No copy was given: this address has one of this story already. Revoke that one first.",
    ),
    "not_now": (NotNow, "This copy cannot be read at present."),
    "moved": (Changed, "The embargo has just changed. Look at the time below, and confirm it again."),
    "not_acknowledged": (NotNow, "This copy cannot be read at present."),
}


def _in_words(error: Error) -> Exception:
    """The named refusal for what the database said; the error itself where it is something else."""
    found = BY_HINT.get(hint_of(error))
    return found[0](found[1]) if found else error


# Giving and revoking


def give(*, story: Story, by: User, name: str, email: str, outlet: str, terms: str = "") -> EmbargoGrant:
    """Give somebody the copy of an armed story, under embargo.

    They are mailed a link (by the outbox, see `holders`), and read nothing before they have acknowledged the
    embargo. `terms` is what was agreed beside it.

    Raises:
        NotArmed, Stopped, AlreadyGiven: see there.
        Incomplete: name, outlet or address is missing, or the address is none.
    """
    name, outlet, email = (" ".join(text.split()) for text in (name, outlet, email))
    if not (name and outlet):
        raise Incomplete("No copy was given: say whom it is for, and of which outlet.")
    try:
        validate_email(email)
    except ValidationError:
        raise Incomplete(
            "No copy was given: the mail address is none. Enter one like name@example.com."
        ) from None
    seed = uuid4()
    try:
        with transaction.atomic():
            grant = EmbargoGrant.objects.create(
                story=story,
                by=by,
                name=name,
                email=email,
                outlet=outlet,
                terms=terms.strip(),
                seed=seed,
                token_hash=_hash(_token(seed)),
            )
            grant.refresh_from_db()
            return grant
    except Error as error:
        raise _in_words(error) from error


def revoke(*, grant: EmbargoGrant, by: User, reason: str) -> EmbargoRevocation:
    """Take a copy back, at this commit: its link answers as if there had never been one.

    Raises:
        AlreadyRevoked: somebody has revoked it.
        ReasonMissing: `reason` is empty.
    """
    if not reason.strip():
        raise ReasonMissing("Nothing was revoked: give a reason. It is kept on the record.")
    try:
        with transaction.atomic():
            return EmbargoRevocation.objects.create(
                story_id=grant.story_id, by=by, grant=grant, reason=reason.strip()
            )
    except IntegrityError as error:
        if EmbargoRevocation.objects.filter(grant=grant).exists():
            raise AlreadyRevoked("Nothing was done: the copy was revoked already.") from error
        raise


# The link


def _token(seed: UUID) -> str:
    digest = salted_hmac(_TOKEN, str(seed), algorithm="sha256").digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def path(grant: EmbargoGrant) -> str:
    """The path of a copy, which only its mail tells; empty where the secret key has changed since."""
    token = _token(grant.seed)
    return reverse("embargoed", args=[token]) if _hash(token) == grant.token_hash else ""


def find(token: str) -> EmbargoGrant:
    """The copy that a link is about, with what its holder may do now: see `with_standing`.

    Raises:
        Unknown: there is none, or it was revoked.
    """
    wanted = EmbargoGrant.objects.with_standing().select_related("by", "story", "release")
    grant = (
        wanted.filter(token_hash=_hash(token), revocation=None).first() if _SHAPE.fullmatch(token) else None
    )
    if grant is None:
        raise Unknown("There is no copy with this link.")
    return grant


# Reading


class Stage(Enum):
    """What a holder is shown."""

    ASK = "the question whether they keep the embargo"
    OPEN = "the copy"
    HELD = "that it is on hold"
    OFF = "that it was called off"
    OVER = "what the public reads"


@dataclass(frozen=True)
class Look:
    """A copy as its holder finds it at this moment."""

    grant: EmbargoGrant
    stage: Stage
    #: What is armed, where it may be read or asked about.
    shown: Visibility | None = None
    #: What they have acknowledged last, whether it counts still or not.
    last: Acknowledgement | None = None

    @property
    def until(self) -> Moment | None:
        """The moment of what is armed."""
        return self.shown.goes_out if self.shown else None

    @property
    def seen(self) -> str:
        """What the form sends back: of which release and for which moment it asked. It tells nobody which."""
        assert self.shown
        value = f"{self.grant.pk}:{self.shown.release_id}:{self.shown.goes_out.instant.isoformat()}"
        return salted_hmac(_SEEN, value, algorithm="sha256").hexdigest()


def look(grant: EmbargoGrant) -> Look:
    """What somebody finds at their link; `grant` comes from `find`."""
    last = grant.acknowledgements.order_by("-pk").first()
    gone = (
        grant.covered_id is None
        and Withdrawal.objects.filter(story=grant.story_id, at__gte=grant.at).exists()
    )
    if grant.is_over or gone:
        return Look(grant, Stage.OVER, last=last)
    shown = Visibility.objects.select_related("release__revision").filter(pk=grant.covered_id).first()
    if shown is None:
        return Look(grant, Stage.OFF, last=last)
    if grant.copied_id is None:
        return Look(grant, Stage.HELD, shown, last)
    # It may have moved since the grant was looked at.
    kept = last is not None and (last.pk, last.moment) == (grant.acknowledged_id, shown.goes_out.instant)
    return Look(grant, Stage.OPEN if kept else Stage.ASK, shown, last)


def last_public(grant: EmbargoGrant) -> Visibility | None:
    """What anybody can read of the story of a copy, else what they could read last."""
    rows = Visibility.objects.with_public().filter(story=grant.story_id, visible_from__lte=release_clock())
    return rows.order_by("-is_public", "-pk").first()


def acknowledge(*, token: str, seen: str) -> Acknowledgement:
    """Take note that a reader keeps the embargo until the moment that was on their screen (`Look.seen`).

    Done twice, it is on the record once.

    Raises:
        Unknown: there is no copy with this link.
        Changed: another moment, or another release, is armed than was on the screen.
        NotNow: it is held, called off, or public.
    """
    grant = find(token)
    try:
        with transaction.atomic():
            # What is looked at stays so until the row is there.
            Story.objects.select_for_update().get(pk=grant.story_id)
            found = look(find(token))
            if found.stage is Stage.OPEN and found.last:
                return found.last
            if found.stage is not Stage.ASK or found.shown is None:
                raise NotNow(BY_HINT["not_now"][1])
            if not constant_time_compare(found.seen, seen):
                raise Changed(BY_HINT["moved"][1])
            return Acknowledgement.objects.create(
                story_id=grant.story_id,
                grant=grant,
                release=found.shown.release,
                moment=found.shown.goes_out.instant,
                zone=found.shown.zone,
            )
    except Error as error:
        raise _in_words(error) from error


def open_copy(*, acknowledgement: Acknowledgement) -> None:
    """Put the first opening of a copy on the record. Later ones leave no row.

    Raises:
        NotNow: the acknowledgement does not open anything any more.
    """
    if Opening.objects.filter(acknowledgement=acknowledgement).exists():
        return
    try:
        with transaction.atomic():
            Opening.objects.create(story_id=acknowledgement.story_id, acknowledgement=acknowledgement)
    except IntegrityError as error:
        # Another of their windows was first.
        if not Opening.objects.filter(acknowledgement=acknowledgement).exists():
            raise _in_words(error) from error
    except Error as error:
        raise _in_words(error) from error
