"""Sending what an announcement wrote into the outbox: after commit, retried with back-off."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import QuerySet
from django.urls import reverse

from stories import outbox, richtext

from .models import Delivery, Release


def send_next() -> bool:
    """Send the delivery that has been due for longest and that nobody is sending. Whether there was one."""
    return outbox.send_next(deliveries(), lambda delivery: mail(delivery).send())


def outstanding() -> bool:
    """Whether a delivery is due."""
    return outbox.is_due(deliveries())


def deliveries() -> QuerySet[Delivery]:
    """The outbox, with all that a mail says."""
    return Delivery.objects.select_related("announcement__release__revision")


def mail(delivery: Delivery) -> EmailMessage:
    """The mail to one subscriber. Its Message-ID is the delivery's key, the same at every try.

    Half of the key: a longer line would be folded, and not every mail server reads a folded one.
    """
    release = delivery.announcement.release
    content = release.revision.content
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
        headers={
            "Message-ID": f"<{delivery.key[:32]}@{outbox.sender_host()}>",
            "Auto-Submitted": "auto-generated",
        },
    )


def address(release: Release) -> str:
    """The public address of a released story."""
    return str(settings.SITE_URL) + reverse("story", args=[release.revision.slug])
