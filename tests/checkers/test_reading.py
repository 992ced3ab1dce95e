"""The public pages in a browser: enlarged, by keyboard alone, without scripts, and how much is fetched."""

import pytest
from playwright.sync_api import Response, expect

from tests.browsing import faults
from tests.checkers.stage import FULL, furnish

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = ["/", f"/news/{FULL}/", "/news/corrected/", "/news/gone/", "/search/?q=footbridge", "/subscribe/"]
#: Where the focus is: what has it, what stands in it, whether it is outlined, and where on the screen.
FOCUS = """() => {
    const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect()
    return {
        tag: it.tagName, words: it.textContent.trim() || it.getAttribute("aria-label") || it.name || "",
        outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        seen: box.bottom > 0 && box.top < innerHeight && box.width > 1 && box.height > 1,
        main: !!it.closest("main"), foot: !!it.closest("footer"),
    }
}"""


@pytest.fixture
def site(live_newsroom, live_server, settings) -> str:
    settings.CELERY_BROKER_URL = "memory://"
    furnish(live_newsroom)
    return str(live_server.url)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_enlarged_to_twice_the_size_the_pages_are_accessible(chromium, site, scheme):
    """A browser's 200% is half as many pixels of CSS, each of them four of the screen."""
    size = {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2}
    context = chromium.new_context(**size, color_scheme=scheme)
    page = context.new_page()
    found = {}
    for path in PAGES:
        page.goto(site + path)
        found[path] = faults(page)
    assert {path: said for path, said in found.items() if said} == {}
    context.close()


def test_a_story_is_read_by_keyboard_alone(chromium, site):
    """The first key leads past the head; each stop is seen, in the order of the page; none is a trap."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{site}/news/{FULL}/")
    page.keyboard.press("Tab")
    first = page.evaluate(FOCUS)
    assert (first["words"], first["outlined"], first["seen"]) == ("Skip to main content", True, True)
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    stops = []
    for _ in range(80):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop["tag"] == "BODY":
            break
        stops.append(stop)
    assert 10 < len(stops) < 80
    assert [stop["words"] for stop in stops if not (stop["outlined"] and stop["seen"])] == []
    # Past the head, all of the story, and only then the foot.
    assert [stop["main"] for stop in stops] == sorted((stop["main"] for stop in stops), reverse=True)
    assert stops[0]["main"]
    assert stops[-1]["foot"]
    tabbable = page.locator("main :is(a[href], button, input, select, textarea, summary):visible").count()
    assert sum(stop["main"] for stop in stops) == tabbable
    page.close()


def test_a_story_is_fetched_in_little(chromium, site):
    """Of what is fetched at first, without the pictures: less than 50 KB, in less than five requests."""
    context = chromium.new_context()
    page = context.new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{site}/news/{FULL}/", wait_until="networkidle")
    words = [answer for answer in answers if answer.request.resource_type not in {"image", "other"}]
    fetched = [(answer.url, len(answer.body())) for answer in words]
    assert len(fetched) < 5, fetched
    # Not compressed, as no proxy is in front: over the wire it is a third.
    assert sum(size for _, size in fetched) < 50_000, fetched
    context.close()


def test_without_scripts_the_pages_do_all(chromium, site):
    """There is none to begin with: what a reader does are links and forms."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.resource_type))
    page.goto(site + "/search/")
    page.locator("[name=q]").fill("footbridge")
    with page.expect_navigation():
        page.locator("[name=q]").press("Enter")
    with page.expect_navigation():
        page.locator("main").get_by_role("link", name="New footbridge").first.click()
    expect(page.locator("h1")).to_contain_text("footbridge")
    page.goto(site + "/subscribe/")
    page.locator("[name=email]").fill("reader@paper.example")
    with page.expect_navigation():
        page.locator("main form button[type=submit]").first.click()
    expect(page.locator("h1")).to_be_visible()
    assert "script" not in asked
    context.close()
