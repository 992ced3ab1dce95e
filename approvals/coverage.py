"""What a step covers of a revision's content: each kind a pure function, the same as `covered_content`."""

from typing import Any

from stories import digests

from .models import Covers


def covered_content(content: dict[str, Any], covers: str) -> Any:
    """The parts of `content` that a step covers, or None where there is nothing to cover."""
    if covers == Covers.QUOTES:
        return digests.quotes(content) or None
    return digests.content_parts(content)


def covered_digest(content: dict[str, Any], covers: str) -> str | None:
    """The digest that a decision has to name, or None where there is nothing to cover."""
    covered = covered_content(content, covers)
    return None if covered is None else digests.digest_of(covered)
