"""Words, spaces and marks, and what has no words of its own: the letters of a comparison."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html import unescape
from typing import Any

from stories.digests import canonical

_TOKEN = re.compile(r"\s+|\w+(?:[’'\-]\w+)*|[^\w\s]")
_TAG = re.compile(r"<[^>]*>")
_HREF = re.compile(r'href="([^"]*)"')
_START = re.compile(r'start="([0-9]+)"')
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

    def __hash__(self) -> int:
        return hash(self.text)

    @cached_property
    def is_word(self) -> bool:
        """Whether the public reads it as a word."""
        return not self.means and any(character.isalnum() for character in self.text)

    @cached_property
    def is_visible(self) -> bool:
        """Whether the public reads it at all."""
        return not self.means and not self.text.isspace()

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
            return "" if self == NEW_LINE else f"[{self.means}]"
        return "".join(f"[{_space_words(found)}]" if found.isspace() else found for found in self.text)


#: Follows a tag that says as much.
NEW_LINE = Token("\n", means="new line")
Tokens = tuple[Token, ...]


def of_text(text: str) -> Tokens:
    """The tokens of a plain text."""
    return tuple(_split(text))


def of_value(value: Any) -> Tokens:
    """The tokens of a plain text, of something with a name, or of whatever else was stored."""
    if isinstance(value, str):
        return of_text(value)
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        rest = {key: part for key, part in value.items() if key != "name"}
        return (*_split(value["name"]), Token(canonical(rest), means="details"))
    # None, [] and "" have different digests: the first two are told apart by what stands for them.
    return (Token(canonical(value), means="none" if not value else canonical(value), loud=True),)


def of_html(html: str) -> Tokens:
    """The tokens of canonical HTML: its words, and what its tags mean."""
    tokens: list[Token] = []
    end = 0
    for tag in _TAG.finditer(html):
        tokens += (*_split(unescape(html[end : tag.start()])), *_of_tag(tag.group()))
        end = tag.end()
    return (*tokens, *_split(unescape(html[end:])))


def excerpt(tokens: Tokens, words: int) -> str:
    """The first words of a text on one line, with dots where there are more."""
    kept: list[str] = []
    left = words
    for token in tokens:
        left -= token.is_word
        if left < 0:
            return " ".join("".join(kept).split()).rstrip(" ,;:–—") + "…"
        kept.append(token.plain or " " * (token == NEW_LINE))
    return " ".join("".join(kept).split())


def tag_name(token: Token) -> str:
    """The name of the tag that a token stands for, with a slash before that of an end tag; or nothing."""
    found = _NAME.match(token.text) if token.means else None
    return token.text[1] * token.text.startswith("</") + found.group(1).lower() if found else ""


def list_start(token: Token) -> int:
    """The number with which a numbered list begins."""
    found = _START.search(token.text)
    return int(found.group(1)) if found else 1


def _space_words(character: str) -> str:
    known = {" ": "space", "\n": "line break", "\xa0": "fixed space"}
    return known.get(character, f"space U+{ord(character):04X}")


def _of_tag(tag: str) -> list[Token]:
    found = _NAME.match(tag)
    name = found.group(1).lower() if found else ""
    href = _HREF.search(tag)
    if href:
        address = unescape(href.group(1))
        return [Token(tag, means=f"link to {address}", loud=True, href=address)]
    token = Token(tag, means=_tag_words(tag, name), loud=name in _EMPHASIS)
    ends_line = name in _PARTS_WORDS and (tag.startswith("</") or name == "br")
    return [token, NEW_LINE] if ends_line else [token]


def _tag_words(tag: str, name: str) -> str:
    words = _TAG_WORDS.get(name, tag)
    if tag.startswith("</"):
        return f"end of {words}"
    start = _START.search(tag)
    return f"{words} from {start.group(1)}" if start else words


def _split(text: str) -> Iterator[Token]:
    return map(_word, _TOKEN.findall(text))


@lru_cache(maxsize=20_000)
def _word(text: str) -> Token:
    """One token for each text: most words come again."""
    return Token(text)
