"""What stops a release: the hold of a story, that of everything, and a freeze."""

from datetime import datetime
from typing import Any

from django.db import models

from stories import guards
from stories.clocks import office
from stories.models import Fact, NewsroomFact, Organisation, Words

from .releases import REFRESH, has_a_reason


class Hold(Fact):
    """Nothing of this story goes out until somebody lifts the hold, also past the embargo."""

    reason = models.TextField()

    class Meta:
        constraints = [has_a_reason("hold_has_a_reason")]
        triggers = guards.fact(
            """
                IF is_held(NEW.story_id) THEN
                    RAISE EXCEPTION 'The story is held already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'held';
                END IF;
                -- What is public stays; a correction of it can be held.
                IF public_release(NEW.story_id) IS NOT NULL AND armed_release(NEW.story_id) IS NULL THEN
                    RAISE EXCEPTION 'The story is public already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'public';
                END IF;
                RETURN NEW;
                """,
            then=REFRESH,
        )

    def __str__(self) -> str:
        return f"hold: {self.reason}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Held", f"“{payload['reason']}”", "hold")


class HoldLift(Fact):
    """A hold was lifted. A story whose embargo has passed meanwhile is public from this instant."""

    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, related_name="lift")

    class Meta:
        triggers = guards.fact(
            """
                IF NOT EXISTS (SELECT 1 FROM newsroom_hold
                               WHERE id = NEW.hold_id AND story_id = NEW.story_id) THEN
                    RAISE EXCEPTION 'This hold is of another story.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_held';
                END IF;
                RETURN NEW;
                """,
            then=REFRESH,
        )

    def __str__(self) -> str:
        return f"lift of {self.hold_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Hold lifted", icon="live")


class HoldAll(NewsroomFact):
    """Nothing more goes out, of no story, until it is lifted. What is public stays.

    One row, however many stories are armed: the instant up to which stories are released (`release_clock`)
    stands still at `at`.
    """

    reason = models.TextField()

    class Meta:
        constraints = [has_a_reason("hold_all_has_a_reason")]
        triggers = guards.newsroom_fact(
            """
                IF EXISTS (SELECT 1 FROM newsroom_holdall h
                           LEFT JOIN newsroom_holdalllift l ON l.hold_id = h.id WHERE l.id IS NULL) THEN
                    RAISE EXCEPTION 'Everything is held already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'held';
                END IF;
                RETURN NEW;
                """,
        )

    def __str__(self) -> str:
        return f"hold of everything: {self.reason}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Everything held", f"“{payload['reason']}”", "hold")


class HoldAllLift(NewsroomFact):
    """The hold of everything was lifted. Whose moment has passed meanwhile is public from this instant."""

    hold = models.OneToOneField(HoldAll, on_delete=models.PROTECT, related_name="lift")

    class Meta:
        triggers = guards.newsroom_fact(
            """
                IF NOT EXISTS (SELECT 1 FROM newsroom_holdall WHERE id = NEW.hold_id) THEN
                    RAISE EXCEPTION 'There is no such hold of everything.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_held';
                END IF;
                RETURN NEW;
                """,
            then="PERFORM refresh_stopped(NEW.hold_id, NEW.at);",
        )

    def __str__(self) -> str:
        return f"lift of the hold of everything {self.hold_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Hold of everything lifted", icon="live")


class Freeze(NewsroomFact):
    """A time in which nothing new of an organisation (or of none in particular: of all) goes out.

    The weeks before an election, as a rule. What is public stays, and can be corrected. A story whose moment
    falls into it does not go out by itself when it is over: it is moved, or exempted.
    """

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="freezes"
    )
    since = models.DateTimeField(help_text="UTC; never from before it was declared")
    until = models.DateTimeField(help_text="UTC")
    reason = models.TextField()

    class Meta:
        constraints = [has_a_reason("freeze_has_a_reason")]
        triggers = guards.newsroom_fact(
            """
                NEW.since := greatest(NEW.since, NEW.at);
                IF NEW.until <= NEW.since OR NOT isfinite(NEW.until) THEN
                    RAISE EXCEPTION 'A freeze ends after it begins.'
                        USING ERRCODE = 'restrict_violation', HINT = 'no_time';
                END IF;
                RETURN NEW;
                """,
            then="PERFORM refresh_frozen(NEW.id);",
        )

    def __str__(self) -> str:
        return f"freeze of {self.whose}"

    @property
    def whose(self) -> str:
        """Whose news is frozen, in words."""
        return str(self.organisation) if self.organisation else "every organisation"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        since, until = (office(datetime.fromisoformat(payload[key])) for key in ("since", "until"))
        named = Organisation.objects.filter(pk=payload["organisation_id"]).first()
        return Words(
            f"Freeze of {named or 'every organisation'}, from {since.public} to {until.public}",
            f"“{payload['reason']}”",
            "hold",
        )


class FreezeEnd(NewsroomFact):
    """A freeze was ended before its time. What it stopped is not let out by that."""

    freeze = models.OneToOneField(Freeze, on_delete=models.PROTECT, related_name="end")
    reason = models.TextField()

    class Meta:
        constraints = [has_a_reason("freeze_end_has_a_reason")]
        triggers = guards.newsroom_fact(
            """
                IF NOT EXISTS (SELECT 1 FROM newsroom_freeze WHERE id = NEW.freeze_id AND until > NEW.at) THEN
                    RAISE EXCEPTION 'There is no such freeze, or it is over.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_frozen';
                END IF;
                RETURN NEW;
                """,
            then="PERFORM refresh_frozen(NEW.freeze_id);",
        )

    def __str__(self) -> str:
        return f"end of freeze {self.freeze_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Freeze ended early", f"“{payload['reason']}”", "live")


class FreezeExemption(Fact):
    """A story goes out in spite of a freeze: from this instant on, or at its moment if that is later."""

    freeze = models.ForeignKey(Freeze, on_delete=models.PROTECT, related_name="exemptions")
    reason = models.TextField()

    class Meta:
        constraints = [
            has_a_reason("freeze_exemption_has_a_reason"),
            models.UniqueConstraint(fields=["story", "freeze"], name="exempt_once"),
        ]
        triggers = [
            guards.stamped(),
            guards.after("refresh", REFRESH),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"exemption from freeze {self.freeze_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Exempted from a freeze", f"“{payload['reason']}”", "live")
