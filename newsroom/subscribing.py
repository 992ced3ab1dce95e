"""The mailing list: asking to be put on it, confirming that by mail, choosing, and leaving with one click.

An address is put on the list only by whoever reads its mail, and what it gets is changed only by them.
Nothing that anybody else can see or measure tells whether an address is on it.
"""

from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext

from stories import outbox

from . import choosing, house
from .choosing import EVERYTHING, Choice, Offer
from .models import Subscriber, SubscriptionRequest

#: For how long the link in the mail can be used.
LINK_LASTS = timedelta(days=3)
#: How often an address is written to because somebody gave it: mails, and within which time.
PER_ADDRESS = ((1, timedelta(minutes=10)), (4, timedelta(days=1)))
#: How many requests are taken from one network.
PER_SOURCE = ((20, timedelta(hours=1)),)
KEPT = timedelta(days=1)

_CONFIRM, _LEAVE, _CHOOSE = "newsroom.subscription", "newsroom.unsubscribe", "newsroom.choices"


class Refused(Exception):
    """The mailing list refused something. The message says what, why and what to do next."""


class TooMany(Refused):
    """Too many requests came from one network."""


class Stale(Refused):
    """The link is too old, or was not made by us."""


class Left(Refused):
    """They are not on the list any more."""


class Asked(NamedTuple):
    """What a link to confirm is about: whose address, what they chose, and what that is called."""

    email: str
    choice: Choice
    chosen: list[Offer]


@transaction.atomic
def ask(*, email: str, source: str, choice: Choice = EVERYTHING) -> None:
    """Send a mail to an address, with a link by which whoever reads it can have what was chosen sent to it.

    An address that was written to just now is left in peace, and whoever asks does not learn of it.
    `source` is from which network the request came.

    Raises:
        TooMany: too many requests came from there.
    """
    ours = salted_hmac("newsroom.source", source, algorithm="sha256").hexdigest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(lower(%s), 0))", [email])
    requests = SubscriptionRequest.objects.all()
    if _exceeds(requests.filter(source=ours), PER_SOURCE):
        raise TooMany(gettext("Too many requests came from your network. Please try again in an hour."))
    # The mail is sent by a worker: the answer takes as long whether one is sent or not.
    written = not _exceeds(requests.filter(email__iexact=email), PER_ADDRESS)
    waits = {} if written else {"next_attempt": None, "error": "Too often."}
    SubscriptionRequest.objects.create(email=email, source=ours, choice=choice.packed, **waits)


def _exceeds(requests: QuerySet[SubscriptionRequest], limits: tuple[tuple[int, timedelta], ...]) -> bool:
    return any(requests.filter(at__gt=Now() - span)[:most].count() >= most for most, span in limits)


def confirm_path(email: str, choice: Choice = EVERYTHING) -> str:
    """The path of the page on which an address is confirmed, with what was chosen for it."""
    token = signing.dumps([email, *choice.packed], salt=_CONFIRM, compress=True)
    return reverse("subscribe_confirm", args=[token])


def asked_in(token: str) -> Asked:
    """What a link to confirm is about.

    Raises:
        Stale: the link is too old, or none of ours; or nothing public is about what was chosen any more.
    """
    try:
        email, *packed = signing.loads(token, salt=_CONFIRM, max_age=LINK_LASTS)
    except signing.BadSignature:
        raise Stale(
            gettext(
                "This link has expired or is not complete. Subscribe again, and use the link of the new mail."
            )
        ) from None
    choice = Choice.unpacked(packed)
    chosen = choosing.among(choosing.offered(), choice) if choice.tags else []
    if choice.tags and not chosen:
        raise Stale(
            gettext("There is no news any more of what you had chosen. Choose again, and subscribe again.")
        )
    return Asked(str(email), choice, chosen)


@transaction.atomic
def confirm(*, token: str) -> Subscriber:
    """Put the address that a link is about on the list, with what was chosen. Done twice, it is on it once.

    Whoever is on it gets what they have chosen now, and no more what they chose before.

    Raises:
        Stale: the link is too old, or none of ours; or nothing public is about what was chosen any more.
    """
    email, choice, chosen = asked_in(token)
    subscriber, _ = Subscriber.objects.get_or_create(email__iexact=email, defaults={"email": email})
    Subscriber.objects.filter(pk=subscriber.pk, active=False).update(active=True, confirmed_at=Now())
    choosing.store(subscriber=subscriber, choice=choice, offers=chosen)
    subscriber.refresh_from_db()
    return subscriber


def unsubscribe_path(subscriber: Subscriber) -> str:
    """The path of the page on which somebody leaves the list."""
    return reverse("unsubscribe", args=[_token(subscriber, _LEAVE)])


def choices_path(subscriber: Subscriber) -> str:
    """The path of the page on which somebody changes what they get."""
    return reverse("subscribe_choices", args=[_token(subscriber, _CHOOSE)])


def _token(subscriber: Subscriber, purpose: str) -> str:
    return f"{subscriber.pk}-{_mark(subscriber, purpose)}"


def _mark(subscriber: Subscriber, purpose: str) -> str:
    value = f"{subscriber.pk}:{subscriber.email.lower()}"
    return salted_hmac(purpose, value, algorithm="sha256").hexdigest()[:32]


def find(token: str) -> Subscriber:
    """Whom a link to leave the list is about.

    Raises:
        Stale: the link is none of ours.
    """
    return _find(token, _LEAVE)


def find_to_choose(token: str) -> Subscriber:
    """Whom a link to change what they get is about.

    Raises:
        Stale: the link is none of ours.
        Left: they are not on the list any more.
    """
    subscriber = _find(token, _CHOOSE)
    if not subscriber.active:
        raise Left(gettext("You are off the list. To get news again, subscribe again."))
    return subscriber


def _find(token: str, purpose: str) -> Subscriber:
    number, _, mark = token.partition("-")
    short = number.isascii() and number.isdecimal() and len(number) < 19
    subscriber = Subscriber.objects.filter(pk=number).first() if short else None
    if subscriber is None or not constant_time_compare(_mark(subscriber, purpose), mark):
        raise Stale(gettext("This link is not complete. Copy all of it from the mail."))
    return subscriber


@transaction.atomic
def choose(*, token: str, choice: Choice) -> Subscriber:
    """Let somebody get what they have chosen, from now on. What is not offered to them is left out.

    Raises:
        Stale: the link is none of ours.
        Left: they are not on the list any more.
    """
    subscriber = find_to_choose(token)
    choosing.store(subscriber=subscriber, choice=choice, offers=choosing.offered(subscriber))
    subscriber.refresh_from_db()
    return subscriber


def unsubscribe(*, token: str) -> None:
    """Take somebody off the list, at once. Done twice, they are off it.

    Raises:
        Stale: the link is none of ours.
    """
    Subscriber.objects.filter(pk=find(token).pk, active=True).update(active=False)


# The mail that asks to confirm


def send_next() -> bool:
    """Send the mail that has been due for longest and that nobody is sending. Whether there was one."""
    return outbox.send_next(SubscriptionRequest.objects.all(), lambda request: mail(request).send())


def outstanding() -> bool:
    """Whether a mail is due."""
    return outbox.is_due(SubscriptionRequest.objects.all())


def forget() -> int:
    """Delete the requests that nothing is counted by any more. The number."""
    return SubscriptionRequest.objects.filter(at__lt=Now() - KEPT).delete()[0]


def mail(request: SubscriptionRequest) -> EmailMessage:
    """The mail that asks whoever reads it whether they want to be on the list."""
    link = settings.SITE_URL + confirm_path(request.email, Choice.unpacked(request.choice))
    newsroom = house.current().name
    key = salted_hmac(_CONFIRM, str(request.pk), algorithm="sha256").hexdigest()[:32]
    return EmailMessage(
        subject=f"Confirm your subscription: {' '.join(newsroom.split())}",
        body=(
            f"Somebody, hopefully you, asked for the news of {newsroom} to be sent to this"
            f" address. To get it, open this page within {LINK_LASTS.days} days and press the button:\n\n"
            f"{link}\n\nIf it was not you, do nothing: you will not be written to again."
        ),
        to=[request.email],
        headers={
            "Message-ID": f"<{key}@{outbox.sender_host()}>",
            "Auto-Submitted": "auto-generated",
        },
    )
