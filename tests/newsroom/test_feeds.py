"""The feed and the sitemap, as machines read them."""

from xml.etree import ElementTree

import feedparser
import pytest
from django.conf import settings as django_settings

from newsroom import feeds, releasing
from stories import attachments
from tests.stories.documents import CSV, file

pytestmark = pytest.mark.django_db

SITE = django_settings.SITE_URL
ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def read(client):
    """The feed, valid."""
    response = client.get("/feed.atom")
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


def test_what_xml_cannot_hold_is_left_out(newsroom, client):
    newsroom.public(headline="Bell\u0007 and \ufffe tab\there", summary="]]> 😀")
    (entry,) = read(client).entries
    assert entry.title == "Bell and  tab\there"
    assert entry.summary == "]]> 😀"


def addresses(client, path: str = "/sitemap.xml") -> list[str | None]:
    response = client.get(path)
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    return [element.text for element in ElementTree.fromstring(response.content).iter(f"{MAP}loc")]


def test_the_sitemap_has_all_that_is_public_and_no_more(newsroom, client, django_assert_num_queries):
    assert addresses(client) == [f"{SITE}/"]
    newsroom.public(slug="first")
    newsroom.public(slug="second")
    newsroom.armed(slug="third")
    assert addresses(client) == [f"{SITE}/", f"{SITE}/news/first/", f"{SITE}/news/second/"]
    with django_assert_num_queries(2):
        client.get("/sitemap.xml")


def test_a_large_sitemap_comes_in_parts(newsroom, client, monkeypatch):
    monkeypatch.setattr(feeds, "SITEMAP_SIZE", 2)
    for number in range(5):
        newsroom.public(slug=f"story-{number}")
    parts = [f"{SITE}/sitemap.xml?page={number}" for number in (1, 2, 3)]
    assert addresses(client) == parts
    listed = [address for part in parts for address in addresses(client, part.removeprefix(SITE))]
    assert listed == [f"{SITE}/", *(f"{SITE}/news/story-{number}/" for number in range(5))]
    assert client.get("/sitemap.xml?page=4").status_code == 404
    assert client.get("/sitemap.xml?page=x").status_code == 404


@pytest.mark.parametrize("path", ["/feed.atom", "/sitemap.xml"])
def test_they_are_well_formed(newsroom, client, path):
    newsroom.public(headline="A & B < C", summary='"quoted"')
    content = client.get(path).content
    assert content.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    ElementTree.fromstring(content)
