"""Who gets the news by mail, what they chose, and the digests of those who get it once a day."""

from typing import Any, Self

from django.db import models
from django.db.models.functions import Lower, Now

from stories.models import INSERT_ONLY
from stories.outbox import Outgoing

from .searching import Tag, TagKind


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def wanting(self, chosen: "models.QuerySet[Chosen]") -> Self:
        """Those on the list who want everything, or have made one of the choices `chosen`."""
        wanted = models.Q(everything=True) | models.Q(pk__in=chosen.order_by().values("subscriber"))
        return self.filter(wanted, active=True)


class Subscriber(models.Model):
    """Somebody on the mailing list: they confirmed it by mail, or an administrator put them there.

    They want everything, or what they have chosen (`Chosen`); each story as soon as it is public, or `daily`.
    """

    email = models.EmailField(unique=True)
    active = models.BooleanField(default=True)
    confirmed_at = models.DateTimeField(db_default=Now(), editable=False)
    everything = models.BooleanField(default=True, db_default=True, editable=False)
    daily = models.BooleanField(default=False, db_default=False, help_text="Once a day, in one mail")

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        ordering = ["email"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"), name="subscriber_once", violation_error_message="This address is on the list."
            )
        ]

    def __str__(self) -> str:
        return self.email


class ChosenQuerySet(models.QuerySet["Chosen"]):
    def of_releases(self, releases: object) -> Self:
        """Those of something that one of `releases` (their ids) is about or from."""
        about = Tag.objects.filter(
            release__in=releases, kind=models.OuterRef("kind"), slug=models.OuterRef("slug")
        )
        return self.filter(models.Exists(about))

    def of_content(self, content: dict[str, Any]) -> Self:
        """Those of something that a content is about or from, released or not."""
        organisations = [content.get("organisation"), *content.get("partners", [])]
        named = {TagKind.TOPIC: content.get("topics", []), TagKind.ORGANISATION: organisations}
        wanted = models.Q(pk__in=())
        for kind, items in named.items():
            wanted |= models.Q(kind=kind, slug__in=[item["slug"] for item in items if item])
        return self.filter(wanted)


class Chosen(models.Model):
    """A topic or an organisation of which a subscriber wants the news, as it was called when they chose it.

    Only what is public can be chosen, so that nobody learns from it what is to come.
    """

    app_privileges = "SELECT, INSERT, DELETE"

    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="chosen", db_index=False
    )
    kind = models.CharField(max_length=20, choices=TagKind.choices)
    slug = models.TextField()
    name = models.TextField()

    objects = ChosenQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "chosen"
        ordering = ["kind", "name", "slug"]
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "kind", "slug"], name="chosen_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=[TagKind.TOPIC, TagKind.ORGANISATION]), name="chosen_kind"
            ),
        ]
        # Who is to be told of something.
        indexes = [models.Index(fields=["kind", "slug"], name="chosen_by")]

    def __str__(self) -> str:
        return self.name


class SubscriptionRequest(Outgoing):
    """Somebody gave an address for the mailing list: an outbox row of the mail that asks to confirm it.

    It is forgotten after a day. The list itself holds only who confirmed.
    """

    app_privileges = "SELECT, INSERT, DELETE, UPDATE (attempts, next_attempt, sent_at, error)"

    email = models.EmailField()
    at = models.DateTimeField(db_default=Now(), editable=False)
    #: From which network, as a keyed digest: enough to count by, not to know whose.
    source = models.CharField(max_length=64)
    #: What they would get: see `choosing.Choice`.
    choice = models.JSONField(default=list)

    class Meta:
        indexes = [
            models.Index(Lower("email"), "at", name="request_by_email"),
            models.Index(fields=["source", "at"], name="request_by_source"),
            models.Index(fields=["at"], name="request_by_age"),
            models.Index(
                fields=["next_attempt"], condition=models.Q(sent_at=None), name="request_outstanding"
            ),
        ]

    def __str__(self) -> str:
        return f"request {self.pk}"


class DigestDay(models.Model):
    """The digests of a day were written: whoever inserts the row writes them, in the same transaction.

    They tell of what became public after `since`, when those before ended, and until `until`.
    """

    app_privileges = INSERT_ONLY

    day = models.DateField(primary_key=True, help_text="By the press office's clocks")
    since = models.DateTimeField()
    until = models.DateTimeField()
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(since__lt=models.F("until")), name="digest_day_has_a_length"
            )
        ]

    def __str__(self) -> str:
        return f"digests of {self.day}"


class Digest(Outgoing):
    """The mail of a day to one address: an outbox row. What is in it is decided when it is sent."""

    # The constraint is its index.
    day = models.ForeignKey(DigestDay, on_delete=models.PROTECT, related_name="digests", db_index=False)
    recipient = models.EmailField()

    class Meta:
        constraints = [models.UniqueConstraint("day", Lower("recipient"), name="digest_once_a_day")]
        indexes = [
            models.Index(fields=["next_attempt"], condition=models.Q(sent_at=None), name="digest_outstanding")
        ]

    def __str__(self) -> str:
        return f"digest of {self.day_id} to {self.recipient}"
