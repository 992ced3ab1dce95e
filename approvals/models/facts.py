"""What was asked of a story, and what was decided.

A sign-off is for a digest of content, never for "the story": whether it stands is a comparison of
digests (see `rules`), and nothing has to be reset when words change.
"""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from approvals import coverage
from stories import guards
from stories.models import (
    Consequence,
    Fact,
    Revision,
    User,
    Words,
)

from .desks import Desk
from .routes import Asked, Covers, Route

#: Keeps `Standing` in step, in the transaction of the fact.
REFRESH = "PERFORM refresh_standings(NEW.story_id);"


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
                INSERT INTO approvals_pinnedstep (submission_id, desk_id, covers, whom, condition, value,
                                                  stage, position, quorum, before, people)
                SELECT NEW.id, desk_id, covers, whom, condition, value, stage, position, quorum, before,
                       quorum_people(desk_id, quorum)
                FROM approvals_step WHERE route_id = NEW.route_id;
                PERFORM expand_steps(NEW.story_id);
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


class PinnedStep(Asked, Consequence):
    """A step as it stood when clearance was requested. Written by triggers alone.

    A step that asks each speaker's private office, or each partner organisation, is never asked itself: it is
    the pattern from which a step of its own is pinned as soon as the words name one.
    """

    of_story = "(SELECT b.story_id FROM approvals_submission b WHERE b.id = submission_id)"

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="steps")
    pattern = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    people = ArrayField(
        models.BigIntegerField(), default=list, help_text="Who has to sign, where all have to"
    )

    class Meta:
        ordering = ["stage", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["submission", "desk", "covers", "whom", "condition", "value", "stage"],
                name="pinned_once",
                nulls_distinct=False,
            ),
        ]
        triggers = [
            guards.append_only(),
            guards.recorded_of(
                "SELECT b.story_id FROM approvals_submission b WHERE b.id = NEW.submission_id"
            ),
        ]

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        desk = Desk.objects.filter(pk=payload["desk_id"] or 0).first() or "Each private office"
        covers = coverage.in_words(payload["covers"], payload["whom"])
        when = coverage.when_in_words(payload["condition"], payload["value"])
        return Words(f"{desk} is asked: {covers}", "" if when == "always" else when.capitalize(), "waiting")


class Verdict(models.TextChoices):
    """What a clearer can decide."""

    CLEARED = "cleared", "cleared"
    CHANGES = "changes", "changes asked"
    REFUSED = "refused", "refused"
    TAKEN_BACK = "taken_back", "taken back"


class Decision(Fact):
    """What somebody decided for a desk, about exactly the words whose digest is in `covered`.

    `desk`, `covers` and `whom` are taken from the step by the database; `covered` has to be the digest of
    what the step covers in the newest revision, or the row is refused. A decision that takes another back
    is about the words of that one, whichever they are.
    """

    step = models.ForeignKey(PinnedStep, on_delete=models.PROTECT, related_name="decisions")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="decisions")
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, related_name="decisions", editable=False)
    covers = models.CharField(max_length=20, choices=Covers, editable=False)
    whom = models.CharField(max_length=200, blank=True, editable=False)
    verdict = models.CharField(max_length=10, choices=Verdict)
    covered = models.CharField(max_length=64)
    reason = models.TextField(blank=True, help_text="What has to change, why it is refused, or a remark")
    on_behalf = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )
    takes_back = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="taken_back", editable=False
    )
    waited = models.DurationField(
        null=True, editable=False, help_text="How long these words had been laid before the desk"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(verdict__in=[Verdict.CLEARED, Verdict.TAKEN_BACK])
                | (models.Q(verdict__in=[Verdict.CHANGES, Verdict.REFUSED]) & models.Q(reason__regex=r"\S")),
                name="changes_have_a_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(verdict=Verdict.TAKEN_BACK, takes_back__isnull=False)
                | (~models.Q(verdict=Verdict.TAKEN_BACK) & models.Q(takes_back__isnull=True)),
                name="taken_back_names_what",
            ),
        ]
        indexes = [
            models.Index(
                fields=["story", "desk", "covers", "whom", "covered", "-id"], name="decision_by_digest"
            ),
            models.Index(fields=["desk", "-id"], name="decision_of_desk"),
        ]
        triggers = guards.fact("NEW := decision_allowed(NEW); RETURN NEW;", then=REFRESH)

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} by {self.by}"

    @property
    def covers_words(self) -> str:
        """What it is about, in words."""
        return coverage.in_words(self.covers, self.whom)

    @property
    def who(self) -> str:
        """Who decided, and for whom: "Owen Tarrant, on behalf of Sunita Rao"."""
        return f"{self.by}, on behalf of {self.on_behalf}" if self.on_behalf else str(self.by)

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        desk = Desk.objects.filter(pk=payload["desk_id"]).first()
        covers = coverage.in_words(payload["covers"], payload.get("whom", ""))
        behalf = User.objects.filter(pk=payload.get("on_behalf_id") or 0).first()
        also = f", on behalf of {behalf}" if behalf else ""
        said = f"“{payload['reason']}”" if payload["reason"] else ""
        match payload["verdict"]:
            case Verdict.CLEARED:
                words = f"covered words {payload['covered'][:8]}"
                return Words(
                    f"{desk} cleared {covers}{also}", " ".join(filter(None, (said, words))), "cleared"
                )
            case Verdict.REFUSED:
                return Words(f"{desk} refused {covers}{also}", said, "asked")
            case Verdict.TAKEN_BACK:
                return Words(f"{desk} took back a decision on {covers}{also}", said, "asked")
        return Words(f"{desk} asked for changes{also}", said, "asked")


class Claim(Fact):
    """Somebody of the desk has taken a step up, so that two do not read the same words."""

    step = models.ForeignKey(PinnedStep, on_delete=models.PROTECT, related_name="claims")

    class Meta:
        triggers = guards.fact(
            """
                IF NOT EXISTS (SELECT 1 FROM approvals_standing
                               WHERE step_id = NEW.step_id AND story_id = NEW.story_id)
                   OR NOT acts_for_desk(NEW.by_id, (SELECT desk_id FROM approvals_pinnedstep
                                                    WHERE id = NEW.step_id)) THEN
                    RAISE EXCEPTION 'Only somebody on the desk can take up a step that is asked.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_on_desk';
                END IF;
                IF EXISTS (SELECT 1 FROM approvals_claim c WHERE c.step_id = NEW.step_id
                           AND NOT EXISTS (SELECT 1 FROM approvals_claimrelease WHERE claim_id = c.id)) THEN
                    RAISE EXCEPTION 'Somebody has taken it up already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'claimed';
                END IF;
                RETURN NEW;
                """,
        )

    def __str__(self) -> str:
        return f"{self.by} has {self.step_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        step = PinnedStep.objects.filter(pk=payload["step_id"]).select_related("desk").first()
        return Words(f"Took it up for {step.desk if step else 'a desk'}", icon="waiting")


class ClaimRelease(Fact):
    """A step is free again for others of the desk."""

    claim = models.OneToOneField(Claim, on_delete=models.PROTECT, related_name="release")

    class Meta:
        triggers = guards.fact(
            """
                IF NOT EXISTS (SELECT 1 FROM approvals_claim c JOIN approvals_pinnedstep s ON s.id = c.step_id
                               WHERE c.id = NEW.claim_id AND c.story_id = NEW.story_id
                                 AND (c.by_id = NEW.by_id OR acts_for_desk(NEW.by_id, s.desk_id))) THEN
                    RAISE EXCEPTION 'Only somebody on the desk can let go of it.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_on_desk';
                END IF;
                RETURN NEW;
                """,
        )

    def __str__(self) -> str:
        return f"{self.claim_id} let go"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Let go of it", icon="waiting")
