"""Words of a story that somebody points at, kept so that they are found again in later revisions.

An anchor names the words themselves and what stood around them, and no position: a revision moves words, and
a position would then point at others. It is JSON:

    {"part": "body", "block": 2, "exact": "about 4,200 homes", "prefix": "It will protect ", "suffix": " and"}

`part` is one of `PARTS`, `block` the number of the block in a body and null elsewhere, `prefix` and `suffix`
up to `CONTEXT` characters each. All of it is about the text as a reader sees it: entities decoded, a line end
for a line break and between paragraphs or items.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from dataclasses import replace as changed_in
from difflib import SequenceMatcher
from html import escape, unescape
from typing import Any

from . import richtext
from .richtext import inline
from .richtext.tokens import Tag, tokens

#: The parts that words can be marked in, in the order of the page, and what people call them.
PARTS = {
    "headline": "headline",
    "summary": "summary",
    "alt": "alt text",
    "caption": "caption",
    "body": "body",
    "notes": "notes to editors",
    "contacts": "contacts",
}
#: Characters that are kept of what stands before the words, and of what stands after.
CONTEXT = 40

Anchor = dict[str, Any]

_KEYS = {"part", "block", "exact", "prefix", "suffix"}
_PICTURE = {"alt", "caption"}
_LINES = {"headline", "summary"}
# Stand before and after a text: that words come first or last is context too.
_FIRST, _LAST = "\x02", "\x03"
#: Characters that have to agree, words and context together, for words to be taken for the same.
_ENOUGH = 12
#: How like the context on one side has to be where less agrees than that: 1 is the same.
_ALIKE = 0.6
#: Places whose context is compared in full, which costs time; the others agree less beside the words.
_CLOSELY = 20
_QUOTATION = str.maketrans(dict.fromkeys("'‘’", "['‘’]") | dict.fromkeys('"“”', '["“”]'))


class NotThere(Exception):
    """The words are not in the content, or not any more."""


class Several(Exception):
    """The words are there more than once, and nothing says which are meant."""


class Across(Exception):
    """The words reach over the end of a paragraph or an item, so no other words can take their place."""


@dataclass(frozen=True)
class Place:
    """Where words are: a part, the number of the block in a body, and from where to where in its text."""

    part: str
    block: int | None
    start: int
    end: int


class Reading:
    """The texts of a content, taken apart once for however many anchors are looked up in it."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content
        self._texts: dict[str, list[tuple[int | None, str]]] = {}

    def texts(self, part: str) -> list[tuple[int | None, str]]:
        """The texts of a part: one, with None, or those of the blocks of a body, each with its number."""
        if part not in self._texts:
            self._texts[part] = list(_texts(self._content, part))
        return self._texts[part]

    def text(self, part: str, block: int | None) -> str:
        """One text; empty where there is none."""
        return dict(self.texts(part)).get(block, "")

    def words(self, place: Place) -> str:
        """The words at a place."""
        return self.text(place.part, place.block)[place.start : place.end]

    def find(self, anchor: Any) -> Place | None:
        """Where the words of an anchor are; None where they are gone, or could be meant in two places.

        Of several places the one whose context is most like the anchor's is taken, then the one in the block
        that the anchor names. Words that hardly any context speaks for count as gone.
        """
        if not is_anchor(anchor):
            return None
        part = anchor["part"]
        sides = _padded(anchor)
        around = [
            (*_agreeing(sides, text, start, end), Place(part, block, start, end), text)
            for block, text in self.texts(part)
            for start, end in _occurrences(text, anchor["exact"])
        ]
        around.sort(key=lambda one: one[0] + one[1], reverse=True)
        found = [
            (before + after + CONTEXT * sum(alike), place.block == anchor["block"], place)
            for before, after, place, text in around[:_CLOSELY]
            if (alike := _likeness(sides, text, place)) and _convincing(anchor, before + after, alike)
        ]
        found.sort(key=lambda one: one[:2], reverse=True)
        if not found or (len(found) > 1 and found[0][:2] == found[1][:2]):
            return None
        return found[0][2]

    def anchor(self, part: str, block: int | None, start: int, end: int) -> Anchor:
        """An anchor for the words from `start` to `end` of a text, without the white space around them.

        Raises:
            NotThere: there are no words.
        """
        text = self.text(part, block)
        if part not in PARTS or not 0 <= start <= end <= len(text):
            raise NotThere
        exact = text[start:end]
        start += len(exact) - len(exact.lstrip())
        exact = exact.strip()
        if not exact:
            raise NotThere
        end = start + len(exact)
        prefix, suffix = text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT]
        return {"part": part, "block": block, "exact": exact, "prefix": prefix, "suffix": suffix}

    def locate(
        self, part: str, words: str, *, block: int | None = None, prefix: str = "", suffix: str = ""
    ) -> Anchor:
        """An anchor for words as somebody typed, pasted or marked them.

        White space and quotation marks may differ from those of the story. `block`, `prefix` and `suffix`
        tell words that are there more than once apart, where they are known.

        Raises:
            NotThere: the part has no such words.
            Several: it has them more than once.
        """
        wanted = [re.escape(word).translate(_QUOTATION) for word in words.split()]
        pattern = re.compile(r"\s+".join(wanted))
        places = [
            Place(part, number, *found.span())
            for number, text in self.texts(part)
            for found in pattern.finditer(text)
            if wanted
        ]
        if not places:
            raise NotThere
        if len(places) > 1:
            places = self._nearest(places, block, prefix, suffix)
        place = places[0]
        return self.anchor(part, place.block, place.start, place.end)

    def _nearest(self, places: list[Place], block: int | None, prefix: str, suffix: str) -> list[Place]:
        sides = (_flat(prefix), _flat(suffix))
        scored = []
        for place in places:
            text = self.text(place.part, place.block)
            left = _flat(text[max(0, place.start - 3 * CONTEXT) : place.start])
            right = _flat(text[place.end : place.end + 3 * CONTEXT])
            agreeing = _common(sides[0][::-1], left[::-1]) + _common(sides[1], right)
            scored.append((agreeing, block is not None and place.block == block, place))
        best = max(one[:2] for one in scored)
        nearest = [place for *score, place in scored if tuple(score) == best]
        if len(nearest) > 1:
            raise Several(len(places))
        return nearest


def make(content: dict[str, Any], part: str, block: int | None, start: int, end: int) -> Anchor:
    """An anchor for words of `content`: see `Reading.anchor`."""
    return Reading(content).anchor(part, block, start, end)


def find(content: dict[str, Any], anchor: Any) -> Place | None:
    """Where the words of an anchor are in `content`: see `Reading.find`."""
    return Reading(content).find(anchor)


def check(content: dict[str, Any], anchor: Any) -> Place:
    """Where the words of an anchor are in the very content that it was made for.

    Raises:
        NotThere: it is no anchor, or its words are not there.
    """
    place = find(content, anchor)
    if place is None:
        raise NotThere
    return place


def replace(content: dict[str, Any], anchor: Any, replacement: str) -> dict[str, Any]:
    """`content` with other words in the place of those of an anchor, and nothing else changed.

    `replacement` is plain text. Links and emphasis stay as they are around it; it has those of the first of
    the words that it replaces.

    Raises:
        NotThere: the words are gone.
        Across: they reach over the end of a paragraph, or nothing would be left of one.
    """
    place = check(content, anchor)
    words = settled(place.part, replacement)
    if not words:
        place = _with_space(Reading(content).text(place.part, place.block), place)
    changed = dict(content)
    if place.part == "body":
        blocks = list(content["body"])
        blocks[place.block or 0] = _replaced_block(blocks[place.block or 0], place, words)
        changed["body"] = blocks
    elif place.part == "notes":
        changed["notes"] = richtext.inline_notes(_Markup(content["notes"]).replaced(place, words))
    elif place.part in _PICTURE:
        text = content["picture"][place.part]
        changed["picture"] = {**content["picture"], place.part: _spliced(text, place, words)}
    else:
        changed[place.part] = _spliced(content[place.part], place, words)
    return changed


def settled(part: str, replacement: str) -> str:
    """A replacement in the form in which its part holds words: on one line, but for contacts."""
    text = inline.printable(replacement)
    if part == "contacts":
        return "\n".join(line.rstrip() for line in text.split("\n")).strip()
    return " ".join(text.split()) if part in _LINES else inline.flat(text)


def is_anchor(value: Any) -> bool:
    """Whether something stored has the shape of an anchor: raw SQL can store anything."""
    if not isinstance(value, dict) or value.keys() != _KEYS or value["part"] not in list(PARTS):
        return False
    texts = [value[key] for key in ("exact", "prefix", "suffix")]
    if not all(isinstance(text, str) for text in texts) or max(map(len, texts[1:])) > CONTEXT:
        return False
    numbered = type(value["block"]) is int if value["part"] == "body" else value["block"] is None
    return numbered and bool(texts[0]) and texts[0] == texts[0].strip()


# The texts of the parts


def _texts(content: dict[str, Any], part: str) -> Iterator[tuple[int | None, str]]:
    if part == "body":
        yield from ((number, _Markup(block["html"]).text) for number, block in enumerate(content["body"]))
    elif part == "notes":
        yield None, _Markup(content["notes"]).text
    elif part in _PICTURE:
        yield None, str((content["picture"] or {}).get(part, ""))
    elif part in PARTS:
        yield None, str(content[part])


class _Markup:
    """HTML taken apart into its tags and its texts, each text with where it begins in what a reader sees."""

    def __init__(self, html: str) -> None:
        self.text = ""
        self._pieces: list[tuple[str | Tag, int]] = []
        #: Where one paragraph or item ends and the next begins.
        self._ends: list[int] = []
        apart = False
        for piece in _solid(list(tokens(html))):
            if not isinstance(piece, str):
                apart = apart or (piece.name in _APART and bool(self.text))
                self._pieces.append((piece, len(self.text)))
                if piece.name == "br" and not piece.end:
                    self.text += "\n"
                continue
            if apart:
                self._ends.append(len(self.text))
                self.text += "\n"
                apart = False
            self._pieces.append((piece, len(self.text)))
            self.text += piece

    def replaced(self, place: Place, words: str) -> str:
        """The HTML with other words at a place."""
        if any(place.start <= end < place.end for end in self._ends):
            raise Across
        out = ""
        waiting = True
        for piece, at in self._pieces:
            if isinstance(piece, str):
                first, last = max(place.start - at, 0), max(place.end - at, 0)
                inside = waiting and at <= place.start < at + len(piece)
                waiting = waiting and not inside
                text = piece[:first] + (words if inside else "") + piece[last:]
                out += escape(text, quote=False)
            elif piece.name != "br":
                out += _written(piece)
            elif not place.start <= at < place.end:
                out += "<br>"
        # Without a single tag it would be read as plain text, entities and all.
        return out if any(isinstance(piece, Tag) for piece, _ in self._pieces) else f"<p>{out}</p>"


_APART = {"p", "li", "ul", "ol", "h2", "h3"}


def _solid(pieces: list[str | Tag]) -> Iterator[str | Tag]:
    """The pieces without the white space between two paragraphs, which no reader sees; entities decoded."""
    around: list[str | Tag | None] = [None, *pieces, None]
    for before, piece, after in zip(around, pieces, around[2:], strict=False):
        if not isinstance(piece, str):
            yield piece
        elif piece.strip(" \t\r\n\f") or not (_parts(before) and _parts(after)):
            yield unescape(piece)


def _parts(piece: str | Tag | None) -> bool:
    """Whether a piece begins or ends a paragraph, as the ends of the whole do."""
    return piece is None or (isinstance(piece, Tag) and piece.name in _APART)


def _written(tag: Tag) -> str:
    if tag.end:
        return f"</{tag.name}>"
    attrs = "".join(f' {name}="{escape(value)}"' for name, value in tag.attrs.items())
    return "" if tag.name == "!" else f"<{tag.name}{attrs}>"


def _with_space(text: str, place: Place) -> Place:
    """A place of words that are taken out, with one of the two spaces around them."""
    before, after = text[: place.start], text[place.end : place.end + 1]
    alone = before.endswith(" ") and not after.isalnum()
    return changed_in(place, start=place.start - 1) if alone else place


def _replaced_block(block: dict[str, Any], place: Place, words: str) -> dict[str, Any]:
    html = _Markup(block["html"]).replaced(place, words)
    if block["kind"] == "quote":
        html = f'<figure class="quote"><blockquote>{html}</blockquote></figure>'
    made = richtext.to_blocks(html)
    if len(made) != 1 or made[0]["kind"] != block["kind"]:
        raise Across
    return {**block, "html": made[0]["html"]}


def _spliced(text: str, place: Place, words: str) -> str:
    return text[: place.start] + words + text[place.end :]


# Telling places apart


def _occurrences(text: str, exact: str) -> Iterator[tuple[int, int]]:
    start = text.find(exact)
    while start >= 0:
        yield start, start + len(exact)
        start = text.find(exact, start + 1)


def _padded(anchor: Anchor) -> tuple[str, str]:
    """What stood before and after, with marks where the text began and ended."""
    prefix, suffix = anchor["prefix"], anchor["suffix"]
    return (
        prefix if len(prefix) == CONTEXT else _FIRST + prefix,
        suffix if len(suffix) == CONTEXT else suffix + _LAST,
    )


def _beside(sides: tuple[str, str], text: str, start: int, end: int) -> tuple[str, str]:
    """As much of what stands before and after as the anchor knows of."""
    before = (_FIRST + text[max(0, start - CONTEXT) : start]) if start <= CONTEXT else text[:start]
    after = text[end : end + CONTEXT + 1] + (_LAST if len(text) - end <= CONTEXT else "")
    return before[-len(sides[0]) :], after[: len(sides[1])]


def _agreeing(sides: tuple[str, str], text: str, start: int, end: int) -> tuple[int, int]:
    """How many characters right before the words, and right after them, are those of the anchor."""
    before, after = _beside(sides, text, start, end)
    return _common(sides[0][::-1], before[::-1]), _common(sides[1], after)


def _likeness(sides: tuple[str, str], text: str, place: Place) -> tuple[float, float]:
    """How like the anchor's what stands on either side is."""
    before, after = _beside(sides, text, place.start, place.end)
    return _ratio(sides[0], before), _ratio(sides[1], after)


def _convincing(anchor: Anchor, agreeing: int, alike: tuple[float, float]) -> bool:
    """Whether words at a place can be taken for those of the anchor, and not just for equal ones."""
    if len(anchor["exact"]) + agreeing >= _ENOUGH or alike == (1.0, 1.0):
        return True
    return any(
        ratio >= _ALIKE and len(side) >= _ENOUGH
        for ratio, side in zip(alike, (anchor["prefix"], anchor["suffix"]), strict=True)
    )


def _ratio(one: str, other: str) -> float:
    return 1.0 if one == other else SequenceMatcher(None, one, other, autojunk=False).ratio()


def _common(one: Iterable[str], other: Iterable[str]) -> int:
    """How many characters two texts begin with alike."""
    number = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        number += 1
    return number


def _flat(text: str) -> str:
    """Any white space as one space: a browser gives other white space than is stored."""
    return re.sub(r"\s+", " ", text)
