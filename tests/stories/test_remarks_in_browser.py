"""Marking words in a real browser: comments and suggested wordings beside them, large and small."""

import re

import pytest
from playwright.sync_api import Page, expect

from stories import anchors, remarks
from stories.models import Comment, Revision, Suggestion
from tests.approvals.test_in_browser import Desk, at, clearing_path
from tests.people import Newsroom

__all__ = ["at"]  # a fixture

pytestmark = pytest.mark.django_db(transaction=True)

TODAY = "opened at Harrow Weir today"

#: The words that a mouse is drawn over: from where the first stands to where the last ends.
WHERE = """([first, last]) => {
  const walker = document.createTreeWalker(document.querySelector(".proof"), NodeFilter.SHOW_TEXT)
  const range = document.createRange()
  let from = false
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const start = from ? -1 : node.data.indexOf(first)
    if (start >= 0) { range.setStart(node, start); from = true }
    const end = from ? node.data.indexOf(last, Math.max(start, 0)) : -1
    if (end < 0) continue
    range.setEnd(node, end + last.length)
    range.startContainer.parentElement.scrollIntoView({ block: "center", behavior: "instant" })
    const boxes = [...range.getClientRects()].filter((box) => box.width)
    const [one, other] = [boxes[0], boxes.at(-1)]
    return [one.left, one.top + one.height / 2, other.right, other.top + other.height / 2]
  }
}"""


#: What is too small for a thumb.
SMALL = """[...document.querySelectorAll("#remarks button, #remarks summary")]
  .filter((one) => one.getClientRects().length && one.getBoundingClientRect().height < 44)
  .map((one) => one.textContent)"""


def draw(page: Page, first: str, last: str = "") -> None:
    """Mark words with the mouse."""
    left, top, right, bottom = page.evaluate(WHERE, [first, last or first])
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(right - 1, bottom, steps=4)
    page.mouse.up()


def suggested(
    newsroom: Newsroom, revision: Revision, words: str = TODAY, wording: str = "opened"
) -> Suggestion:
    anchor = anchors.Reading(revision.content).locate("body", words)
    return remarks.suggest(revision=revision, by=newsroom.lawyer, anchor=anchor, replacement=wording)


def draft_path(revision: Revision) -> str:
    return f"/desk/stories/{revision.story.uid}/"


def sit(at, user, size: str = "desktop", **options) -> Desk:
    desk: Desk = at(user, size, **options)
    return desk


def test_words_are_marked_and_commented_on_by_key(live_newsroom, at):
    revision = live_newsroom.submitted()
    desk = sit(at, live_newsroom.lawyer)
    page = desk.open(clearing_path(revision))
    draw(page, "Harrow Weir today")
    page.keyboard.press("m")
    expect(page.get_by_label("Your comment")).to_be_focused()
    expect(page.locator("[data-marked]").first).to_have_text("Harrow Weir today")
    page.keyboard.type("Really? c, a, m and s are letters here.")
    page.get_by_role("button", name="Send the comment").click()
    expect(page.locator("[data-told]")).to_have_text("Your comment is there.")
    made = Comment.objects.get()
    assert made.anchor == {
        "part": "body",
        "block": 0,
        "exact": "Harrow Weir today",
        "prefix": "A footbridge opened at ",
        "suffix": ".",
    }
    # Linked both ways.
    expect(page.locator(".proof mark.anchor")).to_have_text("Harrow Weir today")
    page.get_by_role("link", name="Comment 1", exact=True).click()
    expect(page).to_have_url(re.compile(f"#remark-c{made.pk}$"))
    page.get_by_role("link", name="1, to its words in the story").click()
    expect(page).to_have_url(re.compile(f"#mark-c{made.pk}$"))
    assert desk.complaints == []
    assert desk.faults() == []


def test_a_wording_is_suggested_and_taken_in_one_click(live_newsroom, at):
    revision = live_newsroom.submitted()
    clearer = sit(at, live_newsroom.lawyer)
    page = clearer.open(clearing_path(revision))
    draw(page, "open day")
    page.keyboard.press("s")
    field = page.get_by_label("Say instead")
    expect(field).to_have_value("open day")
    expect(field).to_be_focused()
    page.keyboard.type("open by day")
    page.get_by_label("Why", exact=True).fill("Nothing lights it.")
    page.get_by_role("button", name="Suggest it").click()
    expect(page.locator("[data-told]")).to_contain_text("Suggested")
    expect(page.locator("#remarks ins")).to_have_text("put in: open by day")
    expect(page.get_by_role("button", name="Take the wording")).to_have_count(0)
    assert clearer.complaints == []
    drafter = sit(at, live_newsroom.drafter)
    page = drafter.open(draft_path(revision))
    page.get_by_role("button", name="Take the wording 1 of Adaeze Nwosu").click()
    expect(page.locator(".msgs")).to_contain_text("Taken: revision 2 has the wording of Adaeze Nwosu.")
    assert revision.story.latest.content["body"][2]["html"] == "<p>It is open by day and night.</p>"
    assert drafter.complaints == []


def test_taking_a_wording_loses_nothing_that_was_typed(live_newsroom, at):
    revision = live_newsroom.draft()
    suggested(live_newsroom, revision)
    page = sit(at, live_newsroom.drafter).open(draft_path(revision))
    page.get_by_role("textbox", name="Summary").fill("Half a thought")
    page.get_by_role("button", name="Take the wording").click()
    page.get_by_role("button", name="Put them back").click()
    expect(page.get_by_role("textbox", name="Summary")).to_have_value("Half a thought")


def test_answering_and_resolving_leave_the_page_and_what_is_typed_in_place(live_newsroom, at):
    revision = live_newsroom.draft()
    for text in ("Who pays?", "Who signs?"):
        remarks.comment(
            story=revision.story, revision=revision, by=live_newsroom.lawyer, anchor=None, text=text
        )
    desk = sit(at, live_newsroom.drafter)
    page = desk.open(draft_path(revision))
    page.get_by_role("textbox", name="Summary").fill("Half a thought")
    items = page.locator("[data-remark]")
    items.nth(1).get_by_text("Answer the comment").click()
    items.nth(1).get_by_label("Your answer").fill("The Secretary does")
    items.nth(0).get_by_role("button", name="Resolve").click()
    expect(page.locator("[data-told]")).to_contain_text("Resolved")
    expect(items).to_have_count(1)
    expect(items.nth(0).get_by_label("Your answer")).to_have_value("The Secretary does")
    items.nth(0).get_by_role("button", name="Send the answer").click()
    expect(page.locator(".answers")).to_contain_text("The Secretary does")
    expect(page.get_by_role("textbox", name="Summary")).to_have_value("Half a thought")
    assert desk.complaints == []


def test_equal_words_are_told_apart_by_where_they_were_marked(live_newsroom, at):
    html = "<p>The bridge is old. <em>The bridge</em> is new &amp; long.<br>The bridge is red.</p>"
    revision = live_newsroom.draft(body=[{"kind": "paragraph", "html": html}] * 2)
    page = sit(at, live_newsroom.lawyer).open(clearing_path(revision))
    page.locator(".running p").nth(1).scroll_into_view_if_needed()
    draw(page, "new & long.", "The bridge")
    page.keyboard.press("m")
    page.get_by_label("Your comment").fill("Red?")
    page.get_by_role("button", name="Send the comment").click()
    expect(page.locator("[data-told]")).to_have_text("Your comment is there.")
    anchor = Comment.objects.get().anchor
    assert (anchor["block"], anchor["exact"]) == (0, "new & long.\nThe bridge")
    assert "".join(page.locator(".proof mark.anchor").all_text_contents()) == "new & long.The bridge"


def test_words_over_two_paragraphs_are_those_of_the_first(live_newsroom, at):
    revision = live_newsroom.draft()
    page = sit(at, live_newsroom.lawyer).open(clearing_path(revision))
    draw(page, "Weir today", "wade here")
    page.get_by_role("group", name="The marked words").get_by_role("button", name="Comment").click()
    expect(page.locator("[data-marked]").first).to_have_text("Weir today.")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Your comment")).to_be_hidden()


@pytest.mark.parametrize("part", ["headline", "summary", "notes", "contacts"])
def test_words_of_every_part_can_be_marked(live_newsroom, at, part):
    words = {"headline": "footbridge", "summary": "two miles", "notes": "40 metres", "contacts": "River desk"}
    revision = live_newsroom.draft()
    page = sit(at, live_newsroom.lawyer).open(clearing_path(revision))
    draw(page, words[part])
    page.keyboard.press("s")
    page.get_by_label("Say instead").fill("other words")
    page.get_by_role("button", name="Suggest it").click()
    expect(page.locator(".proof mark.anchor")).to_have_text(words[part])
    made = Suggestion.objects.get()
    assert (made.anchor["part"], made.anchor["exact"]) == (part, words[part])


def test_a_refusal_keeps_the_form_and_what_was_typed(live_newsroom, at):
    revision = live_newsroom.draft()
    page = sit(at, live_newsroom.lawyer).open(clearing_path(revision))
    page.keyboard.press("s")
    page.get_by_label("The words").last.fill("Nobody wrote this")
    page.get_by_label("Say instead").fill("Something else")
    page.get_by_role("button", name="Suggest it").click()
    expect(page.get_by_role("alert").filter(has_text="has no such words")).to_be_visible()
    expect(page.get_by_label("Say instead")).to_have_value("Something else")
    page.get_by_label("The words").last.fill("open day")
    page.get_by_role("button", name="Suggest it").click()
    expect(page.locator("[data-told]")).to_contain_text("Suggested")


def test_in_the_draft_a_number_leads_to_the_words(live_newsroom, at):
    revision = live_newsroom.draft()
    suggested(live_newsroom, revision, "Nobody", "Not one")
    anchor = anchors.Reading(revision.content).locate("headline", "footbridge")
    remarks.comment(
        story=revision.story, revision=revision, by=live_newsroom.lawyer, anchor=anchor, text="Which?"
    )
    desk = sit(at, live_newsroom.drafter)
    page = desk.open(draft_path(revision))
    page.locator("#div_id_body .prose").wait_for()
    page.get_by_role("link", name="1, to its words in the draft").click()
    field = page.get_by_role("textbox", name="Headline")
    expect(field).to_be_focused()
    assert (
        field.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)") == "footbridge"
    )
    page.get_by_role("link", name="2, to its words in the draft").click()
    marked = "[...CSS.highlights.get('marking')].map(String).join()"
    assert page.evaluate(marked) == "Nobody"
    assert desk.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_nothing_is_out_of_order_on_any_page(live_newsroom, at, size, theme):
    revision = live_newsroom.draft()
    story = revision.story
    suggested(live_newsroom, revision)
    declined = suggested(live_newsroom, revision, wording="x" * 120)
    remarks.decline(suggestion=declined, by=live_newsroom.drafter, reason="No.")
    gone = anchors.Reading(revision.content).locate("summary", "two miles")
    said = {"story": story, "revision": revision, "by": live_newsroom.lawyer}
    for words in (gone, None):
        made = remarks.comment(anchor=words, text="https://rivers.example/" + "y" * 90, **said)
        remarks.comment(anchor=None, text="Yes.", answers=made, **said)
    live_newsroom.edit(story, summary="Less.")
    desk = at(live_newsroom.drafter, size, theme)
    for path in ("clearing/", "", "comments/", "revisions/1/"):
        page = desk.open(draft_path(revision) + path)
        page.locator("main").wait_for()
        if not path:
            # Until the editor is there, what it edits is a field without a name.
            page.locator("#div_id_body .prose").wait_for()
        assert desk.faults() == []
    page = desk.open(clearing_path(revision))
    for details in page.locator("#remarks details summary").all():
        details.click()
    assert desk.faults() == []
    draw(page, "day and night")
    expect(page.get_by_role("group", name="The marked words")).to_be_visible()
    assert desk.faults() == []
    page.get_by_role("group", name="The marked words").get_by_role("button", name="Comment").click()
    assert desk.faults() == []
    if size == "phone":
        assert page.evaluate(SMALL) == []


def test_on_a_phone_a_bar_at_the_foot_takes_the_marked_words(live_newsroom, at):
    revision = live_newsroom.submitted()
    desk = sit(at, live_newsroom.lawyer, "phone", has_touch=True, is_mobile=True)
    page = desk.open(clearing_path(revision))
    page.evaluate(
        """() => {
          const words = document.querySelector(".running p").firstChild
          words.parentElement.scrollIntoView({ block: "center" })
          getSelection().setBaseAndExtent(words, 2, words, 12)
        }"""
    )
    bar = page.get_by_role("group", name="The marked words")
    expect(bar).to_be_visible()
    box = bar.bounding_box()
    assert box
    assert box["x"] == 0
    assert round(box["y"] + box["height"]) == 812
    bar.get_by_role("button", name="Suggest a wording").tap()
    expect(page.get_by_label("Say instead")).to_have_value("footbridge")
    page.get_by_label("Say instead").fill("bridge")
    page.get_by_role("button", name="Suggest it").tap()
    expect(page.locator(".proof mark.anchor")).to_have_text("footbridge")
    assert Suggestion.objects.get().replacement == "bridge"
    assert desk.complaints == []


def test_everything_works_without_a_script(live_newsroom, at):
    revision = live_newsroom.draft()
    page = sit(at, live_newsroom.drafter, java_script_enabled=False).open(clearing_path(revision))
    page.locator("summary", has_text="Suggest a wording").click()
    form = page.locator("[data-add=suggestion] form")
    form.get_by_label("The words").fill("Nobody wrote this")
    form.get_by_label("Say instead").fill("Not one soul")
    form.get_by_role("button", name="Suggest it").click()
    expect(page.get_by_role("alert")).to_contain_text("has no such words")
    page.get_by_label("The words").fill("Nobody")
    page.get_by_role("button", name="Suggest it").click()
    expect(page.get_by_role("status").first).to_contain_text("Suggested")
    page.get_by_role("button", name="Take").click()
    expect(page.get_by_role("status").first).to_contain_text("Taken: revision 2")
    html = revision.story.latest.content["body"][1]["html"]
    assert html == "<p>Not one soul will have to wade here again.</p>"
