"""A content taken apart into named parts of tokens: what a difference compares, and a page counts."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from typing import Any

from stories.content import PART_LABELS
from stories.digests import canonical, quotes
from stories.kinds import TYPES

from .models import Covers

_TOKEN = re.compile(r"\s+|\w+(?:[’'\-]\w+)*|[^\w\s]")
_TAG = re.compile(r"<[^>]*>")
_HREF = re.compile(r'href="([^"]*)"')
_NAME = re.compile(r"</?\s*(\w*)")
_TAG_WORDS = {
    "p": "paragraph",
    "br": "line break",
    "ul": "bulleted list",
    "ol": "numbered list",
    "li": "list item",
    "h2": "heading",
    "h3": "smaller heading",
    "strong": "bold",
    "em": "italic",
    "a": "link",
}
_EMPHASIS = {"strong", "em"}
_PARTS_WORDS = {"p", "br", "ul", "ol", "li", "h2", "h3"}
_PICTURE_LABELS = {"alt": "alt text", "caption": "caption", "credit": "credit"}


@dataclass(frozen=True)
class Token:
    """A word, a space or a mark of punctuation; or, with `means`, something that has no words on the page."""

    text: str = ""
    #: What it means, in words; empty for what the public reads as it stands.
    means: str = ""
    #: Whether its meaning has to be said even beside words that changed as well.
    loud: bool = False
    #: Where a link leads.
    href: str = ""

    @cached_property
    def is_word(self) -> bool:
        """Whether the public reads it as a word."""
        return not self.means and any(character.isalnum() for character in self.text)

    @property
    def plain(self) -> str:
        """How it reads where it stayed."""
        return ("\n" if self.text == "\n" else "") if self.means else self.text

    @property
    def beside_words(self) -> str:
        """How it reads where it came or went together with words."""
        return f" [{self.means}] " if self.loud else self.plain

    @property
    def alone(self) -> str:
        """How it reads where it came or went, and no word with it."""
        if self.means:
            return "" if self == _NEW_LINE else f"[{self.means}]"
        return "".join(f"[{_space_words(found)}]" if found.isspace() else found for found in self.text)


#: Follows a tag that says as much.
_NEW_LINE = Token("\n", means="new line")


@dataclass(frozen=True)
class Part:
    """A stretch of text with the name that people call it by. Parts of one kind can be partners."""

    kind: str
    label: str
    tokens: tuple[Token, ...]

    @property
    def is_block(self) -> bool:
        """Whether there can be several of its kind."""
        return self.kind.startswith("block")

    @property
    def key(self) -> tuple[str, tuple[Token, ...]]:
        """Equal for equal parts, wherever they stand."""
        return self.kind, self.tokens


def parts(content: dict[str, Any], covers: str) -> list[Part]:
    """What a step covers of a content, in the order of the page. Equal parts have equal content."""
    if covers == Covers.QUOTES:
        return list(_blocks(quotes(content)))
    return [
        Part("type", "the type", _of_value(TYPES.get(str(content["type"]), content["type"]))),
        *(_plain_part(content, key) for key in ("headline", "slug", "summary")),
        *_picture(content["picture"]),
        *_blocks(content["body"]),
        *(_plain_part(content, key) for key in ("topics", "organisation", "contacts")),
        Part("notes", "the notes to editors", _of_html(str(content["notes"]))),
        # Parts that no page shows, and that the digest covers all the same.
        *(_plain_part(content, key) for key in sorted(content.keys() - PART_LABELS.keys())),
    ]


def word_count(content: dict[str, Any], covers: str) -> int:
    """How many words there are in what a step covers, for somebody who has it all to read."""
    return sum(token.is_word for part in parts(content, covers) for token in part.tokens)


def links(content: dict[str, Any], covers: str) -> list[str]:
    """Where the links in what a step covers lead, in order: on the page they do not show it."""
    hrefs = (token.href for part in parts(content, covers) for token in part.tokens)
    return list(dict.fromkeys(href for href in hrefs if href))


def _space_words(character: str) -> str:
    known = {" ": "space", "\n": "line break", "\xa0": "fixed space"}
    return known.get(character, f"space U+{ord(character):04X}")


def _plain_part(content: dict[str, Any], key: str) -> Part:
    return Part(key, f"the {PART_LABELS.get(key, key)}", _of_value(content[key]))


def _picture(picture: Any) -> Iterator[Part]:
    """The picture's texts, and a token that stands for its bytes."""
    if not isinstance(picture, dict):
        yield Part("picture", "the lead picture", _of_value(picture))
        return
    texts = [key for key in _PICTURE_LABELS if key in picture]
    rest = canonical({key: value for key, value in picture.items() if key not in texts})
    shown = f"picture {str(picture.get('sha256'))[:8]}"
    yield Part("picture", "the lead picture", (Token(rest, means=shown),))
    for key in texts:
        yield Part(f"picture {key}", f"the picture’s {_PICTURE_LABELS[key]}", _of_value(picture[key]))


def _blocks(blocks: Iterable[Any]) -> Iterator[Part]:
    """Each block with its number among those of its kind."""
    counts: Counter[str] = Counter()
    for block in blocks:
        if not isinstance(block, dict) or not isinstance(block.get("html"), str):
            yield Part("block", "the body", _of_value(block))
            continue
        kind = str(block.get("kind", "block"))
        counts[kind] += 1
        tokens = _of_html(block["html"])
        # The speaker comes before the role, as on the page.
        for key in sorted(block.keys() - {"kind", "html"}, key=lambda key: (key != "speaker", key)):
            line = "" if tokens[-1:] == (_NEW_LINE,) else "\n"
            tokens = (*tokens, Token(line, means=key), *_of_value(block[key]))
        yield Part(f"block {kind}", f"{kind} {counts[kind]}", tokens)


def _of_value(value: Any) -> tuple[Token, ...]:
    """The tokens of a plain text, of the names in a list, or of whatever else was stored."""
    if isinstance(value, str):
        return tuple(_split(value))
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        rest = {key: part for key, part in value.items() if key != "name"}
        return (*_split(value["name"]), Token(canonical(rest), means="details"))
    if isinstance(value, list) and value:
        end = Token("\n", means="end of entry")
        return tuple(token for item in value for token in (*_of_value(item), end))
    # None, [] and "" have different digests: the first two are told apart by what stands for them.
    return (Token(canonical(value), means="none" if not value else canonical(value), loud=True),)


def _of_html(html: str) -> tuple[Token, ...]:
    """The tokens of canonical HTML: its words, and what its tags mean."""
    tokens: list[Token] = []
    end = 0
    for tag in _TAG.finditer(html):
        tokens += (*_split(unescape(html[end : tag.start()])), *_of_tag(tag.group()))
        end = tag.end()
    return (*tokens, *_split(unescape(html[end:])))


def _of_tag(tag: str) -> list[Token]:
    found = _NAME.match(tag)
    name = found.group(1).lower() if found else ""
    href = _HREF.search(tag)
    if href:
        address = unescape(href.group(1))
        return [Token(tag, means=f"link to {address}", loud=True, href=address)]
    words = _TAG_WORDS.get(name, tag)
    token = Token(tag, means=f"end of {words}" if tag.startswith("</") else words, loud=name in _EMPHASIS)
    ends_line = name in _PARTS_WORDS and (tag.startswith("</") or name == "br")
    return [token, _NEW_LINE] if ends_line else [token]


def _split(text: str) -> Iterator[Token]:
    return (Token(found) for found in _TOKEN.findall(text))
