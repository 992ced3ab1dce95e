"""What a story's page leads to besides the story: others about the same, and ways to pass it on."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as django_settings
from django.test import Client

from newsroom import keeping, releasing
from newsroom.models import Kind

pytestmark = pytest.mark.django_db

BRIDGES = {"slug": "bridges", "name": "Bridges"}
BOATS = {"slug": "boats", "name": "Boats"}
RIVERS = {"slug": "rivers", "name": "Department for Rivers and Coasts"}
WEIRS = {"slug": "weirs", "name": "Weir Society"}


@pytest.fixture(autouse=True)
def _broker(settings):
    settings.CELERY_BROKER_URL = "memory://"


def page(client: Client, slug: str) -> str:
    response = client.get(f"/news/{slug}/")
    assert response.status_code == 200
    return response.content.decode()


def related(client: Client, slug: str) -> list[str]:
    """The stories that a story's page leads to, as it is drawn: what is kept of it, see `test_keeping`."""
    keeping.forget()
    html = page(client, slug)
    return re.findall(r'<h3><a href="/news/([^/]+)/">', html.partition('<aside class="related')[2])


def test_topics_first_then_the_organisation_the_newest_first(newsroom, client):
    newsroom.public(slug="org-old", organisation=RIVERS)
    newsroom.public(slug="topic-old", topics=[BRIDGES])
    newsroom.public(slug="other", topics=[BOATS])
    newsroom.public(slug="both", topics=[BRIDGES], organisation=RIVERS)
    newsroom.public(slug="org-new", partners=[RIVERS])
    newsroom.public(slug="mine", topics=[BRIDGES], organisation=RIVERS)
    assert related(client, "mine") == ["both", "topic-old", "org-new"]
    assert related(client, "other") == []
    assert "Related stories" not in page(client, "other")
    assert related(client, "topic-old") == ["mine", "both"]
    newsroom.public(slug="newest", topics=[BRIDGES])
    assert related(client, "mine") == ["newest", "both", "topic-old"]


def test_only_what_is_public_is_related_and_the_etag_tells(newsroom, client):
    newsroom.public(slug="mine", topics=[BRIDGES])
    tags = [client.get("/news/mine/")["ETag"]]
    newsroom.armed(slug="armed", topics=[BRIDGES])
    held = newsroom.armed(slug="held", topics=[BRIDGES])
    releasing.hold(story=held.story, by=newsroom.officer, reason="Wait")
    assert related(client, "mine") == []
    assert client.get("/news/mine/")["ETag"] == tags[0]
    other = newsroom.public(slug="other", headline="Another", topics=[BRIDGES])
    assert related(client, "mine") == ["other"]
    tags.append(client.get("/news/mine/")["ETag"])
    assert client.get("/news/mine/", headers={"If-None-Match": tags[0]}).status_code == 200
    assert client.get("/news/mine/", headers={"If-None-Match": tags[1]}).status_code == 304
    revision = newsroom.edit(other.story, headline="Another, corrected", slug="other-again")
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    releasing.arm(revision=revision, by=newsroom.officer, moment=None, kind=Kind.CORRECTION, note="Wrong.")
    assert related(client, "mine") == ["other-again"]
    assert "Another, corrected" in page(client, "mine")
    tags.append(client.get("/news/mine/")["ETag"])
    releasing.withdraw(story=other.story, by=newsroom.officer, reason="Wrong")
    assert related(client, "mine") == []
    assert client.get("/news/mine/")["ETag"] == tags[0]
    assert len(set(tags)) == 3


def test_all_take_one_query_for_their_words_when_the_page_is_drawn(
    newsroom, client, django_assert_num_queries
):
    for number in range(4):
        newsroom.public(
            slug=f"story-{number}", topics=[BRIDGES, BOATS], organisation=RIVERS, partners=[WEIRS]
        )
        # The page's one question, its words, and the savepoint in which the question is asked once more.
        with django_assert_num_queries(4 + (number > 0)):
            assert len(related(client, f"story-{number}")) == min(number, 3)
        with django_assert_num_queries(0):
            page(client, f"story-{number}")


def test_a_story_is_passed_on_without_anybody_in_between(newsroom, client):
    newsroom.public(headline="Bridges & “weirs”", slug="mine")
    html = page(client, "mine")
    address = f"{django_settings.SITE_URL}/news/mine/"
    assert f'<span class="permanent">{address}</span>' in html
    (mail,) = re.findall(r'<a href="(mailto:\?[^"]+)">Tell somebody by mail', html)
    assert "+" not in mail
    asked = parse_qs(urlsplit(mail.replace("&amp;", "&")).query)
    assert asked == {
        "subject": ["Bridges & “weirs”"],
        "body": [f"The bridge saves walkers two miles.\n\n{address}"],
    }
    shared = html[html.index('id="pass-on"') : html.index("</main>")]
    assert not re.findall(r'href="(?:https?:)?//', shared)


def test_the_home_page_leads_to_the_topics_of_what_is_public(newsroom, client, django_assert_num_queries):
    """Staff have set up one topic, of which nothing is public at first."""
    newsroom.armed(slug="armed", topics=[BRIDGES])
    assert "By topic" not in client.get("/").content.decode()
    for number in range(2):
        newsroom.public(slug=f"story-{number}", topics=[BRIDGES])
        with django_assert_num_queries(2):
            html = client.get("/").content.decode()
        assert '<li><a href="/topics/bridges/">Bridges</a></li>' in html
