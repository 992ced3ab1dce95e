"""Who can clear: desks, whose private office they are, and who stands in for whom."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from stories import guards
from stories.models import (
    Organisation,
)


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
        triggers = guards.arranged()

    def __str__(self) -> str:
        return self.name


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
        triggers = guards.arranged()

    def __str__(self) -> str:
        return f"{self.name}: {self.desk}"


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
            *guards.arranged(),
        ]

    def __str__(self) -> str:
        return f"{self.deputy} for {self.person}"
