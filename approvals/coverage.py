"""What a step covers of a revision's content."""

from typing import Any

from stories import digests


def in_words(covers: str, whom: str = "") -> str:
    return covers if not whom else f"{covers} {whom}"


def when_in_words(condition: str, value: str = "") -> str:
    return f"when {condition} {value}"


def covered_content(content: dict[str, Any], covers: str, whom: str = "") -> Any:
    if covers == "quotes":
        return digests.quotes(content) or None
    return digests.content_parts(content)


def covered_digest(content: dict[str, Any], covers: str, whom: str = "") -> str | None:
    covered = covered_content(content, covers, whom)
    return None if covered is None else digests.digest_of(covered)
