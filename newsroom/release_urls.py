"""URLs of release and of the mail folder, below /desk/."""

from django.urls import path, re_path

from . import (
    bundle_views,
    copy_views,
    delivery_views,
    everything_views,
    freeze_views,
    mail_views,
    receiver_views,
    release_views,
    stopping_views,
    watch_views,
)

urlpatterns = [
    path("stories/<uuid:uid>/release/", release_views.story_release, name="story_release"),
    path("stories/<uuid:uid>/arm/", release_views.story_arm, name="story_arm"),
    path("stories/<uuid:uid>/disarm/", stopping_views.story_disarm, name="story_disarm"),
    path("stories/<uuid:uid>/hold/", stopping_views.story_hold, name="story_hold"),
    path("stories/<uuid:uid>/withdraw/", stopping_views.story_withdraw, name="story_withdraw"),
    path("hold-everything/", everything_views.hold_everything, name="hold_everything"),
    path("hold-everything/lift/", everything_views.lift_everything, name="lift_everything"),
    path("freezes/", freeze_views.freezes, name="freezes"),
    path("freezes/<int:freeze>/end/", freeze_views.freeze_end, name="freeze_end"),
    path("stories/<uuid:uid>/exempt/", freeze_views.story_exempt, name="story_exempt"),
    path("bundles/", bundle_views.bundles, name="bundles"),
    path("bundles/<int:bundle>/", bundle_views.bundle, name="bundle"),
    path("stories/<uuid:uid>/bundle/", bundle_views.story_bundle, name="story_bundle"),
    path("stories/<uuid:uid>/unbundle/", bundle_views.story_unbundle, name="story_unbundle"),
    path("record/", everything_views.newsroom_record, name="newsroom_record"),
    path("stories/<uuid:uid>/unhold/", stopping_views.story_unhold, name="story_unhold"),
    path("deliveries/", delivery_views.deliveries, name="deliveries"),
    path("deliveries/again/", delivery_views.all_again, name="deliveries_again"),
    path("deliveries/<int:pk>/again/", delivery_views.again, name="delivery_again"),
    path("receivers/", receiver_views.receivers, name="receivers"),
    path("receivers/<int:pk>/", receiver_views.receiver, name="receiver"),
    path("receivers/<int:pk>/switch/", receiver_views.switch, name="receiver_switch"),
    path("receivers/<int:pk>/rotate/", receiver_views.rotate, name="receiver_rotate"),
    path("stories/<uuid:uid>/preflight/", watch_views.story_preflight, name="story_preflight"),
    path("stories/<uuid:uid>/copies/", copy_views.story_copies, name="story_copies"),
    path("stories/<uuid:uid>/copies/give/", copy_views.copy_give, name="copy_give"),
    path("stories/<uuid:uid>/copies/<int:copy>/revoke/", copy_views.copy_revoke, name="copy_revoke"),
    path("mail/", mail_views.mail_list, name="mail_list"),
    re_path(r"^mail/(?P<name>[0-9a-f]{32})/$", mail_views.mail_message, name="mail_message"),
]
