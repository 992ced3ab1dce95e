"""The public pages in a browser: readable by everybody, under the site's own policy, from this host alone."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import expect

from newsroom import releasing
from newsroom.models import Kind
from stories import pictures
from tests.browsing import faults

BRIDGES = {"slug": "bridges", "name": "Bridges"}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(live_newsroom, live_server) -> str:
    """A newsroom with public stories, one of them with a picture and much else; one was withdrawn."""
    file = BytesIO()
    Image.new("RGB", (640, 360), "#557481").save(file, "PNG")
    file.seek(0)
    asset = pictures.store(file, live_newsroom.drafter)
    another = live_newsroom.public(slug="another", headline="A" * 60, topics=[BRIDGES])
    revision = live_newsroom.edit(another.story, summary="Better")
    live_newsroom.sign(revision, live_newsroom.legal, live_newsroom.lawyer)
    noted = {"kind": Kind.CORRECTION, "note": "W" * 60}
    releasing.arm(revision=revision, by=live_newsroom.officer, moment=None, **noted)
    gone = live_newsroom.public(slug="gone")
    releasing.withdraw(story=gone.story, by=live_newsroom.officer, reason="It was wrong.")
    live_newsroom.public(
        picture={
            "sha256": asset.sha256,
            "name": asset.name,
            "width": asset.width,
            "height": asset.height,
            "alt": "A footbridge",
            "caption": "At noon",
            "credit": "Rivers",
        },
        topics=[BRIDGES],
        organisation={"slug": "rivers", "name": "Department for Rivers and Coasts"},
    )
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
    for path in ("/", story, f"{story}#quote-1", "/news/another/", "/news/none/", *lists, *searches):
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
