"""What stops a release: holds."""

from typing import Any

from django.db import models

from stories import guards
from stories.models import Fact, Words

from .releases import REFRESH, has_a_reason


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
