"""Copies under embargo: to whom they were given, who acknowledged and read them, what holders are told."""

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from stories import guards
from stories.models import Fact, Words
from stories.moments import Moment
from stories.outbox import Outgoing

from .releases import Move, Release, Visibility, has_a_reason, release_clock


def _asked(function: str, column: str = "pk") -> models.Func:
    """What a function of the database says of each row: the guards ask the same ones."""
    return models.Func(models.F(column), function=function, output_field=models.BigIntegerField(null=True))


class EmbargoGrantQuerySet(models.QuerySet["EmbargoGrant"]):
    def with_standing(self) -> Self:
        """Each with what its holder may do at this moment: `covered_id`, `copied_id`, `acknowledged_id`,
        `is_over`. All of one look at the database."""
        public = Visibility.objects.filter(
            story=models.OuterRef("story"),
            release__gte=models.OuterRef("release"),
            visible_from__lte=release_clock(),
        )
        return self.annotate(
            covered_id=_asked("covered_release"),
            copied_id=_asked("copied_release"),
            acknowledged_id=_asked("standing_acknowledgement"),
            is_over=models.Exists(public),
        )


class EmbargoGrant(Fact):
    """A named reader was given the copy of an armed story, under embargo.

    It is for the publication that `release` (which the database fills in) was to become: for what is armed in
    its place as well, and not for a later correction. The link has a token of which only the hash is kept;
    it follows from `seed` and the secret key, so that a mail that is sent again has the same.
    """

    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, editable=False, related_name="embargo_grants"
    )
    name = models.CharField(max_length=200)
    email = models.EmailField()
    outlet = models.CharField(max_length=200)
    terms = models.TextField(blank=True, help_text="What was agreed; the reader is shown it")
    seed = models.UUIDField(default=uuid.uuid4, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)

    #: Set by `with_standing`. What is armed and this is for; the same where it may be read now; the
    #: acknowledgement that opens it; and whether the public has come to read it.
    covered_id: int | None
    copied_id: int | None
    acknowledged_id: int | None
    is_over: bool

    objects = EmbargoGrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(name__regex=r"\S", outlet__regex=r"\S"), name="grant_is_to_somebody"
            ),
            models.CheckConstraint(
                condition=models.Q(email__regex=r"^[^@\s]+@[^@\s]+$"), name="grant_has_an_address"
            ),
            models.CheckConstraint(
                condition=models.Q(("token_hash__regex", "^[0-9a-f]{64}$")), name="grant_keeps_a_hash"
            ),
        ]
        triggers = guards.fact(
            """
                NEW.release_id := armed_release(NEW.story_id);
                IF NEW.release_id IS NULL THEN
                    RAISE EXCEPTION 'No release of the story is armed.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_armed';
                END IF;
                IF release_on_its_way(NEW.story_id) IS NULL THEN
                    RAISE EXCEPTION 'The release is held or frozen.'
                        USING ERRCODE = 'restrict_violation', HINT = 'stopped';
                END IF;
                IF EXISTS (SELECT 1 FROM newsroom_embargogrant g WHERE g.story_id = NEW.story_id
                           AND lower(g.email) = lower(NEW.email) AND covered_release(g.id) IS NOT NULL) THEN
                    RAISE EXCEPTION 'This address has a copy already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'given';
                END IF;
                RETURN NEW;
                """,
        )

    def __str__(self) -> str:
        return f"copy of {self.whose}"

    @property
    def whose(self) -> str:
        """Whom it was given to: "Nora Quill, The Evening Ledger"."""
        return f"{self.name}, {self.outlet}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        whose = f"{payload['name']}, {payload['outlet']} ({payload['email']})"
        terms = f"“{payload['terms']}”" if payload["terms"] else ""
        return Words(f"Copy under embargo given to {whose}", terms, "armed")


class EmbargoRevocation(Fact):
    """A copy was taken back: its link answers as if there had never been one."""

    grant = models.OneToOneField(EmbargoGrant, on_delete=models.PROTECT, related_name="revocation")
    reason = models.TextField()

    class Meta:
        constraints = [has_a_reason("revocation_has_a_reason")]
        triggers = guards.fact(
            """
                IF NOT EXISTS (SELECT 1 FROM newsroom_embargogrant
                               WHERE id = NEW.grant_id AND story_id = NEW.story_id) THEN
                    RAISE EXCEPTION 'This copy is of another story.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_given';
                END IF;
                RETURN NEW;
                """,
        )

    def __str__(self) -> str:
        return f"revocation of {self.grant_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        grant = EmbargoGrant.objects.get(pk=payload["grant_id"])
        return Words(f"Copy of {grant.whose} revoked", f"“{payload['reason']}”", "asked")


class OutsideFact(Fact):
    """What somebody did who does not work here, and who had a link."""

    by = models.ForeignKey(  # type: ignore[assignment]
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )

    class Meta:
        abstract = True


class Acknowledgement(OutsideFact):
    """A reader said that they keep the embargo until one moment of one release.

    It counts for that release, that moment and no later move: of which, `move` tells, and the database fills
    it in. The copy opens on nothing else.
    """

    grant = models.ForeignKey(EmbargoGrant, on_delete=models.PROTECT, related_name="acknowledgements")
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="acknowledgements")
    move = models.ForeignKey(Move, on_delete=models.PROTECT, null=True, editable=False, related_name="+")
    moment = models.DateTimeField(help_text="UTC: until when they keep it")
    zone = models.CharField(max_length=60, editable=False)

    class Meta:
        triggers = guards.fact(
            """
                NEW.by_id := NULL;
                NEW.move_id := (SELECT max(m.id) FROM newsroom_move m WHERE m.release_id = NEW.release_id);
                IF NOT EXISTS (SELECT 1 FROM newsroom_embargogrant
                               WHERE id = NEW.grant_id AND story_id = NEW.story_id)
                   OR copied_release(NEW.grant_id) IS DISTINCT FROM NEW.release_id THEN
                    RAISE EXCEPTION 'This is no copy that can be read now.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_now';
                END IF;
                IF standing_acknowledgement(NEW.grant_id) IS NOT NULL THEN
                    RAISE EXCEPTION 'It is acknowledged already.'
                        USING ERRCODE = 'restrict_violation', HINT = 'acknowledged';
                END IF;
                SELECT v.zone INTO NEW.zone FROM newsroom_visibility v
                    WHERE v.release_id = NEW.release_id AND v.visible_from = NEW.moment;
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'It is not armed for that moment.'
                        USING ERRCODE = 'restrict_violation', HINT = 'moved';
                END IF;
                RETURN NEW;
                """,
        )

    def __str__(self) -> str:
        return f"acknowledgement of {self.moment} by {self.grant_id}"

    @property
    def until(self) -> Moment:
        """The moment until which they keep the embargo."""
        return Moment(self.moment, self.zone)

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        grant = EmbargoGrant.objects.get(pk=payload["grant_id"])
        until = Moment.parse(payload["moment"], payload["zone"])
        return Words(f"{grant.whose} keeps the embargo until {until.in_full}", icon="cleared")


class Opening(OutsideFact):
    """A copy was opened for the first time since it was acknowledged. Further looks leave no row."""

    acknowledgement = models.OneToOneField(Acknowledgement, on_delete=models.PROTECT, related_name="opening")

    class Meta:
        triggers = guards.fact(
            """
                NEW.by_id := NULL;
                IF NOT EXISTS (SELECT 1 FROM newsroom_acknowledgement a
                               WHERE a.id = NEW.acknowledgement_id AND a.story_id = NEW.story_id
                                 AND standing_acknowledgement(a.grant_id) = a.id) THEN
                    RAISE EXCEPTION 'Nobody has acknowledged what is armed now.'
                        USING ERRCODE = 'restrict_violation', HINT = 'not_acknowledged';
                END IF;
                RETURN NEW;
                """,
        )

    def __str__(self) -> str:
        return f"opening on {self.acknowledgement_id}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        on = Acknowledgement.objects.select_related("grant").get(pk=payload["acknowledgement_id"])
        return Words(f"Copy opened by {on.grant.whose}", icon="live")


class NoticeKind(models.TextChoices):
    """What a holder is told."""

    GIVEN = "given", "the link"
    ARMED = "armed", "armed anew"
    MOVED = "moved", "embargo moved"
    OFF = "off", "called off"
    HELD = "held", "on hold"
    LIFTED = "lifted", "hold lifted"
    WITHDRAWN = "withdrawn", "withdrawn"
    KILLED = "killed", "recall"


#: What takes a copy back that somebody has: it goes to whoever was sent something, and nothing overtakes it.
TAKES_BACK = frozenset({NoticeKind.WITHDRAWN.value, NoticeKind.KILLED.value})


class CopyNotice(Outgoing):
    """A mail to the holder of a copy: an outbox row that the fact's own transaction writes, by a trigger.

    `cause` names the fact ("move:17"): told once of each. `was` is the moment that held before it.
    """

    app_privileges = "SELECT, UPDATE (attempts, next_attempt, sent_at, error)"

    grant = models.ForeignKey(EmbargoGrant, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=10, choices=NoticeKind)
    cause = models.CharField(max_length=60)
    was = models.DateTimeField(null=True)
    was_zone = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["grant", "cause"], name="holder_told_once"),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt"], condition=models.Q(sent_at=None), name="notice_outstanding"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.grant_id}"

    @property
    def before(self) -> Moment | None:
        """The moment that held before, where there was one."""
        return Moment(self.was, self.was_zone) if self.was else None
