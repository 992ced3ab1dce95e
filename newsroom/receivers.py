"""The verbs by which administrators set up who is told of each story."""

import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from . import delivering, outgoing
from .models import Delivery, Receiver, ReceiverKind

#: For how long what is sent is signed with the secret before as well.
OVERLAP = timedelta(days=7)
NAME_LENGTH = 100


class Refused(Exception):
    """Setting up a receiver was refused. The message says what, why and what to do next."""


class Invalid(Refused):
    """Something that was typed cannot be. `field` says where."""

    def __init__(self, field: str, words: str) -> None:
        self.field = field
        super().__init__(words)


class Moved(Refused):
    """What was on the screen is not what is there any more."""


class Unsigned(Refused):
    """What this receiver is sent is not signed."""


def add(*, name: str, kind: str, url: str) -> Receiver:
    """A new receiver, with its first secret, which is `secret` on what is given.

    Raises:
        Invalid: there is no name, another has it, or the address is none that we send to.
    """
    kind = ReceiverKind(kind)
    signed = kind != ReceiverKind.WEBSUB
    receiver = Receiver(name=_name(name), kind=kind, url=_url(url), secret=_secret() if signed else "")
    try:
        with transaction.atomic():
            receiver.save()
    except IntegrityError as error:
        raise _taken(receiver.name) from error
    return receiver


def change(*, receiver: Receiver, name: str, url: str) -> Receiver:
    """Call a receiver otherwise, or send to another address. Its secret stays.

    Raises:
        Invalid: there is no name, another has it, or the address is none that we send to.
    """
    receiver.name, receiver.url = _name(name), _url(url)
    try:
        with transaction.atomic():
            receiver.save(update_fields=["name", "url"])
            # What was not reached at the old address may be at the new one.
            Receiver.objects.filter(pk=receiver.pk).update(failures=0, rests_until=None)
    except IntegrityError as error:
        raise _taken(receiver.name) from error
    return receiver


@transaction.atomic
def switch(*, receiver: Receiver, on: bool) -> int:
    """Send to a receiver again, or no more. The number of deliveries that waited and are not sent now.

    What becomes public while it is off, it is not told of later.
    """
    changed = Receiver.objects.filter(pk=receiver.pk, active=not on)
    if not changed.update(active=on, failures=0, rests_until=None):
        return 0
    # Also when it is switched on: something may have been written, or have failed, while it was switched off.
    waiting = Delivery.objects.filter(receiver=receiver)
    return delivering.drop(waiting, "the receiver was switched off.")


def rotate(*, receiver: Receiver, rotation: int) -> str:
    """Give a receiver a new secret, which is returned and to be shown once.

    The one before goes on signing for `OVERLAP`.
    `rotation` is which secret it was on the screen: a second click makes no third one.

    Raises:
        Moved: it has been given a new secret meanwhile.
        Unsigned: a hub is sent nothing that is signed.
    """
    if not receiver.is_signed:
        raise Unsigned("No secret was made: what a WebSub hub is sent is not signed.")
    new = _secret()
    done = Receiver.objects.filter(pk=receiver.pk, rotation=rotation).update(
        previous_secret=F("secret"), previous_until=Now() + OVERLAP, secret=new, rotation=rotation + 1
    )
    if not done:
        raise Moved("No secret was made: somebody has made a new one meanwhile. Look again.")
    return new


def _secret() -> str:
    return f"nrs_{secrets.token_urlsafe(32)}"


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid("name", "Give it a name.")
    return name[:NAME_LENGTH]


def _url(url: str) -> str:
    try:
        outgoing.target(url.strip())
    except outgoing.Refused as refusal:
        raise Invalid("url", str(refusal)) from None
    return url.strip()


def _taken(name: str) -> Invalid:
    return Invalid("name", f"There is a receiver called {name} already. Choose another name.")
