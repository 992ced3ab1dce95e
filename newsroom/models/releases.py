"""What becomes public and when.

`Visibility` is the one predicate's read model. Triggers alone write it, from the facts beside it.
"""

from datetime import datetime, timedelta
from typing import Any, Self

from django.apps import apps
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models.functions import MD5, Least, Now

from approvals.models import Decision
from stories import guards, renditions
from stories.models import READ_ONLY, Consequence, Fact, Revision, Story, Words
from stories.moments import Moment

REFRESH = "PERFORM refresh_visibility(NEW.story_id);"
#: The furthest that an embargo may lie ahead.
FURTHEST = timedelta(days=3653)
A_MOMENT_AHEAD = f"""
                IF NEW.embargo < NEW.at THEN
                    RAISE EXCEPTION 'The embargo lies in the past.'
                        USING ERRCODE = 'restrict_violation', HINT = 'past';
                END IF;
                IF NEW.embargo > NEW.at + interval '{FURTHEST.days} days' THEN
                    RAISE EXCEPTION 'The embargo lies too far ahead.'
                        USING ERRCODE = 'restrict_violation', HINT = 'far';
                END IF;
                PERFORM check_moment(NEW.embargo, NEW.zone);
"""


def has_a_reason(name: str) -> models.CheckConstraint:
    """The constraint that there is a reason, of more than white space."""
    return models.CheckConstraint(condition=models.Q(reason__regex=r"\S"), name=name)


class Kind(models.TextChoices):
    """What a release does to what the public reads."""

    NEW = "new", "release"
    CORRECTION = "correction", "correction"
    MAJOR = "major", "update"
    MINOR = "minor", "minor update"


def release_clock(at: datetime | None = None) -> Least:
    """The instant up to which stories are released: now, unless everything is held (see `HoldAll`)."""
    stopped = apps.get_model("newsroom", "HoldAll").objects.filter(lift=None).order_by("at").values("at")[:1]
    # Where nothing is held there is no row: `LEAST` leaves that out.
    return Least(at or Now(), models.Subquery(stopped), output_field=models.DateTimeField())


def visible(at: datetime | None = None, prefix: str = "") -> models.Q:
    """The one predicate, on `Visibility` or (with `prefix`) on what leads there."""
    clock = release_clock(at)
    return models.Q(
        models.Q(**{f"{prefix}visible_until": None}) | models.Q(**{f"{prefix}visible_until__gt": clock}),
        **{f"{prefix}visible_from__lte": clock, f"{prefix}withdrawn_at": None},
    )


def to_come() -> models.Q:
    """What is armed, on `Visibility`: its moment is still to come, or it is held."""
    later = models.Q(visible_from=None) | models.Q(visible_from__gt=release_clock())
    return models.Q(later, visible_until=None, withdrawn_at=None)


class ReleaseQuerySet(models.QuerySet["Release"]):
    def public(self, at: datetime | None = None) -> Self:
        """The releases that anybody may see, by the database's clock, or at the aware instant `at`.

        The one predicate: armed, embargo lifted, not held, not disarmed, not withdrawn, and no later release
        of the story in its place. Every public surface asks here. There is one at most of each story.
        """
        return self.filter(visible(at, "visibility__"))

    def with_forms(self) -> Self:
        """Each with its `forms`: what is drawn of its picture, for `renditions.forms`."""
        return self.annotate(forms=renditions.column("revision"))


class Release(Fact):
    """A story was armed: this revision, on these sign-offs, becomes public at `embargo`.

    An embargo that is left empty is the instant of arming. The database refuses the row unless every
    sign-off stands on exactly this revision, given by people who did not write it.

    What takes the place of a release that is public (`follows`, which the database fills in) is a correction
    or an update, with a note that the public reads.
    """

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="releases")
    embargo = models.DateTimeField(help_text="UTC")
    zone = models.CharField(max_length=60, help_text="The zone in which the embargo was meant")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.NEW, db_default=Kind.NEW)
    note = models.TextField(
        blank=True, db_default="", help_text="What was corrected or changed, for the public"
    )
    follows = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="followed_by"
    )

    #: Set by `with_forms`.
    forms: list[dict[str, Any]]

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="release_kind_known"),
        ]
        # Few of all: the public log of them.
        indexes = [
            models.Index(fields=["story"], condition=models.Q(kind="correction"), name="release_corrections"),
        ]
        triggers = [
            guards.check(
                "allowed",
                guards.STAMP
                + f"""
                NEW.embargo := coalesce(NEW.embargo, NEW.at);
                NEW.follows_id := public_release(NEW.story_id);
                {A_MOMENT_AHEAD}
                IF EXISTS (SELECT 1 FROM newsroom_withdrawal w
                           WHERE w.story_id = NEW.story_id AND w.kill) THEN
                    RAISE EXCEPTION 'The story was killed.'
                        USING ERRCODE = 'restrict_violation', HINT = 'killed';
                END IF;
                IF NEW.follows_id IS NOT NULL AND NEW.kind = '{Kind.NEW}' THEN
                    RAISE EXCEPTION 'The story is public already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'public';
                END IF;
                IF NEW.follows_id IS NULL AND NEW.kind <> '{Kind.NEW}' THEN
                    RAISE EXCEPTION 'Only what is public can be corrected or updated.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_public';
                END IF;
                IF NEW.kind <> '{Kind.NEW}' AND NEW.note !~ '\\S' THEN
                    RAISE EXCEPTION 'A correction or an update needs a note.'
                        USING ERRCODE = 'restrict_violation', HINT = 'no_note';
                END IF;
                IF NEW.kind = '{Kind.NEW}' THEN
                    NEW.note := '';
                END IF;
                IF EXISTS (SELECT 1 FROM newsroom_release n JOIN stories_revision o ON o.id = n.revision_id
                           JOIN stories_revision r ON r.id = NEW.revision_id
                           WHERE n.id = NEW.follows_id AND o.digest = r.digest) THEN
                    RAISE EXCEPTION 'The public reads these very words already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'same';
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
                IF is_frozen(NEW.story_id, NEW.revision_id, NEW.kind, NEW.embargo) THEN
                    RAISE EXCEPTION 'The embargo falls into a freeze.'
                        USING ERRCODE = 'restrict_violation', HINT = 'frozen';
                END IF;
                IF NOT is_cleared(NEW.revision_id) THEN
                    RAISE EXCEPTION 'A sign-off is missing on this revision.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_cleared';
                END IF;
                RETURN NEW;
                """,
            ),
            guards.after(
                "pinned",
                """
                INSERT INTO newsroom_releasesignoff (release_id, decision_id)
                SELECT DISTINCT NEW.id, unnest(decisions) FROM signoffs(NEW.revision_id)
                WHERE state = 'cleared';
                INSERT INTO newsroom_bundledrelease (bundling_id, release_id)
                    SELECT bundling, NEW.id FROM open_bundling(NEW.story_id, NEW.at) bundling
                    WHERE bundling IS NOT NULL;
                """
                + REFRESH,
            ),
            # What it will be found by, once it is public.
            guards.after("indexed", "PERFORM index_releases(ARRAY[NEW.id]);"),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"release of {self.revision_id} at {self.embargo}"

    @property
    def moment(self) -> Moment:
        """The embargo for which it was armed, in the zone in which it was meant. Moves come after it."""
        return Moment(self.embargo, self.zone)

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        moment = Moment.parse(payload["embargo"], payload["zone"])
        kind = Kind(payload.get("kind", Kind.NEW))
        what = "Armed" if kind == Kind.NEW else f"{kind.label.capitalize()} armed"
        note = payload.get("note", "")
        return Words(f"{what} for {moment.in_full}", f"“{note}”" if note else "", icon="armed")


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
    def public(self, at: datetime | None = None) -> Self:
        """Those of what anybody may see, by the database's clock: see `ReleaseQuerySet.public`."""
        return self.filter(visible(at))

    def with_is_public(self) -> Self:
        """Each with whether it `is_public` by the database's clock."""
        public = models.Case(models.When(visible(), then=models.Value(True)), default=models.Value(False))
        return self.annotate(is_public=public)

    def with_public(self) -> Self:
        """Each with its release, and whether it `is_public` or `is_armed` by the database's clock."""
        armed = models.Case(models.When(to_come(), then=models.Value(True)), default=models.Value(False))
        return (
            self.with_is_public().select_related("release__by", "release__revision").annotate(is_armed=armed)
        )

    def with_forms(self) -> Self:
        """Each with its `forms`: what is drawn of its picture, for `renditions.forms`."""
        return self.annotate(forms=renditions.column("release__revision"))

    def armed(self) -> Self:
        """Those whose moment is still to come, held ones among them."""
        return self.filter(to_come())


class Visibility(models.Model):
    """From and until when a release is what the public reads. A read model of the facts.

    A row for each release that is armed or ever was public. The chain of those that follow one another is one
    publication: `first_from` is when it began, `updated_at` when something of weight changed last. Written by
    triggers alone, rebuilt by `manage.py rebuild_visibility`, compared with the facts by `manage.py
    verify_record`.
    """

    app_privileges = READ_ONLY

    release = models.OneToOneField(Release, on_delete=models.PROTECT, primary_key=True)
    story = models.ForeignKey(Story, on_delete=models.PROTECT, related_name="visibilities")
    slug = models.CharField(max_length=200)
    #: The moment for which it is armed, moved or not (UTC), and the zone in which it was meant.
    embargo = models.DateTimeField()
    zone = models.CharField(max_length=60)
    #: Empty while it is held.
    visible_from = models.DateTimeField(null=True)
    #: From when another release takes its place.
    visible_until = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    first_from = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)
    announced = models.BooleanField(help_text="Whether the release has its receipt")

    #: Set by `with_is_public`, and both by `with_public`.
    is_public: bool
    is_armed: bool
    #: Set by `with_forms`.
    forms: list[dict[str, Any]]

    objects = VisibilityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "visibilities"
        constraints = [
            # An address belongs to one story for good, once the public has seen it. Of its digest, or stories
            # would be looked for in the index of this, which takes far longer.
            ExclusionConstraint(
                name="address_of_one_story",
                expressions=[(MD5("slug"), RangeOperators.EQUAL), ("story", RangeOperators.NOT_EQUAL)],
            ),
        ]
        indexes = [
            # What is armed is passed over in the index itself: the answer that there is nothing to read must
            # not take longer at its address.
            models.Index(fields=["slug", "visible_from"], name="visibility_address"),
            models.Index(fields=["visible_from"], name="visibility_from"),
            # With all that the predicate looks at: what is public is counted in the index itself.
            models.Index(
                fields=["-first_from", "slug"],
                include=["visible_from", "visible_until"],
                condition=models.Q(withdrawn_at=None),
                name="visibility_published",
            ),
            models.Index(
                fields=["visible_from"],
                condition=models.Q(announced=False, withdrawn_at=None),
                name="to_announce",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug} from {self.visible_from}"

    @property
    def moment(self) -> Moment:
        """The moment for which it is armed now, in the zone in which it was meant."""
        return Moment(self.embargo, self.zone)

    @property
    def goes_out(self) -> Moment:
        """When it goes out, as far as anybody knows: for a moment of its own, or later, with its bundle."""
        return Moment(self.visible_from or self.embargo, self.zone)


class Disarm(Fact):
    """An armed release will not happen, because it was called off or a sign-off was taken back."""

    release = models.OneToOneField(Release, on_delete=models.PROTECT)
    reason = models.TextField()

    class Meta:
        constraints = [has_a_reason("disarm_has_a_reason")]
        triggers = guards.fact(
            """
                IF NEW.release_id IS DISTINCT FROM armed_release(NEW.story_id) THEN
                    RAISE EXCEPTION 'This release is not armed, or public already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_armed';
                END IF;
                RETURN NEW;
                """,
            then=REFRESH,
        )

    def __str__(self) -> str:
        return f"disarm of {self.release_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Disarmed", f"“{payload['reason']}”", "asked")


class Move(Fact):
    """The moment of an armed release was moved, earlier or later. The newest move counts."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="moves")
    embargo = models.DateTimeField(help_text="UTC")
    zone = models.CharField(max_length=60, help_text="The zone in which the embargo was meant")
    reason = models.TextField()

    class Meta:
        constraints = [has_a_reason("move_has_a_reason")]
        triggers = guards.fact(
            f"""
                IF NEW.release_id IS DISTINCT FROM armed_release(NEW.story_id) THEN
                    RAISE EXCEPTION 'This release is not armed, or public already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_armed';
                END IF;
                {A_MOMENT_AHEAD}
                IF EXISTS (SELECT 1 FROM newsroom_release n WHERE n.id = NEW.release_id
                           AND is_frozen(n.story_id, n.revision_id, n.kind, NEW.embargo)) THEN
                    RAISE EXCEPTION 'The embargo falls into a freeze.'
                        USING ERRCODE = 'restrict_violation', HINT = 'frozen';
                END IF;
                RETURN NEW;
                """,
            then=REFRESH,
        )

    def __str__(self) -> str:
        return f"move of {self.release_id} to {self.embargo}"

    @property
    def moment(self) -> Moment:
        return Moment(self.embargo, self.zone)

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        moment = Moment.parse(payload["embargo"], payload["zone"])
        return Words(f"Embargo moved to {moment.in_full}", f"“{payload['reason']}”", "armed")


class Withdrawal(Fact):
    """What was public was taken back: withdrawn, with a page that says so and why, or killed without one."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, editable=False, related_name="withdrawals")
    kill = models.BooleanField(help_text="Its address answers that it is gone, and who was sent it is told")
    reason = models.TextField(help_text="For the public")

    class Meta:
        constraints = [
            has_a_reason("withdrawal_has_a_reason"),
            models.UniqueConstraint(fields=["release", "kill"], name="withdrawn_once"),
        ]
        triggers = guards.fact(
            """
                -- What is withdrawn is what the public could read, whatever was sent.
                NEW.release_id := public_release(NEW.story_id);
                IF NEW.release_id IS NULL AND NEW.kill THEN
                    -- What was withdrawn can be killed still.
                    SELECT w.release_id INTO NEW.release_id FROM newsroom_withdrawal w
                        WHERE w.story_id = NEW.story_id ORDER BY w.id DESC LIMIT 1;
                END IF;
                IF NEW.release_id IS NULL THEN
                    RAISE EXCEPTION 'The story is not public.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_public';
                END IF;
                RETURN NEW;
                """,
            then=REFRESH,
        )

    def __str__(self) -> str:
        return f"withdrawal of {self.release_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Killed" if payload["kill"] else "Withdrawn", f"“{payload['reason']}”", "hold")
