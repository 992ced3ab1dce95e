"""What anybody may open and is there in each language that public pages speak, at an address of its own."""

from django.urls import path, re_path

from . import about_views, archive_views, feeds, noting_views, public, search_views, subscribe_views
from .models import TagKind

TOPIC, ORGANISATION = {"kind": TagKind.TOPIC}, {"kind": TagKind.ORGANISATION}
TYPE, PERSON = {"kind": TagKind.TYPE}, {"kind": TagKind.PERSON}

urlpatterns = [
    path("", public.home, name="home"),
    path("about/", about_views.about, name="about"),
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
    path("people/", archive_views.quoted, name="people"),
    path("people/<slug:slug>/", archive_views.gathered, PERSON, name="person"),
    path("people/<slug:slug>/feed.atom", feeds.gathered_atom, PERSON, name="person_atom"),
    path("people/<slug:slug>/feed.json", feeds.gathered_json, PERSON, name="person_json"),
    path("feed.atom", feeds.atom, name="atom"),
    path("feed.json", feeds.json_feed, name="json_feed"),
    path("subscribe/", subscribe_views.subscribe, name="subscribe"),
    path("subscribe/choices/<str:token>/", subscribe_views.choices, name="subscribe_choices"),
    path("subscribe/<str:token>/", subscribe_views.confirm, name="subscribe_confirm"),
    path("unsubscribe/<str:token>/", subscribe_views.unsubscribe, name="unsubscribe"),
]
