"""How much there is to read in what a step covers."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from . import coverage
from .models import Covers

_WORD = re.compile(r"[^\W_]+(?:[’'.,\-][^\W_]+)*")
_TAG = re.compile(r"<[^>]*>")
#: Under which keys of a content the public reads words: as HTML, and as they stand.
_HTML = frozenset({"html", "notes", "sentences"})
_PLAIN = frozenset(
    {"headline", "summary", "contacts", "speaker", "role", "alt", "caption", "credit", "title"}
)
#: What is known by its name. The name of a file is nothing to read.
_NAMED = frozenset({"topics", "organisation", "partners"})


def word_count(content: dict[str, Any], covers: str, whom: str = "") -> int:
    """How many words there are in what a step covers, for somebody who has it all to read."""
    if covers == Covers.EVERYTHING:
        covered: Any = content
    elif covers == Covers.NOTES:
        covered = {"notes": content["notes"]}
    else:
        covered = coverage.covered_content(content, covers, whom)
    return sum(len(_WORD.findall(text)) for text in _texts(covered))


def _texts(value: Any, key: str = "", parent: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _texts(part, name, key)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, key, parent)
    elif isinstance(value, str):
        if key in _HTML:
            yield unescape(_TAG.sub(" ", value))
        elif key in _PLAIN or (key == "name" and parent in _NAMED):
            yield value
