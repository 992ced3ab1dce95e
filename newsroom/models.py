"""What becomes public and when: releases, holds, receipts and what is sent.

`Visibility` is the one predicate's read model. Triggers alone write it, from the facts beside it.
"""

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower, Now

from approvals.models import Decision
from stories import guards
from stories.models import READ_ONLY, Consequence, Fact, Revision, Story, Words
from stories.moments import Moment
from stories.outbox import Outgoing

REFRESH = "PERFORM refresh_visibility(NEW.story_id);"
#: The furthest that an embargo may lie ahead.
FURTHEST = timedelta(days=3653)


def has_a_reason(name: str) -> models.CheckConstraint:
    """The constraint that there is a reason, of more than white space."""
    return models.CheckConstraint(condition=models.Q(reason__regex=r"\S"), name=name)


class ReleaseQuerySet(models.QuerySet["Release"]):
    def public(self, at: datetime | None = None) -> Self:
        """The releases that anybody may see, by the database's clock, or at the aware instant `at`.

        The one predicate: armed, embargo lifted, not held, not disarmed. Every public surface asks here.
        """
        return self.filter(visibility__visible_from__lte=at or Now())


class Release(Fact):
    """A story was armed: this revision, on these sign-offs, becomes public at `embargo`.

    An embargo that is left empty is the instant of arming. The database refuses the row unless every
    sign-off stands on exactly this revision, given by people who did not write it.
    """

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="releases")
    embargo = models.DateTimeField(help_text="UTC")
    zone = models.CharField(max_length=60, help_text="The zone in which the embargo was meant")

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        triggers = [
            guards.check(
                "allowed",
                guards.STAMP
                + f"""
                NEW.embargo := coalesce(NEW.embargo, NEW.at);
                IF NEW.embargo < NEW.at THEN
                    RAISE EXCEPTION 'The embargo lies in the past.'
                        USING ERRCODE = 'restrict_violation', HINT = 'past';
                END IF;
                IF NEW.embargo > NEW.at + interval '{FURTHEST.days} days' THEN
                    RAISE EXCEPTION 'The embargo lies too far ahead.'
                        USING ERRCODE = 'restrict_violation', HINT = 'far';
                END IF;
                IF EXISTS (SELECT 1 FROM newsroom_visibility
                           WHERE story_id = NEW.story_id AND visible_from <= NEW.at) THEN
                    RAISE EXCEPTION 'The story is public already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'public';
                END IF;
                IF NEW.revision_id IS DISTINCT FROM
                        (SELECT max(id) FROM stories_revision WHERE story_id = NEW.story_id) THEN
                    RAISE EXCEPTION 'Only the newest revision can be armed.'
                        USING ERRCODE = 'restrict_violation', HINT = 'stale';
                END IF;
                IF NOT EXISTS (SELECT 1 FROM stories_revision WHERE id = NEW.revision_id
                               AND content ->> 'headline' ~ '\\S'
                               AND content ->> 'slug' ~ '^[-a-zA-Z0-9_]{{1,200}}$') THEN
                    RAISE EXCEPTION 'The story has no headline, or no address that a page can have.'
                        USING ERRCODE = 'restrict_violation', HINT = 'unfit';
                END IF;
                IF NOT is_cleared(NEW.revision_id) THEN
                    RAISE EXCEPTION 'A sign-off is missing on this revision.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_cleared';
                END IF;
                PERFORM check_moment(NEW.embargo, NEW.zone);
                RETURN NEW;
                """,
            ),
            guards.after(
                "pinned",
                """
                INSERT INTO newsroom_releasesignoff (release_id, decision_id)
                SELECT DISTINCT NEW.id, unnest(decisions) FROM signoffs(NEW.revision_id)
                WHERE state = 'cleared';
                """
                + REFRESH,
            ),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"release of {self.revision_id} at {self.embargo}"

    @property
    def moment(self) -> Moment:
        """The embargo, in the zone in which it was meant."""
        return Moment(self.embargo, self.zone)

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        moment = Moment.parse(payload["embargo"], payload["zone"])
        return Words(f"Armed for {moment.in_full}", icon="armed")


class ReleaseSignoff(Consequence):
    """A sign-off on which a release was armed. Written by a trigger alone."""

    of_story = "(SELECT n.story_id FROM newsroom_release n WHERE n.id = release_id)"

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="signoffs")
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="+")

    class Meta:
        triggers = [
            guards.append_only(),
            guards.recorded_of("SELECT n.story_id FROM newsroom_release n WHERE n.id = NEW.release_id"),
        ]

    def __str__(self) -> str:
        return f"{self.release_id}: {self.decision_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        decision = Decision.objects.select_related("desk").get(pk=payload["decision_id"])
        return Words(f"On the sign-off of {decision.desk}", decision.covers_words, "cleared")


class VisibilityQuerySet(models.QuerySet["Visibility"]):
    def with_public(self) -> Self:
        """Each with its release, and whether it `is_public` by the database's clock."""
        public = models.ExpressionWrapper(
            models.Q(visible_from__isnull=False, visible_from__lte=Now()), models.BooleanField()
        )
        return self.select_related("release__by", "release__revision").annotate(is_public=public)


class Visibility(models.Model):
    """From which instant an armed story is visible; empty while it is held. A read model of the facts.

    There is no row for a story that is not armed. Written by triggers alone, rebuilt by
    `manage.py rebuild_visibility`, compared with the facts by `manage.py verify_record`.
    """

    app_privileges = READ_ONLY

    story = models.OneToOneField(Story, on_delete=models.PROTECT, primary_key=True)
    release = models.OneToOneField(Release, on_delete=models.PROTECT)
    slug = models.CharField(max_length=200, unique=True)
    visible_from = models.DateTimeField(null=True, db_index=True)
    announced = models.BooleanField(help_text="Whether the release has its receipt")

    #: Set by `with_public`.
    is_public: bool

    objects = VisibilityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "visibilities"
        indexes = [
            models.Index(fields=["visible_from"], condition=models.Q(announced=False), name="to_announce")
        ]

    def __str__(self) -> str:
        return f"{self.slug} from {self.visible_from}"


class Disarm(Fact):
    """An armed release will not happen, because it was called off or a sign-off was taken back."""

    release = models.OneToOneField(Release, on_delete=models.PROTECT)
    reason = models.TextField()

    class Meta:
        constraints = [has_a_reason("disarm_has_a_reason")]
        triggers = [
            guards.check(
                "allowed",
                guards.STAMP
                + """
                IF NOT EXISTS (SELECT 1 FROM newsroom_visibility
                               WHERE story_id = NEW.story_id AND release_id = NEW.release_id
                                 AND (visible_from IS NULL OR visible_from > NEW.at)) THEN
                    RAISE EXCEPTION 'This release is not armed, or public already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_armed';
                END IF;
                RETURN NEW;
                """,
            ),
            guards.after("refresh", REFRESH),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"disarm of {self.release_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Disarmed", f"“{payload['reason']}”", "asked")


class Hold(Fact):
    """Nothing of this story goes out until somebody lifts the hold, also past the embargo."""

    reason = models.TextField()

    class Meta:
        constraints = [has_a_reason("hold_has_a_reason")]
        triggers = [
            guards.check(
                "allowed",
                guards.STAMP
                + """
                IF is_held(NEW.story_id) THEN
                    RAISE EXCEPTION 'The story is held already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'held';
                END IF;
                IF EXISTS (SELECT 1 FROM newsroom_visibility
                           WHERE story_id = NEW.story_id AND visible_from <= NEW.at) THEN
                    RAISE EXCEPTION 'The story is public already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'public';
                END IF;
                RETURN NEW;
                """,
            ),
            guards.after("refresh", REFRESH),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"hold: {self.reason}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Held", f"“{payload['reason']}”", "hold")


class HoldLift(Fact):
    """A hold was lifted. A story whose embargo has passed meanwhile is public from this instant."""

    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, related_name="lift")

    class Meta:
        triggers = [
            guards.check(
                "allowed",
                guards.STAMP
                + """
                IF NOT EXISTS (SELECT 1 FROM newsroom_hold
                               WHERE id = NEW.hold_id AND story_id = NEW.story_id) THEN
                    RAISE EXCEPTION 'This hold is of another story.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_held';
                END IF;
                RETURN NEW;
                """,
            ),
            guards.after("refresh", REFRESH),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"lift of {self.hold_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Hold lifted", icon="live")


class Announcement(Fact):
    """The receipt of a release: when it was due, when it was announced, and by which worker.

    There can be one only for each release, and none before the story is public: the claim of a worker
    is the insertion of this row.
    """

    release = models.OneToOneField(Release, on_delete=models.PROTECT)
    # Nobody: a worker writes it.
    by = models.ForeignKey(  # type: ignore[assignment]
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    due = models.DateTimeField(db_default=Now(), editable=False, help_text="UTC: from when it was public")
    worker = models.CharField(max_length=200)

    class Meta:
        triggers = [
            guards.check(
                "allowed",
                guards.STAMP
                + """
                SELECT visible_from INTO NEW.due FROM newsroom_visibility
                    WHERE story_id = NEW.story_id AND release_id = NEW.release_id;
                IF NEW.due IS NULL OR NEW.due > NEW.at THEN
                    RAISE EXCEPTION 'This release is not public.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_public';
                END IF;
                RETURN NEW;
                """,
            ),
            guards.after("refresh", REFRESH),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"announcement of {self.release_id}"

    @property
    def lateness(self) -> timedelta:
        """How long after it was due the release was announced."""
        return self.at - self.due

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        due, at = (datetime.fromisoformat(payload[key]) for key in ("due", "at"))
        late = (at - due).total_seconds()
        return Words("Announced", f"{late:.3f} s after it was due, by {payload['worker']}", "live")


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


class Heartbeat(models.Model):
    """When a worker last ran a task that beat sent: proof that beat, broker and worker are alive."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.at}"
