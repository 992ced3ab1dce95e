"""The pages that gather stories: by year and month, type, topic and organisation, and their feeds."""

import re
from datetime import UTC, date, datetime

import feedparser
import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client

from newsroom import archive_views, gathering, releasing
from stories.clocks import database_now, office
from stories.models import Organisation, Topic

pytestmark = pytest.mark.django_db

SITE = django_settings.SITE_URL
BRIDGES = {"slug": "bridges", "name": "Bridges"}
RIVERS = {"slug": "rivers", "name": "Department for Rivers and Coasts"}
WEIRS = {"slug": "weirs", "name": "Weir Society"}


@pytest.fixture(autouse=True)
def _broker(settings):
    settings.CELERY_BROKER_URL = "memory://"


def slugs(client: Client, path: str) -> list[str]:
    response = client.get(path)
    assert response.status_code == 200
    return re.findall(r'<h4><a href="/news/([^/]+)/">', response.content.decode())


def links(client: Client, path: str, beginning: str = "/") -> list[str]:
    """Where the words of a page lead to, below `beginning`."""
    html = client.get(path).content.decode()
    return re.findall(rf'<a href="({beginning}[^"]*)"', html[html.index("<main") : html.index("</main>")])


def today() -> date:
    return office(database_now().astimezone(UTC)).local.date()


# Types, topics, organisations


@pytest.mark.parametrize(
    ("path", "title", "label", "held"),
    [
        ("/topics/bridges/", "Bridges", "Topic", ["two", "one"]),
        ("/organisations/rivers/", "Department for Rivers and Coasts", "Organisation", ["one"]),
        ("/organisations/weirs/", "Weir Society", "Organisation", ["two"]),
        ("/types/news-story/", "News story", "Type", ["two", "one"]),
        ("/types/statement/", "Statement", "Type", ["three"]),
    ],
)
def test_stories_are_gathered(newsroom, client, path, title, label, held):
    newsroom.public(slug="one", topics=[BRIDGES], organisation=RIVERS)
    newsroom.public(slug="two", topics=[BRIDGES], partners=[WEIRS])
    newsroom.public(slug="three", type="statement")
    newsroom.armed(slug="armed", topics=[BRIDGES], organisation=RIVERS, partners=[WEIRS])
    assert slugs(client, path) == held
    html = client.get(path).content.decode()
    assert f"<h1>{title}</h1>" in html
    assert f'<p class="label">{label}</p>' in html
    assert f'<link rel="canonical" href="{SITE}{path}">' in html


def test_what_nothing_public_is_about_has_no_page(newsroom, client):
    Topic.objects.create(name="Weirs", slug="weirs")
    newsroom.armed(topics=[BRIDGES], organisation=RIVERS)
    withdrawn = newsroom.public(slug="gone", topics=[{"slug": "weirs", "name": "Weirs"}])
    releasing.withdraw(story=withdrawn.story, by=newsroom.officer, reason="Wrong")
    never = client.get("/topics/never/")
    assert never.status_code == 404
    for path in ("/topics/bridges/", "/topics/weirs/", "/organisations/rivers/", "/types/news-story/"):
        found = client.get(path)
        assert (found.status_code, found.content) == (404, never.content)
        if not path.startswith("/types/"):
            assert (
                client.get(f"{path}feed.atom").status_code
                == client.get(f"{path}feed.json").status_code
                == 404
            )
    assert links(client, "/archive/", "/t") == []


def test_it_is_called_as_the_newest_public_story_calls_it(newsroom, client):
    newsroom.public(slug="one", topics=[{"slug": "bridges", "name": "Bridges & <weirs>"}])
    assert "<h1>Bridges &amp; &lt;weirs&gt;</h1>" in client.get("/topics/bridges/").content.decode()
    newsroom.armed(slug="armed", topics=[{"slug": "bridges", "name": "Secret bridges"}])
    assert "Secret" not in client.get("/topics/bridges/").content.decode()
    newsroom.public(slug="two", topics=[{"slug": "bridges", "name": "Crossings"}])
    assert "<h1>Crossings</h1>" in client.get("/topics/bridges/").content.decode()


def test_a_list_has_pages(newsroom, client, monkeypatch):
    monkeypatch.setattr(archive_views, "PAGE_SIZE", 2)
    for number in range(5):
        newsroom.public(slug=f"story-{number}", topics=[BRIDGES])
    assert slugs(client, "/topics/bridges/") == ["story-4", "story-3"]
    assert slugs(client, "/topics/bridges/?page=3") == ["story-0"]
    assert links(client, "/topics/bridges/?page=2", "/topics/bridges/")[-2:] == [
        "/topics/bridges/",
        "/topics/bridges/?page=3",
    ]
    for page in ("4", "0", "x", "9" * 30):
        assert client.get(f"/topics/bridges/?page={page}").status_code == 404


def test_a_page_takes_as_many_queries_for_many(newsroom, client, django_assert_num_queries):
    now = today()
    paths = {
        "/topics/bridges/": 2,
        "/topics/bridges/feed.atom": 2,
        "/topics/bridges/feed.json": 2,
        "/organisations/rivers/": 2,
        "/types/news-story/": 2,
        f"/archive/{now.year}/": 2,
        f"/archive/{now:%Y/%m}/": 1,
        "/archive/": 6,
    }
    for number in range(3):
        newsroom.public(slug=f"story-{number}", topics=[BRIDGES], organisation=RIVERS)
        for path, queries in paths.items():
            with django_assert_num_queries(queries):
                assert client.get(path).status_code == 200


# Their feeds


def test_a_topic_has_feeds_of_its_own(newsroom, client):
    newsroom.public(slug="one", topics=[BRIDGES], organisation=RIVERS)
    newsroom.public(slug="other")
    for path in ("/topics/bridges/", "/organisations/rivers/"):
        response = client.get(f"{path}feed.atom")
        feed = feedparser.parse(response.content)
        assert (feed.bozo, feed.version) == (False, "atom10")
        assert feed.feed.id == f"{SITE}{path}feed.atom"
        name = BRIDGES["name"] if "topics" in path else RIVERS["name"]
        assert feed.feed.title == f"{django_settings.ORGANISATION}: {name}"
        assert [entry.link for entry in feed.entries] == [f"{SITE}/news/one/"]
        assert {link.rel: link.href for link in feed.feed.links}["alternate"] == SITE + path
        found = client.get(f"{path}feed.json").json()
        assert (found["feed_url"], found["home_page_url"]) == (f"{SITE}{path}feed.json", SITE + path)
        assert [item["id"] for item in found["items"]] == [entry.id for entry in feed.entries]
        html = client.get(path).content.decode()
        assert html.count(f'href="{path}feed.atom"') == html.count(f'href="{path}feed.json"') == 2


def test_an_entry_has_the_same_id_in_every_feed(newsroom, client):
    newsroom.public(topics=[BRIDGES], organisation=RIVERS)
    feeds = ("/feed.json", "/topics/bridges/feed.json", "/organisations/rivers/feed.json")
    assert len({client.get(path).json()["items"][0]["id"] for path in feeds}) == 1


# By when


def test_the_archive_leads_to_all_there_is(newsroom, client):
    assert "No news has been published." in client.get("/archive/").content.decode()
    Organisation.objects.create(name="Weir Society", slug="weirs")
    newsroom.public(topics=[BRIDGES], organisation=RIVERS)
    assert links(client, "/archive/") == [
        "/search/",
        f"/archive/{today().year}/",
        "/people/",
        "/topics/bridges/",
        "/organisations/rivers/",
        "/types/news-story/",
    ]
    for path in links(client, "/archive/"):
        assert client.get(path).status_code == 200


def test_a_story_leads_to_more_of_its_kind(newsroom, client):
    newsroom.public(topics=[BRIDGES], organisation=RIVERS, partners=[WEIRS])
    path = "/news/footbridge-harrow-weir/"
    gathered = ["/types/news-story/", "/organisations/rivers/", "/organisations/weirs/", "/topics/bridges/"]
    assert [link for link in links(client, path) if link in gathered] == gathered
    for link in gathered:
        assert slugs(client, link) == ["footbridge-harrow-weir"]


def test_a_topic_that_no_address_can_hold_is_named_without_one(newsroom, client):
    newsroom.public(topics=[{"slug": "of raw/SQL", "name": "Of raw SQL"}])
    assert "<li>Of raw SQL</li>" in client.get("/news/footbridge-harrow-weir/").content.decode()
    assert client.get("/search/").status_code == client.get("/archive/").status_code == 200


def publish_in(past: str, newsroom, slug: str) -> None:
    """A story that was published at an instant of the past, which only the owner of the database can make."""
    release = newsroom.public(slug=slug)
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "UPDATE newsroom_visibility SET visible_from = %s, first_from = %s, updated_at = %s"
            " WHERE release_id = %s",
            [past, past, past, release.pk],
        )


@pytest.mark.django_db(transaction=True)
def test_years_and_months_are_the_press_offices(live_newsroom, client):
    publish_in("2016-12-31T23:59:59Z", live_newsroom, "old-year")
    publish_in("2017-01-01T00:00:00Z", live_newsroom, "new-year")
    # The first of July, by British clocks.
    publish_in("2017-06-30T23:00:00Z", live_newsroom, "july")
    publish_in("2019-02-01T12:00:00Z", live_newsroom, "later")
    assert links(client, "/archive/", "/archive/") == ["/archive/2019/", "/archive/2017/", "/archive/2016/"]
    assert slugs(client, "/archive/2017/") == ["july", "new-year"]
    assert links(client, "/archive/2017/", "/archive/") == ["/archive/2017/01/", "/archive/2017/07/"]
    assert slugs(client, "/archive/2017/07/") == ["july"]
    assert slugs(client, "/archive/2016/12/") == slugs(client, "/archive/2016/") == ["old-year"]
    for path in (
        "2018/",
        "2017/06/",
        "2017/13/",
        "2017/00/",
        "2017/7/",
        "0000/",
        "9999/",
        "9998/",
        "0001/01/",
    ):
        assert client.get(f"/archive/{path}").status_code == 404


def test_a_month_ends_where_the_next_begins():
    spans = [gathering.published_in(2026, month) for month in range(1, 13)]
    assert len({str(span.query) for span in spans}) == 12
    assert gathering.day_begins(date(2026, 3, 29)) == datetime(2026, 3, 29, tzinfo=UTC)
    assert gathering.day_begins(date(2026, 3, 30)) == datetime(2026, 3, 29, 23, tzinfo=UTC)


def test_what_comes_out_tomorrow_tells_no_year_of_itself(newsroom, client):
    before = client.get("/archive/").content
    newsroom.armed(topics=[BRIDGES], organisation=RIVERS)
    assert client.get("/archive/").content == before
    assert client.get(f"/archive/{today().year}/").status_code == 404
