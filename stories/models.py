"""What a story is made of, and the record of all that happened to it.

Facts are inserted and never changed: triggers refuse it, and the application's role has no right to try.
"""

import uuid
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.contrib.auth import hashers
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Now, Upper
from django.utils.translation import gettext

from . import access, guards
from .arranging import acting, tell
from .kinds import ENDINGS, TYPES
from .languages import DEFAULT

#: What the role that the application runs as may do with the rows of a table.
READ_ONLY = "SELECT"
INSERT_ONLY = "SELECT, INSERT"


class User(AbstractUser):
    """Somebody who works here. Roles are groups (see `access`), desks and teams are memberships."""

    class Meta:
        verbose_name = "user"
        verbose_name_plural = "users"
        triggers = guards.arranged(
            # Not `last_login`: whoever signs in waits for nobody.
            of=[
                "id",
                "username",
                "first_name",
                "last_name",
                "email",
                "password",
                "is_active",
                "is_staff",
                "is_superuser",
            ],
            without=["last_login", "date_joined"],
        )

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def check_password(self, raw_password: str) -> bool:
        """Whether it is theirs. One that is kept as it is not kept any more is kept anew, in their name."""

        def kept_anew(raw: str) -> None:
            self.set_password(raw)
            # It is the same password: no validator has to hear of it.
            self._password = None
            with acting(self):
                self.save(update_fields=["password"])

        return hashers.check_password(raw_password, self.password, kept_anew)


class Team(models.Model):
    """The only people for whom a limited story exists."""

    name = models.CharField(max_length=100, unique=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="teams", blank=True)

    def __str__(self) -> str:
        return self.name


class Organisation(models.Model):
    """Whose news a story is."""

    name = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=100, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Topic(models.Model):
    """What a story is about."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class StoryQuerySet(models.QuerySet["Story"]):
    def visible_to(self, user: Any) -> Self:
        """The stories that exist for `user`: those of no team, of theirs, or laid before them."""
        return self.filter(access.visible_q(user))

    def with_latest(self) -> Self:
        """Each story with `latest_id`, the id of its newest revision."""
        newest = Revision.objects.filter(story=models.OuterRef("pk")).order_by("-number")
        return self.annotate(latest_id=models.Subquery(newest.values("pk")[:1]))


class Story(models.Model):
    """The thread on which all facts about one piece of news hang. It has no status column."""

    # The right to update a column is what PostgreSQL asks for a row lock; a guard refuses the update.
    app_privileges = "SELECT, INSERT, UPDATE (team_id)"
    of_story = "id"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="stories_begun")
    at = models.DateTimeField(db_default=Now(), editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="stories")

    objects = StoryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "stories"
        triggers = [
            guards.check(
                "stamped",
                """
                NEW.id := nextval(pg_get_serial_sequence(TG_TABLE_NAME::text, 'id'));
                NEW.at := facts_now();
                -- A team comes by a `Limit`, which is on the record.
                NEW.team_id := NULL;
                RETURN NEW;
                """,
            ),
            guards.after(
                "recorded",
                "PERFORM record_append(NEW.id, TG_TABLE_NAME::text, NEW.id, NEW.by_id, NEW.at, "
                "to_jsonb(NEW) - 'team_id');",
            ),
            # The team follows from the newest `Limit`; nothing else of a story ever changes.
            guards.Guard(
                name="append_only",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                IF TG_OP = 'UPDATE' THEN
                    OLD.team_id := (SELECT team_id FROM stories_limit WHERE story_id = OLD.id
                                    ORDER BY id DESC LIMIT 1);
                    IF NEW IS NOT DISTINCT FROM OLD THEN
                        RETURN NEW;
                    END IF;
                END IF;
                RAISE EXCEPTION 'A story is never changed or deleted.'
                    USING ERRCODE = 'restrict_violation', HINT = 'append_only';
                """,
            ),
        ]

    def __str__(self) -> str:
        return str(self.uid)

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> "Words":
        """How the record tells of its beginning."""
        return Words("Story begun")

    @property
    def latest(self) -> "Revision":
        """The newest revision. Raises `Revision.DoesNotExist` for a story without words."""
        return self.revisions.latest("number")


class Fact(models.Model):
    """Something that happened to a story: who did it and when, by the database's clock (UTC)."""

    app_privileges: ClassVar[str] = INSERT_ONLY
    of_story: ClassVar[str] = "story_id"

    story = models.ForeignKey(Story, on_delete=models.PROTECT, related_name="%(class)ss")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> "Words":
        """How the record tells of a fact of this kind, from the row as it was inserted."""
        return Words(cls._meta.verbose_name.capitalize() if cls._meta.verbose_name else cls.__name__)


class NewsroomFact(models.Model):
    """Something that happened to the newsroom as a whole, and is a link of its own record."""

    app_privileges: ClassVar[str] = INSERT_ONLY
    of_story: ClassVar[str] = "NULL::bigint"

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> "Words":
        """How the record tells of it, from the row as it was inserted."""
        return Words(cls.__name__)


class Arrangement(NewsroomFact):
    """A change of who may do what: of an account, a role, a desk and its people, a route, a deputy.

    Written by triggers of those tables alone, whoever changes them and by which way. `before` and `after`
    hold only what changed, and of a password only that it did; `about` says whom and what it is about, as
    they were called then, so that it can be read when they are gone. `by` is whom the application named;
    where it named nobody, it was done outside the pages, as `database_role`.
    """

    app_privileges = READ_ONLY

    by = models.ForeignKey(  # type: ignore[assignment]
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )
    table_name = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    happened = models.CharField(
        max_length=10,
        choices=[
            ("found", "there when the record began"),
            ("made", "made"),
            ("changed", "changed"),
            ("removed", "removed"),
        ],
    )
    about = models.JSONField()
    before = models.JSONField()
    after = models.JSONField()
    database_role = models.CharField(max_length=63)

    class Meta:
        indexes = [models.Index(fields=["table_name", "row_id"], name="arrangement_of_row")]
        triggers = guards.newsroom_fact("RETURN NEW;")

    def __str__(self) -> str:
        return tell(self.table_name, self.happened, self.about, self.before, self.after)[0]

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> "Words":
        what = (payload[key] for key in ("table_name", "happened", "about", "before", "after"))
        title, detail = tell(*what)
        if payload["happened"] == "found":
            how = "There already when this record began."
        elif payload["by_id"] is None:
            how = f"Nobody is named: done outside the pages, as {payload['database_role']}."
        else:
            return Words(title, detail)
        return Words(title, f"{detail.removesuffix('.')}. {how}" if detail else how)


class Consequence(models.Model):
    """What follows from a fact and is kept: written by triggers alone, and a link of the record too."""

    app_privileges: ClassVar[str] = READ_ONLY
    #: The id of its story, in SQL over the row's columns.
    of_story: ClassVar[str]

    class Meta:
        abstract = True

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> "Words":
        """How the record tells of it, from the row as it was inserted."""
        return Words(cls.__name__)


class Words:
    """A line of the record: what happened, a sentence more, and the icon beside it."""

    def __init__(self, title: str, detail: str = "", icon: str = "draft") -> None:
        self.title, self.detail, self.icon = title, detail, icon


class Asset(models.Model):
    """The bytes of a picture or an attachment, cleaned of metadata and stored under their own SHA-256."""

    app_privileges = INSERT_ONLY

    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    media_type = models.CharField(max_length=50)
    # Only pictures have these.
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    size = models.PositiveIntegerField(help_text="Bytes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        triggers = [guards.append_only()]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The file's name: its digest and the ending of its type."""
        return f"{self.sha256}.{ENDINGS.get(self.media_type, 'bin')}"


class Rendition(models.Model):
    """A picture once more, of another width or format, drawn from its bytes alone and stored as they are.

    Nobody clears it: it shows what was cleared, and exists for whomever its picture exists for. All that one
    `recipe` (see `renditions`) makes of a picture is inserted at once, and nothing is added later.
    """

    app_privileges = INSERT_ONLY

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="renditions")
    recipe = models.PositiveSmallIntegerField()
    media_type = models.CharField(max_length=50)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64, editable=False)
    size = models.PositiveIntegerField(help_text="Bytes")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["asset", "recipe", "media_type", "width"], name="rendition_once"),
            models.CheckConstraint(
                condition=models.Q(media_type__startswith="image/"), name="rendition_is_picture"
            ),
        ]
        indexes = [models.Index(fields=["sha256"], name="rendition_by_hash")]
        triggers = [
            guards.check(
                "of_a_picture",
                """
                -- Whoever draws the same picture at the same time waits here.
                PERFORM 1 FROM stories_asset a WHERE a.id = NEW.asset_id FOR UPDATE;
                IF NOT EXISTS (SELECT 1 FROM stories_asset a
                               WHERE a.id = NEW.asset_id AND NEW.width BETWEEN 1 AND a.width) THEN
                    RAISE EXCEPTION 'Only a picture has renditions, and none is wider than it is.'
                        USING ERRCODE = 'restrict_violation', HINT = 'content';
                END IF;
                RETURN NEW;
                """,
            ),
            guards.Guard(
                name="at_once",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="drawn"),  # type: ignore[no-untyped-call]
                func="""
                IF EXISTS (SELECT 1 FROM stories_rendition r
                           JOIN (SELECT DISTINCT asset_id, recipe FROM drawn) d USING (asset_id, recipe)
                           WHERE r.id NOT IN (SELECT id FROM drawn)) THEN
                    RAISE EXCEPTION 'The renditions of this picture were drawn already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'drawn';
                END IF;
                RETURN NULL;
                """,
            ),
            guards.append_only(),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The file's name: its digest and the ending of its type."""
        return f"{self.sha256}.{ENDINGS.get(self.media_type, 'bin')}"


class Revision(Fact):
    """All that the public could see of a story, as somebody saved it once.

    `digest` and `parts` are computed by the database from `content` on the way in, whatever was sent;
    `digests` computes the same in Python.
    """

    number = models.PositiveIntegerField()
    based_on = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    content = models.JSONField()
    #: The headline once more, for the index by which stories are looked for.
    heading = models.GeneratedField(
        expression=KeyTextTransform("headline", "content"),
        output_field=models.TextField(),
        db_persist=True,
    )
    parts = models.JSONField(db_default=models.Value({}, models.JSONField()), editable=False)
    digest = models.CharField(max_length=64, db_default="", editable=False)
    origin = models.CharField(
        max_length=10, choices=[("form", "typed"), ("text", "from pasted text")], default="form"
    )
    assets: models.ManyToManyField[Asset, Any] = models.ManyToManyField(
        Asset, through="RevisionAsset", related_name="revisions"
    )
    #: Whoever suggested the wording wrote words of this revision, as well as whoever took it.
    takes = models.OneToOneField(
        "Suggestion", on_delete=models.PROTECT, null=True, editable=False, related_name="taken_by"
    )
    restores = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="restored_by"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["story", "number"], name="one_revision_a_number"),
        ]
        indexes = [
            GinIndex(OpClass(Upper("heading"), name="gin_trgm_ops"), name="revision_heading"),
        ]
        triggers = [
            guards.check(
                "derived",
                guards.STAMP
                + """
                newest := (SELECT max(id) FROM stories_revision WHERE story_id = NEW.story_id);
                IF NEW.based_on_id IS DISTINCT FROM newest THEN
                    RAISE EXCEPTION 'Revision % is not the newest of its story.', NEW.based_on_id
                        USING ERRCODE = 'restrict_violation', HINT = 'stale';
                END IF;
                IF NOT is_content(NEW.content) THEN
                    RAISE EXCEPTION 'The content lacks one of its parts, or has one of another shape.'
                        USING ERRCODE = 'check_violation', HINT = 'content';
                END IF;
                IF NEW.takes_id IS NOT NULL AND NOT suggestion_is_open(NEW.takes_id, NEW.story_id) THEN
                    RAISE EXCEPTION 'This suggestion is of another story, or was answered already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'answered';
                END IF;
                IF NEW.restores_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM stories_revision r
                        WHERE r.id = NEW.restores_id AND r.story_id = NEW.story_id
                          AND filled(r.content) = NEW.content) THEN
                    RAISE EXCEPTION 'These are not the words of the revision that was to be restored.'
                        USING ERRCODE = 'restrict_violation', HINT = 'content';
                END IF;
                NEW.number := coalesce((SELECT number FROM stories_revision WHERE id = newest), 0) + 1;
                NEW.parts := content_parts(NEW.content);
                NEW.digest := digest_of(NEW.parts);
                RETURN NEW;
                """,
                [("newest", "bigint")],
            ),
            guards.append_only(),
            guards.recorded("content", "heading"),
        ]

    def __str__(self) -> str:
        return f"revision {self.number}"

    @property
    def headline(self) -> str:
        return str(self.content["headline"])

    @property
    def slug(self) -> str:
        return str(self.content["slug"])

    @property
    def language(self) -> str:
        """The tag of the language of its words."""
        return str(self.content.get("language", DEFAULT))

    @property
    def type_label(self) -> str:
        """The type in words, as the public reads it."""
        kind = str(self.content["type"])
        return gettext(TYPES[kind]) if kind in TYPES else kind

    @property
    def short_digest(self) -> str:
        """The first eight digits of the digest in two groups, for people to compare."""
        return f"{self.digest[:4]} {self.digest[4:8]}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        how = ", from pasted text" if payload["origin"] == "text" else ""
        if payload.get("takes_id"):
            how = ", with a suggested wording taken"
        if payload.get("restores_id"):
            how = ", with earlier words restored"
        return Words(f"Revision {payload['number']}{how}", f"words {payload['digest'][:8]}", "draft")


class RevisionAsset(models.Model):
    """Which files a revision shows: what decides whether their bytes are public."""

    app_privileges = INSERT_ONLY

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["revision", "asset"], name="asset_once_a_revision")]
        triggers = [
            guards.check(
                "shown",
                """
                IF NOT EXISTS (SELECT 1 FROM stories_revision r JOIN stories_asset a ON a.id = NEW.asset_id
                               WHERE r.id = NEW.revision_id
                                 AND (r.content #>> '{picture,sha256}' = a.sha256
                                      OR r.content -> 'attachments'
                                         @> jsonb_build_array(jsonb_build_object('sha256', a.sha256)))) THEN
                    RAISE EXCEPTION 'The revision does not show this file.'
                        USING ERRCODE = 'restrict_violation', HINT = 'content';
                END IF;
                RETURN NEW;
                """,
            ),
            guards.append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.revision_id}: {self.asset_id}"


class Limit(Fact):
    """The story exists for one team alone from here on, or (no team) for everybody who works here."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers = [
            guards.stamped(),
            guards.after(
                "applied", "UPDATE stories_story SET team_id = NEW.team_id WHERE id = NEW.story_id;"
            ),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"limited to {self.team}" if self.team else "open to everybody here"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> "Words":
        team = Team.objects.filter(pk=payload["team_id"]).first()
        return Words(f"Limited to the team {team}" if team else "Opened to everybody who works here")


class Embargo(Fact):
    """The moment for which a story is meant: planned by anybody who drafts, binding only when armed."""

    instant = models.DateTimeField(help_text="UTC")
    zone = models.CharField(max_length=60, help_text="The zone in which the moment was meant")

    class Meta:
        triggers = [
            guards.stamped("PERFORM check_moment(NEW.instant, NEW.zone);"),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"{self.instant} ({self.zone})"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        from .moments import Moment

        moment = Moment.parse(payload["instant"], payload["zone"])
        return Words(f"Embargo set to {moment.in_full}", "Set, not armed", "waiting")


class Intake(Fact):
    """The text that a story was started from, to the last character, whatever was recognised in it."""

    text = models.TextField()
    digest = models.CharField(max_length=64, db_default="", editable=False)

    class Meta:
        triggers = [
            guards.stamped("NEW.digest := digest_of(to_jsonb(NEW.text));"),
            guards.append_only(),
            guards.recorded("text"),
        ]

    def __str__(self) -> str:
        return f"{len(self.text)} characters"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Started from a pasted text", f"kept whole, {payload['digest'][:8]}", "draft")


class Comment(Fact):
    """What somebody says about words of a revision (`anchor`), or about the story (no anchor)."""

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="comments")
    anchor = models.JSONField(null=True)
    text = models.TextField()
    answers = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="replies")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(text__regex=r"\S"), name="comment_has_words"),
        ]
        triggers = [
            guards.stamped(
                """
                IF NOT EXISTS (SELECT 1 FROM stories_revision
                               WHERE id = NEW.revision_id AND story_id = NEW.story_id)
                   OR NOT (NEW.answers_id IS NULL OR EXISTS (SELECT 1 FROM stories_comment
                           WHERE id = NEW.answers_id AND story_id = NEW.story_id AND answers_id IS NULL)) THEN
                    RAISE EXCEPTION 'The revision, or the comment that is answered, is of another story.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_there';
                END IF;
                """
            ),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return self.text

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Answered a comment" if payload["answers_id"] else "Commented", f"“{payload['text']}”")


class CommentResolution(Fact):
    """A comment is dealt with."""

    comment = models.OneToOneField(Comment, on_delete=models.PROTECT, related_name="resolution")

    class Meta:
        triggers = [
            guards.stamped(
                """
                IF NOT EXISTS (SELECT 1 FROM stories_comment WHERE id = NEW.comment_id
                               AND story_id = NEW.story_id AND answers_id IS NULL) THEN
                    RAISE EXCEPTION 'There is no such comment to resolve.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_there';
                END IF;
                """
            ),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"{self.comment_id} resolved"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Resolved a comment")


class Suggestion(Fact):
    """Another wording for the words at `anchor`: a drafter takes it, in a revision, or declines."""

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="suggestions")
    anchor = models.JSONField()
    replacement = models.TextField(blank=True)
    remark = models.TextField(blank=True)

    class Meta:
        triggers = [
            guards.stamped(
                """
                IF NOT EXISTS (SELECT 1 FROM stories_revision
                               WHERE id = NEW.revision_id AND story_id = NEW.story_id)
                   OR NEW.anchor ->> 'exact' IS NOT DISTINCT FROM NEW.replacement THEN
                    RAISE EXCEPTION 'The revision is of another story, or the wording is the same.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_there';
                END IF;
                """
            ),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"{self.anchor.get('exact')} → {self.replacement}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words(
            "Suggested another wording",
            f"“{payload['anchor'].get('exact', '')}” → “{payload['replacement']}”",
        )


class SuggestionDecline(Fact):
    """A suggested wording is not taken."""

    suggestion = models.OneToOneField(Suggestion, on_delete=models.PROTECT, related_name="decline")
    reason = models.TextField(blank=True)

    class Meta:
        triggers = [
            guards.stamped(
                """
                IF NOT suggestion_is_open(NEW.suggestion_id, NEW.story_id) THEN
                    RAISE EXCEPTION 'This suggestion is of another story, or was answered already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'answered';
                END IF;
                """
            ),
            guards.append_only(),
            guards.recorded(),
        ]

    def __str__(self) -> str:
        return f"{self.suggestion_id} declined"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Declined a suggested wording", f"“{payload['reason']}”" if payload["reason"] else "")


class Translation(Fact):
    """A story says in its language what another says, its `original`, which is no translation itself.

    An original and its translations are of one organisation, and of different languages when they are linked.
    The public is shown the way from one to another where both are public: see `newsroom.translations`.
    """

    original = models.ForeignKey(Story, on_delete=models.PROTECT, related_name="translated_by")

    class Meta:
        triggers = guards.fact(
            """
                IF NEW.story_id = NEW.original_id THEN
                    RAISE EXCEPTION 'A story is no translation of itself.'
                        USING ERRCODE = 'restrict_violation', HINT = 'itself';
                END IF;
                IF (SELECT count(*) FROM said_alike(NEW.story_id)) > 1 THEN
                    RAISE EXCEPTION 'The story is linked with others already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'linked';
                END IF;
                IF original_of(NEW.original_id) IS NOT NULL THEN
                    RAISE EXCEPTION 'What is translated is a translation itself.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_original';
                END IF;
                IF newest_content(NEW.story_id) #> '{organisation,slug}'
                        IS DISTINCT FROM newest_content(NEW.original_id) #> '{organisation,slug}' THEN
                    RAISE EXCEPTION 'The two stories are not of one organisation.'
                        USING ERRCODE = 'restrict_violation', HINT = 'organisation';
                END IF;
                IF EXISTS (SELECT 1 FROM said_alike(NEW.original_id) other
                           WHERE newest_content(other) -> 'language'
                                 = newest_content(NEW.story_id) -> 'language') THEN
                    RAISE EXCEPTION 'There is a story in this language already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'language';
                END IF;
                RETURN NEW;
                """,
            before="""
                -- The other story too, and always in one order: else two who link the same stories wait for
                -- each other, or do not see the other's link.
                PERFORM lock_story(least(NEW.story_id, NEW.original_id));
                PERFORM lock_story(greatest(NEW.story_id, NEW.original_id));
                """,
        )

    def __str__(self) -> str:
        return f"{self.story_id} translates {self.original_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        # Which one may not exist for everybody who reads this.
        return Words("Linked as the translation of another story")


class TranslationEnd(Fact):
    """A story is not the translation of another any more."""

    translation = models.OneToOneField(Translation, on_delete=models.PROTECT, related_name="end")

    class Meta:
        triggers = guards.fact(
            """
                IF NOT EXISTS (SELECT 1 FROM stories_translation t
                               WHERE t.id = NEW.translation_id AND t.story_id = NEW.story_id) THEN
                    RAISE EXCEPTION 'The story was never linked by this.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_linked';
                END IF;
                RETURN NEW;
                """
        )

    def __str__(self) -> str:
        return f"end of {self.translation_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        return Words("Not linked as a translation any more")


class WorkingCopy(models.Model):
    """What somebody has typed and not yet saved: kept so that a crash loses nothing."""

    story = models.ForeignKey(Story, on_delete=models.CASCADE, null=True, related_name="working_copies")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="working_copies")
    base = models.ForeignKey(Revision, on_delete=models.CASCADE, null=True, related_name="+")
    fields = models.JSONField()
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["story", "by"], name="one_working_copy_each", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"working copy of {self.by_id}"


class Entry(models.Model):
    """A link of a record: a fact as it was inserted, and the hash of the link before.

    Each story has a record, and the newsroom as a whole has one, whose links have no story.

    Written by triggers alone; the application's role may read it. `payload` is the row without the
    columns that a digest in it stands for.
    """

    app_privileges = READ_ONLY

    story = models.ForeignKey(Story, on_delete=models.PROTECT, null=True, related_name="entries")
    number = models.PositiveIntegerField()
    source = models.CharField(max_length=63, help_text="The fact's table")
    fact = models.BigIntegerField(help_text="The fact's id in its table")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    payload = models.JSONField()
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            models.UniqueConstraint(
                fields=["story", "number"], nulls_distinct=False, name="one_entry_a_number"
            )
        ]
        indexes = [models.Index(fields=["source", "fact"], name="entry_of_fact")]
        triggers = [guards.append_only()]

    def __str__(self) -> str:
        return f"{self.source} {self.fact}"
