"""The feeds and the sitemap, as machines read them."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import feedparser
import pytest
from django.conf import settings as django_settings
from django.db import connections

from newsroom import feeds, releasing, sitemaps
from newsroom.models import Kind
from stories import attachments
from stories.clocks import database_now, office
from tests.newsroom.test_nothing_early import wait_for
from tests.stories.documents import CSV, file

pytestmark = pytest.mark.django_db

SITE = django_settings.SITE_URL
ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def read(client, path: str = "/feed.atom"):
    """The feed, valid."""
    response = client.get(path.removeprefix(SITE))
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = feedparser.parse(response.content, response_headers={"content-type": response["Content-Type"]})
    assert feed.bozo is False
    assert feed.version == "atom10"
    return feed


def test_a_feed_without_stories_is_a_feed(newsroom, client):
    newsroom.armed()
    feed = read(client)
    assert feed.entries == []
    assert feed.feed.updated == "1970-01-01T00:00:00+00:00"


def test_a_feed_says_what_it_is(newsroom, client):
    newsroom.public()
    feed = read(client).feed
    assert feed.id == f"{SITE}/feed.atom"
    assert feed.title == f"{django_settings.ORGANISATION}: news"
    assert {link.rel: link.href for link in feed.links} == {
        "self": f"{SITE}/feed.atom",
        "first": f"{SITE}/feed.atom",
        "alternate": f"{SITE}/",
    }


def test_an_entry_has_its_storys_id_for_ever(newsroom, client):
    release = newsroom.public(
        headline="Bridges & <weirs>",
        topics=[{"slug": "bridges", "name": "Bridges"}],
        organisation={"slug": "rivers", "name": "River Trust"},
    )
    (entry,) = read(client).entries
    assert entry.id == f"urn:uuid:{release.story.uid}"
    assert entry.title == "Bridges & <weirs>"
    assert entry.link == f"{SITE}/news/footbridge-harrow-weir/"
    assert entry.summary == "The bridge saves walkers two miles."
    assert entry.published == entry.updated == release.embargo.replace(microsecond=0).isoformat()
    assert [tag.term for tag in entry.tags] == ["News story", "Bridges"]
    assert entry.author == "River Trust"
    newsroom.edit(release.story, headline="Another")
    releasing.announce(release_id=release.pk, worker="test")
    assert read(client).entries[0].id == entry.id


def test_an_entry_names_its_documents(newsroom, client):
    asset = attachments.store(file(CSV, "homes.csv"), newsroom.drafter)
    name = asset.name
    document = {"sha256": asset.sha256, "name": name, "title": "Homes & more", "media_type": "text/csv"}
    raw = {**document, "name": "of raw SQL"}
    newsroom.public(attachments=[{**one, "size": asset.size} for one in (document, raw)])
    (entry,) = read(client).entries
    (enclosure,) = entry.enclosures
    assert (enclosure.href, enclosure.type) == (f"{SITE}/media/{name}", "text/csv")
    assert (enclosure.title, enclosure.length) == ("Homes & more", str(len(CSV)))


def test_the_feed_holds_the_newest(newsroom, client, monkeypatch, django_assert_num_queries):
    assert feeds.FEED_SIZE == 20
    monkeypatch.setattr(feeds, "FEED_SIZE", 2)
    for number in range(3):
        newsroom.public(slug=f"story-{number}")
    feed = read(client)
    assert [entry.link for entry in feed.entries] == [f"{SITE}/news/story-2/", f"{SITE}/news/story-1/"]
    assert feed.feed.updated == feed.entries[0].updated
    with django_assert_num_queries(2):
        client.get("/feed.atom")


def link(feed, rel: str) -> str:
    """Where a feed leads to under a relation of RFC 5005; empty where there is no such link."""
    return next((link.href for link in feed.feed.links if link.rel == rel), "")


def pages(client) -> list[list[str]]:
    """The addresses in each page of the feed, one after the other."""
    found, path = [], "/feed.atom"
    while path:
        feed = read(client, path)
        assert link(feed, "self").removeprefix(SITE) == path.removeprefix(SITE)
        assert (link(feed, "first"), feed.feed.id) == (f"{SITE}/feed.atom", f"{SITE}/feed.atom")
        found.append([entry.link.removeprefix(f"{SITE}/news/") for entry in feed.entries])
        path = link(feed, "next")
    return found


def test_the_older_stories_are_in_further_pages(newsroom, client, monkeypatch):
    monkeypatch.setattr(feeds, "FEED_SIZE", 2)
    for number in range(4):
        newsroom.public(slug=f"story-{number}")
    assert pages(client) == [["story-3/", "story-2/"], ["story-1/", "story-0/"]]
    second = link(read(client), "next")
    newsroom.public(slug="newer")
    assert [entry.link for entry in read(client, second).entries] == [
        f"{SITE}/news/story-1/",
        f"{SITE}/news/story-0/",
    ]


@pytest.mark.parametrize("path", ["/feed.atom", "/feed.json"])
@pytest.mark.parametrize("cursor", ["", "x", "%00", "AAAA", "9" * 3000])
def test_a_page_that_there_cannot_be_is_not_found(newsroom, client, path, cursor):
    newsroom.public()
    assert client.get(f"{path}?cursor={cursor}").status_code == 404


def read_json(client, path: str = "/feed.json") -> dict:
    """The JSON feed, as its specification wants it."""
    response = client.get(path.removeprefix(SITE))
    assert response["Content-Type"] == "application/feed+json"
    feed = json.loads(response.content)
    # Of the specification, what is required, and the type of each key that there is.
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    texts = {"title", "home_page_url", "feed_url", "language", "next_url"}
    assert {type(feed[key]) for key in texts & feed.keys()} == {str}
    assert feed.keys() <= texts | {"version", "authors", "hubs", "items"}
    ids = [item["id"] for item in feed["items"]]
    assert len(set(ids)) == len(ids)
    for item in feed["items"]:
        texts = {"id", "url", "title", "content_text", "image", "date_published", "date_modified"}
        assert {type(item[key]) for key in texts & item.keys()} == {str}
        assert item.keys() <= texts | {"authors", "tags", "attachments"}
        assert {"id", "content_text"} <= item.keys()
        for attachment in item.get("attachments", []):
            assert {"url", "mime_type"} <= attachment.keys()
    return feed


def test_the_json_feed_holds_what_the_atom_feed_does(newsroom, client, asset):
    document = {"sha256": asset.sha256, "name": asset.name, "title": "Homes & more", "media_type": "text/csv"}
    release = newsroom.public(
        headline="Bridges & <weirs>",
        topics=[{"slug": "bridges", "name": "Bridges"}],
        organisation={"slug": "rivers", "name": "River Trust"},
        attachments=[{**document, "size": asset.size}],
    )
    feed = read_json(client)
    assert feed["title"] == read(client).feed.title
    assert (feed["feed_url"], feed["home_page_url"]) == (f"{SITE}/feed.json", f"{SITE}/")
    assert "next_url" not in feed
    (item,), (entry,) = feed["items"], read(client).entries
    assert item == {
        "id": f"urn:uuid:{release.story.uid}",
        "url": entry.link,
        "title": "Bridges & <weirs>",
        "date_published": entry.published,
        "date_modified": entry.updated,
        "authors": [{"name": "River Trust"}],
        "tags": ["News story", "Bridges"],
        "attachments": [
            {
                "url": f"{SITE}/media/{asset.name}",
                "mime_type": "text/csv",
                "title": "Homes & more",
                "size_in_bytes": asset.size,
            }
        ],
        "content_text": entry.summary,
    }


@pytest.fixture
def asset(newsroom):
    return attachments.store(file(CSV, "homes.csv"), newsroom.drafter)


def test_the_json_feed_goes_on_where_it_ended(newsroom, client, monkeypatch):
    monkeypatch.setattr(feeds, "FEED_SIZE", 2)
    for number in range(3):
        newsroom.public(slug=f"story-{number}")
    first = read_json(client)
    newsroom.public(slug="newer")
    second = read_json(client, first["next_url"])
    urls = [item["url"] for item in first["items"] + second["items"]]
    assert urls == [f"{SITE}/news/story-{number}/" for number in (2, 1, 0)]
    assert "next_url" not in second


def test_it_is_updated_only_by_what_weighs(newsroom, client):
    release = newsroom.public()

    def follow(kind: Kind, summary: str) -> dict:
        revision = newsroom.edit(release.story, summary=summary)
        newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
        releasing.arm(revision=revision, by=newsroom.officer, moment=None, kind=kind, note="The summary.")
        (item,), (entry,) = read_json(client)["items"], read(client).entries
        assert (item["date_modified"], item["content_text"]) == (entry.updated, summary)
        assert item["id"] == entry.id == f"urn:uuid:{release.story.uid}"
        return item

    (first,) = read_json(client)["items"]
    minor = follow(Kind.MINOR, "A comma, more.")
    assert minor["date_modified"] == first["date_modified"] == first["date_published"]
    wait_for(release.embargo + timedelta(seconds=1))
    corrected = follow(Kind.CORRECTION, "Two and a half miles.")
    assert corrected["date_published"] == first["date_published"] < corrected["date_modified"]


def test_the_json_feed_takes_as_many_queries_for_many(newsroom, client, django_assert_num_queries):
    for number in range(3):
        newsroom.public(slug=f"story-{number}")
        with django_assert_num_queries(2):
            client.get("/feed.json")


def test_what_xml_cannot_hold_is_left_out(newsroom, client):
    newsroom.public(headline="Bell\u0007 and \ufffe tab\there", summary="]]> 😀")
    (entry,) = read(client).entries
    assert entry.title == "Bell and  tab\there"
    assert entry.summary == "]]> 😀"


#: The pages that are there however little is public.
ALWAYS = ("/", "/about/", "/archive/", "/people/", "/corrections/")


def addresses(client, path: str = "/sitemap.xml") -> list[str | None]:
    response = client.get(path)
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    return [element.text for element in ElementTree.fromstring(response.content).iter(f"{MAP}loc")]


def test_the_sitemap_has_all_that_is_public_and_no_more(newsroom, client, django_assert_num_queries):
    assert addresses(client) == in_each_language(ALWAYS)
    newsroom.public(slug="first")
    newsroom.public(slug="second")
    newsroom.armed(slug="third")
    assert addresses(client) == [*lists(), f"{SITE}/news/first/", f"{SITE}/news/second/"]
    with django_assert_num_queries(8):
        client.get("/sitemap.xml")


def lists(*more: str) -> list[str]:
    """The addresses of the pages that are no story, when there are stories of this year."""
    year = office(database_now()).local.year
    return in_each_language((*ALWAYS, f"/archive/{year}/", "/types/news-story/", *more))


def in_each_language(paths: Iterable[str]) -> list[str]:
    """The addresses of pages in English and in Welsh."""
    return [f"{SITE}{prefix}{path}" for path in paths for prefix in ("", "/cy")]


def test_the_sitemap_has_the_topics_and_organisations_of_what_is_public(newsroom, client):
    topics = [{"slug": "bridges", "name": "Bridges"}, {"slug": "of raw/SQL", "name": "Of raw SQL"}]
    newsroom.public(topics=topics, organisation={"slug": "rivers", "name": "Rivers"})
    found = addresses(client)
    assert found == [
        *lists("/topics/bridges/", "/organisations/rivers/"),
        f"{SITE}/news/footbridge-harrow-weir/",
    ]
    for address in found:
        assert client.get(str(address).removeprefix(SITE)).status_code == 200


def test_a_large_sitemap_comes_in_parts_of_a_month(newsroom, client, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(sitemaps, "SITEMAP_SIZE", 2)
    for number in range(5):
        newsroom.public(slug=f"story-{number}")
    newsroom.armed(slug="armed")
    month = f"{office(database_now()).local:%Y-%m}"
    names = ["pages", month, f"{month}-2", f"{month}-3"]
    assert addresses(client) == [f"{SITE}/sitemap.xml?part={name}" for name in names]
    listed = [address for name in names for address in addresses(client, f"/sitemap.xml?part={name}")]
    assert listed == [*lists(), *(f"{SITE}/news/story-{number}/" for number in range(5))]
    with django_assert_num_queries(2):
        client.get("/sitemap.xml")
    with django_assert_num_queries(1):
        client.get(f"/sitemap.xml?part={month}-2")


#: None of them names a part, if `{0}` is a month in which there is one story.
NO_PARTS = [
    "1",
    "x",
    "2026-1",
    "2026-13",
    "0000-01",
    "2001-01",
    "9999-12",
    "٢٠٢٦-11",
    "\x00",
    "pages-2",
    "{0}-1",
    "{0}-0",
    "{0}-02",
    "{0}-3",
    "{0}-99999",
    "{0}-100000",
]


@pytest.mark.parametrize("part", ["", "{0} ", *NO_PARTS])
def test_no_other_part_of_the_sitemap_is_there(newsroom, client, part):
    newsroom.public()
    name = part.format(f"{office(database_now()).local:%Y-%m}")
    assert client.get("/sitemap.xml", {"part": name}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_part_has_a_month_by_the_clocks_of_the_press_office(live_newsroom, client, monkeypatch, settings):
    monkeypatch.setattr(sitemaps, "SITEMAP_SIZE", 1)
    settings.PRESS_OFFICE_ZONE = "Europe/London"
    # In summer its month begins an hour before that of UTC, in winter with it.
    instants = {
        "summer": ("2024-06-30 22:59:59+00", "2024-06"),
        "later": ("2024-06-30 23:00:00+00", "2024-07"),
        "winter": ("2024-11-30 23:59:59+00", "2024-11"),
        "december": ("2024-12-01 00:00:00+00", "2024-12"),
    }
    for slug, (instant, _) in instants.items():
        release = live_newsroom.public(slug=slug)
        with connections["owner"].cursor() as cursor:
            statement = "UPDATE newsroom_visibility SET first_from = %s WHERE release_id = %s"
            cursor.execute(statement, [instant, release.pk])
    months = [month for _, month in instants.values()]
    assert addresses(client) == [f"{SITE}/sitemap.xml?part={name}" for name in ("pages", *months)]
    for slug, (_, month) in instants.items():
        assert addresses(client, f"/sitemap.xml?part={month}") == [f"{SITE}/news/{slug}/"]


NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"


def test_the_sitemap_of_news_has_what_is_two_days_old_at_most(newsroom, client, django_assert_num_queries):
    release = newsroom.public(headline="Bridges & <weirs>")
    newsroom.armed(slug="armed")
    root = ElementTree.fromstring(client.get("/news-sitemap.xml").content)
    (url,) = root
    assert url.findtext(f"{MAP}loc") == f"{SITE}/news/footbridge-harrow-weir/"
    (about,) = url.iter(f"{NEWS}news")
    assert about.findtext(f"{NEWS}title") == "Bridges & <weirs>"
    assert about.findtext(f"{NEWS}publication/{NEWS}name") == django_settings.ORGANISATION
    assert about.findtext(f"{NEWS}publication/{NEWS}language") == "en"
    told = datetime.fromisoformat(about.findtext(f"{NEWS}publication_date") or "")
    assert told == release.embargo.replace(microsecond=0)
    with django_assert_num_queries(1):
        client.get("/news-sitemap.xml")


@pytest.mark.django_db(transaction=True)
def test_what_is_older_is_in_no_sitemap_of_news(live_newsroom, client):
    release = live_newsroom.public()
    with connections["owner"].cursor() as cursor:
        for age, there in (("47 hours", True), ("49 hours", False)):
            cursor.execute(
                "UPDATE newsroom_visibility SET first_from = now() - %s::interval WHERE release_id = %s",
                [age, release.pk],
            )
            assert (b"footbridge" in client.get("/news-sitemap.xml").content) is there
    assert b"footbridge" in client.get("/sitemap.xml").content


def test_whom_to_tell_of_a_hole(client, settings):
    assert settings.SECURITY_CONTACTS == []
    assert client.get("/.well-known/security.txt").status_code == 404
    settings.SECURITY_CONTACTS = ["mailto:security@rivers.example", "https://rivers.example/security"]
    response = client.get("/.well-known/security.txt")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    first, second, expires, *others = response.content.decode().splitlines()
    assert (first, second) == (
        "Contact: mailto:security@rivers.example",
        "Contact: https://rivers.example/security",
    )
    assert others == ["Preferred-Languages: en", f"Canonical: {SITE}/.well-known/security.txt"]
    until = datetime.fromisoformat(expires.removeprefix("Expires: ")) - datetime.now(UTC)
    assert timedelta(days=100) < until < timedelta(days=365)


@pytest.mark.parametrize("path", ["/feed.atom", "/sitemap.xml", "/news-sitemap.xml"])
def test_they_are_well_formed(newsroom, client, path):
    newsroom.public(headline="A & B < C", summary='"quoted"')
    content = client.get(path).content
    assert content.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    ElementTree.fromstring(content)
