"""Who clears what, and what they decided.

A sign-off is for a digest of content, never for "the story": whether it stands is a comparison of
digests (see `rules`), and nothing has to be reset when words change.
"""

from typing import Any

from django.conf import settings
from django.db import models

from stories import guards
from stories.models import READ_ONLY, Fact, Revision, Story, Words

#: Keeps `Outstanding` in step, in the transaction of the fact.
REFRESH = "PERFORM refresh_outstanding(NEW.story_id);"


class Desk(models.Model):
    """The people who can clear for one office: Legal, a private office, statistics."""

    name = models.CharField(max_length=100, unique=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="desks", blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Covers(models.TextChoices):
    """Which parts of a story a step covers."""

    EVERYTHING = "everything", "everything"
    QUOTES = "quotes", "all quotes"


class Route(models.Model):
    """The desks that a kind of story has to pass."""

    name = models.CharField(max_length=100, unique=True)
    default = models.BooleanField(default=False, help_text="Taken where nobody chooses another")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["default"], condition=models.Q(default=True), name="one_default_route"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Step(models.Model):
    """A desk that a route asks, and what it covers. All steps of a route are asked side by side."""

    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="steps")
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, related_name="+")
    covers = models.CharField(max_length=20, choices=Covers, default=Covers.EVERYTHING)
    position = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["route", "desk", "covers"], name="desk_once_a_coverage"),
            models.CheckConstraint(condition=models.Q(covers__in=Covers.values), name="step_covers_known"),
        ]

    def __str__(self) -> str:
        return f"{self.desk}: {self.get_covers_display()}"


class Submission(Fact):
    """Clearance was requested. The newest one of a story says which desks have to clear it."""

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="submissions")
    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="submissions")

    class Meta:
        triggers = [
            guards.check(
                "allowed",
                guards.STAMP
                + """
                IF NEW.revision_id IS DISTINCT FROM
                        (SELECT max(id) FROM stories_revision WHERE story_id = NEW.story_id) THEN
                    RAISE EXCEPTION 'Only the newest revision can be sent for clearance.'
                        USING ERRCODE = 'restrict_violation', HINT = 'stale';
                END IF;
                RETURN NEW;
                """,
            ),
            # Pinned here, so that a later change of the route changes nothing that was asked.
            guards.after(
                "pinned",
                """
                INSERT INTO approvals_pinnedstep (submission_id, desk_id, covers, position)
                SELECT NEW.id, desk_id, covers, position FROM approvals_step WHERE route_id = NEW.route_id;
                """
                + REFRESH,
            ),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"submission of {self.revision_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Clearance requested", icon="waiting")


class PinnedStep(models.Model):
    """A step as it stood when clearance was requested. Written by a trigger alone."""

    app_privileges = READ_ONLY

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="steps")
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, related_name="pinned_steps")
    covers = models.CharField(max_length=20, choices=Covers)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position", "id"]
        triggers = [guards.append_only()]

    def __str__(self) -> str:
        return f"{self.desk}: {self.get_covers_display()}"


class Verdict(models.TextChoices):
    """What a clearer can decide."""

    CLEARED = "cleared", "cleared"
    CHANGES = "changes", "changes asked"


class Decision(Fact):
    """What somebody decided for a desk, about exactly the words whose digest is in `covered`.

    `desk` and `covers` are taken from the step by the database; `covered` has to be the digest of what
    the step covers in the newest revision, or the row is refused.
    """

    step = models.ForeignKey(PinnedStep, on_delete=models.PROTECT, related_name="decisions")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="decisions")
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, related_name="decisions", editable=False)
    covers = models.CharField(max_length=20, choices=Covers, editable=False)
    verdict = models.CharField(max_length=10, choices=Verdict)
    covered = models.CharField(max_length=64)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(verdict=Verdict.CLEARED)
                | (models.Q(verdict=Verdict.CHANGES) & models.Q(reason__regex=r"\S")),
                name="changes_have_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["story", "desk", "covers", "covered", "-id"], name="decision_by_digest"),
        ]
        triggers = [
            guards.check(
                "allowed",
                guards.STAMP
                + """
                SELECT s.desk_id, s.covers INTO NEW.desk_id, NEW.covers
                    FROM approvals_pinnedstep s
                    WHERE s.id = NEW.step_id AND s.submission_id =
                        (SELECT max(id) FROM approvals_submission WHERE story_id = NEW.story_id);
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'This step is not asked of the story any more.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_asked';
                END IF;
                IF NEW.revision_id IS DISTINCT FROM
                        (SELECT max(id) FROM stories_revision WHERE story_id = NEW.story_id) THEN
                    RAISE EXCEPTION 'The words have changed: this is not the newest revision.'
                        USING ERRCODE = 'restrict_violation', HINT = 'stale';
                END IF;
                IF NEW.covered IS DISTINCT FROM
                        (SELECT digest_of(covered_content(r.content, NEW.covers))
                         FROM stories_revision r WHERE r.id = NEW.revision_id) THEN
                    RAISE EXCEPTION 'The digest is not that of the words which the step covers.'
                        USING ERRCODE = 'restrict_violation', HINT = 'digest';
                END IF;
                IF NOT EXISTS (SELECT 1 FROM approvals_desk_members m JOIN stories_user u ON u.id = m.user_id
                               WHERE m.desk_id = NEW.desk_id AND m.user_id = NEW.by_id AND u.is_active) THEN
                    RAISE EXCEPTION 'Only somebody on the desk can decide for it.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_on_desk';
                END IF;
                IF contributed(NEW.story_id, NEW.by_id) THEN
                    RAISE EXCEPTION 'Four eyes: nobody decides on words that they wrote.'
                        USING ERRCODE = 'restrict_violation', HINT = 'four_eyes';
                END IF;
                RETURN NEW;
                """,
            ),
            guards.after("refresh", REFRESH),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} by {self.by}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        desk = Desk.objects.filter(pk=payload["desk_id"]).first()
        covers = Covers(payload["covers"]).label
        if payload["verdict"] == Verdict.CLEARED:
            return Words(f"{desk} cleared {covers}", f"covered words {payload['covered'][:8]}", "cleared")
        return Words(f"{desk} asked for changes", payload["reason"], "asked")


class Outstanding(models.Model):
    """A step whose sign-off is missing on the newest revision: who still has to clear. A read model.

    Written by triggers alone whenever a revision, a submission or a decision is added; rebuilt by
    `manage.py rebuild_outstanding`, compared with the facts by `manage.py verify_record`. There are only as
    many rows as sign-offs are missing, however many stories there are.
    """

    app_privileges = READ_ONLY

    step = models.OneToOneField(PinnedStep, on_delete=models.PROTECT, primary_key=True)
    story = models.ForeignKey(Story, on_delete=models.PROTECT, related_name="+")
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, related_name="outstanding")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")
    covers = models.CharField(max_length=20, choices=Covers)
    covered = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "outstanding"

    def __str__(self) -> str:
        return f"{self.step_id} on {self.revision_id}"
