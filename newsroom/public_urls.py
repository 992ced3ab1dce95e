"""What anybody may open and has one address, whatever its language: stories, files, what is for programs."""

from django.urls import path, re_path

from . import about_views, api, embargoed_views, health, oembed, public, sitemaps

urlpatterns = [
    path("news/<slug:slug>/", public.story, name="story"),
    re_path(r"^house/(?P<digest>[0-9a-f]{32})\.css$", about_views.style, name="house_style"),
    re_path(r"^house/(?P<name>[0-9a-f]{64}\.[a-z]{3,4})$", about_views.logo, name="house_logo"),
    path("oembed", oembed.oembed, name="oembed"),
    path("api/stories/", api.stories, name="api_stories"),
    path("api/stories/<uuid:uid>/", api.story, name="api_story"),
    path("api/openapi.json", api.description, name="openapi"),
    re_path(r"^news/(?P<slug>[-a-zA-Z0-9_]+)\.(?P<form>txt|md)$", public.text, name="story_text"),
    path("news-sitemap.xml", sitemaps.news, name="news_sitemap"),
    path(".well-known/security.txt", sitemaps.security, name="security"),
    path("sitemap.xml", sitemaps.sitemap, name="sitemap"),
    re_path(r"^media/(?P<name>[0-9a-f]{64}\.[a-z]{3,4})$", public.media, name="media"),
    path("embargoed/<str:token>/", embargoed_views.embargoed, name="embargoed"),
    re_path(
        r"^embargoed/(?P<token>[^/]+)/(?P<name>[0-9a-f]{64}\.[a-z]{3,4})$",
        embargoed_views.embargoed_media,
        name="embargoed_media",
    ),
    path("robots.txt", sitemaps.robots, name="robots"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
