"""A content as people read it: parts with the names that they go by, in lines and tokens.

This is what a difference compares, and a page counts.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from stories.content import PART_LABELS
from stories.digests import canonical
from stories.kinds import TYPES
from stories.languages import DEFAULT, LANGUAGES

from . import coverage
from .models import Covers
from .tokens import (
    NEW_LINE,
    Token,
    Tokens,
    excerpt,
    list_start,
    of_html,
    of_value,
    tag_name,
)

_PICTURE_LABELS = {"alt": "alt text", "caption": "caption", "credit": "credit"}
#: What one of a list of things is called.
_ENTRIES = {"topics": "topic", "attachments": "attachment", "partners": "partner organisation"}
_LISTS = {"ul", "ol"}
_END_OF_ENTRY = Token("\n", means="end of entry")
#: The parts below that have a place of their own on the page; all others come last.
_PLACED = {*PART_LABELS, "attachments", "partners"}


@dataclass(frozen=True)
class Line:
    """What stands on a line of its own in a part: a text, an item of a list, the speaker of a quote."""

    #: "words", "text" between lists, "item", "entry", "list" and "end" of one, or "field speaker".
    sort: str
    tokens: Tokens
    #: What it is called: "item 2"; and what the part is called that it stands in.
    label: str = ""
    of: str = ""
    #: What it is called where it moved; nothing where it cannot.
    moves_as: str = ""
    #: The bullet or number before it, and how many lists it stands in.
    mark: str = ""
    depth: int = 0

    @property
    def kind(self) -> str:
        """Lines of one kind can be partners."""
        return f"{self.sort} {self.depth}"

    @property
    def sure(self) -> float:
        """How surely it is the partner of another of its kind; 0 where the words decide."""
        return 0.1 if self.is_frame else 0.0 if self.sort in {"item", "entry", "text"} else 2.0

    @property
    def is_frame(self) -> bool:
        """Whether it only says where a list begins or ends."""
        return self.sort in {"list", "end"}

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for equal lines, wherever they stand."""
        return self.kind, self.tokens

    @property
    def name(self) -> str:
        """What is said before it where it changed."""
        if self.sort == "list":
            return "kind of list"
        return self.sort.removeprefix("field ") if self.sort.startswith("field ") else ""

    @property
    def place(self) -> str:
        """Where it stands, in words."""
        return f"{self.label} of {self.of}"


@dataclass(frozen=True)
class Part:
    """A stretch of text with the name that people call it by. Parts of one kind can be partners."""

    kind: str
    label: str
    lines: tuple[Line, ...]
    #: The block before it.
    after: Tokens = ()

    @cached_property
    def tokens(self) -> Tokens:
        """All of its text."""
        return tuple(token for line in self.lines for token in line.tokens)

    @property
    def sure(self) -> float:
        """How surely it is the partner of another of its kind; 0 where the words decide."""
        return 0.0 if self.kind.startswith("block") else 2.0

    @property
    def moves_as(self) -> str:
        """What it is called where it moved; nothing where it cannot."""
        return "" if self.sure else self.kind.removeprefix("block").strip() or "block"

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for equal parts, wherever they stand."""
        return self.kind, self.tokens

    @property
    def place(self) -> str:
        """Where it stands, in words."""
        after = excerpt(self.after, 5)
        return f"{self.label}, after ‘{after}’" if after else f"{self.label}, at the top"


def parts(content: dict[str, Any], covers: str, whom: str = "") -> list[Part]:
    """What a step covers of a content, in the order of the page. Equal parts have equal content."""
    if covers == Covers.EVERYTHING:
        return list(_everything(content))
    known = _OF_COVERAGE.get(covers)
    found = known(content) if known else _of_covered(_covered(content, covers, whom), covers)
    return list(found)


def links(content: dict[str, Any], covers: str, whom: str = "") -> list[str]:
    """Where the links in what a step covers lead, in order: on the page they do not show it."""
    hrefs = (token.href for part in parts(content, covers, whom) for token in part.tokens)
    return list(dict.fromkeys(href for href in hrefs if href))


def _covered(content: dict[str, Any], covers: str, whom: str) -> list[dict[str, Any]]:
    """The quotes or the figures that a step covers."""
    return coverage.covered_content(content, covers, whom) or []


def _everything(content: dict[str, Any]) -> Iterator[Part]:
    yield _part("type", "the type", of_value(TYPES.get(str(content["type"]), content["type"])))
    language = content.get("language", DEFAULT)
    yield _part("language", "the language", of_value(LANGUAGES.get(str(language), language)))
    yield from (_plain_part(content, key) for key in ("headline", "slug", "summary"))
    yield from _picture(content)
    yield from _blocks(content["body"])
    yield _attachments(content)
    yield from (_plain_part(content, key) for key in ("topics", "organisation"))
    yield _entries("partners", "the partner organisations", content.get("partners", []))
    yield _plain_part(content, "contacts")
    yield _notes(content)
    # Parts that no page shows, and that the digest covers all the same.
    yield from (_plain_part(content, key) for key in sorted(content.keys() - _PLACED))


def _of_covered(covered: list[dict[str, Any]], covers: str) -> Iterator[Part]:
    return figure_parts(covered) if covers == "figures" else _blocks(covered)


def _part(kind: str, label: str, tokens: Tokens) -> Part:
    """A part on one line."""
    return Part(kind, label, (Line("words", tokens, of=label),))


def _plain_part(content: dict[str, Any], key: str) -> Part:
    label = f"the {PART_LABELS.get(key, key)}"
    if isinstance(content[key], list):
        return _entries(key, label, content[key])
    return _part(key, label, of_value(content[key]))


def _entries(kind: str, label: str, value: Any) -> Part:
    """A list of things with a name, each on its own line."""
    if not isinstance(value, list) or not value:
        return _part(kind, label, of_value(value))
    noun = _ENTRIES.get(kind, "entry")
    lines = (
        Line("entry", (*_of_entry(entry), _END_OF_ENTRY), f"{noun} {number}", label, noun, "•", 1)
        for number, entry in enumerate(value, 1)
    )
    return Part(kind, label, tuple(lines))


def _of_entry(entry: Any) -> Tokens:
    if not isinstance(entry, dict) or "sha256" not in entry:
        return of_value(entry)
    # A file: what the page calls it, what stands for its bytes, and the rest in words.
    title = entry.get("title")
    shown = {
        "sha256": f"file {str(entry['sha256'])[:8]}",
        "name": str(entry.get("name")),
        "media_type": str(entry.get("media_type")),
        "size": f"{entry.get('size')} bytes",
    }
    said = (Token(canonical(entry[key]), means=shown[key], loud=True) for key in shown if key in entry)
    rest = {key: value for key, value in entry.items() if key not in {*shown, "title"}}
    return (*of_value(title), *said, *((Token(canonical(rest), means=canonical(rest)),) if rest else ()))


def _attachments(content: dict[str, Any]) -> Part:
    return _entries("attachments", "the attachments", content.get("attachments", []))


def _notes(content: dict[str, Any]) -> Part:
    label = "the notes to editors"
    return Part("notes", label, _lines(of_html(str(content["notes"])), label))


def _picture(content: dict[str, Any]) -> Iterator[Part]:
    """The picture's texts, and a token that stands for its bytes."""
    picture = content["picture"]
    if not isinstance(picture, dict):
        yield _part("picture", "the lead picture", of_value(picture))
        return
    texts = [key for key in _PICTURE_LABELS if key in picture]
    rest = canonical({key: value for key, value in picture.items() if key not in texts})
    shown = f"picture {str(picture.get('sha256'))[:8]}"
    yield _part("picture", "the lead picture", (Token(rest, means=shown),))
    for key in texts:
        yield _part(f"picture {key}", f"the picture’s {_PICTURE_LABELS[key]}", of_value(picture[key]))


_OF_COVERAGE: dict[str, Callable[[dict[str, Any]], Iterable[Part]]] = {
    "pictures": _picture,
    "attachments": lambda content: [_attachments(content)],
    "notes": lambda content: [_notes(content)],
}


def figure_parts(covered: Iterable[dict[str, Any]]) -> Iterator[Part]:
    """Each sentence with figures in it, and whose words it is in."""
    for found in covered:
        before: Tokens = ()
        for html in found["sentences"]:
            tokens = of_html(html)
            yield replace(_part("block figure", f"figure in {found['in']}", tokens), after=before)
            before = tokens
        rest = {key: value for key, value in found.items() if key not in {"in", "sentences"}}
        if any(rest.values()):
            yield _part("block more", f"more on {found['in']}", of_value(rest))


def _blocks(blocks: Iterable[Any]) -> Iterator[Part]:
    """Each block with its number among those of its kind."""
    counts: Counter[str] = Counter()
    before: Tokens = ()
    for block in blocks:
        part = _block(block, counts)
        yield replace(part, after=before)
        before = part.tokens


def _block(block: Any, counts: Counter[str]) -> Part:
    if not isinstance(block, dict) or not isinstance(block.get("html"), str):
        return _part("block", "the body", of_value(block))
    kind = str(block.get("kind", "block"))
    counts[kind] += 1
    label = f"{kind} {counts[kind]}"
    lines = [*_lines(of_html(block["html"]), label)]
    # The speaker comes before the role, as on the page.
    for key in sorted(block.keys() - {"kind", "html"}, key=lambda key: (key != "speaker", key)):
        line = "" if lines and lines[-1].tokens[-1:] == (NEW_LINE,) else "\n"
        lines.append(Line(f"field {key}", (Token(line, means=key), *of_value(block[key])), key, label))
    return Part(f"block {kind}", label, tuple(lines))


# Lines of rich text


def _lines(tokens: Tokens, of: str) -> tuple[Line, ...]:
    """The lines of canonical HTML: each item of a list, and what stands between lists in one piece."""
    lists = _Lists(of)
    for token in tokens:
        lists.feed(token)
    lists.end_line()
    return tuple(lists.lines)


class _Lists:
    """Cuts tokens into lines and counts the items of the lists that are open."""

    def __init__(self, of: str) -> None:
        self.lines: list[Line] = []
        self._of = of
        #: The open lists: whether each is numbered, its next number, and how many items it has.
        self._open: list[tuple[bool, int, int]] = []
        self._line = Line("words", (), of=of)
        self._tokens: list[Token] = []
        #: Whether the line is complete but for white space.
        self._ending = False

    def feed(self, token: Token) -> None:
        if not (token.means or self._ending):
            self._tokens.append(token)
            return
        name = tag_name(token)
        if self._ending and not token.text.isspace():
            self.end_line()
        if name in _LISTS:
            self._begin("list")
            self._open.append((name == "ol", list_start(token), 0))
        elif name == "li":
            self._begin_item()
        elif name.removeprefix("/") in _LISTS or (name == "/li" and not self._tokens):
            self._begin("end")
        if name.removeprefix("/") in _LISTS or name == "/li":
            self._ending = True
        if name.startswith("/") and name[1:] in _LISTS:
            self._open[-1:] = []
        self._tokens.append(token)

    def end_line(self) -> None:
        if self._tokens:
            self.lines.append(replace(self._line, tokens=tuple(self._tokens)))
        self._line = Line("text", (), of=self._of, depth=len(self._open))
        self._tokens = []
        self._ending = False

    def _begin(self, sort: str) -> None:
        self.end_line()
        self._line = replace(self._line, sort=sort)

    def _begin_item(self) -> None:
        self._begin("item")
        if not self._open:
            return
        numbered, number, count = self._open[-1]
        self._open[-1] = (numbered, number + 1, count + 1)
        label = "item " + ".".join(str(count) for _, _, count in self._open)
        mark = f"{number}." if numbered else "•"
        self._line = replace(self._line, label=label, mark=mark, moves_as="list item")
