"""What anybody may open."""

from django.urls import path, re_path

from . import (
    about_views,
    api,
    archive_views,
    embargoed_views,
    feeds,
    health,
    noting_views,
    oembed,
    public,
    search_views,
    sitemaps,
    subscribe_views,
)
from .models import TagKind

TOPIC, ORGANISATION = {"kind": TagKind.TOPIC}, {"kind": TagKind.ORGANISATION}
TYPE, PERSON = {"kind": TagKind.TYPE}, {"kind": TagKind.PERSON}

urlpatterns = [
    path("", public.home, name="home"),
    path("news/<slug:slug>/", public.story, name="story"),
    path("about/", about_views.about, name="about"),
    re_path(r"^house/(?P<digest>[0-9a-f]{32})\.css$", about_views.style, name="house_style"),
    re_path(r"^house/(?P<name>[0-9a-f]{64}\.[a-z]{3,4})$", about_views.logo, name="house_logo"),
    path("search/", search_views.search, name="search"),
    path("archive/", archive_views.archive, name="archive"),
    re_path(r"^archive/(?P<year>[0-9]{4})/$", archive_views.year, name="archive_year"),
    re_path(r"^archive/(?P<year>[0-9]{4})/(?P<month>[0-9]{2})/$", archive_views.month, name="archive_month"),
    path("types/<slug:slug>/", archive_views.gathered, TYPE, name="type"),
    path("topics/<slug:slug>/", archive_views.gathered, TOPIC, name="topic"),
    path("topics/<slug:slug>/feed.atom", feeds.gathered_atom, TOPIC, name="topic_atom"),
    path("topics/<slug:slug>/feed.json", feeds.gathered_json, TOPIC, name="topic_json"),
    path("organisations/<slug:slug>/", archive_views.gathered, ORGANISATION, name="organisation"),
    path("organisations/<slug:slug>/feed.atom", feeds.gathered_atom, ORGANISATION, name="organisation_atom"),
    path("organisations/<slug:slug>/feed.json", feeds.gathered_json, ORGANISATION, name="organisation_json"),
    path("corrections/", noting_views.corrections, name="corrections"),
    path("corrections/feed.atom", noting_views.corrections_atom, name="corrections_atom"),
    path("oembed", oembed.oembed, name="oembed"),
    path("people/", archive_views.quoted, name="people"),
    path("people/<slug:slug>/", archive_views.gathered, PERSON, name="person"),
    path("people/<slug:slug>/feed.atom", feeds.gathered_atom, PERSON, name="person_atom"),
    path("people/<slug:slug>/feed.json", feeds.gathered_json, PERSON, name="person_json"),
    path("feed.atom", feeds.atom, name="atom"),
    path("feed.json", feeds.json_feed, name="json_feed"),
    path("api/stories/", api.stories, name="api_stories"),
    path("api/stories/<uuid:uid>/", api.story, name="api_story"),
    path("api/openapi.json", api.description, name="openapi"),
    re_path(r"^news/(?P<slug>[-a-zA-Z0-9_]+)\.(?P<form>txt|md)$", public.text, name="story_text"),
    path("news-sitemap.xml", sitemaps.news, name="news_sitemap"),
    path(".well-known/security.txt", sitemaps.security, name="security"),
    path("sitemap.xml", sitemaps.sitemap, name="sitemap"),
    re_path(r"^media/(?P<name>[0-9a-f]{64}\.[a-z]{3,4})$", public.media, name="media"),
    path("subscribe/", subscribe_views.subscribe, name="subscribe"),
    path("subscribe/choices/<str:token>/", subscribe_views.choices, name="subscribe_choices"),
    path("subscribe/<str:token>/", subscribe_views.confirm, name="subscribe_confirm"),
    path("unsubscribe/<str:token>/", subscribe_views.unsubscribe, name="unsubscribe"),
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
