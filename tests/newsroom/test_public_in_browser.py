"""The public pages in a browser: readable by everybody, under the site's own policy, from this host alone."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import expect

from stories import pictures
from tests.browsing import faults

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(live_newsroom, live_server) -> str:
    """A newsroom with two public stories, one of them with a picture and much else."""
    file = BytesIO()
    Image.new("RGB", (640, 360), "#557481").save(file, "PNG")
    file.seek(0)
    asset = pictures.store(file, live_newsroom.drafter)
    live_newsroom.public(slug="another", headline="A" * 60)
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
        topics=[{"slug": "bridges", "name": "Bridges"}],
        organisation={"slug": "rivers", "name": "Department for Rivers and Coasts"},
    )
    return str(live_server.url)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_pages_are_accessible_and_keep_to_themselves(chromium, site, width, scheme):
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    story = "/news/footbridge-harrow-weir/"
    lists = ("/archive/", f"/archive/{datetime.now(UTC).year}/", "/topics/bridges/", "/organisations/rivers/")
    searches = ("/search/", "/search/?q=footbridge", "/search/?q=fotbridge", "/search/?since=x&topic=none")
    for path in ("/", story, f"{story}#quote-1", "/news/none/", *lists, *searches):
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
