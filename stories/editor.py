"""Rich text in a form: a textarea that works by itself, and that JavaScript turns into an editor.

The editor is Tiptap as it comes with django-prose-editor. Its import map would be an inline script and
its style sheet an inline style; the widget names its modules in data attributes instead and `staff.css`
holds the style, so the pages need neither a nonce nor a hash in their Content-Security-Policy.
"""

import json
from typing import Any

from django import forms
from django.templatetags.static import static
from django.utils.html import format_html

from . import richtext
from .richtext import Block

#: The modules that `desk/editor.js` loads, by the name that it knows them by.
MODULES = {
    "tiptap": "django_prose_editor/editor.js",
    "quote": "desk/quote-node.js",
    "toolbar": "desk/toolbar.js",
    "paste": "desk/paste.js",
}

_RICH = format_html(
    "<span data-with-editor hidden>{}</span>", "Alt F10 goes to the tools, Esc back to the text."
)
_RICH_BODY = format_html(
    "<span data-with-editor hidden>{}</span>",
    "Alt F10 goes to the tools, Esc back to the text. In a quote, Tab goes on to speaker and role.",
)
_PLAIN = "Leave a blank line between paragraphs. <b>, <em>, <a href>, <ul> and <ol> are understood."
BODY_HELP = format_html(
    "{}<span data-without-editor>{} {} <code>{}</code></span>",
    _RICH_BODY,
    _PLAIN.replace("<b>", "<h2>, <b>"),
    "A quote:",
    '<figure class="quote"><blockquote>The words</blockquote>'
    '<figcaption><cite>Speaker</cite>, <span class="role">Role</span></figcaption></figure>',
)
NOTES_HELP = format_html("{}<span data-without-editor>{}</span>", _RICH, _PLAIN)


class RichTextarea(forms.Textarea):
    """A textarea for rich text. `tools` says which buttons the editor has: those of a body or of notes."""

    class Media:
        js = [forms.Script("desk/editor.js", type="module")]

    def __init__(self, tools: str = "body", attrs: dict[str, Any] | None = None) -> None:
        self.tools = tools
        super().__init__({"rows": 18 if tools == "body" else 5, "spellcheck": "true", **(attrs or {})})

    def build_attrs(
        self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        attrs = super().build_attrs(base_attrs, extra_attrs)
        urls = {name: static(path) for name, path in MODULES.items()}
        return {**attrs, "data-editor": self.tools, "data-editor-modules": json.dumps(urls)}

    def use_required_attribute(self, initial: Any) -> bool:
        # The editor hides the textarea, and a browser refuses to send a form for a field that it cannot show.
        return False


class BodyField(forms.Field):
    """The body of a story. Its value, cleaned or initial, is a list of blocks."""

    widget = RichTextarea

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", BODY_HELP)
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        return richtext.to_blocks(value or "")

    def prepare_value(self, value: Any) -> Any:
        """Blocks as the editor wants them; what somebody sent, as they sent it."""
        return richtext.to_html(value) if isinstance(value, list) else value

    def has_changed(self, initial: list[Block] | str | None, data: Any) -> bool:
        return bool(self.to_python(self.prepare_value(initial)) != self.to_python(data))


class NotesField(BodyField):
    """Notes to editors: paragraphs and lists. Its value is canonical HTML."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", NOTES_HELP)
        kwargs.setdefault("widget", RichTextarea("notes"))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        return richtext.inline_notes(value or "")
