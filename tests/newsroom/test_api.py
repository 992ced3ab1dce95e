"""The API for programs, by real requests; each answer is held against its own description."""

import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from newsroom import openapi, releasing
from newsroom.models import Kind, Release
from newsroom.places import ORDER, NoPlace, Place
from stories.clocks import database_now
from tests.newsroom.schemas import faults
from tests.newsroom.test_ninjs import check

pytestmark = pytest.mark.django_db

SITE = django_settings.SITE_URL
STORIES = "/api/stories/"


@pytest.fixture(autouse=True)
def _broker(settings):
    settings.CELERY_BROKER_URL = "memory://"


def described(path: str, response) -> dict:
    """The JSON of an answer, which is as the description says of this path."""
    document = openapi.document()
    name = "/api/stories/{uuid}/" if path.startswith(STORIES) and len(path) > len(STORIES) else path
    (media,) = document["paths"][name]["get"]["responses"][str(response.status_code)]["content"].items()
    assert response["Content-Type"] == media[0]
    answer = json.loads(response.content)
    assert list(faults(answer, media[1]["schema"], document)) == []
    return answer


def get(client: Client, address: str, status: int = 200, **headers: str) -> dict:
    address = address.removeprefix(SITE)
    response = client.get(address, headers=headers)
    assert response.status_code == status
    return described(address.partition("?")[0], response)


def slugs(page: dict) -> list[str]:
    return [story["slugline"] for story in page["stories"]]


def whole(client: Client, address: str) -> list[str]:
    """The addresses of all stories from a page on."""
    found = []
    while address:
        page = get(client, address)
        found += slugs(page)
        address = page["next"]
    return found


# The list


def test_there_is_an_empty_page_before_anything_is_public(newsroom, client):
    newsroom.armed()
    assert get(client, STORIES) == {"stories": [], "next": None}


def test_the_newest_comes_first_and_each_is_a_whole_ninjs_document(newsroom, client):
    for number in range(3):
        newsroom.public(
            slug=f"story-{number}",
            topics=[{"slug": "bridges", "name": "Bridges"}],
            organisation={"slug": "rivers", "name": "Department for Rivers"},
        )
    page = get(client, STORIES)
    assert slugs(page) == ["story-2", "story-1", "story-0"]
    assert page["next"] is None
    for story in page["stories"]:
        check(story)
        assert get(client, f"{STORIES}{story['uri'].removeprefix('urn:uuid:')}/") == story


def test_it_is_read_page_by_page(newsroom, client):
    for number in range(5):
        newsroom.public(slug=f"story-{number}")
    first = get(client, f"{STORIES}?page_size=2")
    assert slugs(first) == ["story-4", "story-3"]
    assert parse_qs(urlsplit(first["next"]).query).keys() == {"cursor", "page_size"}
    assert whole(client, first["next"]) == ["story-2", "story-1", "story-0"]
    assert get(client, f"{STORIES}?page_size=5")["next"] is None


def test_what_comes_out_or_is_withdrawn_meanwhile_moves_nothing(newsroom, client):
    releases = [newsroom.public(slug=f"story-{number}") for number in range(4)]
    after = get(client, f"{STORIES}?page_size=2")["next"]
    newsroom.public(slug="newer")
    # The very story that the cursor stands at, too.
    releasing.withdraw(story=releases[2].story, by=newsroom.officer, reason="Wrong")
    assert whole(client, after) == ["story-1", "story-0"]


def test_a_correction_stays_in_its_place(newsroom, client):
    first = newsroom.public(slug="first")
    newsroom.public(slug="second")
    revision = newsroom.edit(first.story, summary="Two and a half miles.")
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    releasing.arm(
        revision=revision, by=newsroom.officer, moment=None, kind=Kind.CORRECTION, note="The length."
    )
    page = get(client, STORIES)
    assert slugs(page) == ["second", "first"]
    story = page["stories"][1]
    assert story["versionCreated"] >= story["firstCreated"]
    assert story["descriptions"][0]["value"] == "Two and a half miles."


@pytest.mark.parametrize(
    "query",
    [
        "cursor=",
        "cursor=x",
        "cursor=%00",
        "cursor=%F0%9F%98%80",
        "cursor=AAAA",
        f"cursor={urlsafe_b64encode(b'2026-01-01T00:00:00+00:00 a b').decode()}",
        f"cursor={urlsafe_b64encode(b'2026-01-01T00:00:00 slug').decode()}",
        f"cursor={urlsafe_b64encode(b'2026-01-01T00:00:00+01:00 slug').decode()}",
        f"cursor={urlsafe_b64encode(b'0001-01-01T00:00:00+23:59 slug').decode()}",
        "cursor=" + urlsafe_b64encode(b"2026-01-01T00:00:00+00:00 ' OR 1=1").decode(),
        f"cursor={'A' * 3000}",
        "page_size=0",
        "page_size=101",
        "page_size=-1",
        "page_size=",
        "page_size=1.5",
        "page_size=%C2%B2",
        "page_size=" + "9" * 400,
    ],
)
def test_what_there_cannot_be_is_refused_in_json(newsroom, client, query):
    newsroom.public()
    problem = get(client, f"{STORIES}?{query}", status=400)
    assert (problem["title"], problem["status"]) == ("Bad Request", 400)
    assert problem["detail"].startswith(query.partition("=")[0].replace("cursor", "The cursor"))


def test_a_cursor_stands_for_its_place(newsroom):
    place = Place(database_now(), "footbridge-harrow-weir")
    assert Place.parse(place.cursor) == place
    with pytest.raises(NoPlace):
        Place.parse(place.cursor.rstrip("=") + "====")


def test_a_page_takes_one_query_however_long(newsroom, client, django_assert_num_queries):
    for number in range(3):
        newsroom.public(slug=f"story-{number}")
        with django_assert_num_queries(1):
            get(client, STORIES)
    after = get(client, f"{STORIES}?page_size=1")["next"].removeprefix(SITE)
    with django_assert_num_queries(1):
        get(client, after)


def test_the_order_comes_from_an_index(newsroom):
    place = Place.of(newsroom.public().visibility)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        plan = Release.objects.public().filter(place.after).order_by(*ORDER).values("pk")[:20].explain()
    assert "Index Scan using visibility_published" in plan
    assert "Index Cond: (first_from <= " in plan


# One story


def test_what_is_not_public_is_not_there(newsroom, client):
    never = "00000000-0000-4000-8000-000000000000"
    hidden = [newsroom.armed(slug="armed").story, newsroom.draft(slug="draft").story]
    withdrawn = newsroom.public(slug="withdrawn").story
    releasing.withdraw(story=withdrawn, by=newsroom.officer, reason="Wrong")
    answers = [client.get(f"{STORIES}{uid}/") for uid in [never, *(s.uid for s in [*hidden, withdrawn])]]
    assert {(each.status_code, str(dict(each.headers)), each.content) for each in answers} == {
        (404, str(dict(answers[0].headers)), answers[0].content)
    }
    assert described(f"{STORIES}{never}/", answers[0])["status"] == 404


def test_whatever_is_asked_for_beside_it_is_not_there_in_json(client):
    for path in ("/api/", "/api/nothing", f"{STORIES}footbridge/", f"{STORIES}{'0' * 32}/"):
        response = client.get(path)
        assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_a_story_takes_one_query(newsroom, client, django_assert_num_queries):
    uid = newsroom.public().story.uid
    for path in (f"{STORIES}{uid}/", f"{STORIES}00000000-0000-4000-8000-000000000000/"):
        with django_assert_num_queries(1):
            client.get(path)


# What all of it keeps to


@pytest.mark.parametrize("path", [STORIES, STORIES + "{uid}/", "/api/openapi.json"])
def test_what_has_not_changed_is_not_sent_again(newsroom, client, path):
    release = newsroom.public()
    path = path.format(uid=release.story.uid)
    response = client.get(path)
    described(path, response)
    etag = response["ETag"]
    again = client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again["Cache-Control"]) == (304, b"", "no-cache")
    head = client.head(path)
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", etag)
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
    changed = client.get(path, headers={"If-None-Match": etag}).status_code
    assert changed == {"/api/openapi.json": 304, STORIES: 200}.get(path, 404)


@pytest.mark.parametrize(
    "path", [STORIES, "/api/openapi.json", f"{STORIES}{'0' * 8}-0000-4000-8000-{'0' * 12}/"]
)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_it_is_for_reading(path, method):
    response = getattr(Client(enforce_csrf_checks=True), method)(path)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert response["Content-Type"] == "application/problem+json"
    assert json.loads(response.content)["title"] == "Method Not Allowed"


def test_it_looks_at_no_cookie_and_sets_none(newsroom, as_):
    newsroom.public()
    for path in (STORIES, "/api/openapi.json"):
        anonymous, staff = Client().get(path), as_(newsroom.officer).get(path)
        assert not anonymous.cookies
        assert not staff.cookies
        assert "Cookie" not in anonymous.get("Vary", "")
        assert (dict(anonymous.headers), anonymous.content) == (dict(staff.headers), staff.content)


def test_the_description_is_of_what_there_is(client):
    document = json.loads(client.get("/api/openapi.json").content)
    assert document == json.loads(json.dumps(openapi.document()))
    assert document["openapi"] == "3.1.0"
    assert document["paths"].keys() == {STORIES, STORIES + "{uuid}/", "/api/openapi.json"}
    for each in document["paths"].values():
        assert each.keys() == {"get"}
        assert {"200", "304"} <= each["get"]["responses"].keys()
    operations = [each["get"]["operationId"] for each in document["paths"].values()]
    assert len(set(operations)) == len(operations)
    sizes = document["paths"][STORIES]["get"]["parameters"][1]["schema"]
    assert (sizes["minimum"], sizes["maximum"], sizes["default"]) == (1, 100, 20)


def test_the_most_that_is_described_is_the_most_there_is(newsroom, client, monkeypatch):
    monkeypatch.setattr(openapi, "MOST", 2)
    monkeypatch.setattr(openapi, "PAGE_SIZE", 1)
    for number in range(3):
        newsroom.public(slug=f"story-{number}")
    assert len(get(client, STORIES)["stories"]) == 1
    assert len(get(client, f"{STORIES}?page_size=2")["stories"]) == 2
    get(client, f"{STORIES}?page_size=3", status=400)


def test_what_is_armed_or_called_off_is_not_among_them(newsroom, client):
    release = newsroom.armed(ahead=timedelta(hours=1))
    assert get(client, STORIES)["stories"] == []
    releasing.disarm(story=release.story, by=newsroom.officer, reason="Not today")
    assert get(client, STORIES)["stories"] == []
    released = newsroom.public(slug="another")
    assert get(client, f"{STORIES}{released.story.uid}/")["slugline"] == "another"
