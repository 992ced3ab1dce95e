"""What anybody may open."""

from django.urls import path, re_path

from . import embargoed_views, feeds, health, public, subscribe_views

urlpatterns = [
    path("", public.home, name="home"),
    path("news/<slug:slug>/", public.story, name="story"),
    path("feed.atom", feeds.atom, name="atom"),
    path("sitemap.xml", feeds.sitemap, name="sitemap"),
    re_path(r"^media/(?P<name>[0-9a-f]{64}\.[a-z]{3,4})$", public.media, name="media"),
    path("subscribe/", subscribe_views.subscribe, name="subscribe"),
    path("subscribe/<str:token>/", subscribe_views.confirm, name="subscribe_confirm"),
    path("unsubscribe/<str:token>/", subscribe_views.unsubscribe, name="unsubscribe"),
    path("embargoed/<str:token>/", embargoed_views.embargoed, name="embargoed"),
    re_path(
        r"^embargoed/(?P<token>[^/]+)/(?P<name>[0-9a-f]{64}\.[a-z]{3,4})$",
        embargoed_views.embargoed_media,
        name="embargoed_media",
    ),
    path("robots.txt", public.robots, name="robots"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
