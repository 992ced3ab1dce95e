"""Sending what an announcement wrote into the outbox: after commit, retried with back-off."""

import logging
from datetime import timedelta
from email.utils import parseaddr
from random import uniform

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse

from stories import richtext

from .models import Delivery, Release

log = logging.getLogger(__name__)

#: Waiting times between tries, in seconds; after the last one the delivery is left for a person.
BACK_OFF = (5, 30, 120, 600, 1800, 3600)
#: For how long a claim keeps others away: longer than a task may take, so that nobody sends the same one.
LEASE = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT + 30)


def send_next() -> bool:
    """Send the delivery that has been due for longest and that nobody else is sending. Whether there was one.

    The claim is committed before the mail goes out, and counts as a try: a worker that dies on the way
    leaves the delivery to another after `LEASE`, under the same key; one that kills whoever tries it is
    tried no more often than any other, and never stands in the way of the next.
    """
    delivery = _claim()
    if delivery is None:
        return False
    try:
        mail(delivery).send()
    # Whatever is wrong with one delivery, the others go out.
    except Exception as error:
        _postpone(delivery, error)
    else:
        sent = Delivery.objects.filter(pk=delivery.pk, sent_at=None)
        sent.update(sent_at=Now(), next_attempt=None, error="")
    return True


@transaction.atomic
def _claim() -> Delivery | None:
    delivery = (
        Delivery.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("announcement__release__revision")
        .filter(sent_at=None, next_attempt__lte=Now())
        .order_by("next_attempt", "pk")
        .first()
    )
    if delivery is None:
        return None
    last = delivery.attempts >= len(BACK_OFF)
    Delivery.objects.filter(pk=delivery.pk).update(
        attempts=F("attempts") + 1,
        next_attempt=None if last else Now() + LEASE,
        error="The worker that was sending it has not come back.",
    )
    delivery.attempts += 1
    return delivery


def _postpone(delivery: Delivery, error: Exception) -> None:
    words = f"{type(error).__name__}: {error}".replace("\x00", "")[:500]
    unexpected = not isinstance(error, OSError)
    log.warning("delivery %s, try %s: %s", delivery.key, delivery.attempts, words, exc_info=unexpected)
    if delivery.attempts <= len(BACK_OFF):
        wait = BACK_OFF[delivery.attempts - 1] * uniform(0.8, 1.2)  # noqa: S311  jitter is no secret
        next_attempt = Now() + timedelta(seconds=wait)
    else:
        next_attempt = None
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt=next_attempt, error=words)


def outstanding() -> bool:
    """Whether a delivery is due."""
    return Delivery.objects.filter(sent_at=None, next_attempt__lte=Now()).exists()


def mail(delivery: Delivery) -> EmailMessage:
    """The mail to one subscriber. Its Message-ID is the delivery's key, the same at every try.

    Half of the key: a longer line would be folded, and not every mail server reads a folded one.
    """
    release = delivery.announcement.release
    content = release.revision.content
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return EmailMessage(
        subject=" ".join(content["headline"].split()),
        body="\n\n".join(
            [
                f"{release.revision.type_label}. {release.moment.public}",
                content["summary"],
                richtext.plain(content["body"]),
                address(release),
            ]
        ),
        to=[delivery.recipient],
        headers={"Message-ID": f"<{delivery.key[:32]}@{host}>", "Auto-Submitted": "auto-generated"},
    )


def address(release: Release) -> str:
    """The public address of a released story."""
    return str(settings.SITE_URL) + reverse("story", args=[release.revision.slug])
