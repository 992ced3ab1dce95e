"""The rich-text fields of a form."""

import json
import re
from typing import Any

import pytest
from crispy_forms.utils import render_crispy_form
from django import forms

from stories.editor import MODULES, BodyField, NotesField
from stories.richtext import to_blocks, to_html

HTML = (
    "<p>One <em>two</em></p>"
    "<figure class=quote><blockquote><p>Yes.</p></blockquote><figcaption>Ann, chair</figcaption></figure>"
)


class Draft(forms.Form):
    headline = forms.CharField(error_messages={"required": "Write a headline"})
    body = BodyField(required=False)
    notes = NotesField(required=False)


def sent(**data: str) -> Draft:
    form = Draft({"headline": "H", **data})
    assert form.is_valid()
    return form


def test_the_body_is_blocks_and_the_notes_are_html() -> None:
    cleaned = sent(body=HTML, notes="<h2>Sources</h2>\r\n\r\nA survey").cleaned_data
    assert cleaned["body"] == to_blocks(HTML)
    assert cleaned["notes"] == "<p>Sources</p>\n\n<p>A survey</p>"


def test_nothing_typed_is_nothing() -> None:
    assert sent(body="", notes=" \n").cleaned_data == {"headline": "H", "body": [], "notes": ""}
    assert sent().cleaned_data["body"] == []


@pytest.mark.parametrize("empty", ["", "<p></p>", "<p>&nbsp;</p>", " \r\n "])
def test_a_required_body_has_words(empty: str) -> None:
    class Required(forms.Form):
        body = BodyField()

    assert Required({"body": empty}).errors == {"body": ["This field is required."]}


@pytest.mark.parametrize("as_html", [True, False])
def test_opening_and_saving_without_javascript_gives_the_same(as_html: bool) -> None:
    blocks = to_blocks(HTML)
    form = Draft(initial={"body": to_html(blocks) if as_html else blocks})
    page = str(form["body"])
    typed = forms.widgets.Textarea().render("x", to_html(blocks)).partition(">\n")[2]
    assert f">\n{typed}" in page
    assert sent(body=to_html(blocks).replace("\n", "\r\n")).cleaned_data["body"] == blocks


def test_what_came_with_an_error_is_shown_as_it_was_typed() -> None:
    form = Draft({"headline": "", "body": "<p>as <b>typed</b>"})
    assert not form.is_valid()
    assert form["body"].value() == "<p>as <b>typed</b>"


@pytest.mark.parametrize(
    ("initial", "data", "changed"),
    [
        (to_blocks(HTML), HTML, False),
        (HTML, to_html(to_blocks(HTML)), False),
        ([], "<p></p>", False),
        (None, "", False),
        (to_blocks(HTML), HTML.replace("two", "too"), True),
    ],
)
def test_has_changed(initial: Any, data: str, changed: bool) -> None:
    assert BodyField().has_changed(initial, data) is changed


def test_the_widget_brings_no_inline_script_or_style() -> None:
    page = render_crispy_form(Draft()) + str(Draft().media)
    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page) == []
    assert str(Draft().media) == '<script src="/static/desk/editor.js" type="module"></script>'
    assert page.count("data-editor=") == 2
    assert json.loads(BodyField().widget.build_attrs({})["data-editor-modules"]) == {
        name: f"/static/{path}" for name, path in MODULES.items()
    }


def test_the_error_summary_counts_and_links() -> None:
    page = render_crispy_form(Draft({"headline": ""}))
    assert "Nothing was saved: 1 thing to mend" in page
    assert '<a href="#div_id_headline">Headline: Write a headline</a>' in page
    assert 'id="div_id_headline"' in page
    assert "to mend" not in render_crispy_form(Draft())
