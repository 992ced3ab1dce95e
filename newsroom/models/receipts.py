"""What became of a release, and proof that somebody looks after it."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from stories import guards
from stories.models import Fact, Words

from .releases import Release

#: What was announced is to be seen from outside: written in the same transaction. What the owner loads
#: with dates of the past was not public then, so that nobody could have seen it.
LOOKOUT = """
IF NEW.at > clock_timestamp() - interval '1 hour' THEN
    INSERT INTO newsroom_lookout (release_id, since, attempts, next_attempt, error)
        VALUES (NEW.release_id, NEW.at, 0, NEW.at, '') ON CONFLICT DO NOTHING;
END IF;
"""

#: When the story, or its bundle, goes out is not touched by it, and was right before (`one_at_a_time`).
ANNOUNCED = """
UPDATE newsroom_visibility SET announced = true WHERE story_id = NEW.story_id AND release_id = NEW.release_id;
"""


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
        indexes = [models.Index(fields=["at"], name="announced_at")]
        triggers = [
            guards.check(
                "allowed",
                guards.STAMP
                + """
                SELECT visible_from INTO NEW.due FROM newsroom_visibility
                    WHERE story_id = NEW.story_id AND release_id = NEW.release_id AND withdrawn_at IS NULL;
                IF NEW.due IS NULL OR NEW.due > least(NEW.at, release_clock()) THEN
                    RAISE EXCEPTION 'This release is not public.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_public';
                END IF;
                RETURN NEW;
                """,
            ),
            guards.after("refresh", ANNOUNCED),
            guards.after("lookout", LOOKOUT),
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


class Heartbeat(models.Model):
    """When a worker last ran a task that beat sent: proof that beat, broker and worker are alive."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.at}"
