"""Puts tags and text in order: paragraphs, headings, lists and quotes, whatever they were wrapped in."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Literal, NotRequired, TypedDict

import nh3

from . import inline
from .inline import BREAK, Marks, Run
from .tokens import Tag

Kind = Literal["paragraph", "heading", "list", "quote"]


class Block(TypedDict):
    """A block of the body. Quotes alone have a speaker and a role."""

    kind: Kind
    html: str
    speaker: NotRequired[str]
    role: NotRequired[str]


#: Deeper lists join the one above, so that nothing that reads them later runs out of stack.
MAX_LIST_DEPTH = 6
#: Tags open inside each other, of one sort, that are still told apart.
MAX_OPEN = 64

# The last word on what is stored. The builder writes nothing else than this anyway.
_GATE = nh3.Cleaner(
    tags={"p", "h2", "h3", "ul", "ol", "li", "a", "strong", "em", "br"},
    attributes={"a": {"href"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel=None,
)

HEADINGS = {"h1": "h2", "h2": "h2", "h3": "h3", "h4": "h3", "h5": "h3", "h6": "h3"}
LISTS = {"ul": "ul", "ol": "ol", "menu": "ul", "dir": "ul"}
CAPTIONS = {"figcaption", "footer"}
# Text straight inside these is split at blank lines, as somebody without the editor types it.
LOOSE = {"body", "html", "pre", "figure", "blockquote"}
TIGHT = set(
    """
    p div section article header main aside nav address form fieldset legend details summary center dl dt dd
    table caption thead tbody tfoot tr td th hr li option optgroup hgroup listing search figcaption footer
    dialog button select textarea xmp
    """.split()  # noqa: SIM905  (one name a line would be a page of names)
)
BLOCKS = TIGHT | LOOSE | HEADINGS.keys() | LISTS.keys()

_BLANK_LINES = re.compile(r"\n[ \t\f]*\n\s*")
_BOLD = re.compile(r"font-weight\s*:\s*(bold|[6-9]00)", re.IGNORECASE)
_NOT_BOLD = re.compile(r"font-weight\s*:\s*(normal|[1-5]00)", re.IGNORECASE)
_ITALIC = re.compile(r"font-style\s*:\s*(italic|oblique)", re.IGNORECASE)
_AROUND_NAMES = " \u00a0,;:|·–—-"


def block(kind: Kind, html: str) -> Block:
    return {"kind": kind, "html": _gated(html)}


def quote(paragraphs: list[str], speaker: str, role: str) -> Block:
    html = "".join(f"<p>{text}</p>" for text in paragraphs)
    return {"kind": "quote", "html": _gated(html), "speaker": speaker, "role": role}


def _gated(html: str) -> str:
    return _GATE.clean(html).replace("&nbsp;", "\u00a0")


@dataclass
class _Items:
    """A list that is open: each item is a row of paragraphs and finished lists."""

    tag: str
    start: int = 1
    items: list[list[tuple[str, str]]] = field(default_factory=list)

    def add(self, kind: str, html: str) -> None:
        if not self.items:
            self.items.append([])
        self.items[-1].append((kind, html))

    @property
    def html(self) -> str:
        """The list, or nothing where it has no words."""
        rows = "".join(f"<li>{self._row(item)}</li>" for item in self.items if item)
        start = f' start="{self.start}"' if self.start > 1 else ""
        return f"<{self.tag}{start}>{rows}</{self.tag}>" if rows else ""

    @staticmethod
    def _row(item: list[tuple[str, str]]) -> str:
        """One paragraph at the head of an item needs no tags of its own."""
        kinds = [kind for kind, _ in item]
        bare = kinds[0] == "p" and kinds.count("p") == 1
        return "".join(f"<p>{html}</p>" if kind == "p" and not bare else html for kind, html in item)


@dataclass
class _Caption:
    """Who speaks: the text of a figcaption, each piece with what it was marked as."""

    pieces: list[tuple[str, str]] = field(default_factory=list)
    named: bool = False
    has_role: bool = False

    def text(self, *parts: str) -> str:
        return inline.flat("".join(text for part, text in self.pieces if not parts or part in parts))

    def speaker_and_role(self) -> tuple[str, str]:
        """Marked up, or plainly "Speaker, role"."""
        other = self.text("").strip(_AROUND_NAMES)
        if self.named:
            exact = self.has_role and not other
            return self.text("cite"), self.text("role") if exact else self.text("", "role").strip(
                _AROUND_NAMES
            )
        if self.has_role:
            return other, self.text("role")
        speaker, _, role = self.text("").partition(",")
        return speaker.strip(_AROUND_NAMES), role.strip(_AROUND_NAMES)


@dataclass
class _Quote:
    """A quote that is open, and the lists that it broke into, to be taken up after it."""

    broken: list[str]
    paragraphs: list[str] = field(default_factory=list)
    speaker: str = ""
    role: str = ""


class Builder:
    """Takes tokens one by one and has the blocks in `blocks` after `finish`."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._runs: list[Run] = []
        self._open_marks: list[tuple[str, str]] = []  # the tag and what it marks
        self._marks = inline.PLAIN
        self._tight = False
        self._heading = ""
        self._lists: list[_Items] = []
        self._ignored_lists = 0
        self._containers: list[str] = []  # figures and blockquotes that are open
        self._quote: _Quote | None = None
        self._caption: _Caption | None = None

    def feed(self, token: str | Tag) -> None:
        if isinstance(token, str):
            self._text(inline.printable(unescape(token)))
        elif token.end:
            self._end(token.name)
        else:
            self._start(token)

    def finish(self) -> list[Block]:
        self._flush()
        self._end_caption()
        self._containers.clear()
        self._settle_quote()
        self._close_lists()
        return self.blocks

    def paragraph(self, text: str) -> None:
        """A paragraph of plain text."""
        self._runs.append((text, inline.PLAIN))
        self._flush()

    # Text

    def _text(self, text: str) -> None:
        if self._caption:
            part = next((mark for _, mark in reversed(self._open_marks) if mark in {"cite", "role"}), "")
            self._caption.pieces.append((part, text))
            return
        loose = not (self._tight or self._lists or self._heading)
        first, *rest = _BLANK_LINES.split(text) if loose else [text]
        self._run(first)
        for part in rest:
            self._flush()
            self._run(part)

    def _run(self, text: str) -> None:
        self._runs.append((text.replace("\n", " "), self._marks))

    def _flush(self) -> None:
        """The words so far are a block's worth: put them where they belong."""
        if self._caption:
            self._caption.pieces.append(("", " "))
            return
        runs, self._runs = self._runs, []
        if self._heading:
            if text := inline.line(runs):
                self.blocks.append(block("heading", f"<{self._heading}>{text}</{self._heading}>"))
            return
        for text in inline.paragraphs(runs):
            if self._quote:
                self._quote.paragraphs.append(text)
            elif self._lists:
                self._lists[-1].add("p", text)
            else:
                self.blocks.append(block("paragraph", f"<p>{text}</p>"))

    # Tags

    def _start(self, tag: Tag) -> None:
        name = tag.name
        if name == "br":
            self._line_break()
        elif name not in BLOCKS:
            self._open_mark(tag)
        else:
            self._boundary(name)
            if name in CAPTIONS and self._quote and not self._caption:
                self._caption = _Caption()
            elif name in HEADINGS and not self._lists and not self._quote:
                self._heading = HEADINGS[name]
            elif opener := self._openers.get(name):
                opener(self, tag)

    def _end(self, name: str) -> None:
        if name not in BLOCKS:
            self._close_mark(name)
            return
        self._boundary(name)
        self._tight = False
        if name in CAPTIONS:
            self._end_caption()
        elif name in LISTS:
            self._close_list()
        elif name in {"figure", "blockquote"}:
            self._close_container(name)

    def _boundary(self, name: str) -> None:
        self._flush()
        self._heading = ""
        self._tight = name not in LOOSE

    def _line_break(self) -> None:
        if self._caption:
            self._caption.pieces.append(("", " "))
        else:
            self._runs.append((BREAK, self._marks))

    # Marks

    def _open_mark(self, tag: Tag) -> None:
        mark = _mark(tag)
        if not mark or len(self._open_marks) >= MAX_OPEN:
            return
        self._open_marks.append((tag.name, mark))
        self._remark()
        if self._caption:
            self._caption.named |= mark == "cite"
            self._caption.has_role |= mark == "role"

    def _close_mark(self, name: str) -> None:
        for place in range(len(self._open_marks) - 1, -1, -1):
            if self._open_marks[place][0] == name:
                del self._open_marks[place]
                self._remark()
                return

    def _remark(self) -> None:
        marks = [mark for _, mark in self._open_marks]
        href = next((mark for mark in reversed(marks) if ":" in mark), "")
        self._marks = Marks(href, "strong" in marks, "em" in marks)

    # Lists

    def _open_list(self, tag: Tag) -> None:
        if self._quote or len(self._lists) >= MAX_LIST_DEPTH:
            self._ignored_lists += 1
            return
        start = tag.attrs.get("start", "")
        ordered = LISTS[tag.name] == "ol"
        number = int(start) if ordered and re.fullmatch(r"[0-9]{1,4}", start) else 1
        self._lists.append(_Items(LISTS[tag.name], number))

    def _open_item(self, _: Tag) -> None:
        if self._lists and not self._quote:
            self._lists[-1].items.append([])

    def _close_list(self) -> None:
        if self._ignored_lists:
            self._ignored_lists -= 1
        elif self._lists and not self._quote:
            html = self._lists.pop().html
            if html and self._lists:
                self._lists[-1].add("list", html)
            elif html:
                self.blocks.append(block("list", html))

    def _close_lists(self) -> list[str]:
        """Close all lists, and say which they were."""
        tags = [items.tag for items in self._lists]
        self._ignored_lists = 0
        while self._lists:
            self._close_list()
        return tags

    # Quotes

    def _open_figure(self, tag: Tag) -> None:
        if "quote" in tag.attrs.get("class", "").split():
            self._open_container("figure", quoting=True)
        else:
            self._open_container("figure", quoting=False)

    def _open_blockquote(self, _: Tag) -> None:
        if self._containers and self._containers[-1] == "figure":
            # The figcaption to come says whose words these are.
            self._containers[-1] = "figure quote"
        self._open_container("blockquote", quoting=True)

    def _open_container(self, name: str, *, quoting: bool) -> None:
        if len(self._containers) >= MAX_OPEN:
            return
        self._containers.append(f"{name} quote" if quoting else name)
        if quoting and not self._quote:
            self._quote = _Quote(self._close_lists())

    def _close_container(self, name: str) -> None:
        for place in range(len(self._containers) - 1, -1, -1):
            if self._containers[place].split()[0] == name:
                del self._containers[place:]
                break
        self._end_caption()
        self._settle_quote()

    def _end_caption(self) -> None:
        if not self._caption or not self._quote:
            return
        caption, self._caption = self._caption, None
        if self._quote.speaker or self._quote.role:
            self._runs.append((caption.text(), inline.PLAIN))
            self._flush()
        else:
            self._quote.speaker, self._quote.role = caption.speaker_and_role()

    def _settle_quote(self) -> None:
        """End the quote if nothing is open any more that makes it one."""
        if not self._quote or any("quote" in name.split() for name in self._containers):
            return
        done, self._quote = self._quote, None
        if done.paragraphs or done.speaker or done.role:
            self.blocks.append(quote(done.paragraphs, done.speaker, done.role))
        self._ignored_lists = 0
        self._lists = [_Items(tag) for tag in done.broken]

    _openers: dict[str, Callable[["Builder", Tag], None]] = {
        **dict.fromkeys(LISTS, _open_list),
        "li": _open_item,
        "figure": _open_figure,
        "blockquote": _open_blockquote,
    }


def _mark(tag: Tag) -> str:
    """What an inline tag marks its text as: strong, em, cite, role, an address to link to, or nothing."""
    style = tag.attrs.get("style", "")
    if tag.name == "a":
        return inline.safe_href(tag.attrs.get("href", ""))
    if tag.name in {"b", "strong"}:
        # Google Docs wraps all it copies in <b style="font-weight:normal">.
        return "" if _NOT_BOLD.search(style) else "strong"
    if tag.name in {"i", "em"}:
        return "em"
    if tag.name == "cite":
        return "cite"
    if "role" in tag.attrs.get("class", "").split():
        return "role"
    if tag.name in {"span", "font"}:
        return "strong" if _BOLD.search(style) else "em" if _ITALIC.search(style) else ""
    return ""
