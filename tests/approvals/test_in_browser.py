"""The clearance pages in a browser: by keyboard alone, small and large, light and dark."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from playwright.sync_api import BrowserContext, Page, expect

from approvals import clearing, rules
from approvals.models import Decision
from stories import drafting
from stories.models import User
from stories.moments import Moment
from tests.approvals.doing import ask
from tests.approvals.test_binding import decide
from tests.browsing import faults
from tests.people import WORDS, Newsroom

pytestmark = pytest.mark.django_db(transaction=True)

SIZES = {
    "tablet": {"width": 760, "height": 1000},
    "desktop": {"width": 1280, "height": 900},
    "phone": {"width": 375, "height": 812},
    "narrow": {"width": 320, "height": 640},
}


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
        return faults(self.page)


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
    refused = newsroom.submitted(headline="Estuary byelaws", slug="byelaws")
    decide(clearing.refuse, refused, newsroom.legal, newsroom.second_lawyer, reason="Libel.")
    given = newsroom.cleared(headline="Tide tables", slug="tides")
    draft = newsroom.draft(headline="Not sent yet", slug="draft")
    found = {"new": new, "again": again, "asked": asked, "wrote": wrote, "refused": refused}
    return {**found, "given": given, "draft": draft}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone", "narrow"])
def test_nothing_is_out_of_order_on_any_page(live_newsroom, at, size, theme):
    stories = busy(live_newsroom)
    desk = at(live_newsroom.lawyer, size, theme)
    desk.open("/desk/clearances/")
    assert desk.faults() == []
    for revision in stories.values():
        desk.open(clearing_path(revision))
        assert desk.faults() == []
    desk.open(clearing_path(stories["new"]))
    desk.page.get_by_text("Other…").click()
    desk.page.locator(".choice > summary", has_text="Refuse").click()
    assert desk.faults() == []
    desk.open(clearing_path(stories["new"]))
    desk.page.get_by_text("Ask for changes").click()
    assert desk.faults() == []
    desk.page.get_by_role("button", name="Send to the drafter").click()
    expect(desk.page.get_by_role("alert")).to_contain_text("say what has to change")
    assert desk.faults() == []
    desk.open(clearing_path(stories["given"]))
    desk.page.get_by_text("Take back…").click()
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
    expect(page.get_by_role("button", name="Clear these words")).to_be_focused()
    assert not Decision.objects.exists(), "the first time it is only pointed at"
    page.keyboard.press("c")
    expect(page.get_by_role("status")).to_contain_text("Signed: Legal cleared everything")


def test_every_decision_by_keyboard_alone(live_newsroom, at):
    """Refuse, take back, clear with a remark, take back, ask for changes, clear; each by its key."""
    revision = live_newsroom.submitted()
    desk = at(live_newsroom.lawyer)
    page = desk.open(clearing_path(revision))
    said = page.get_by_role("status")

    def write(key: str, label: str, words: str, sent: str) -> None:
        page.keyboard.press(key)
        # At once: no letter may be taken for a key, or be lost.
        page.keyboard.type(words)
        expect(page.get_by_label(label)).to_have_value(words)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(said).to_contain_text(sent)

    write("r", "Why do you refuse?", "coarse: tar", "Sent: Legal refused everything")
    write("t", "Why? (if you like)", "tact", "Taken back: the refusal of Legal")
    write("w", "Your remark", "a card, or two", "Your remark goes with it.")
    write("t", "Why? (if you like)", "", "Taken back: the sign-off of Legal")
    page.keyboard.press("o")
    expect(page.locator(".choice > summary", has_text="Clear with a remark")).to_be_visible()
    page.keyboard.press("o")
    write("a", "What has to change?", "a word", "Sent: Legal asked for changes")
    page.keyboard.press("c")
    page.keyboard.press("Enter")
    expect(said).to_contain_text("Signed: Legal cleared everything")
    verdicts = Decision.objects.order_by("pk").values_list("verdict", flat=True)
    assert list(verdicts) == ["refused", "taken_back", "cleared", "taken_back", "changes", "cleared"]
    assert desk.complaints == []


def test_keys_go_from_change_to_change_and_through_the_views(live_newsroom, at):
    revision = live_newsroom.cleared()
    live_newsroom.edit(revision.story, headline="Another bridge", summary="It saves walkers three miles.")
    desk = at(live_newsroom.lawyer)
    page = desk.open(clearing_path(revision))
    focused = "document.activeElement.textContent"
    found = []
    for key in "jjjk":
        page.keyboard.press(key)
        found.append(page.evaluate(focused))
    assert found[0] != found[1]
    assert found[3] == found[1]
    page.keyboard.press("a")
    page.keyboard.type("Half a thought")
    page.keyboard.press("Escape")
    panel = page.get_by_role("region", name="Changed since you cleared it")
    page.keyboard.press("v")
    expect(panel.get_by_role("link", name="Revision 2")).to_be_focused()
    expect(panel.locator("ins")).to_have_count(0)
    expect(panel).to_contain_text("It saves walkers three miles.")
    page.keyboard.press("v")
    expect(panel).to_contain_text("The bridge saves walkers two miles.")
    expect(page.get_by_label("What has to change?")).to_have_value("Half a thought")
    page.keyboard.press("v")
    expect(panel.locator("ins").first).to_be_visible()
    page.keyboard.press("?")
    for words in ("Clear these words", "Refuse", "Next change", "How shown", "Ask for changes"):
        expect(page.get_by_role("dialog")).to_contain_text(words)
    assert desk.complaints == []


def test_single_keys_can_be_switched_off(live_newsroom, at):
    page = at(live_newsroom.lawyer).open(clearing_path(live_newsroom.submitted()))
    page.keyboard.press("?")
    page.get_by_label("Single letters work outside fields").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("a")
    expect(page.get_by_label("What has to change?")).to_be_hidden()


@pytest.mark.parametrize(
    ("key", "label", "button", "receipt"),
    [
        ("r", "Why do you refuse?", "Refuse these words", "Sent: Legal refused"),
        ("w", "Your remark", "Clear with this remark", "Signed: Legal cleared"),
    ],
)
def test_what_was_typed_outlives_a_crash_and_not_its_decision(live_newsroom, at, key, label, button, receipt):
    revision = live_newsroom.submitted()
    page = at(live_newsroom.lawyer).open(clearing_path(revision))
    page.keyboard.press(key)
    page.keyboard.type("The court has not decided.")
    kept = "Object.keys(localStorage).some(key => key.startsWith('newsroom:kept:decide:'))"
    # Kept soon after the last letter.
    page.wait_for_timeout(600)
    assert page.evaluate(kept)
    page.reload()
    page.get_by_role("button", name="Put them back").click()
    field = page.get_by_label(label)
    expect(field).to_be_visible()
    expect(field).to_have_value("The court has not decided.")
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("status")).to_contain_text(receipt)
    assert not page.evaluate(kept)
    expect(page.get_by_role("button", name="Put them back")).to_have_count(0)


def test_two_clicks_decide_once(live_newsroom, at):
    revision = live_newsroom.submitted()
    page = at(live_newsroom.lawyer).open(clearing_path(revision))
    page.keyboard.press("a")
    page.keyboard.type("Who paid?")
    page.get_by_role("button", name="Send to the drafter").dblclick()
    expect(page.get_by_role("status")).to_contain_text("Sent: Legal asked for changes")
    assert Decision.objects.count() == 1


def test_new_words_are_told_while_somebody_reads(live_newsroom, at):
    revision = live_newsroom.submitted()
    desk = at(live_newsroom.lawyer)
    page = desk.open(clearing_path(revision))
    live_newsroom.edit(revision.story, summary="The bridge saves walkers three miles.")
    # What the page does every fifteen seconds, and when it is looked at again.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("status")).to_contain_text("Marta Feld saved revision 2 while you were reading.")
    assert desk.complaints == []
    assert desk.faults() == []
    page.keyboard.press("n")
    panel = page.get_by_role("region", name="Changed since you last looked")
    expect(panel.locator("ins")).to_have_text("put in: three")


def test_one_hand_on_a_phone(live_newsroom, at):
    """What changed and the decisions are on the first screen, all within reach of a thumb."""
    revision = live_newsroom.cleared()
    live_newsroom.edit(revision.story, summary="The bridge saves walkers three miles.")
    page = at(live_newsroom.lawyer, "phone", has_touch=True).open(clearing_path(revision))
    height = page.viewport_size["height"]
    assert page.locator("#change ins").first.bounding_box()["y"] < height / 2
    for name in ("Clear these words", "Ask for changes", "Other…"):
        box = page.locator(".dock .btn:visible", has_text=name).bounding_box()
        assert box["height"] >= 44
        assert height * 0.6 < box["y"] < height - box["height"] + 1
    page.get_by_text("Other…").tap()
    page.locator(".choice > summary", has_text="Refuse").tap()
    expect(page.get_by_label("Why do you refuse?")).to_be_focused()
    expect(page.get_by_role("button", name="Clear these words")).to_be_hidden()
    page.get_by_label("Why do you refuse?").fill("The court.")
    page.get_by_role("button", name="Refuse these words").tap()
    expect(page.get_by_role("status")).to_contain_text("Sent: Legal refused")


def test_the_bar_covers_nothing_that_has_the_focus(live_newsroom, at):
    page = at(live_newsroom.lawyer, "narrow", reduced_motion="reduce").open(
        clearing_path(live_newsroom.submitted())
    )
    covered = """() => {
      const one = document.activeElement, bar = document.querySelector(".dock")
      if (one === document.body || bar.contains(one)) return null
      const [box, over] = [one, bar].map((element) => element.getBoundingClientRect())
      return box.bottom > over.top + 1 && box.top < over.bottom ? one.outerHTML : null
    }"""
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate(covered) is None


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
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text(
        "Nothing was signed: the words changed while you were reading"
    )
    expect(page.get_by_label("What has to change?")).to_have_value("Who paid?")
    difference = page.get_by_role("region", name="Changed while you were reading")
    expect(difference.locator("ins")).to_have_text("put in: three")
    page.get_by_text("Ask for changes").click()
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
    page.get_by_text("Take back…").click()
    page.get_by_role("button", name="Take back your request for changes").click()
    expect(page.get_by_role("status")).to_contain_text("Taken back: the request for changes of Legal")
    page.get_by_text("Other…").click()
    page.locator(".choice > summary", has_text="Clear with a remark").click()
    page.get_by_label("Your remark").fill("On file.")
    page.get_by_role("button", name="Clear with this remark").click()
    expect(page.get_by_role("status")).to_contain_text("Your remark goes with it.")
    live_newsroom.edit(revision.story, summary="The bridge saves walkers three miles.")
    page.reload()
    page.get_by_role("link", name="Revision 1").click()
    expect(page.locator("#change")).to_contain_text("The bridge saves walkers two miles.")


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
                  "letterSpacing", "paddingLeft", "marginTop", "textDecorationLine",
                  "borderLeftWidth", "maxHeight"]
  const parts = [".running *", ".notes *", ".after h2", ".after section", ".about", ".about nav *",
                 ".heading *"]
  return [...document.querySelectorAll(parts.map((part) => `.article ${part}`).join())]
    // The public finds more by a topic, an organisation or a speaker; a proof has no such links.
    .filter((element) => !element.closest(".whose, .paste"))
    .filter((element) => !element.matches(".label a, dd a, .tags a, b a"))
    .map((one) => [one.tagName, ...wanted.map((name) => `${name} ${getComputedStyle(one)[name]}`)])
}"""


def style_of(page: Page) -> list[list[str]]:
    """How each element of the article looks."""
    return page.evaluate(STYLE)
