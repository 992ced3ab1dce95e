"""Who is told of what becomes public, and the outbox of what they are sent."""

from typing import Self

from django.db import models
from django.db.models.functions import Lower, Now

from stories.models import Story
from stories.outbox import Outgoing

from .releases import Release
from .subscribers import Digest


class ReceiverKind(models.TextChoices):
    """What a receiver is sent."""

    WEBHOOK = "webhook", "signed webhook"
    NINJS = "ninjs", "ninjs 3.1 push"
    WEBSUB = "websub", "WebSub hub"


class Receiver(models.Model):
    """A machine that is told of each story: an address, and the secrets by which it knows us.

    While `previous_until` has not passed, what is sent is signed with the secret before as well, so that
    the receiver can change over in its own time. One that cannot be reached rests, longer each time.
    """

    app_privileges = "SELECT, INSERT, UPDATE"

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=ReceiverKind)
    url = models.CharField(max_length=500)
    active = models.BooleanField(default=True)
    secret = models.CharField(max_length=80, blank=True, editable=False)
    previous_secret = models.CharField(max_length=80, blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, editable=False)
    #: The how-manieth secret it is, by which a second click is told from the first.
    rotation = models.PositiveIntegerField(default=0, editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    rests_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="receiver_named_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_signed(self) -> bool:
        """Whether what it is sent is signed: a hub is told an address that everybody knows."""
        return self.kind != ReceiverKind.WEBSUB


class Event(models.TextChoices):
    """What a delivery is about."""

    RELEASE = "release", "release"
    CORRECTION = "correction", "correction"
    UPDATE = "update", "update"
    WITHDRAWAL = "withdrawal", "withdrawal"
    KILL = "kill", "kill"


#: What takes words back: it goes to those who were sent some, and says none.
RECALLS = frozenset({Event.WITHDRAWAL.value, Event.KILL.value})

_OPEN = models.Q(sent_at=None, next_attempt__isnull=False)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def open(self) -> Self:
        """Those that are still to be sent, tried just now or waiting."""
        return self.filter(_OPEN)

    def due(self) -> Self:
        """Those that are to be tried now and that nobody is trying."""
        free = models.Q(lease=None) | models.Q(lease__lte=Now())
        return self.open().filter(free, next_attempt__lte=Now(), digest=None)

    def told(self) -> Self:
        """Those by which somebody was told of a story, may have been at this moment, or will be."""
        return self.filter(models.Q(attempts__gt=0) | _OPEN).exclude(event__in=RECALLS)

    def given_up(self) -> Self:
        """The dead letters: tried in vain as often as anything is tried, or refused for good."""
        return self.filter(given_up_at__isnull=False)


class Delivery(Outgoing):
    """What one recipient is sent about one event of a story: an outbox row, sent after commit and retried.

    It goes to a mail address or to a receiver. The key is the same however often it is tried, so that a
    receiver can tell a repeat. It is open until it is sent, found to be of no use, or given up. `claim`
    names the batch in which it is being tried, and `lease` says until when that keeps others away.

    What a `digest` carries is tried with it and never by itself. It is open while the digest is being sent,
    so that nothing later about the story overtakes it.
    """

    app_privileges = (
        "SELECT, INSERT, UPDATE (attempts, next_attempt, sent_at, error, lease, claim, given_up_at)"
    )

    event = models.CharField(max_length=10, choices=Event)
    story = models.ForeignKey(Story, on_delete=models.PROTECT, related_name="+", db_index=False)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="deliveries")
    recipient = models.EmailField(blank=True)
    receiver = models.ForeignKey(
        Receiver, on_delete=models.PROTECT, null=True, related_name="deliveries", db_index=False
    )
    digest = models.ForeignKey(
        Digest, on_delete=models.PROTECT, null=True, related_name="carried", db_index=False
    )
    key = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    lease = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    given_up_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(recipient="", receiver__isnull=False)
                | (~models.Q(recipient="") & models.Q(receiver=None)),
                name="delivery_to_one",
            )
        ]
        indexes = [
            # What is due for a receiver, or for the mailing list, in the order in which it is tried.
            models.Index(
                fields=["receiver", "next_attempt", "id"], condition=_OPEN, name="delivery_outstanding"
            ),
            # What keeps others of the same story waiting.
            models.Index(fields=["story", "recipient", "id"], condition=_OPEN, name="delivery_in_order"),
            models.Index(
                fields=["receiver"], condition=models.Q(lease__isnull=False), name="delivery_in_hand"
            ),
            models.Index(
                fields=["digest"], condition=models.Q(digest__isnull=False), name="delivery_carried"
            ),
            models.Index(fields=["story", "recipient"], name="delivery_of_story"),
            models.Index(
                fields=["receiver", "given_up_at"],
                condition=models.Q(given_up_at__isnull=False),
                name="delivery_given_up",
            ),
            models.Index(
                fields=["receiver", "sent_at"],
                condition=models.Q(sent_at__isnull=False),
                name="delivery_sent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.key} to {self.to}"

    @property
    def to(self) -> str:
        """Whom it goes to, in words."""
        return self.recipient or str(self.receiver)
