"""The public pages in a browser: readable by everybody, under the site's own policy, from this host alone."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import expect

from newsroom import releasing
from newsroom.models import Kind
from stories import pictures, renditions
from stories.models import Asset
from tests.browsing import faults
from tests.newsroom.test_public import pictured
from tests.people import Newsroom

BRIDGES = {"slug": "bridges", "name": "Bridges"}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(live_newsroom, live_server) -> str:
    """A newsroom with public stories, one of them with a picture and much else; one was withdrawn."""
    file = BytesIO()
    Image.new("RGB", (640, 360), "#557481").save(file, "PNG")
    file.seek(0)
    asset = pictures.store(file, live_newsroom.drafter)
    renditions.draw(asset)
    another = live_newsroom.public(slug="another", headline="A" * 60, topics=[BRIDGES])
    revision = live_newsroom.edit(another.story, summary="Better")
    live_newsroom.sign(revision, live_newsroom.legal, live_newsroom.lawyer)
    noted = {"kind": Kind.CORRECTION, "note": "W" * 60}
    releasing.arm(revision=revision, by=live_newsroom.officer, moment=None, **noted)
    gone = live_newsroom.public(slug="gone")
    releasing.withdraw(story=gone.story, by=live_newsroom.officer, reason="It was wrong.")
    said = {
        "topics": [BRIDGES],
        "organisation": {"slug": "rivers", "name": "Department for Rivers and Coasts"},
    }
    original = live_newsroom.public(picture=pictured(asset), **said).story
    welsh = {"language": "cy", "slug": "pont-droed", "headline": "Pont droed newydd yng Nghored Harrow"}
    live_newsroom.public(**welsh, **said, translates=original)
    return str(live_server.url)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375, 320])
def test_pages_are_accessible_and_keep_to_themselves(chromium, site, width, scheme):
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    story = "/news/footbridge-harrow-weir/"
    lists = ("/archive/", f"/archive/{datetime.now(UTC).year}/", "/topics/bridges/", "/organisations/rivers/")
    lists += ("/people/", "/people/mara-ellingham/", "/corrections/")
    searches = ("/search/", "/search/?q=footbridge", "/search/?q=fotbridge", "/search/?since=x&topic=none")
    welsh = (
        "/cy/",
        "/news/pont-droed/",
        "/cy/archive/",
        "/cy/search/?q=pont",
        "/cy/subscribe/",
        "/cy/about/",
    )
    for path in ("/", story, *welsh, f"{story}#quote-1", "/news/another/", "/news/none/", *lists, *searches):
        page.goto(site + path)
        assert faults(page) == [], path
    assert [text for text in complaints if "404" not in text and "400" not in text] == []
    assert [url for url in asked if not url.startswith(site)] == []
    assert context.cookies() == []
    context.close()


def test_a_quote_is_opened_for_copying_without_a_script(chromium, site):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/news/footbridge-harrow-weir/")
    paste = page.locator("#quote-1 .paste")
    expect(paste).to_be_hidden()
    page.get_by_role("link", name="Copy quote 1, by Mara Ellingham").click()
    expect(paste).to_be_visible()
    assert paste.inner_text().startswith("“Nobody will have to wade here again.” Mara Ellingham, ")
    context.close()


def test_on_paper_there_is_the_story_and_no_more(chromium, site):
    page = chromium.new_page()
    page.goto(f"{site}/news/footbridge-harrow-weir/")
    page.emulate_media(media="print")
    for shown in ("h1", "#quote-1", "#notes", "#contacts", ".end-mark", ".on-paper"):
        assert page.locator(shown).is_visible(), shown
    for hidden in (
        "aside.related",
        "#pass-on",
        ".masthead nav",
        ".foot",
        "#quote-1 .copy",
        "#quote-1 .paste",
    ):
        assert page.locator(hidden).count() == 1, hidden
        assert not page.locator(hidden).is_visible(), hidden
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()


def test_a_story_takes_four_requests_and_its_icon(chromium, site):
    page = chromium.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.resource_type))
    page.goto(f"{site}/news/footbridge-harrow-weir/")
    assert sorted(kind for kind in asked if kind != "other") == [
        "document",
        "image",
        "stylesheet",
        "stylesheet",
    ]
    page.close()


def photograph(newsroom: Newsroom, size: tuple[int, int]) -> Asset:
    file = BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(file, "JPEG")
    file.seek(0)
    asset = pictures.store(file, newsroom.drafter)
    renditions.draw(asset)
    return asset


def test_a_screen_fetches_one_picture_of_the_width_that_it_shows(chromium, live_newsroom, live_server):
    asset = photograph(live_newsroom, (1920, 1080))
    live_newsroom.public(picture=pictured(asset))
    named = {f"/media/{one.name}": (one.media_type, one.width) for one in asset.renditions.all()}
    for width, density, chosen in (
        (375, 1, 480),
        (375, 2, 720),
        (375, 3, 1080),
        (1280, 1, 1080),
        (1280, 2, 1920),
    ):
        context = chromium.new_context(viewport={"width": width, "height": 900}, device_scale_factor=density)
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(f"{live_server.url}/news/footbridge-harrow-weir/")
        fetched = [url.removeprefix(live_server.url) for url in asked if "/media/" in url]
        assert [named.get(path) for path in fetched] == [("image/avif", chosen)], (width, density)
        # As wide as the column, and no wider than the page.
        edges = page.evaluate(
            """(() => {
                const picture = document.querySelector(".picture img").getBoundingClientRect()
                const column = document.querySelector(".picture").getBoundingClientRect()
                return [picture.left - column.left, picture.right - column.right]
            })()"""
        )
        assert edges == pytest.approx([0, 0], abs=0.5)
        context.close()


@pytest.mark.parametrize(("size", "shown"), [((400, 225), (400, 225)), ((900, 1800), (304, 608))])
def test_a_picture_is_shown_no_larger_than_it_is_and_no_taller_than_a_screen(
    chromium, live_newsroom, live_server, size, shown
):
    live_newsroom.public(picture=pictured(photograph(live_newsroom, size)))
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{live_server.url}/news/footbridge-harrow-weir/")
    box = page.locator(".picture img").bounding_box()
    assert (box["width"], box["height"]) == pytest.approx(shown, abs=1)
    page.close()
