"""Who is told of a release, and the outbox of what they are sent."""

from django.db import models
from django.db.models.functions import Lower

from stories.outbox import Outgoing

from .receipts import Announcement


class Subscriber(models.Model):
    """Somebody on the mailing list."""

    email = models.EmailField(unique=True)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["email"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"), name="subscriber_once", violation_error_message="This address is on the list."
            )
        ]

    def __str__(self) -> str:
        return self.email


class Delivery(Outgoing):
    """A mail to one subscriber about one announcement: an outbox row, sent after commit and retried.

    The key is the same however often it is tried, so that a receiver can tell a repeat.
    """

    announcement = models.ForeignKey(Announcement, on_delete=models.PROTECT, related_name="deliveries")
    recipient = models.EmailField()
    key = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["next_attempt"], condition=models.Q(sent_at=None), name="delivery_outstanding"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} to {self.recipient}"
