"""The admin of release: who is on the list is edited here; what happened can only be looked at."""

from django.contrib import admin

from stories.admin import FactAdmin, StoryFactAdmin

from .models import (
    Acknowledgement,
    Alarm,
    Announcement,
    CopyNotice,
    Delivery,
    Digest,
    Disarm,
    EmbargoGrant,
    EmbargoRevocation,
    Freeze,
    FreezeEnd,
    FreezeExemption,
    Heartbeat,
    Hold,
    HoldAll,
    HoldAllLift,
    HoldLift,
    House,
    Lookout,
    Move,
    Opening,
    Preflight,
    Probe,
    Release,
    ReleaseSignoff,
    Subscriber,
    Visibility,
    Withdrawal,
)


@admin.register(Subscriber)
class SubscriberAdmin(admin.ModelAdmin[Subscriber]):
    """Who gets the mail. Taking somebody off changes nothing about what was sent."""

    list_display = ["email", "active", "everything", "daily", "confirmed_at"]
    list_filter = ["active", "everything", "daily"]
    search_fields = ["email"]
    list_per_page = 100


@admin.register(
    Release,
    Disarm,
    Move,
    Withdrawal,
    Hold,
    HoldLift,
    FreezeExemption,
    Announcement,
    Preflight,
    Probe,
    EmbargoGrant,
    EmbargoRevocation,
    Acknowledgement,
    Opening,
)
class OfStoryAdmin(StoryFactAdmin):
    """Facts of release."""

    list_display = ["__str__", "story", "by", "at"]
    list_select_related = ["story", "by"]


@admin.register(HoldAll, HoldAllLift, Freeze, FreezeEnd, House)
class OfNewsroomAdmin(FactAdmin):
    """Facts about the newsroom as a whole."""

    list_display = ["__str__", "by", "at"]
    list_select_related = ["by"]


@admin.register(Visibility)
class VisibilityAdmin(StoryFactAdmin):
    """What is visible from when: a read model that the database keeps."""

    list_display = ["story", "slug", "visible_from", "visible_until", "withdrawn_at", "announced"]
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


@admin.register(Digest)
class DigestAdmin(FactAdmin):
    """The mails to those who get the news once a day."""

    list_display = ["recipient", "day", "attempts", "next_attempt", "sent_at", "error"]
    list_select_related = ["day"]
    search_fields = ["recipient"]


@admin.register(Lookout)
class LookoutAdmin(StoryFactAdmin):
    """What is looked for from outside."""

    list_display = ["release", "since", "attempts", "next_attempt", "sent_at", "error"]
    list_select_related = ["release"]
    story_path = "release__story__in"


@admin.register(Alarm)
class AlarmAdmin(StoryFactAdmin):
    """Mail to the duty officers."""

    list_display = ["recipient", "kind", "release", "attempts", "next_attempt", "sent_at", "error"]
    list_select_related = ["recipient", "release"]
    story_path = "release__story__in"


@admin.register(CopyNotice)
class CopyNoticeAdmin(StoryFactAdmin):
    """Mail to those who hold a copy under embargo."""

    list_display = ["grant", "kind", "at", "attempts", "next_attempt", "sent_at", "error"]
    list_select_related = ["grant"]
    story_path = "grant__story__in"


@admin.register(Heartbeat)
class HeartbeatAdmin(FactAdmin):
    """When the workers last gave a sign of life."""

    list_display = ["name", "at"]
