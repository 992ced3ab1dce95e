"""What follows from the facts, or is only for one person: how steps stand, what was seen, who is told."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from stories.models import (
    INSERT_ONLY,
    READ_ONLY,
    Revision,
    Story,
)
from stories.outbox import Outgoing

from .desks import Desk
from .facts import PinnedStep


class Standing(models.Model):
    """How each step asked of a story stands on its newest revision. A read model.

    Written by triggers alone whenever a revision, a planned embargo, a submission or a decision is added;
    rebuilt by `manage.py rebuild_standings`, compared with the facts by `manage.py verify_record`.
    """

    app_privileges = READ_ONLY

    step = models.OneToOneField(
        PinnedStep, on_delete=models.PROTECT, primary_key=True, related_name="standing"
    )
    story = models.ForeignKey(Story, on_delete=models.PROTECT, related_name="standings")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, related_name="standings")
    #: The digest that a decision has to name; empty where there is nothing to cover.
    covered = models.CharField(max_length=64)
    #: The sign-offs that count.
    decisions = ArrayField(models.BigIntegerField())
    #: "none", "cleared", "refused", "asked", "again" or "waiting".
    state = models.CharField(max_length=10)
    #: Who wrote words since the last full clearance of the step.
    barred = ArrayField(models.BigIntegerField())
    #: Whether every step of the stages before is met.
    is_open = models.BooleanField()
    #: The deadline (UTC), where the story is meant for a moment and the step has one.
    due = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["desk", "due", "step"],
                condition=~models.Q(state__in=["none", "cleared"]),
                name="standing_missing",
            ),
            models.Index(
                fields=["desk", "due", "step"],
                condition=models.Q(state__in=["waiting", "again"], is_open=True),
                name="standing_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step_id} on {self.revision_id}: {self.state}"


class Seen(models.Model):
    """A revision was on somebody's screen to be cleared: what the next difference is counted from."""

    app_privileges = INSERT_ONLY

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")
    story = models.ForeignKey(Story, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "seen"
        constraints = [
            models.UniqueConstraint(fields=["person", "story", "revision"], name="seen_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.revision_id}"


class Reminder(Outgoing):
    """A mail to one person about one deadline: an outbox row that can be written once, sent and retried.

    `deadline` is part of what makes it one: where the embargo moves, the new deadline is told anew.
    """

    step = models.ForeignKey(PinnedStep, on_delete=models.PROTECT, related_name="reminders")
    kind = models.CharField(
        max_length=10,
        choices=[("ahead", "ahead of the deadline"), ("due", "at the deadline"), ("late", "escalation")],
    )
    deadline = models.DateTimeField(help_text="UTC")
    due = models.DateTimeField(help_text="When it was to be sent (UTC)")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["step", "kind", "due", "deadline", "recipient"], name="reminded_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt"], condition=models.Q(sent_at=None), name="reminder_outstanding"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.due} to {self.recipient_id}"
