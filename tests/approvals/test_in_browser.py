"""The clearance pages in a browser: by keyboard alone, small and large, light and dark."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from approvals import rules
from approvals.models import Decision
from stories import drafting
from stories.models import User
from stories.moments import Moment
from tests.approvals.doing import ask
from tests.people import WORDS, Newsroom

pytestmark = pytest.mark.django_db(transaction=True)

SIZES = {
    "tablet": {"width": 760, "height": 1000},
    "desktop": {"width": 1280, "height": 900},
    "phone": {"width": 375, "height": 812},
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


class Desk:
    """Somebody at a browser of the newsroom."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on(
            "console", lambda message: message.type == "error" and self.complaints.append(message.text)
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, client, user: User) -> None:
        """Sign in without the form, which has tests of its own."""
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": self.address}]
        )

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def faults(self) -> list[str]:
        """What axe finds on the page, and whether it is wider than the screen."""
        found = [fault["id"] for fault in Axe().run(self.page).response["violations"]]
        wide = self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return found + ["too wide"] * wide


@pytest.fixture
def at(chromium, live_server, client):
    """`at(user, size, theme)`: a browser in which somebody is signed in."""
    contexts = []

    def sit(user: User, size: str = "desktop", theme: str = "light", **options) -> Desk:
        context = chromium.new_context(viewport=SIZES[size], color_scheme=theme, **options)
        contexts.append(context)
        desk = Desk(context, live_server.url)
        desk.sign_in(client, user)
        return desk

    yield sit
    for context in contexts:
        context.close()


def clearing_path(revision) -> str:
    return f"/desk/stories/{revision.story.uid}/clearing/"


def busy(newsroom: Newsroom) -> dict[str, object]:
    """A story in each state that a lawyer can meet."""
    new = newsroom.submitted(headline="New footbridge", slug="new")
    moment = Moment(datetime.now(UTC) + timedelta(hours=1), "Europe/London")
    drafting.plan_embargo(story=new.story, by=newsroom.drafter, moment=moment)
    again = newsroom.cleared(headline="Eel passes", slug="eels")
    quote = {**WORDS["body"][1], "html": "<p>Nobody will ever have to wade here.</p>"}
    newsroom.edit(again.story, body=[WORDS["body"][0], quote], summary="Eels save two miles.")
    asked = newsroom.submitted(headline="Harbour dues", slug="dues")
    ask(newsroom, asked, newsroom.legal, newsroom.second_lawyer, "Who pays?")
    wrote = newsroom.submitted(headline="River levels", slug="levels")
    newsroom.edit(wrote.story, by=newsroom.lawyer, summary="Mended by a lawyer.")
    draft = newsroom.draft(headline="Not sent yet", slug="draft")
    return {"new": new, "again": again, "asked": asked, "wrote": wrote, "draft": draft}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_nothing_is_out_of_order_on_any_page(live_newsroom, at, size, theme):
    stories = busy(live_newsroom)
    desk = at(live_newsroom.lawyer, size, theme)
    desk.open("/desk/clearances/")
    assert desk.faults() == []
    for revision in stories.values():
        desk.open(clearing_path(revision))
        assert desk.faults() == []
    desk.open(clearing_path(stories["new"]))
    desk.page.get_by_text("Ask for changes").click()
    assert desk.faults() == []
    desk.page.get_by_role("button", name="Send to the drafter").click()
    expect(desk.page.get_by_role("alert")).to_contain_text("say what has to change")
    assert desk.faults() == []
    drafter = at(live_newsroom.drafter, size, theme)
    drafter.open(clearing_path(stories["draft"]))
    assert drafter.faults() == []


def test_a_story_is_cleared_by_keyboard_alone(live_newsroom, at):
    revision = live_newsroom.submitted()
    desk = at(live_newsroom.lawyer)
    page = desk.open("/desk/clearances/")
    tab_to(page, "Read and decide")
    page.keyboard.press("Enter")
    page.wait_for_url("**/clearing/**")
    tab_to(page, "Clear these words")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Signed: Legal cleared everything of revision 1")
    assert rules.progress(revision).steps[0].state == "cleared"
    assert desk.complaints == []


def tab_to(page: Page, words: str) -> None:
    """Press Tab until something with these words has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if words in page.evaluate("document.activeElement.textContent"):
            return
    raise AssertionError(f"no way to {words} by keyboard")


def test_changes_are_asked_by_keys(live_newsroom, at):
    live_newsroom.submitted()
    desk = at(live_newsroom.lawyer)
    page = desk.open("/desk/clearances/")
    page.get_by_role("link", name="New footbridge opens at Harrow Weir", exact=True).click()
    page.wait_for_url("**/clearing/**")
    page.keyboard.press("a")
    expect(page.get_by_label("What has to change?")).to_be_focused()
    page.keyboard.type("Say a and c: who paid?")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Sent: Legal asked for changes")
    assert Decision.objects.get().reason == "Say a and c: who paid?"


def test_c_clears(live_newsroom, at):
    revision = live_newsroom.submitted()
    page = at(live_newsroom.lawyer).open(clearing_path(revision))
    page.keyboard.press("c")
    expect(page.get_by_role("status")).to_contain_text("Signed: Legal cleared everything")


def test_a_missing_reason_leads_to_its_field(live_newsroom, at):
    revision = live_newsroom.submitted()
    page = at(live_newsroom.lawyer).open(clearing_path(revision))
    page.keyboard.press("a")
    page.get_by_role("button", name="Send to the drafter").click()
    alert = page.get_by_role("alert")
    expect(alert).to_be_focused()
    alert.get_by_role("link").click()
    expect(page.get_by_label("What has to change?")).to_be_focused()


def test_words_that_move_while_somebody_reads(live_newsroom, at):
    revision = live_newsroom.submitted()
    page = at(live_newsroom.lawyer).open(clearing_path(revision))
    page.keyboard.press("a")
    page.get_by_label("What has to change?").fill("Who paid?")
    live_newsroom.edit(revision.story, summary="The bridge saves walkers three miles.")
    page.get_by_role("button", name="Send to the drafter").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "Nothing was signed: the words changed while you were reading"
    )
    expect(page.get_by_label("What has to change?")).to_have_value("Who paid?")
    difference = page.get_by_role("region", name="Changed while you were reading")
    expect(difference.locator("ins")).to_have_text("put in: three")
    page.get_by_role("button", name="Send to the drafter").click()
    expect(page.get_by_role("status")).to_contain_text("of revision 2")


def test_everything_works_without_a_script(live_newsroom, at):
    revision = live_newsroom.submitted()
    desk = at(live_newsroom.lawyer, java_script_enabled=False)
    page = desk.open(clearing_path(revision))
    page.get_by_text("Ask for changes").click()
    page.get_by_label("What has to change?").fill("Who paid?")
    page.get_by_role("button", name="Send to the drafter").click()
    expect(page.get_by_role("status")).to_contain_text("Sent: Legal asked for changes")


@pytest.mark.parametrize("size", ["phone", "tablet"])
def test_the_proof_has_the_style_of_the_public_page(live_newsroom, at, size):
    """What a clearer reads looks as the public gets it, element by element."""
    revision = live_newsroom.cleared()
    staff = at(live_newsroom.lawyer, size).open(clearing_path(revision))
    from newsroom import releasing

    releasing.arm(revision=revision, by=live_newsroom.officer, moment=None)
    public = at(live_newsroom.lawyer, size).open(f"/news/{revision.slug}/")
    looks = [style_of(page) for page in (staff, public)]
    assert looks[0] == looks[1]
    assert len(looks[0]) > 10


STYLE = """() => {
  const wanted = ["fontFamily", "fontSize", "fontWeight", "lineHeight", "color", "listStyleType",
                  "letterSpacing", "paddingLeft", "marginTop", "textDecorationLine"]
  return [...document.querySelectorAll(".article .running *, .article .notes *, .article .after h2")]
    .filter((element) => !element.closest(".whose, .paste"))
    .map((one) => [one.tagName, ...wanted.map((name) => `${name} ${getComputedStyle(one)[name]}`)])
}"""


def style_of(page: Page) -> list[list[str]]:
    """How each element of the article looks."""
    return page.evaluate(STYLE)
