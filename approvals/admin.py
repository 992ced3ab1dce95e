"""The admin: all of clearance can be looked at here, and none of it changed."""

from typing import Any

from django.contrib import admin

from stories.admin import FactAdmin, StoryFactAdmin

from .models import (
    Claim,
    ClaimRelease,
    Decision,
    Deputyship,
    Desk,
    PinnedStep,
    PrivateOffice,
    Reminder,
    Route,
    Seen,
    Standing,
    Step,
    Submission,
)


# Set up on pages of the product, whose verbs keep a route whole: what is seen here is what they made.
@admin.register(Desk)
class DeskAdmin(FactAdmin):
    """Who can clear for an office."""

    search_fields = ["name"]


@admin.register(Route)
class RouteAdmin(FactAdmin):
    """Which desks a kind of story has to pass."""

    list_display = ["name", "default"]


@admin.register(Step)
class StepAdmin(FactAdmin):
    """One desk of one route."""

    list_display = ["route", "stage", "desk", "covers", "condition"]
    list_select_related = ["route", "desk"]


@admin.register(Submission, Decision, Claim, ClaimRelease)
class OfStoryAdmin(StoryFactAdmin):
    """Facts of clearance."""

    list_display: list[Any] = ["__str__", "story", "by", "at"]
    list_select_related = ["story", "by"]


@admin.register(PinnedStep)
class PinnedStepAdmin(StoryFactAdmin):
    """What was asked of a story, as the route stood then."""

    list_display = ["__str__", "submission"]
    list_select_related = ["submission", "desk"]
    story_path = "submission__story__in"


@admin.register(Standing)
class StandingAdmin(StoryFactAdmin):
    """How each step asked stands: a list that the database keeps."""

    list_display = ["story", "desk", "state", "due"]
    list_select_related = ["story", "desk", "step"]


@admin.register(PrivateOffice)
class PrivateOfficeAdmin(FactAdmin):
    """Whose words are cleared by a desk of their own."""

    list_display = ["name", "match", "desk"]
    list_select_related = ["desk"]


@admin.register(Seen)
class SeenAdmin(StoryFactAdmin):
    """Which revisions somebody had on the screen."""

    list_display = ["story", "person", "revision", "at"]
    list_select_related = ["story", "person", "revision"]


@admin.register(Reminder)
class ReminderAdmin(StoryFactAdmin):
    """The mails about deadlines."""

    list_display = ["kind", "recipient", "deadline", "sent_at"]
    list_select_related = ["recipient"]
    story_path = "step__submission__story__in"


@admin.register(Deputyship)
class DeputyshipAdmin(FactAdmin):
    """Who stands in for whom."""

    list_display = ["deputy", "person", "desk", "since", "until"]
    list_select_related = ["deputy", "person", "desk"]
