"""Sending a batch: by one mail connection, or by one connection to a receiver.

Nothing here asks the database, so that a thread can do it. Of each parcel is reported what became of it, at
once: what was done is known even where the rest of the batch is lost.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from http import HTTPStatus
from itertools import islice
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPSenderRefused
from time import monotonic
from typing import Any

from django.core.mail import EmailMessage, get_connection

from . import letters, outgoing
from .lanes import Lane
from .models import Delivery, Receiver, ReceiverKind
from .telling import Parcel

#: For how long a batch goes on with its next parcel, in seconds: what is left is handed back.
BATCH_SECONDS = 10.0
BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Fate(Enum):
    """What became of a delivery that was claimed."""

    SENT = "sent"
    FAILED = "tried in vain"
    DEAD = "refused for good"
    UNREACHED = "nobody answered"
    BUSY = "asked to wait"
    BACK = "not tried"


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery, in words where it failed."""

    delivery: Delivery
    fate: Fate
    words: str = ""
    at_least: float = 0.0


Report = Callable[[Outcome], object]


def send(lane: Lane, parcels: Sequence[Parcel], report: Report) -> None:
    """Send the parcels of a lane one after another, and report of each what became of it."""
    left = {parcel.delivery.pk: parcel.delivery for parcel in parcels}

    def tell(outcome: Outcome) -> None:
        left.pop(outcome.delivery.pk, None)
        report(outcome)

    try:
        if lane.receiver is None:
            _mail(parcels, tell)
        elif lane.kind == ReceiverKind.WEBSUB:
            _ping(lane.receiver, parcels, tell)
        else:
            _post(lane.receiver, parcels, tell)
    # A fault of ours in the middle of a batch must not leave its deliveries to the lease.
    except Exception as error:
        for delivery in list(left.values()):
            report(Outcome(delivery, Fate.FAILED, in_words(error)))
        left.clear()
    for delivery in left.values():
        report(Outcome(delivery, Fate.BACK))


def in_words(error: Exception) -> str:
    """What went wrong with a mail: the kind of fault and what was said, as text of one line."""
    said = " ".join(str(error).replace("\x00", "").split())
    return f"{type(error).__name__}: {said}"[:500]


# Mail


def _mail(parcels: Sequence[Parcel], tell: Report) -> None:
    """Send mail over one connection, made anew where one was lost. What is not told was not tried."""
    connection: Any = get_connection()
    is_open, until = False, monotonic() + BATCH_SECONDS
    try:
        for number, parcel in enumerate(parcels):
            if monotonic() >= until:
                return
            # First, so that an address that no mail can carry costs no connection.
            try:
                message = letters.mail(parcel)
                message.message()
            except Exception as error:
                tell(Outcome(parcel.delivery, Fate.FAILED, in_words(error)))
                continue
            if not is_open:
                try:
                    connection.open()
                except (OSError, SMTPException) as error:
                    for unsent in islice(parcels, number, None):
                        tell(Outcome(unsent.delivery, Fate.FAILED, in_words(error)))
                    return
                is_open = True
            is_open = _send_mail(connection, message, parcel, tell)
    finally:
        with suppress(OSError, SMTPException):
            connection.close()


def _send_mail(connection: Any, message: EmailMessage, parcel: Parcel, tell: Report) -> bool:
    """Send one mail. Whether the connection can be used for the next."""
    try:
        connection.send_messages([message])
    except (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError) as error:
        tell(Outcome(parcel.delivery, Fate.FAILED, in_words(error)))
        return True
    except Exception as error:
        with suppress(OSError, SMTPException):
            connection.close()
        tell(Outcome(parcel.delivery, Fate.FAILED, in_words(error)))
        return False
    tell(Outcome(parcel.delivery, Fate.SENT))
    return True


# Receivers


def _post(receiver: Receiver, parcels: Sequence[Parcel], tell: Report) -> None:
    """Send to a receiver until one is not answered or asks to wait. What is not told was not tried."""
    until = monotonic() + BATCH_SECONDS
    with outgoing.Line(receiver.url) as line:
        for parcel in parcels:
            if monotonic() >= until:
                return
            try:
                body, headers = letters.request(receiver, parcel, datetime.now(UTC))
            # One story that cannot be said holds up no other.
            except Exception as error:
                tell(Outcome(parcel.delivery, Fate.FAILED, in_words(error)))
                continue
            outcome = _one(line, parcel.delivery, body, headers)
            tell(outcome)
            if outcome.fate in (Fate.UNREACHED, Fate.BUSY):
                return


def _ping(receiver: Receiver, parcels: Sequence[Parcel], tell: Report) -> None:
    """Tell a hub once that the feed has changed, however many stories changed it."""
    body, headers = letters.ping()
    with outgoing.Line(receiver.url) as line:
        outcome = _one(line, parcels[0].delivery, body, headers)
    tell(outcome)
    if outcome.fate in (Fate.UNREACHED, Fate.BUSY):
        return
    for parcel in parcels[1:]:
        tell(Outcome(parcel.delivery, outcome.fate, outcome.words))


def _one(line: outgoing.Line, delivery: Delivery, body: bytes, headers: dict[str, str]) -> Outcome:
    try:
        answer = line.post(body, headers)
    except outgoing.Unreached as reason:
        return Outcome(delivery, Fate.UNREACHED, str(reason))
    return judged(delivery, answer)


def judged(delivery: Delivery, answer: outgoing.Answer) -> Outcome:
    """What an answer means. It is told by its number: what it says is read by nobody."""
    status = answer.status
    if 200 <= status < 300:
        return Outcome(delivery, Fate.SENT)
    said = f"It answered {status}{_phrase(status)}"
    if 300 <= status < 400:
        return Outcome(delivery, Fate.FAILED, f"{said}: a redirect, which is not followed.")
    if status == HTTPStatus.GONE:
        return Outcome(delivery, Fate.DEAD, f"{said}: nothing is to be sent there any more.")
    if status in BUSY and answer.retry_after:
        wait = answer.retry_after
        return Outcome(delivery, Fate.BUSY, f"{said}, and asked us to wait for {wait:.0f} seconds.", wait)
    return Outcome(delivery, Fate.FAILED, f"{said}.")


def _phrase(status: int) -> str:
    try:
        return f" ({HTTPStatus(status).phrase})"
    except ValueError:
        return ""
