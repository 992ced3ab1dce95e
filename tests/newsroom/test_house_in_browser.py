"""The house settings in a browser: set, previewed, refused, overtaken; axe finds nothing on any page."""

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from newsroom import house
from newsroom.models import House
from tests.newsroom.housing import saved
from tests.newsroom.test_deliveries_in_browser import SIZES, faults
from tests.newsroom.test_release_in_browser import signed_in

pytestmark = pytest.mark.django_db(transaction=True)
ROSE, PALE = "rgb(122, 20, 72)", "rgb(234, 143, 189)"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def desk(live_newsroom, live_server, chromium, request) -> Iterator[Page]:
    """The page of the settings; what its console complains of fails the test."""
    width, scheme = getattr(request, "param", SIZES[0])
    person = live_newsroom.administrator
    size = {"width": width, "height": 900}
    context = signed_in(chromium, person, live_server.url, viewport=size, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    context.on("console", lambda message: complaints.append(message.text))
    page.goto("/desk/house/")
    yield page
    context.close()
    assert [text for text in complaints if not re.search(r"\b(409|422)\b", text)] == []


def save(page: Page) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).click()


def colour_of(page: Page, selector: str) -> str:
    return str(page.locator(selector).first.evaluate("each => getComputedStyle(each).color"))


def logo(name: str, kind: str = "PNG") -> dict[str, object]:
    out = BytesIO()
    Image.new("RGB", (960, 240), "#7a1448").save(out, kind)
    return {"name": name, "mimeType": "image/png", "buffer": out.getvalue()}


@pytest.mark.parametrize("desk", SIZES, indirect=True)
def test_from_the_form_by_the_preview_to_the_public(desk, live_newsroom, live_server, chromium):
    live_newsroom.public()
    found = {"form": faults(desk)}
    desk.get_by_role("textbox", name="Name", exact=True).first.fill("Office for Tides")
    desk.get_by_label("Strapline").fill("What the sea does next")
    desk.get_by_label("On a light ground").fill("#7A1448")
    desk.get_by_label("On a dark ground").fill("#ea8fbd")
    desk.get_by_label("Logo file").set_input_files(logo("logo.png"))
    contact = desk.get_by_role("group", name="Contact 1")
    contact.get_by_label("Role").fill("Press desk")
    contact.get_by_label("Telephone").fill("020 7946 0123")
    for name, colour in {
        "Home, light": ROSE,
        "Home, dark": PALE,
        "A story, light": ROSE,
        "A story, dark": PALE,
    }.items():
        with desk.context.expect_page() as opened:
            desk.get_by_role("button", name=name).click()
        preview = opened.value
        expect(preview.get_by_role("heading", name=f"Preview, not saved: {name}")).to_be_visible()
        # Its words are there before its style sheets are.
        preview.wait_for_load_state()
        # Light or dark as was asked for, whatever the reader has chosen.
        assert colour_of(preview, ".label") == colour, name
        ground = preview.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(255, 255, 255)" if "light" in name else "rgb(17, 22, 26)"), name
        assert preview.locator(".brand img").evaluate("each => each.naturalWidth") == 480
        found[name] = faults(preview)
        preview.close()
    assert not House.objects.exists()
    save(desk)
    expect(desk.get_by_text("Saved: every public page shows it from now on.")).to_be_visible()
    found["saved"] = faults(desk)
    for scheme, colour in (("light", ROSE), ("dark", PALE)):
        size = desk.viewport_size
        public = chromium.new_context(viewport=size, color_scheme=scheme, base_url=live_server.url)
        page = public.new_page()
        for path in ("/", "/news/footbridge-harrow-weir/", "/about/"):
            page.goto(path)
            expect(page.locator(".brand")).to_contain_text("Office for Tides")
            assert page.locator(".brand img").evaluate("each => each.naturalWidth") == 480
            found[f"{path} {scheme}"] = faults(page)
        assert colour_of(page, ".press a") == colour
        assert public.cookies() == []
        public.close()
    assert {name: fault for name, fault in found.items() if fault} == {}


@pytest.mark.parametrize("desk", SIZES, indirect=True)
def test_what_is_wrong_is_told_and_nothing_typed_is_lost(desk):
    desk.get_by_role("textbox", name="Name", exact=True).first.fill("")
    desk.get_by_label("Strapline").fill("Typed")
    desk.get_by_label("On a light ground").fill("#777777")
    desk.get_by_label("On a dark ground").fill("teal")
    desk.get_by_role("group", name="Contact 1").get_by_label("Telephone").fill("12")
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'
    desk.get_by_label("Logo file").set_input_files(
        {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": svg}
    )
    save(desk)
    expect(desk.get_by_role("heading", name="Nothing was saved: 6 things to mend")).to_be_visible()
    expect(desk.locator("[data-summary]")).to_be_focused()
    expect(desk.get_by_role("link", name=re.compile("its contrast is 4.47 to 1"))).to_be_visible()
    expect(desk.get_by_label("Strapline")).to_have_value("Typed")
    assert faults(desk) == []
    assert not House.objects.exists()


def test_the_second_of_two_tabs_is_told(desk, live_newsroom):
    desk.get_by_label("Strapline").fill("Mine")
    saved(live_newsroom)
    save(desk)
    told = desk.get_by_role("alert")
    expect(told).to_contain_text("Callum Byrne saved other settings")
    expect(told).to_contain_text("What the sea does next")
    expect(desk.get_by_label("Strapline")).to_have_value("Mine")
    assert faults(desk) == []
    save(desk)
    expect(desk.get_by_text("Saved: every public page shows it from now on.")).to_be_visible()
    assert house.newest().strapline == "Mine"
