"""The mailing list: asking to be put on it, confirming that by mail, and leaving it with one click.

An address is put on the list only by whoever reads its mail. Nothing that anybody can see or measure tells
whether an address is on it.
"""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from stories import outbox

from . import house
from .models import Subscriber, SubscriptionRequest

#: For how long the link in the mail can be used.
LINK_LASTS = timedelta(days=3)
#: How often an address is written to because somebody gave it: mails, and within which time.
PER_ADDRESS = ((1, timedelta(minutes=10)), (4, timedelta(days=1)))
#: How many requests are taken from one network.
PER_SOURCE = ((20, timedelta(hours=1)),)
KEPT = timedelta(days=1)

_CONFIRM, _LEAVE = "newsroom.subscribe", "newsroom.unsubscribe"


class Refused(Exception):
    """The mailing list refused something. The message says what, why and what to do next."""


class TooMany(Refused):
    """Too many requests came from one network."""


class Stale(Refused):
    """The link is too old, or was not made by us."""


@transaction.atomic
def ask(*, email: str, source: str) -> None:
    """Send a mail to an address, with a link by which whoever reads it can put it on the list.

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
        raise TooMany("Too many requests came from your network. Please try again in an hour.")
    # The mail is sent by a worker: the answer takes as long whether one is sent or not.
    written = not _exceeds(requests.filter(email__iexact=email), PER_ADDRESS)
    SubscriptionRequest.objects.create(
        email=email, source=ours, **({} if written else {"next_attempt": None, "error": "Too often."})
    )


def _exceeds(requests: QuerySet[SubscriptionRequest], limits: tuple[tuple[int, timedelta], ...]) -> bool:
    return any(requests.filter(at__gt=Now() - span)[:most].count() >= most for most, span in limits)


def confirm_path(email: str) -> str:
    """The path of the page on which an address is confirmed."""
    return reverse("subscribe_confirm", args=[signing.dumps(email, salt=_CONFIRM)])


def address_in(token: str) -> str:
    """The address that a link of ours is about.

    Raises:
        Stale: the link is too old, or none of ours.
    """
    try:
        return str(signing.loads(token, salt=_CONFIRM, max_age=LINK_LASTS))
    except signing.BadSignature:
        raise Stale(
            "This link has expired or is not complete. Subscribe again, and use the link of the new mail."
        ) from None


@transaction.atomic
def confirm(*, token: str) -> Subscriber:
    """Put the address that a link is about on the list. Done twice, it is on it once.

    Raises:
        Stale: the link is too old, or none of ours.
    """
    email = address_in(token)
    subscriber, _ = Subscriber.objects.get_or_create(email__iexact=email, defaults={"email": email})
    if Subscriber.objects.filter(pk=subscriber.pk, active=False).update(active=True, confirmed_at=Now()):
        subscriber.refresh_from_db()
    return subscriber


def unsubscribe_path(subscriber: Subscriber) -> str:
    """The path of the page on which somebody leaves the list."""
    return reverse("unsubscribe", args=[f"{subscriber.pk}-{_mark(subscriber)}"])


def _mark(subscriber: Subscriber) -> str:
    value = f"{subscriber.pk}:{subscriber.email.lower()}"
    return salted_hmac(_LEAVE, value, algorithm="sha256").hexdigest()[:32]


def find(token: str) -> Subscriber:
    """Whom a link to leave the list is about.

    Raises:
        Stale: the link is none of ours.
    """
    number, _, mark = token.partition("-")
    short = number.isascii() and number.isdecimal() and len(number) < 19
    subscriber = Subscriber.objects.filter(pk=number).first() if short else None
    if subscriber is None or not constant_time_compare(_mark(subscriber), mark):
        raise Stale("This link is not complete. Copy all of it from the mail.")
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
    link = settings.SITE_URL + confirm_path(request.email)
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
