"""What becomes public and when.

`Visibility` is the one predicate's read model. Triggers alone write it, from the facts beside it.
"""

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models.functions import Now

from approvals.models import Decision
from stories import guards
from stories.models import READ_ONLY, Consequence, Fact, Revision, Story, Words
from stories.moments import Moment

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
