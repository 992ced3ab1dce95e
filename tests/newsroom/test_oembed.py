"""oEmbed 1.0 of public stories."""

import re
from html import unescape
from urllib.parse import urlencode
from xml.etree.ElementTree import fromstring

import pytest
from django.conf import settings as django_settings
from django.test import Client

from newsroom import releasing
from newsroom.models import Kind
from stories import pictures
from tests.newsroom.test_nothing_early import noise
from tests.newsroom.test_public import pictured

pytestmark = pytest.mark.django_db

SITE = django_settings.SITE_URL
PAGE = f"{SITE}/news/footbridge-harrow-weir/"


@pytest.fixture(autouse=True)
def _broker(settings):
    settings.CELERY_BROKER_URL = "memory://"


def ask(client: Client, url: str = PAGE, **more: str):
    return client.get(f"/oembed?{urlencode({'url': url, **more})}")


def test_a_story_in_json_and_in_xml(newsroom, client, django_assert_num_queries):
    newsroom.public(headline="Bridges & <weirs>", organisation={"slug": "rivers", "name": "Rivers"})
    with django_assert_num_queries(2):
        response = ask(client)
    assert response["Content-Type"] == "application/json"
    told = response.json()
    assert told == {
        "version": "1.0",
        "type": "link",
        "title": "Bridges & <weirs>",
        "author_name": "Rivers",
        "provider_name": django_settings.ORGANISATION,
        "provider_url": SITE,
    }
    found = ask(client, format="xml")
    assert found["Content-Type"] == "text/xml; charset=utf-8"
    root = fromstring(found.content)
    assert root.tag == "oembed"
    assert {each.tag: each.text for each in root} == told
    assert ask(client, format="json").content == response.content
    tag = response["ETag"]
    assert (
        client.get(f"/oembed?{urlencode({'url': PAGE})}", headers={"If-None-Match": tag}).status_code == 304
    )


def test_the_page_says_where_it_is(newsroom, client):
    newsroom.public()
    html = client.get("/news/footbridge-harrow-weir/").content.decode()
    found = re.findall(r'<link rel="alternate" type="([a-z/]+)\+oembed" href="([^"]+)"', html)
    assert [form for form, _ in found] == ["application/json", "text/xml"]
    for form, address in found:
        response = client.get(unescape(address).removeprefix(SITE))
        assert (response.status_code, response["Content-Type"].partition(";")[0]) == (200, form)


def test_a_picture_where_there_is_room_for_it(newsroom, client):
    asset = pictures.store(noise(), newsroom.drafter)
    newsroom.public(picture=pictured(asset))
    told = ask(client, maxwidth="64", maxheight="64").json()
    assert told["thumbnail_url"] == f"{SITE}/media/{asset.name}"
    assert (told["thumbnail_width"], told["thumbnail_height"]) == (64, 64)
    assert "thumbnail_url" in ask(client, maxwidth="wide").json()
    for most in ({"maxwidth": "63"}, {"maxheight": "63"}, {"maxwidth": "0"}):
        assert not [key for key in ask(client, **most).json() if key.startswith("thumbnail")]


def test_an_address_that_it_has_left_is_the_storys(newsroom, client):
    release = newsroom.public()
    revision = newsroom.edit(release.story, slug="second-address", headline="Second")
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    releasing.arm(
        revision=revision, by=newsroom.officer, moment=None, kind=Kind.MINOR, note="A better address."
    )
    assert ask(client).json()["title"] == "Second"
    assert ask(client, f"{SITE}/news/second-address/?x=1#quote-1").json()["title"] == "Second"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        SITE,
        f"{SITE}/",
        f"{SITE}/news/never/",
        f"{SITE}/news/footbridge-harrow-weir",
        f"{SITE}0/news/footbridge-harrow-weir/",
        f"{SITE}/topics/bridges/",
        f"{SITE}//[",
        f"{SITE}/news/%00/",
        f"{SITE}/desk/",
        "/news/footbridge-harrow-weir/",
        "https://elsewhere.example/news/footbridge-harrow-weir/",
        "javascript:alert(1)",
    ],
)
def test_there_is_one_answer_for_all_else(newsroom, client, url):
    newsroom.public()
    never = client.get("/news/never-was/")
    for form in ("json", "xml"):
        found = ask(client, url, format=form)
        assert (found.status_code, dict(found.headers), found.content) == (
            404,
            dict(never.headers),
            never.content,
        )
    assert client.get("/oembed").status_code == 404


@pytest.mark.parametrize("state", ["draft", "armed", "withdrawn", "killed"])
def test_what_is_not_public_is_not_there(newsroom, client, state):
    if state in {"draft", "armed"}:
        getattr(newsroom, state)()
    else:
        release = newsroom.public()
        releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong", kill=state == "killed")
    never = ask(client, f"{SITE}/news/never-was/")
    found = ask(client)
    assert (found.status_code, dict(found.headers), found.content) == (
        404,
        dict(never.headers),
        never.content,
    )


def test_another_format_is_refused_whatever_is_asked_for(newsroom, client):
    newsroom.public()
    for url in (PAGE, f"{SITE}/news/never/"):
        response = ask(client, url, format="yaml")
        assert (response.status_code, response.json()["status"]) == (501, 501)
