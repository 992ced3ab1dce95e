"""Sending what an announcement wrote into the outbox: after commit, retried with back-off."""

import logging
from datetime import timedelta
from random import uniform

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse

from stories import richtext

from .models import Delivery, Release

log = logging.getLogger(__name__)

#: Waiting times between tries, in seconds; after the last one the delivery is left for a person.
BACK_OFF = (5, 30, 120, 600, 1800, 3600)


def deliver(*, delivery_id: int) -> bool:
    """Send one delivery, if it is due and nobody else is sending it. Whether it went out here.

    The row stays locked while the mail is on its way, so that two workers never send the same one; a
    worker that dies in between leaves it to the next, with the same key.
    """
    with transaction.atomic():
        delivery = (
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("announcement__release__revision")
            .filter(pk=delivery_id, sent_at=None, next_attempt__lte=Now())
            .first()
        )
        if delivery is None:
            return False
        delivery.attempts += 1
        try:
            mail(delivery).send()
        except OSError as error:
            _postpone(delivery, error)
        else:
            delivery.sent_at, delivery.next_attempt, delivery.error = Now(), None, ""
        delivery.save(update_fields=["attempts", "next_attempt", "sent_at", "error"])
        return not delivery.error


def _postpone(delivery: Delivery, error: OSError) -> None:
    log.warning("delivery %s failed: %s", delivery.key, error)
    delivery.error = str(error)[:500]
    try:
        wait = BACK_OFF[delivery.attempts - 1] * uniform(0.8, 1.2)  # noqa: S311
    except IndexError:
        delivery.next_attempt = None
    else:
        delivery.next_attempt = Now() + timedelta(seconds=wait)


def outstanding(limit: int = 500) -> list[int]:
    """The deliveries that are due, oldest first."""
    rows = Delivery.objects.filter(sent_at=None, next_attempt__lte=Now()).order_by("next_attempt", "pk")
    return list(rows.values_list("pk", flat=True)[:limit])


def mail(delivery: Delivery) -> EmailMessage:
    """The mail to one subscriber. Its Message-ID is the delivery's key, the same at every try."""
    release = delivery.announcement.release
    content = release.revision.content
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    return EmailMessage(
        subject=content["headline"],
        body="\n\n".join(
            [
                f"{release.revision.type_label}. {release.moment.public}",
                content["summary"],
                richtext.plain(content["body"]),
                address(release),
            ]
        ),
        to=[delivery.recipient],
        headers={"Message-ID": f"<{delivery.key}@{host}>"},
    )


def address(release: Release) -> str:
    """The public address of a released story."""
    return settings.SITE_URL + reverse("story", args=[release.revision.slug])
