"""What a kind of story is asked: routes, and the steps of their stages."""

from django.db import models

from approvals import coverage
from stories import guards

from .desks import Desk

#: A quorum of everybody who was on the desk when clearance was requested.
ALL = 0


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
        triggers = guards.arranged()

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
                # At the end of a statement: one that numbers stages anew has them twice on its way.
                deferrable=models.Deferrable.IMMEDIATE,
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
        # The order of steps that are asked side by side is only how they are drawn.
        triggers = guards.arranged(without=["position"])
