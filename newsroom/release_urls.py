"""URLs of release and of the mail folder, below /desk/."""

from django.urls import path, re_path

from . import mail_views, release_views, stopping_views, watch_views

urlpatterns = [
    path("stories/<uuid:uid>/release/", release_views.story_release, name="story_release"),
    path("stories/<uuid:uid>/arm/", release_views.story_arm, name="story_arm"),
    path("stories/<uuid:uid>/disarm/", stopping_views.story_disarm, name="story_disarm"),
    path("stories/<uuid:uid>/hold/", stopping_views.story_hold, name="story_hold"),
    path("stories/<uuid:uid>/unhold/", stopping_views.story_unhold, name="story_unhold"),
    path("stories/<uuid:uid>/preflight/", watch_views.story_preflight, name="story_preflight"),
    path("mail/", mail_views.mail_list, name="mail_list"),
    re_path(r"^mail/(?P<name>[0-9a-f]{32})/$", mail_views.mail_message, name="mail_message"),
]
