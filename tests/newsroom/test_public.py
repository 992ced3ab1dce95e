"""The pages that anybody may open."""

import json
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from time import sleep

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from django.db import DatabaseError, connection, transaction
from django.test import Client
from PIL import Image

from newsroom import keeping, listing, public, releasing
from newsroom.models import Heartbeat, Release
from stories import files, pictures, renditions
from stories.clocks import database_now
from stories.models import Asset
from stories.moments import Moment, UnknownZone

pytestmark = pytest.mark.django_db

LONDON = "Europe/London"
SITE = django_settings.SITE_URL


@pytest.fixture(autouse=True)
def _broker(settings):
    settings.CELERY_BROKER_URL = "memory://"


@pytest.fixture
def asset(newsroom) -> Asset:
    """A picture that somebody uploaded."""
    file = BytesIO()
    Image.new("RGB", (640, 360), "#557481").save(file, "PNG")
    file.seek(0)
    return pictures.store(file, newsroom.drafter)


def pictured(asset: Asset) -> dict:
    """A picture as content holds it."""
    return {
        "sha256": asset.sha256,
        "name": asset.name,
        "width": asset.width,
        "height": asset.height,
        "alt": "A footbridge over a weir",
        "caption": "The bridge at noon",
        "credit": "Department for Rivers",
    }


def body(response) -> bytes:
    """The body of a response, streamed or not."""
    return b"".join(response) if response.streaming else response.content


# The home page


def test_a_newsroom_without_news_says_so(newsroom, client):
    newsroom.armed()
    page = client.get("/")
    assert page.status_code == 200
    assert "No news has been published." in page.content.decode()


def test_the_newest_story_leads_and_the_others_follow_by_day(newsroom, client, asset):
    newsroom.public(headline="First", slug="first")
    newsroom.public(headline="Second", slug="second")
    newsroom.public(headline="Third", slug="third", picture=pictured(asset), type="statement")
    html = client.get("/").content.decode()
    assert re.findall(r'<h[24]><a href="([^"]+)">([^<]+)', html) == [
        ("/news/third/", "Third"),
        ("/news/second/", "Second"),
        ("/news/first/", "First"),
    ]
    assert '<p class="label">Statement</p>' in html
    assert f'<img src="/media/{asset.name}" width="640" height="360" alt="A footbridge over a weir"' in html
    today = Moment(database_now().astimezone(UTC), LONDON)
    assert re.findall(r"<h3[^>]*><time[^>]*>([^<]+)", html) in ([today.day], [])


def test_days_are_the_press_offices_whatever_zone_a_moment_was_meant_in(newsroom):
    newsroom.public()
    (story,) = listing.newest(0, 1)

    def at(instant: str, zone: str) -> listing.Listed:
        return story._replace(published=Moment.parse(instant, zone))

    stories = [
        at("2017-10-17T12:00+00:00", LONDON),
        at("2017-10-17T11:30+00:00", "Pacific/Auckland"),  # the 18th, there
        at("2017-10-17T11:00+00:00", LONDON),
        at("2017-10-16T22:00+00:00", LONDON),
    ]
    days = listing.by_day(stories)
    assert [(day.day, len(items)) for day, items in days] == [
        ("Tuesday 17 October 2017", 3),
        ("Monday 16 October 2017", 1),
    ]


def slugs(client: Client, path: str) -> list[str]:
    return re.findall(r'<h[24]><a href="/news/([^/]+)/">', client.get(path).content.decode())


@pytest.fixture
def _two_a_page(monkeypatch):
    assert public.PAGE_SIZE == 20
    monkeypatch.setattr(public, "PAGE_SIZE", 2)


@pytest.mark.usefixtures("_two_a_page")
def test_a_list_has_pages(newsroom, client):
    for number in range(5):
        newsroom.public(slug=f"story-{number}")
    assert slugs(client, "/") == slugs(client, "/?page=1") == ["story-4", "story-3"]
    assert slugs(client, "/?page=2") == ["story-2", "story-1"]
    assert slugs(client, "/?page=3") == ["story-0"]
    assert client.get("/?page=4").status_code == 404
    assert links(client, "/") == ["/?page=2"]
    assert links(client, "/?page=2") == ["/", "/?page=3"]
    assert links(client, "/?page=3") == ["/?page=2"]


def links(client: Client, path: str) -> list[str]:
    """Where a page of the list leads to."""
    return re.findall(r'<a href="([^"]+)" rel="(?:prev|next)">', client.get(path).content.decode())


@pytest.mark.usefixtures("_two_a_page")
def test_a_full_page_has_no_other(newsroom, client):
    for number in range(2):
        newsroom.public(slug=f"story-{number}")
    assert links(client, "/") == []


@pytest.mark.parametrize("number", ["0", "-1", "01", "x", "", "1.5", "²", "٢", "9" * 30, "1 OR 1=1"])
def test_a_page_that_there_cannot_be_is_not_found(newsroom, client, number):
    assert client.get("/", {"page": number}).status_code == 404


def test_the_home_page_takes_two_queries(newsroom, client, django_assert_num_queries, asset):
    client.get("/")
    renditions.draw(asset)
    for number in range(3):
        newsroom.public(slug=f"story-{number}", picture=pictured(asset))
        with django_assert_num_queries(2):
            client.get("/")


def test_the_order_of_the_list_comes_from_an_index(newsroom):
    newsroom.public()
    rows = Release.objects.public().order_by("-visibility__first_from", "visibility__slug")
    with connection.cursor() as cursor:
        # With one row there is nothing to choose between, unless sorting costs much.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        plan = rows.values("pk")[:20].explain()
    assert "Index Scan using visibility_published" in plan


# A story


def test_a_story_has_all_its_words(newsroom, client, asset):
    release = newsroom.public(picture=pictured(asset))
    response = client.get("/news/footbridge-harrow-weir/")
    html = response.content.decode()
    for words in (
        "<h1>New footbridge opens at Harrow Weir</h1>",
        "The bridge saves walkers two miles.",
        "<p>A footbridge opened at Harrow Weir today.</p>",
        "<blockquote><p>Nobody will have to wade here again.</p></blockquote>",
        '<b><a href="/people/mara-ellingham/">Mara Ellingham</a></b> Secretary of State for Rivers',
        '<figure class="said" id="quote-1">',
        "The bridge is 40 metres long.",
        '<a href="tel:02079460000">020 7946 0000</a>',
        '<a href="mailto:press@rivers.example">press@rivers.example</a>',
        f'<link rel="canonical" href="{SITE}/news/footbridge-harrow-weir/">',
        f'<meta property="og:image" content="{SITE}/media/{asset.name}">',
        "The bridge at noon. Department for Rivers.",
        Moment(release.embargo, "UTC").public.replace(", ", ", <span>", 1),
    ):
        assert words in html
    assert response["Content-Type"] == "text/html; charset=utf-8"


def test_a_story_takes_one_query_for_what_is_public_and_one_for_its_words(
    newsroom, client, django_assert_num_queries, asset
):
    client.get("/news/none/")
    newsroom.public(picture=pictured(asset), body=newsroom.draft().content["body"] * 5)
    renditions.draw(asset)
    # Besides, there is the savepoint in which the first is asked once more: see `newsroom.keeping`.
    with django_assert_num_queries(4) as captured:
        assert client.get("/news/footbridge-harrow-weir/").status_code == 200
    assert [query["sql"].split()[0] for query in captured] == ["SELECT", "SELECT", "SAVEPOINT", "RELEASE"]
    with django_assert_num_queries(0):
        assert client.get("/news/footbridge-harrow-weir/").status_code == 200
    with django_assert_num_queries(1):
        assert client.get("/news/none/").status_code == 404


def sources(html: str) -> dict[str, str]:
    """What a browser chooses the picture of a page from, by type; of the picture itself by its address."""
    found = re.findall(r'<source type="([^"]+)" srcset="([^"]+)"', html)
    found += re.findall(r'<img src="([^"]+)"(?: srcset="([^"]*)")?', html)
    return dict(found)


@pytest.mark.parametrize("path", ["/", "/news/footbridge-harrow-weir/"])
def test_a_picture_comes_in_widths_and_formats_once_they_are_drawn(newsroom, client, asset, path):
    newsroom.public(picture=pictured(asset))
    before = client.get(path)
    assert sources(before.content.decode()) == {f"/media/{asset.name}": ""}
    renditions.draw(asset)
    # As soon as what is kept of the page is asked for in full.
    keeping.forget()
    after = client.get(path, headers={"If-None-Match": before["ETag"]})
    # What a page is known by is what is in it.
    assert (after.status_code, after["ETag"] == before["ETag"]) == (200, False)
    html = after.content.decode()
    named = {(one.media_type, one.width): f"/media/{one.name}" for one in asset.renditions.all()}
    assert sources(html) == {
        kind: f"{named[kind, 480]} 480w, {named[kind, 640]} 640w" for kind in ("image/avif", "image/webp")
    } | {f"/media/{asset.name}": f"{named['image/png', 480]} 480w, /media/{asset.name} 640w"}
    assert 'width="640" height="360" alt="A footbridge over a weir"' in html
    assert client.get(path, headers={"If-None-Match": after["ETag"]}).status_code == 304


def test_what_is_drawn_exists_for_the_public_as_long_as_its_picture(newsroom, client, asset):
    renditions.draw(asset)
    paths = [f"/media/{one.name}" for one in asset.renditions.all()]
    never = client.get(f"/media/{'0' * 64}.avif")

    def answers() -> list[tuple[int, bytes]]:
        return [(found.status_code, body(found)) for found in map(client.get, paths)]

    newsroom.armed(slug="armed", picture=pictured(asset))
    assert answers() == [(404, never.content)] * 5
    release = newsroom.public(picture=pictured(asset))
    for path, one in zip(paths, asset.renditions.all(), strict=True):
        found = client.get(path)
        assert (found["Content-Type"], len(body(found))) == (one.media_type, one.size)
        assert (found["Cache-Control"], found["ETag"]) == ("no-cache", f'"{one.sha256}"')
        assert client.get(path, headers={"If-None-Match": found["ETag"]}).status_code == 304
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
    assert answers() == [(404, never.content)] * 5


def test_what_was_drawn_by_another_recipe_is_not_shown(newsroom, client, asset, monkeypatch):
    newsroom.public(picture=pictured(asset))
    monkeypatch.setattr(renditions, "RECIPE", 2)
    renditions.draw(asset)
    newer = asset.renditions.first()
    monkeypatch.setattr(renditions, "RECIPE", 1)
    assert "<picture>" not in client.get("/news/footbridge-harrow-weir/").content.decode()
    assert client.get(f"/media/{newer.name}").status_code == 404


def test_beside_a_link_elsewhere_stands_one_of_middle_width(newsroom, client):
    file = BytesIO()
    Image.new("RGB", (1920, 1080), "#557481").save(file, "JPEG")
    file.seek(0)
    asset = pictures.store(file, newsroom.drafter)
    newsroom.public(picture=pictured(asset))
    renditions.draw(asset)
    shared = asset.renditions.get(media_type="image/jpeg", width=1440)
    html = client.get("/news/footbridge-harrow-weir/").content.decode()
    assert f'<meta property="og:image" content="{SITE}/media/{shared.name}">' in html
    assert '<meta property="og:image:width" content="1440">' in html
    (data,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert json.loads(data)["image"]["url"] == f"{SITE}/media/{shared.name}"
    (item,) = client.get("/feed.json").json()["items"]
    assert item["image"] == f"{SITE}/media/{shared.name}"


def test_a_story_describes_itself_to_machines(newsroom, client, asset):
    nasty = "</script><script>alert('&amp;')</script><!--\u2028"
    topics = [{"slug": "bridges", "name": "Bridges"}]
    newsroom.public(headline=nasty, topics=topics, picture=pictured(asset))
    html = client.get("/news/footbridge-harrow-weir/").content.decode()
    assert html.count("<script") == html.count("</script>") == 1
    (data,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert not set("<>&") & set(data)
    found = json.loads(data)
    assert found["@type"] == "NewsArticle"
    assert found["headline"] == nasty
    assert found["url"] == f"{SITE}/news/footbridge-harrow-weir/"
    assert found["keywords"] == ["Bridges"]
    assert found["image"]["url"] == f"{SITE}/media/{asset.name}"
    assert found["datePublished"] == found["dateModified"]


def arm(newsroom, zone: str) -> Release:
    """A release whose embargo lifts within a second."""
    revision = newsroom.cleared()
    moment = Moment(database_now().astimezone(UTC) + timedelta(seconds=1), zone)
    return releasing.arm(revision=revision, by=newsroom.officer, moment=moment)


def wait_for(instant: datetime) -> None:
    sleep(max(0, (instant - database_now()).total_seconds()))


def test_it_is_published_at_its_embargo_in_the_zone_of_it(newsroom, client):
    moment = arm(newsroom, "Asia/Kolkata").moment
    wait_for(moment.instant)
    html = client.get("/news/footbridge-harrow-weir/").content.decode()
    assert f"{moment.clock}, <span>{moment.day}</span>" in html
    assert " IST, " in html


def test_it_is_published_when_the_hold_was_lifted_if_that_was_later(newsroom, client):
    release = arm(newsroom, LONDON)
    releasing.hold(story=release.story, by=newsroom.officer, reason="A number is wrong")
    wait_for(release.embargo + timedelta(seconds=1))
    lifted = releasing.unhold(story=release.story, by=newsroom.officer)
    html = client.get("/news/footbridge-harrow-weir/").content.decode()
    assert f'Published</dt><dd><time datetime="{Moment(lifted.at, LONDON).local:%Y-%m-%dT%H:%M:%S}' in html
    assert f"{release.moment.local:%H:%M:%S}" not in html


@pytest.mark.parametrize("zone", ["Atlantis/Capital", "right/Europe/London", "", "localtime"])
def test_a_zone_that_nobody_knows_reaches_no_page(newsroom, client, zone):
    revision = newsroom.cleared()
    with pytest.raises(UnknownZone):
        releasing.arm(revision=revision, by=newsroom.officer, moment=None, zone=zone)
    with pytest.raises(DatabaseError), transaction.atomic():
        Release.objects.create(story=revision.story, by=newsroom.officer, revision=revision, zone=zone)
    assert client.get("/").status_code == 200


def test_what_was_stored_past_the_sanitiser_is_not_shown(newsroom, client):
    newsroom.public(
        body=[
            {"kind": "paragraph", "html": '<p>Words<script>alert(1)</script><img src="//evil.example"></p>'}
        ],
        notes='<p onclick="alert(1)">Note</p>',
    )
    html = client.get("/news/footbridge-harrow-weir/").content.decode()
    assert "<p>Words</p>" in html
    assert "<p>Note</p>" in html
    for trace in ("alert(1)", "evil.example", "onclick"):
        assert trace not in html


def test_a_story_weighs_less_than_sixty_kilobytes(newsroom, client):
    paragraph = {"kind": "paragraph", "html": f"<p>{'Words about the bridge and the river. ' * 12}</p>"}
    quote = newsroom.draft().content["body"][1]
    newsroom.public(body=[paragraph, paragraph, quote] * 8)
    html = client.get("/news/footbridge-harrow-weir/").content
    fetched = re.findall(r'(?:href|src)="/static/([^"]+)"', html.decode())
    assert sorted(fetched) == ["public/mark.svg", "public/newsroom.css", "public/tokens.css"]
    files = [finders.find(name) for name in fetched]
    weight = len(html) + sum(Path(name).stat().st_size for name in files)
    assert weight < 60_000


# Pictures


def test_the_picture_of_a_public_story_is_public(newsroom, client, asset):
    newsroom.public(picture=pictured(asset))
    response = client.get(f"/media/{asset.name}")
    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Length"] == str(asset.size)
    assert response["Cache-Control"] == "no-cache"
    etag = response["ETag"]
    assert body(response) == files.path_of(asset).read_bytes()
    assert client.get(f"/media/{asset.name}", headers={"If-None-Match": etag}).status_code == 304


def test_a_picture_that_only_an_unreleased_revision_shows_is_not(newsroom, client, asset):
    release = newsroom.public()
    newsroom.edit(release.story, picture=pictured(asset))
    newsroom.armed(slug="another", picture=pictured(asset))
    assert not_found(client, f"/media/{asset.name}")


def test_a_picture_has_one_address(newsroom, client, asset):
    newsroom.public(picture=pictured(asset))
    for name in (
        asset.sha256,
        f"{asset.sha256}.jpg",
        f"{asset.sha256.upper()}.png",
        f"{asset.sha256[:2]}/{asset.name}",
        f"{asset.name}/",
        f"../{asset.name}",
    ):
        assert not_found(client, f"/media/{name}")


def test_a_picture_whose_bytes_are_gone_is_not_found(newsroom, client, asset):
    newsroom.public(picture=pictured(asset))
    files.path_of(asset).unlink()
    assert not_found(client, f"/media/{asset.name}")


# What there is not


def not_found(client: Client, path: str) -> bool:
    """Whether the answer is that of an address that never was, to the last byte."""
    here, never = client.get(path), client.get("/news/never-was/")
    return (here.status_code, dict(here.headers), here.content) == (404, dict(never.headers), never.content)


@pytest.mark.parametrize(
    "path",
    ["/news/", "/nothing", "/?page=9", "/feed.json?cursor=x", "/media/x", "/index.php"],
)
def test_there_is_one_page_for_all_that_is_not_there(newsroom, client, path):
    assert not_found(client, path)
    page = client.get(path).content.decode()
    assert "Page not found" in page
    assert path not in page.replace('"/news/', "").replace("/feed.atom", "") or path == "/news/"


# What every public page keeps to

PAGES = ["/", "/?page=1", "/news/footbridge-harrow-weir/", "/news/never-was/", "/feed.atom", "/sitemap.xml"]
PAGES += ["/robots.txt", "/healthz", "/readyz", "/nothing", "/feed.json", "/api/stories/"]
PAGES += ["/search/", "/search/?q=footbridge"]


@pytest.mark.parametrize("path", PAGES)
def test_staff_get_what_everybody_gets_and_no_cookie(newsroom, as_, path):
    newsroom.public()
    anonymous, staff = Client().get(path), as_(newsroom.administrator).get(path)
    for response in (anonymous, staff):
        assert "Cookie" not in response.get("Vary", "")
        assert not response.cookies
    assert dict(staff.headers) == dict(anonymous.headers)
    assert staff.content == anonymous.content


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_kept_by_a_cache_without_asking(newsroom, client, path):
    newsroom.public()
    response = client.get(path)
    assert response["Cache-Control"] in ("no-cache", "no-store")
    for header in ("Expires", "Last-Modified", "Age"):
        assert header not in response


@pytest.mark.parametrize("path", PAGES[:3] + PAGES[4:7] + PAGES[10:])
def test_what_has_not_changed_is_not_sent_again(newsroom, client, path):
    newsroom.public()
    etag = client.get(path)["ETag"]
    again = client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again["Cache-Control"]) == (304, b"", "no-cache")
    newsroom.public(slug="another")
    changed = path not in ("/news/footbridge-harrow-weir/", "/robots.txt")
    assert (client.get(path, headers={"If-None-Match": etag}).status_code == 200) is changed


@pytest.mark.parametrize("path", PAGES[:3] + PAGES[12:])
def test_a_page_asks_nothing_of_another_host_and_runs_no_script(newsroom, client, path, asset):
    newsroom.public(picture=pictured(asset))
    html = client.get(path).content.decode()
    fetched = re.findall(r'<(?:link|img|source|script|iframe)[^>]*?(?:src|href)="([^"]+)"', html)
    own = [address.removeprefix(SITE) for address in fetched]
    assert all(address.startswith("/") and not address.startswith("//") for address in own)
    assert "<script" not in html.replace('<script type="application/ld+json">', "")
    assert " style=" not in html
    assert "csrf" not in html


@pytest.mark.usefixtures("_two_a_page")
@pytest.mark.parametrize("path", PAGES[:3] + PAGES[12:])
def test_every_link_of_a_page_leads_somewhere(newsroom, client, path, asset):
    for number in range(2):
        newsroom.public(slug=f"story-{number}")
    newsroom.public(picture=pictured(asset))
    renditions.draw(asset)
    html = client.get(path).content.decode()
    named = [each.split()[0] for srcset in sources(html).values() for each in srcset.split(", ") if each]
    assert [address for address in named if not body(client.get(address)).strip()] == []
    ids = set(re.findall(r' id="([^"]+)"', html))
    for address in set(re.findall(r'(?:href|src)="([^"]+)"', html)):
        if address.startswith("#"):
            assert address[1:] in ids
        elif not address.startswith(("tel:", "mailto:", "/static/")):
            response = client.get(address.removeprefix(SITE))
            assert response.status_code == 200, address
            body(response)


def test_public_pages_are_for_reading(newsroom):
    newsroom.public()
    strict = Client(enforce_csrf_checks=True)
    for path in ("/", "/news/footbridge-harrow-weir/", "/feed.atom", "/feed.json", "/api/stories/"):
        head = strict.head(path)
        assert (head.status_code, head.content) == (200, b"")
        for method in (strict.post, strict.put, strict.delete):
            assert method(path).status_code in (403, 405)


# For machines that ask how it is


def test_robots_keep_out_of_the_desk(client):
    response = client.get("/robots.txt")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode() == (
        f"User-agent: *\nDisallow: /desk/\nDisallow: /accounts/\n\nSitemap: {SITE}/sitemap.xml\n"
        f"Sitemap: {SITE}/news-sitemap.xml\n"
    )


def test_health_asks_no_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


def beat(seconds_ago: float = 0) -> None:
    Heartbeat.objects.create(name="sweep", at=database_now() - timedelta(seconds=seconds_ago))


def test_ready(newsroom, client):
    beat(3)
    newsroom.armed()
    release = newsroom.public(slug="announced")
    releasing.announce(release_id=release.pk, worker="test")
    response = client.get("/readyz")
    state = response.json()
    assert 3 <= state.pop("heartbeat_age") < 60
    assert state == {"ready": True, "database": True, "broker": True, "overdue": 0, "unseen": 0}
    assert response.status_code == 200


def test_not_ready_without_a_heartbeat(newsroom, client):
    assert client.get("/readyz").status_code == 503
    beat(61)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["heartbeat_age"] >= 61


def test_not_ready_without_a_broker(newsroom, client, settings):
    beat()
    for url in ("amqp://127.0.0.1:1", "pgmq://nobody@%2Fnowhere/broker"):
        settings.CELERY_BROKER_URL = url
        response = client.get("/readyz")
        assert (response.status_code, response.json()["broker"]) == (503, False)


def test_not_ready_while_a_release_waits_for_its_announcement(newsroom, client, monkeypatch):
    beat()
    release = newsroom.public()
    monkeypatch.setattr("newsroom.alarms.OVERDUE", timedelta(0))
    response = client.get("/readyz")
    assert (response.status_code, response.json()["overdue"]) == (503, 1)
    releasing.announce(release_id=release.pk, worker="test")
    assert client.get("/readyz").json()["overdue"] == 0
