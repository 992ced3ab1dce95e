"""The admin: what is set up is edited here; what happened can only be looked at."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest

from .arranging import acting
from .models import (
    Arrangement,
    Comment,
    CommentResolution,
    Embargo,
    Entry,
    Intake,
    Limit,
    Organisation,
    Revision,
    Story,
    Suggestion,
    SuggestionDecline,
    Team,
    Topic,
    User,
)

admin.site.site_header = "Newsroom administration"
admin.site.site_title = "Newsroom"
admin.site.site_url = "/desk/"


class OwnFields:
    """No look-up through what hangs on a row: it would tell of stories that do not exist for the person."""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Whether a list may be filtered by `lookup`: only by the row's own columns."""
        return "__" not in lookup.removesuffix("__exact")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: the page that asks for confirmation lists what hangs on a row. People are deactivated."""
        return False


class InTheirName:
    """What is changed here is on the record in the name of whoever is signed in."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The page of a row, new or not."""
        return _acting(request, super().changeform_view, *args, **kwargs)  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The list, with what can be done to several rows."""
        return _acting(request, super().changelist_view, *args, **kwargs)  # type: ignore[misc]

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The page that asks whether a row is to go."""
        return _acting(request, super().delete_view, *args, **kwargs)  # type: ignore[misc]


def _acting(request: HttpRequest, view: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if request.method != "POST":
        return view(request, *args, **kwargs)
    with acting(request.user):
        return view(request, *args, **kwargs)


@admin.register(User)
class PersonAdmin(OwnFields, InTheirName, UserAdmin[User]):
    """The people who work here."""

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The page on which somebody else is given another password."""
        return _acting(request, super().user_change_password, *args, **kwargs)


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(InTheirName, GroupAdmin):
    """The roles: a group of the same name makes a drafter, a duty officer or a route manager."""


class FactAdmin(admin.ModelAdmin[Any]):
    """Facts are looked at, never added, changed or deleted here; the database would refuse it too."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Organisation, Topic)
class NamedAdmin(admin.ModelAdmin[Any]):
    """Things with a name and an address."""

    search_fields = ["name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Contents and the conditions of steps know it by its slug: once there, that stays."""
        return ["slug"] if obj else []

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> dict[str, Sequence[str]]:
        return {} if obj else {"slug": ["name"]}


@admin.register(Team)
class TeamAdmin(OwnFields, admin.ModelAdmin[Team]):
    """Teams and who is in them."""

    filter_horizontal = ["members"]


@admin.register(Arrangement)
class ArrangementAdmin(FactAdmin):
    """What changed in who may do what."""

    list_display = ["__str__", "by", "at", "database_role"]
    list_select_related = ["by"]


class StoryFactAdmin(FactAdmin):
    """A fact of a limited story is shown to its team alone, administrators or not."""

    story_path = "story__in"

    def get_queryset(self, request: HttpRequest) -> Any:
        return (
            super().get_queryset(request).filter(**{self.story_path: Story.objects.visible_to(request.user)})
        )


@admin.register(
    Revision, Embargo, Intake, Limit, Comment, CommentResolution, Suggestion, SuggestionDecline, Entry
)
class OfStoryAdmin(StoryFactAdmin):
    """Facts of drafting, and the record."""

    list_display = ["__str__", "story", "by", "at"]
    list_select_related = ["story", "by"]


@admin.register(Story)
class StoryAdmin(StoryFactAdmin):
    """The threads on which the facts hang."""

    list_display = ["uid", "by", "at", "team"]
    list_select_related = ["by", "team"]
    story_path = "pk__in"
