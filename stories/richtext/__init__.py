"""Rich text: the one place that turns what an editor or a person sends into canonical blocks, and back.

Canonical means: the same bytes for the same content, and nothing in it that a public page may not show.
"""

import re
from html import unescape

from . import inline
from .builder import Block, Builder
from .tokens import tokens

__all__ = ["Block", "inline_notes", "plain", "quotes", "to_blocks", "to_html", "word_count"]

_BLANK_LINES = re.compile(r"\n[ \t\f]*\n\s*")
_WORD = re.compile(r"\S*\w\S*")


def to_blocks(html: str) -> list[Block]:
    """The canonical blocks of `html`, or of plain text with blank lines between its paragraphs.

    No visible text is lost, whatever it is wrapped in. Without a single tag in it `html` is plain text,
    and `&amp;` in it is five letters.
    """
    html = inline.printable(html)
    builder = Builder()
    found = list(tokens(html))
    if all(isinstance(token, str) for token in found):
        for part in _BLANK_LINES.split(html):
            builder.paragraph(part.strip("\n").replace("\n", inline.BREAK))
    else:
        for token in found:
            builder.feed(token)
    return builder.finish()


def to_html(blocks: list[Block]) -> str:
    """What the editor is given: `to_blocks` makes the same blocks of it again."""
    return "\n\n".join(_editable(block) for block in blocks)


def plain(blocks: list[Block]) -> str:
    """The text alone, a blank line between blocks; a quote in quotation marks, then speaker and role."""
    return "\n\n".join(_plain(block) for block in blocks)


def word_count(blocks: list[Block]) -> int:
    """The words that the public reads, without the names and roles under the quotes."""
    return sum(len(_WORD.findall(_text(block["html"]))) for block in blocks)


def quotes(blocks: list[Block]) -> list[Block]:
    """The quotes among `blocks`, in order."""
    return [block for block in blocks if block["kind"] == "quote"]


def inline_notes(html: str) -> str:
    """The canonical HTML of notes to editors: paragraphs and lists; what else there is becomes paragraphs."""
    kept: list[str] = []
    for block in to_blocks(html):
        kept += [block["html"]] if block["kind"] in {"paragraph", "list"} else _as_paragraphs(block)
    return "\n\n".join(kept)


def _as_paragraphs(block: Block) -> list[str]:
    if block["kind"] == "heading":
        return [re.sub("(</?)h[23]>", r"\1p>", block["html"])]
    byline = Builder()
    byline.paragraph(_byline(block))
    words = block["html"].replace("</p><p>", "</p>\n\n<p>")
    return [words] * bool(words) + [one["html"] for one in byline.finish()]


def _byline(block: Block) -> str:
    return ", ".join(filter(None, (block.get("speaker"), block.get("role"))))


def _editable(block: Block) -> str:
    html = block["html"].replace("</p><p>", "</p>\n<p>")
    if block["kind"] != "quote":
        return html
    return (
        '<figure class="quote">\n<blockquote>\n'
        f"{html}\n</blockquote>\n{_figcaption(block.get('speaker', ''), block.get('role', ''))}</figure>"
    )


def _figcaption(speaker: str, role: str) -> str:
    if not (speaker or role):
        return ""
    role = f', <span class="role">{_escaped(role)}</span>' if role else ""
    return f"<figcaption><cite>{_escaped(speaker)}</cite>{role}</figcaption>\n"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(block: Block) -> str:
    text = _list(block["html"]) if block["kind"] == "list" else _text(block["html"])
    if block["kind"] != "quote":
        return text
    return f"“{text}”\n{_byline(block)}".strip("\n")


def _text(html: str) -> str:
    """The text of canonical HTML, paragraphs apart."""
    html = html.replace("</p><p>", "\n\n").replace("<br>", "\n")
    return unescape(re.sub("<[^>]*>", "", re.sub("<(?:li|[uo]l)\\b[^>]*>", "\n", html)).strip("\n"))


def _list(html: str) -> str:
    """A list with its bullets and numbers, an item a line, inner lists moved in."""
    out = ""
    counts: list[int | None] = []
    for token in tokens(html):
        if isinstance(token, str):
            out += unescape(token)
        elif token.name in {"ul", "ol"}:
            if token.end:
                counts.pop()
            else:
                counts.append(int(token.attrs.get("start", 1)) - 1 if token.name == "ol" else None)
        elif token.name == "li" and not token.end:
            number = counts[-1] = None if counts[-1] is None else counts[-1] + 1
            out += "\n" + "  " * (len(counts) - 1) + ("• " if number is None else f"{number}. ")
        elif token.name == "br" or (token.name == "p" and token.end):
            out += "\n"
    return re.sub("\n+", "\n", out).strip("\n")
