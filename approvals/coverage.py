"""What a step covers of a revision's content: each kind a pure function, the same as `covered_content`."""

from typing import Any

from stories import digests

from .models import Covers


def covered_content(content: dict[str, Any], covers: str, whom: str = "") -> Any:
    """The parts of `content` that a step covers, or None where there is nothing to cover."""
    if covers == Covers.EVERYTHING:
        return digests.content_parts(content)
    quotes = digests.quotes(content)
    if covers in {"speaker", "role"}:
        quotes = [quote for quote in quotes if quote.get(covers) == whom]
    key = {"pictures": "picture", "attachments": "attachments", "notes": "notes"}.get(covers)
    return (content.get(key) if key else quotes) or None


def covered_digest(content: dict[str, Any], covers: str, whom: str = "") -> str | None:
    """The digest that a decision has to name, or None where there is nothing to cover."""
    covered = covered_content(content, covers, whom)
    return None if covered is None else digests.digest_of(covered)
