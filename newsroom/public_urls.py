"""What anybody may open."""

from django.urls import path, re_path

from . import api, feeds, health, public, sitemaps, subscribe_views

urlpatterns = [
    path("", public.home, name="home"),
    path("news/<slug:slug>/", public.story, name="story"),
    path("feed.atom", feeds.atom, name="atom"),
    path("feed.json", feeds.json_feed, name="json_feed"),
    path("api/stories/", api.stories, name="api_stories"),
    path("api/stories/<uuid:uid>/", api.story, name="api_story"),
    path("api/openapi.json", api.description, name="openapi"),
    path("sitemap.xml", sitemaps.sitemap, name="sitemap"),
    re_path(r"^media/(?P<name>[0-9a-f]{64}\.[a-z]{3,4})$", public.media, name="media"),
    path("subscribe/", subscribe_views.subscribe, name="subscribe"),
    path("subscribe/<str:token>/", subscribe_views.confirm, name="subscribe_confirm"),
    path("unsubscribe/<str:token>/", subscribe_views.unsubscribe, name="unsubscribe"),
    path("robots.txt", public.robots, name="robots"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
