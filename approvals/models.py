"""Who clears what, and what they decided.

A sign-off is for a digest of content, never for "the story": whether it stands is a comparison of
digests (see `rules`), and nothing has to be reset when words change.
"""

from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from stories import guards
from stories.models import (
    INSERT_ONLY,
    READ_ONLY,
    Consequence,
    Fact,
    Organisation,
    Revision,
    Story,
    User,
    Words,
)
from stories.outbox import Outgoing

from . import coverage

#: Keeps `Standing` in step, in the transaction of the fact.
REFRESH = "PERFORM refresh_standings(NEW.story_id);"
#: A quorum of everybody who was on the desk when clearance was requested.
ALL = 0


class Desk(models.Model):
    """The people who can clear for one office: Legal, a private office, statistics, a partner."""

    name = models.CharField(max_length=100, unique=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="desks", blank=True)
    organisation = models.OneToOneField(
        Organisation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="desk",
        help_text="The partner organisation for which the desk clears",
    )
    reminders = ArrayField(
        models.PositiveIntegerField(),
        default=list,
        blank=True,
        help_text="Minutes before a deadline at which the desk is reminded",
    )
    escalates_to = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The desk that is told when this one is late",
    )
    escalates_after = models.PositiveIntegerField(default=30, help_text="Minutes after the deadline")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Covers(models.TextChoices):
    """Which parts of a story a step covers."""

    EVERYTHING = "everything", "everything"
    QUOTES = "quotes", "all quotes"
    SPEAKER = "speaker", "the quotes of a speaker"
    ROLE = "role", "the quotes of a role"
    FIGURES = "figures", "figures"
    PICTURES = "pictures", "pictures"
    ATTACHMENTS = "attachments", "attachments"
    NOTES = "notes", "notes to editors"


class Condition(models.TextChoices):
    """When a step is asked."""

    ALWAYS = "always", "always"
    PRIVATE_OFFICE = "private_office", "a speaker with a private office is quoted"
    QUOTE = "quote", "there is a quote"
    SPEAKER = "speaker", "this speaker is quoted"
    ROLE = "role", "somebody with this role is quoted"
    FIGURE = "figure", "a figure appears"
    PICTURE = "picture", "a picture is used"
    ATTACHMENT = "attachment", "there is an attachment"
    PARTNER = "partner", "a partner organisation is named"
    TYPE = "type", "the story is of this type"
    TOPIC = "topic", "the story has this topic"


class PrivateOffice(models.Model):
    """A speaker, by name or by role, whose words are cleared by a desk of their own."""

    match = models.CharField(
        max_length=10, choices=[("speaker", "the speaker’s name"), ("role", "the speaker’s role")]
    )
    name = models.CharField(max_length=200, help_text="As it stands under a quote")
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, related_name="private_offices")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["match", "name"], name="one_private_office_each"),
            models.CheckConstraint(
                condition=models.Q(match__in=["speaker", "role"]), name="private_office_match_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.desk}"


class Route(models.Model):
    """The desks that a story has to pass: stages one after the other, the steps of one side by side."""

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


class Asked(models.Model):
    """What a step asks: of which desk, for which parts, when, by how many people and until when."""

    desk = models.ForeignKey(
        Desk,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="%(class)ss",
        help_text="Empty where each speaker's own private office is asked",
    )
    covers = models.CharField(max_length=20, choices=Covers, default=Covers.EVERYTHING)
    whom = models.CharField(max_length=200, blank=True, help_text="The speaker or the role that is covered")
    condition = models.CharField(max_length=20, choices=Condition, default=Condition.ALWAYS)
    value = models.CharField(
        max_length=200,
        blank=True,
        help_text="The speaker, role, organisation, type or topic of the condition",
    )
    stage = models.PositiveSmallIntegerField(default=1)
    position = models.PositiveSmallIntegerField(default=1)
    quorum = models.PositiveSmallIntegerField(
        default=1,
        choices=[(1, "one of the desk"), (2, "two of the desk"), (ALL, "all of the desk")],
        help_text="How many people have to sign",
    )
    before = models.DurationField(
        null=True, blank=True, help_text="The deadline, counted back from the embargo"
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.desk or 'private office'}: {self.covers_words}"

    @property
    def covers_words(self) -> str:
        """What it covers, in words."""
        return coverage.in_words(self.covers, self.whom)


class Step(Asked):
    """A desk that a route asks."""

    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="steps")

    class Meta:
        ordering = ["stage", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["route", "desk", "covers", "whom", "condition", "value", "stage"],
                name="step_once_a_route",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=models.Q(covers__in=Covers.values), name="step_covers_known"),
            models.CheckConstraint(
                condition=models.Q(condition__in=Condition.values), name="step_condition_known"
            ),
            models.CheckConstraint(
                condition=models.Q(desk__isnull=False) | models.Q(condition=Condition.PRIVATE_OFFICE),
                name="step_has_a_desk",
            ),
            models.CheckConstraint(
                condition=~models.Q(covers__in=[Covers.SPEAKER, Covers.ROLE])
                | models.Q(condition=Condition.PRIVATE_OFFICE)
                | models.Q(whom__regex=r"\S"),
                name="step_covers_somebody",
            ),
            models.CheckConstraint(condition=models.Q(quorum__in=[1, 2, ALL]), name="step_quorum_known"),
        ]


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
        triggers = [
            guards.check("allowed", guards.STAMP + "NEW := decision_allowed(NEW); RETURN NEW;"),
            guards.after("refresh", REFRESH),
            guards.append_only(),
            guards.recorded(),
        ]

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
            models.Index(
                fields=["due"], condition=~models.Q(state__in=["none", "cleared"]), name="standing_due"
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


class Deputyship(models.Model):
    """Somebody clears for somebody else from `since` until `until` (UTC), on one desk or (none) on all.

    Appointed by the person themself, or by an administrator who is not the deputy. It can be ended early
    and never made longer: a decision that was taken under it stays what it was.
    """

    app_privileges = "SELECT, INSERT, UPDATE (until)"

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="deputyships")
    deputy = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="stands_in")
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(person=models.F("deputy")), name="deputy_is_another"),
            models.CheckConstraint(
                condition=models.Q(until__gte=models.F("since")), name="deputyship_has_an_end"
            ),
        ]
        indexes = [models.Index(fields=["deputy", "until"], name="deputyship_of")]
        triggers = [
            guards.check(
                "allowed",
                """
                NEW.id := nextval(pg_get_serial_sequence(TG_TABLE_NAME::text, 'id'));
                NEW.at := facts_now();
                IF NEW.by_id <> NEW.person_id AND (NEW.by_id = NEW.deputy_id OR NOT EXISTS (
                        SELECT 1 FROM stories_user WHERE id = NEW.by_id AND is_superuser AND is_active)) THEN
                    RAISE EXCEPTION 'A deputy is appointed by the person, or by an administrator.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_yours';
                END IF;
                RETURN NEW;
                """,
            ),
            guards.Guard(
                name="only_ended",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                IF TG_OP = 'UPDATE' AND NEW.until < OLD.until THEN
                    -- What was done under it up to now stays covered.
                    OLD.until := least(OLD.until, greatest(NEW.until, facts_now(), OLD.since));
                    RETURN OLD;
                END IF;
                RAISE EXCEPTION 'A deputyship can be ended, and nothing else.'
                    USING ERRCODE = 'restrict_violation', HINT = 'append_only';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deputy} for {self.person}"


class Claim(Fact):
    """Somebody of the desk has taken a step up, so that two do not read the same words."""

    step = models.ForeignKey(PinnedStep, on_delete=models.PROTECT, related_name="claims")

    class Meta:
        triggers = [
            guards.check(
                "allowed",
                guards.STAMP
                + """
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
            ),
            guards.append_only(),
            guards.recorded(),
        ]

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
        triggers = [
            guards.check(
                "allowed",
                guards.STAMP
                + """
                IF NOT EXISTS (SELECT 1 FROM approvals_claim c JOIN approvals_pinnedstep s ON s.id = c.step_id
                               WHERE c.id = NEW.claim_id AND c.story_id = NEW.story_id
                                 AND (c.by_id = NEW.by_id OR acts_for_desk(NEW.by_id, s.desk_id))) THEN
                    RAISE EXCEPTION 'Only somebody on the desk can let go of it.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_on_desk';
                END IF;
                RETURN NEW;
                """,
            ),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"{self.claim_id} let go"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Let go of it", icon="waiting")


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
