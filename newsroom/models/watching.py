"""What is looked after before and after a release: pre-flights, what was seen from outside, alarms."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from stories import guards
from stories.models import Fact, Words
from stories.outbox import Outgoing

from .releases import Release


class Mark(models.TextChoices):
    """How long before its moment a release is checked; or because somebody asked for it."""

    DAY = "24h", "24 hours before"
    HOUR = "1h", "1 hour before"
    QUARTER = "15min", "15 minutes before"
    NOW = "now", "asked for"


class Finding(models.TextChoices):
    """What came of a check."""

    OK = "ok", "in order"
    WRONG = "wrong", "not right"
    UNKNOWN = "unknown", "could not be asked"


#: What each check of a pre-flight is called, in the order of the page.
CHECKS = {
    "signoffs": "Sign-offs",
    "signers": "Who signed",
    "hold": "Hold",
    "address": "Address",
    "links": "Links",
    "picture": "Picture",
    "attachments": "Attachments",
    "daylight": "Clock change",
    "quiet": "Quiet hours",
    "clashes": "Other releases",
    "workers": "Workers and beat",
    "broker": "Broker",
    "mail": "Mail server",
    "clocks": "Clocks",
}


def counted(results: list[dict[str, Any]]) -> str:
    """What came of the checks, in words: "2 not right, 1 could not be asked"."""
    found = [result["state"] for result in results]
    states = [state for state in (Finding.WRONG, Finding.UNKNOWN) if state in found]
    return ", ".join(f"{found.count(state)} {Finding(state).label}" for state in states) or "all in order"


class Preflight(Fact):
    """What the checks found before the moment of an armed release: once for each moment and mark.

    A release that is moved or armed anew has another moment or is another release, and gets its own.
    """

    # Nobody, where a worker checked in its time.
    by = models.ForeignKey(  # type: ignore[assignment]
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="preflights")
    moment = models.DateTimeField(help_text="UTC: the moment that it is for")
    mark = models.CharField(max_length=10, choices=Mark.choices)
    #: One a check: `check` (see `CHECKS`), `state` (see `Finding`), `what` was found, and what to do `next`.
    results = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["release", "moment", "mark"],
                condition=~models.Q(mark=Mark.NOW),
                name="preflight_once",
            ),
        ]
        triggers = guards.fact(
            """
                IF NOT EXISTS (SELECT 1 FROM newsroom_visibility v
                               WHERE v.release_id = armed_release(NEW.story_id)
                                 AND v.release_id = NEW.release_id
                                 AND NEW.moment = coalesce(v.visible_from, v.embargo)) THEN
                    RAISE EXCEPTION 'This release is not armed for that moment.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_armed';
                END IF;
                RETURN NEW;
                """,
        )

    def __str__(self) -> str:
        return f"pre-flight of {self.release_id}, {self.mark}"

    @property
    def not_right(self) -> list[str]:
        """The checks that found something."""
        return [result["check"] for result in self.results if result["state"] == Finding.WRONG]

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        results = payload["results"]
        wrong = any(result["state"] == Finding.WRONG for result in results)
        named = [CHECKS[result["check"]] for result in results if result["state"] != Finding.OK]
        title = f"Pre-flight, {Mark(payload['mark']).label}: {counted(results)}"
        return Words(title, ", ".join(named), "asked" if wrong else "cleared")


class Probe(Fact):
    """What a stranger was answered at the address of a public release, held against what was cleared.

    One for each time that the answer changes, and not for each look.
    """

    # Nobody: a worker writes it.
    by = models.ForeignKey(  # type: ignore[assignment]
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="probes")
    due = models.DateTimeField(db_default=Now(), editable=False, help_text="UTC: from when it was public")
    seen = models.BooleanField(help_text="Whether page and feed were what was cleared")
    status = models.PositiveSmallIntegerField(null=True, help_text="Of the page; empty without an answer")
    differed = models.CharField(max_length=300, blank=True, help_text="What was not as it should be")
    worker = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(seen=True, status__isnull=False, status=200, differed="")
                | models.Q(seen=False, differed__regex=r"\S"),
                name="probe_says_what_differed",
            ),
        ]
        triggers = guards.fact(
            """
                SELECT visible_from INTO NEW.due FROM newsroom_visibility
                    WHERE release_id = public_release(NEW.story_id) AND release_id = NEW.release_id;
                IF NEW.due IS NULL THEN
                    RAISE EXCEPTION 'This release is not public.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_public';
                END IF;
                IF EXISTS (SELECT 1 FROM (SELECT * FROM newsroom_probe WHERE release_id = NEW.release_id
                                          ORDER BY id DESC LIMIT 1) p
                           WHERE p.seen = NEW.seen AND p.differed = NEW.differed
                             AND p.status IS NOT DISTINCT FROM NEW.status) THEN
                    RAISE EXCEPTION 'The answer is the same as before.'
                        USING ERRCODE = 'restrict_violation', HINT = 'unchanged';
                END IF;
                RETURN NEW;
                """,
        )

    def __str__(self) -> str:
        return f"{'seen' if self.seen else 'not seen'} from outside: {self.release_id}"

    @property
    def lateness(self) -> timedelta:
        """How long after it was due this was answered."""
        return self.at - self.due

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        due, at = (datetime.fromisoformat(payload[key]) for key in ("due", "at"))
        when = f"{(at - due).total_seconds():.3f} s after it was due, by {payload['worker']}"
        if payload["seen"]:
            return Words("Seen from outside as it was cleared", when, "live")
        return Words("Not seen from outside as it was cleared", f"{payload['differed']}; {when}", "asked")


class Lookout(Outgoing):
    """An announced release that is to be seen from outside: written with its receipt, looked for until seen.

    `sent_at` is when it was seen. The tries and the waits between them are those of any outbox.
    """

    # The trigger of `Announcement` writes it.
    app_privileges = "SELECT, UPDATE (attempts, next_attempt, sent_at, error)"

    release = models.OneToOneField(Release, on_delete=models.PROTECT, related_name="lookout")
    since = models.DateTimeField(help_text="UTC: when it was announced")

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt"], condition=models.Q(sent_at=None), name="lookout_outstanding"
            ),
            models.Index(fields=["since"], condition=models.Q(sent_at=None), name="lookout_unseen"),
        ]

    def __str__(self) -> str:
        return f"lookout for {self.release_id}"


class Alarm(Outgoing):
    """A mail to one duty officer about what is wrong with a release: written once, sent and retried.

    `preflight` is part of what makes it one: each pre-flight that finds something is told by itself.
    """

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="alarms")
    kind = models.CharField(
        max_length=10,
        choices=[
            ("late", "announced late, or not at all"),
            ("unseen", "not seen from outside"),
            ("preflight", "something is not right before the release"),
        ],
    )
    preflight = models.ForeignKey(Preflight, on_delete=models.PROTECT, null=True, related_name="alarms")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["release", "kind", "preflight", "recipient"],
                nulls_distinct=False,
                name="alarmed_once",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt"], condition=models.Q(sent_at=None), name="alarm_outstanding"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.release_id} to {self.recipient_id}"
