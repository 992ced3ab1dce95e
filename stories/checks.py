"""What a story needs before anybody is asked to clear it."""

from dataclasses import dataclass
from typing import Any

from . import content as shape
from . import digests


@dataclass(frozen=True)
class Problem:
    """Something to mend: the form's field, and what to do."""

    field: str
    words: str


def problems(content: dict[str, Any]) -> list[Problem]:
    """What is missing before clearance can be requested, in the order of the form."""
    content = shape.filled(content)
    found = [
        Problem(field, words)
        for field, words in (
            ("headline", "The story has no headline"),
            ("slug", "The story has no address"),
            ("summary", "The story has no summary: say in a sentence what is new"),
            ("body", "The story has no body"),
        )
        if not content[field]
    ]
    for number, quote in enumerate(digests.quotes(content), start=1):
        found += _quote_problems(number, quote)
    picture = content["picture"]
    if picture and not picture["alt"]:
        found.append(Problem("picture_alt", "The picture has no alt text: say what it shows"))
    for number, attachment in enumerate(content["attachments"], start=1):
        if not attachment["title"]:
            field = f"attachment_title_{attachment['sha256']}"
            found.append(Problem(field, f"Document {number} has no title: say what it is"))
    return found


def _quote_problems(number: int, quote: dict[str, Any]) -> list[Problem]:
    if not quote["speaker"]:
        return [Problem("body", f"Quote {number} has no speaker: say whose words they are")]
    if not quote["role"]:
        return [Problem("body", f"Quote {number} has no role: say who {quote['speaker']} is")]
    return []
