"""The admin of release: who is on the list is edited here; what happened can only be looked at."""

from django.contrib import admin

from stories.admin import FactAdmin, StoryFactAdmin

from .models import (
    Announcement,
    Delivery,
    Disarm,
    Heartbeat,
    Hold,
    HoldLift,
    Release,
    ReleaseSignoff,
    Subscriber,
    Visibility,
)


@admin.register(Subscriber)
class SubscriberAdmin(admin.ModelAdmin[Subscriber]):
    """Who gets the mail. Taking somebody off changes nothing about what was sent."""

    list_display = ["email", "active", "confirmed_at"]
    list_filter = ["active"]
    search_fields = ["email"]
    list_per_page = 100


@admin.register(Release, Disarm, Hold, HoldLift, Announcement)
class OfStoryAdmin(StoryFactAdmin):
    """Facts of release."""

    list_display = ["__str__", "story", "by", "at"]
    list_select_related = ["story", "by"]


@admin.register(Visibility)
class VisibilityAdmin(StoryFactAdmin):
    """What is visible from when: a read model that the database keeps."""

    list_display = ["story", "slug", "visible_from", "announced"]
    list_select_related = ["story"]


@admin.register(ReleaseSignoff)
class ReleaseSignoffAdmin(StoryFactAdmin):
    """The sign-offs on which a release was armed."""

    list_display = ["release", "decision"]
    list_select_related = ["release", "decision__by"]
    story_path = "release__story__in"


@admin.register(Delivery)
class DeliveryAdmin(StoryFactAdmin):
    """The outbox."""

    list_display = ["to", "event", "story", "attempts", "next_attempt", "sent_at", "given_up_at", "error"]
    list_select_related = ["receiver", "story"]
    search_fields = ["recipient"]


@admin.register(Heartbeat)
class HeartbeatAdmin(FactAdmin):
    """When the workers last gave a sign of life."""

    list_display = ["name", "at"]
