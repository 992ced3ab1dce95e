"""What goes out together or not at all."""

from datetime import datetime
from typing import Any

from django.db import models

from stories import guards
from stories.models import READ_ONLY, Consequence, Fact, NewsroomFact, Words

from .releases import REFRESH, Release, has_a_reason


class Bundle(NewsroomFact):
    """Stories that go out together or not at all: a report, its summary and what the minister says to it.

    They go out at the latest of their moments, once each of them is armed and none is held.
    """

    name = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(name__regex=r"\S"), name="bundle_has_a_name"),
        ]
        triggers = guards.newsroom_fact("RETURN NEW;")

    def __str__(self) -> str:
        return self.name

    @property
    def moment(self) -> datetime | None:
        """When it goes out, or went (UTC); None while a story of it is missing, or a freeze is in the way."""
        kept = getattr(self, "goes_out", None)
        return kept.moment if kept else None

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        # Its name may tell of a story that does not exist for everybody who reads this.
        return Words("Bundle made", f"Number {payload['id']}", "armed")


def _named(bundle: int) -> str:
    return f"“{Bundle.objects.get(pk=bundle)}”"


class Bundling(Fact):
    """A story joined a bundle: what is armed of it, now or from now on, waits for the others.

    What it is corrected by once the bundle has gone out does not wait any more.
    """

    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, related_name="bundlings")

    class Meta:
        triggers = guards.fact(
            """
                IF open_bundling(NEW.story_id, NEW.at) IS NOT NULL THEN
                    RAISE EXCEPTION 'The story is in a bundle already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'bundled';
                END IF;
                IF has_gone(NEW.bundle_id, NEW.at) THEN
                    RAISE EXCEPTION 'The bundle has gone out.'
                        USING ERRCODE = 'restrict_violation', HINT = 'gone';
                END IF;
                RETURN NEW;
                """,
            then="""
                INSERT INTO newsroom_bundledrelease (bundling_id, release_id)
                    SELECT NEW.id, armed FROM armed_release(NEW.story_id) armed WHERE armed IS NOT NULL;
                """
            + REFRESH,
        )

    def __str__(self) -> str:
        return f"{self.story_id} in {self.bundle}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Put into a bundle", _named(payload["bundle_id"]), "armed")


class Unbundling(Fact):
    """A story left its bundle before that went out. If its own moment has passed, it is public from now."""

    bundling = models.OneToOneField(Bundling, on_delete=models.PROTECT, related_name="end")
    reason = models.TextField()

    class Meta:
        constraints = [has_a_reason("unbundling_has_a_reason")]
        triggers = guards.fact(
            """
                IF NEW.bundling_id IS DISTINCT FROM open_bundling(NEW.story_id, NEW.at) THEN
                    RAISE EXCEPTION 'The story is not in this bundle, or it has gone out.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_bundled';
                END IF;
                RETURN NEW;
                """,
            then="""
                PERFORM refresh_bundle(g.bundle_id) FROM newsroom_bundling g WHERE g.id = NEW.bundling_id;
                """
            + REFRESH,
        )

    def __str__(self) -> str:
        return f"end of {self.bundling}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        bundle = Bundling.objects.get(pk=payload["bundling_id"]).bundle_id
        return Words(f"Taken out of the bundle {_named(bundle)}", f"“{payload['reason']}”", "asked")


class BundledRelease(Consequence):
    """A release that goes out with a bundle: armed when its story joined, or while it was in it."""

    of_story = "(SELECT n.story_id FROM newsroom_release n WHERE n.id = release_id)"

    bundling = models.ForeignKey(Bundling, on_delete=models.PROTECT, related_name="releases")
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="bundlings")

    class Meta:
        triggers = [
            guards.append_only(),
            guards.recorded_of("SELECT n.story_id FROM newsroom_release n WHERE n.id = NEW.release_id"),
        ]

    def __str__(self) -> str:
        return f"{self.release_id} with {self.bundling}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        bundle = Bundling.objects.get(pk=payload["bundling_id"]).bundle_id
        return Words(f"Goes out with the bundle {_named(bundle)}", icon="armed")


class BundleMoment(models.Model):
    """When a bundle goes out: a read model of the facts, like `Visibility`, and written by triggers alone."""

    app_privileges = READ_ONLY

    bundle = models.OneToOneField(Bundle, on_delete=models.PROTECT, primary_key=True, related_name="goes_out")
    #: Empty while one of its stories is not armed, or is stopped.
    moment = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["moment"], name="bundle_moment")]

    def __str__(self) -> str:
        return f"{self.bundle_id} at {self.moment}"
