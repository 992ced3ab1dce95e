"""The editor, and what the staff pages do by themselves, in a browser under the site's own policy.

No server and no database: the browser is answered from here, with the project's templates and static files.
"""

import mimetypes
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import pytest
from csp.constants import NONCE
from django import forms
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template import engines
from playwright.sync_api import Browser, Page, Route, expect

from stories.editor import BodyField, NotesField
from stories.richtext import plain, to_blocks, to_html
from tests.browsing import faults

HTML = (
    "<p>Work <em>starts</em> in\u00a0March,<br>for <a href=https://rivers.example>4,200 homes</a>.</p>"
    "<h2>What</h2>"
    "<figure class=quote><blockquote><p>We shall.</p><p>Soon.</p></blockquote>"
    "<figcaption>Eleanor Whitcombe, Secretary</figcaption></figure>"
    "<ul><li>one<ol start=3><li>a &lt; b</li></ol></li><li><p>two</p><p>three</p></li></ul>"
    "<blockquote>The harbour stays open.</blockquote>"
)
PAGE = """{% load static crispy_forms_filters %}<!doctype html><html lang="en"><head><title>Draft</title>
<link rel="stylesheet" href="{% static 'vendor/bootstrap.min.css' %}">
<link rel="stylesheet" href="{% static 'desk/staff.css' %}">
<script src="{% static 'desk/desk.js' %}" defer></script>
<script src="{% static 'desk/drafts.js' %}" defer></script>{{ form.media }}</head>
<body>{% include "desk/_icons.html" %}<main class="page"><h1>Draft</h1>
<form class="fields" method="post" data-keep="story:7" data-fresh>{{ form|crispy }}
<button class="btn">Save<kbd>Ctrl S</kbd></button></form>
<button class="btn" type="button" id="next">Next<kbd>n</kbd></button>
<p data-kept-words role="status"></p><a href="#keys" data-keys>All keys<kbd>?</kbd></a></main>
</body></html>"""
BODY = "#id_body"
EDITOR = ".write:has(+ #id_body) .ProseMirror"


class Draft(forms.Form):
    base = forms.CharField(required=False, widget=forms.HiddenInput, initial="1")
    headline = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 1, "data-count": "20"}))
    body = BodyField(required=False)
    notes = NotesField(required=False)


class Desk:
    """A page of the desk: what it shows next, what it was sent, and what the browser complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.blocks = to_blocks(HTML)
        self.sent: list[str] = []
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.route("**/*", self._answer)

    def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix("http://desk.example/")
        if path.startswith("static/"):
            found = Path(str(finders.find(path.removeprefix("static/"))))
            kind = mimetypes.guess_type(found.name)[0]
            route.fulfill(body=found.read_bytes(), content_type=f"{kind}; charset=utf-8")
            return
        if route.request.method == "POST":
            self.sent.append(route.request.post_data or "")
        html = engines["django"].from_string(PAGE).render({"form": Draft(initial={"body": self.blocks})})
        route.fulfill(
            body=html, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": policy()}
        )

    def open(self) -> "Desk":
        self.page.goto("http://desk.example/")
        self.page.wait_for_selector(EDITOR)
        return self

    @property
    def value(self) -> str:
        """What the form would send."""
        return self.page.input_value(BODY)

    def paste(self, html: str) -> None:
        self.page.evaluate(
            """([selector, html]) => {
                const data = new DataTransfer()
                data.setData("text/html", html)
                const how = { clipboardData: data, bubbles: true, cancelable: true }
                document.querySelector(selector).dispatchEvent(new ClipboardEvent("paste", how))
            }""",
            [EDITOR, html],
        )

    def wait_for(self, words: str, selector: str = "main") -> None:
        """Until the page says something. (Playwright's own waiting for a function is against the policy.)"""
        self.page.locator(selector, has_text=words).first.wait_for()

    def kept(self, count: int) -> bool:
        """Whether, within two seconds, the browser keeps that many things."""
        for _ in range(40):
            if self.page.evaluate("Object.keys(localStorage).length") == count:
                return True
            self.page.wait_for_timeout(50)
        return False


def policy() -> str:
    """The site's policy, without the nonces: these pages have no inline script."""
    rules = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    return "; ".join(
        f"{name} {' '.join(source for source in sources if source is not NONCE)}"
        for name, sources in rules.items()
    )


@pytest.fixture
def desk(chromium: Browser) -> Iterator[Desk]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    desk = Desk(context.new_page())
    yield desk
    context.close()
    assert desk.complaints == []


def test_opening_changes_no_byte(desk: Desk) -> None:
    assert desk.open().value == to_html(desk.blocks)


def test_what_the_editor_writes_is_what_it_was_given(desk: Desk) -> None:
    desk.open().page.click(f"{EDITOR} h2")
    desk.page.keyboard.press("End")
    desk.page.keyboard.type(" now")
    expected = to_blocks(HTML.replace("What", "What now"))
    assert desk.value != to_html(expected)
    assert to_blocks(desk.value) == expected
    for _ in range(4):
        desk.page.keyboard.press("Backspace")
    assert desk.value == to_html(desk.blocks)


def test_a_quote_is_made_with_the_keyboard_alone(desk: Desk) -> None:
    desk.blocks = to_blocks("<p>We asked for this wall.</p><p>The rest.</p>")
    desk.open().page.focus(EDITOR)
    keys = desk.page.keyboard
    keys.press("Control+Home")
    keys.press("Alt+F10")
    for _ in range(7):
        keys.press("ArrowRight")
    assert desk.page.evaluate("document.activeElement.textContent") == "Quote"
    keys.press("Enter")
    keys.type("Rosa Lindqvist")
    keys.press("Tab")
    keys.type("chair of the trust ")
    keys.press("Enter")
    keys.type("And ")
    assert to_blocks(desk.value) == [
        {
            "kind": "quote",
            "html": "<p>We asked for this wall.</p>",
            "speaker": "Rosa Lindqvist",
            "role": "chair of the trust",
        },
        {"kind": "paragraph", "html": "<p>And The rest.</p>"},
    ]


def test_a_quote_turned_back_keeps_every_word(desk: Desk) -> None:
    desk.open().page.click("text=Turn into paragraphs >> nth=0")
    words = "\n\n".join(plain([block]) for block in to_blocks(desk.value))
    assert "We shall.\n\nSoon.\n\nEleanor Whitcombe, Secretary" in words


def test_tab_goes_from_the_words_to_speaker_and_role_and_out(desk: Desk) -> None:
    desk.open().page.click(f"{EDITOR} .quote blockquote p >> nth=0")
    visited = []
    for _ in range(2):
        desk.page.keyboard.press("Tab")
        visited.append(desk.page.evaluate("document.activeElement.id"))
    desk.page.keyboard.press("Escape")
    assert visited == ["id_body_quote_1_speaker", "id_body_quote_1_role"]
    assert desk.page.evaluate("document.activeElement.getAttribute('role')") == "textbox"


def test_enter_twice_leaves_a_quote(desk: Desk) -> None:
    desk.open().page.click(f"{EDITOR} .quote blockquote p >> nth=1")
    for key in ("End", "Enter", "Enter"):
        desk.page.keyboard.press(key)
    desk.page.keyboard.type("Outside.")
    kinds = [(block["kind"], block["html"]) for block in to_blocks(desk.value)]
    assert kinds[2:4] == [("quote", "<p>We shall.</p><p>Soon.</p>"), ("paragraph", "<p>Outside.</p>")]


def test_a_link_is_set_and_an_address_that_is_none_refused(desk: Desk) -> None:
    desk.blocks = to_blocks("<p>Words</p>")
    desk.open().page.click(f"{EDITOR} p")
    desk.page.keyboard.press("Control+a")
    desk.page.keyboard.press("Control+k")
    desk.page.keyboard.type("javascript:alert(1)")
    desk.page.keyboard.press("Enter")
    assert "Give a full address" in desk.page.inner_text(".link-row [role=alert]")
    desk.page.keyboard.press("Control+a")
    desk.page.keyboard.type("rivers.example/wall")
    desk.page.keyboard.press("Enter")
    assert to_blocks(desk.value)[0]["html"] == '<p><a href="https://rivers.example/wall">Words</a></p>'


WORD = """<html xmlns:o="urn:x"><head><style><!-- p{margin:0} --></style></head><body><!--StartFragment-->
<p class=MsoNormal><b><span style='font-size:14.0pt'>The wall<o:p></o:p></span></b></p>
<p class=MsoListParagraphCxSpFirst style='margin-left:36.0pt;mso-list:l0 level1 lfo1'><![if !supportLists]>
<span style='font-family:Symbol;mso-list:Ignore'>·<span>&nbsp;&nbsp; </span></span><![endif]>one</p>
<p class=MsoListParagraphCxSpMiddle style='mso-list:l0 level2 lfo1'><![if !supportLists]><span
style='mso-list:Ignore'>1.<span>&nbsp; </span></span><![endif]>deep <i>er</i></p>
<p class=MsoListParagraphCxSpLast style='mso-list:l0 level1 lfo1'><![if !supportLists]><span
style='mso-list:Ignore'>·<span>&nbsp; </span></span><![endif]>two</p>
<p class=MsoNormal>after<o:p></o:p></p><!--EndFragment--></body></html>"""
DOCS = (
    '<b style="font-weight:normal" id="docs-internal-guid-1"><h1>Top</h1>'
    '<p><span style="font-weight:700">Bold</span><span> plain </span>'
    '<span style="font-style:italic">it</span></p><blockquote><p>q</p></blockquote></b>'
)
ATTACK = (
    '<p onclick="alert(1)">a<img src="https://evil.example/x.png" onerror="alert(1)"></p>'
    '<script>alert(1)</script><svg onload="alert(1)"></svg><a href="javascript:alert(1)">b</a><iframe src="https://evil.example"></iframe>'
)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (WORD, ["<p><strong>The wall</strong></p>",
                "<ul><li>one<ol><li>deep <em>er</em></li></ol></li><li>two</li></ul>", "<p>after</p>"]),
        (DOCS, ["<h2>Top</h2>", "<p><strong>Bold</strong> plain <em>it</em></p>", "<p>q</p>"]),
        (ATTACK, ["<p>a</p>", "<p>b</p>"]),
    ],
    ids=["Word", "Google Docs", "attack"],
)  # fmt: skip
def test_paste(desk: Desk, html: str, expected: list[str]) -> None:
    desk.blocks = []
    desk.open().page.click(EDITOR)
    desk.paste(html)
    assert [block["html"] for block in to_blocks(desk.value)] == expected


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_nothing_to_find_for_axe(chromium: Browser, width: int, scheme: Any) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    desk = Desk(context.new_page()).open()
    desk.page.click("[data-tool=link] >> nth=0")
    assert faults(desk.page) == []
    context.close()


def test_the_label_names_the_editor_and_focuses_it(desk: Desk) -> None:
    desk.open().page.click("label[for=id_body]")
    assert desk.page.get_by_role("textbox", name="Body").evaluate("e => e === document.activeElement")
    expect(desk.page.locator(BODY)).to_be_hidden()


# --- drafts.js and desk.js ---


def test_unsaved_words_are_kept_and_offered(desk: Desk) -> None:
    desk.open().page.click(f"{EDITOR} h2")
    desk.page.keyboard.type("LOST ")
    desk.page.fill("#id_headline", "A headline")
    desk.wait_for("Unsaved words are kept", "[data-kept-words]")
    desk.open()
    assert "were not saved" in desk.page.inner_text(".note")
    assert "LOST" not in desk.page.inner_text(EDITOR)
    desk.page.click("text=Put them back")
    assert "LOST" in desk.page.inner_text(EDITOR)
    assert "LOST" in desk.value
    assert desk.page.input_value("#id_headline") == "A headline"


def test_words_that_were_saved_are_not_offered(desk: Desk) -> None:
    desk.open().page.click(f"{EDITOR} h2")
    desk.page.keyboard.type("Now ")
    assert desk.kept(1)
    desk.blocks = to_blocks(desk.value)
    desk.open()
    assert desk.kept(0)
    assert desk.page.locator(".note").count() == 0


def test_dropped_words_are_gone(desk: Desk) -> None:
    desk.open().page.fill("#id_headline", "x")
    assert desk.kept(1)
    desk.open().page.click("text=Drop them")
    assert desk.kept(0)


def test_the_headline_is_counted(desk: Desk) -> None:
    desk.open().page.fill("#id_headline", "x" * 19 + "é")
    assert "20 of 20 characters · reads whole" in desk.page.inner_text("main")
    desk.page.fill("#id_headline", "x" * 21)
    assert "21 of 20 characters · is cut" in desk.page.inner_text("main")


def test_keys_work_outside_fields_and_can_be_switched_off(desk: Desk) -> None:
    page = desk.open().page
    page.evaluate("document.querySelector('#next').addEventListener('click', () => document.title += '!')")
    page.keyboard.press("n")
    page.focus("#id_headline")
    page.keyboard.press("n")
    page.focus(EDITOR)
    page.keyboard.press("n")
    assert page.title() == "Draft!"
    page.focus("#next")
    page.keyboard.press("?")
    assert "Save" in page.inner_text("dialog.keys")
    page.click("text=Single letters work")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    assert page.title() == "Draft!"
    page.evaluate("localStorage.clear()")


def test_control_s_saves_from_inside_the_editor(desk: Desk) -> None:
    desk.open().page.click(f"{EDITOR} h2")
    with desk.page.expect_navigation():
        desk.page.keyboard.press("Control+s")
    assert len(desk.sent) == 1


def test_without_javascript_the_form_holds_the_same(chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    desk = Desk(context.new_page())
    desk.page.goto("http://desk.example/")
    assert desk.value == to_html(desk.blocks)
    expect(desk.page.locator(BODY)).to_be_visible()
    assert escape('<figure class="quote">', quote=False) in desk.page.content()
    context.close()
