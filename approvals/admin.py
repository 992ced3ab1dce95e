"""The admin: desks and routes are set up here; what was asked and decided can only be looked at."""

from typing import Any

from django.contrib import admin

from stories.admin import StoryFactAdmin

from .models import Decision, Desk, Outstanding, PinnedStep, Route, Step, Submission


class StepInline(admin.TabularInline[Step, Route]):
    """The desks that a route asks. Stories that are under way keep the steps they were sent with."""

    model = Step
    extra = 0


@admin.register(Desk)
class DeskAdmin(admin.ModelAdmin[Desk]):
    """Who can clear for an office."""

    filter_horizontal = ["members"]
    search_fields = ["name"]


@admin.register(Route)
class RouteAdmin(admin.ModelAdmin[Route]):
    """Which desks a kind of story has to pass."""

    list_display = ["name", "default"]
    inlines = [StepInline]


@admin.register(Step)
class StepAdmin(admin.ModelAdmin[Step]):
    """One desk of one route."""

    list_display = ["route", "desk", "covers", "position"]
    list_select_related = ["route", "desk"]


@admin.register(Submission, Decision)
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


@admin.register(Outstanding)
class OutstandingAdmin(StoryFactAdmin):
    """The sign-offs that are missing: a list that the database keeps."""

    list_display = ["story", "desk", "covers", "revision"]
    list_select_related = ["story", "desk", "revision"]
