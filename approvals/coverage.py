"""What a step covers of a revision's content: each kind a pure function, the same as `covered_content`.

PostgreSQL has the last word. Nothing here raises, whatever is in a content.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stories import digests

from .figures import (
    content_figures,
    figure_sentences,
    is_canonical,
    list_in,
    plain,
    same_name,
    text_in,
    texts,
)

__all__ = [
    "Marks",
    "applies",
    "covered_content",
    "covered_digest",
    "in_words",
    "marks",
    "same_name",
    "when_in_words",
]

EVERYTHING = "everything"
QUOTES = "quotes"
SPEAKER = "speaker"
ROLE = "role"
FIGURES = "figures"
PICTURES = "pictures"
ATTACHMENTS = "attachments"
NOTES = "notes"

KINDS = (EVERYTHING, QUOTES, SPEAKER, ROLE, FIGURES, PICTURES, ATTACHMENTS, NOTES)


def covered_content(content: dict[str, Any], covers: str, whom: str = "") -> Any:
    """The parts of `content` that a step covers, or None where there is nothing to cover."""
    if covers == EVERYTHING:
        return _everything(content)
    if covers in {QUOTES, SPEAKER, ROLE}:
        return [block for _, block in _quotes(content, covers, whom)] or None
    if covers == FIGURES:
        return content_figures(content)
    if covers == PICTURES:
        return None if content.get("picture") is None else [content["picture"]]
    if covers in {ATTACHMENTS, NOTES}:
        part = content.get(covers)
        return None if part in (None, [], "") else part
    return None


def covered_digest(content: dict[str, Any], covers: str, whom: str = "") -> str | None:
    """The digest that a decision has to name, or None where there is nothing to cover."""
    covered = covered_content(content, covers, whom)
    return None if covered is None else digests.digest_of(covered)


def _everything(content: dict[str, Any]) -> dict[str, Any]:
    parts = digests.content_parts({**content, "body": [block for _, block in _quotes(content)]})
    del parts["body"]
    return parts | ({"body": digests.digest_of(content["body"])} if "body" in content else {})


def _quotes(content: dict[str, Any], part: str = QUOTES, name: str = "") -> list[tuple[int, dict[str, Any]]]:
    """The quotes and their places in the body: all, or those whose speaker or role is of one name."""
    wanted = same_name(name)
    return [
        (index, block)
        for index, block in enumerate(list_in(content, "body"))
        if text_in(block, "kind") == "quote"
        and (part == QUOTES or (wanted and same_name(text_in(block, part)) == wanted))
    ]


def applies(content: dict[str, Any], condition: str, value: str = "") -> bool:
    """Whether a conditional step is asked. What depends on more than the content is false here."""
    if condition == "always":
        return True
    if condition in {"quote", "figure", "picture", "attachment"}:
        return covered_content(content, f"{condition}s") is not None
    if condition in {SPEAKER, ROLE}:
        return covered_content(content, condition, value) is not None
    if condition == "type":
        return bool(value) and text_in(content, "type") == value
    if condition in {"partner", "topic"}:
        return bool(value) and any(
            text_in(item, "slug") == value for item in list_in(content, f"{condition}s")
        )
    return False


@dataclass(frozen=True)
class Marks:
    """What a proof brackets: blocks by their places in the body, and the sentences of texts as read.

    The keys of `sentences` are a block's place, "headline", "summary", "notes", "caption" or "alt".
    """

    everything: bool = False
    blocks: frozenset[int] = frozenset()
    sentences: Mapping[str | int, tuple[str, ...]] = field(default_factory=dict)
    picture: bool = False
    attachments: bool = False
    notes: bool = False


def marks(content: dict[str, Any], covers: str, whom: str = "") -> Marks:
    """Where what a step covers stands in the proof of `content`."""
    if covers == FIGURES:
        return _figure_marks(content)
    there = covered_content(content, covers, whom) is not None
    return Marks(
        everything=covers == EVERYTHING,
        blocks=frozenset(index for index, _ in _quotes(content, covers, whom))
        if covers in {QUOTES, SPEAKER, ROLE}
        else frozenset(),
        picture=covers == PICTURES and there,
        attachments=covers == ATTACHMENTS and there,
        notes=covers == NOTES and there,
    )


def _figure_marks(content: dict[str, Any]) -> Marks:
    """Sentence by sentence; a block or notes that cannot be cut into sentences is marked as a whole."""
    found = [(text, figure_sentences(text.html)) for text in texts(content)]
    whole = {text.key for text, covered in found if covered and not is_canonical(text.html)}
    return Marks(
        blocks=frozenset(key for key in whole if isinstance(key, int)),
        sentences={
            text.key: tuple(plain(sentence) for sentence in covered)
            for text, covered in found
            if covered and not (text.key in whole and (text.key == "notes" or isinstance(text.key, int)))
        },
        notes="notes" in whole,
    )


_IN_WORDS = {QUOTES: "all quotes", NOTES: "notes to editors"}

_WHEN_IN_WORDS = {
    "always": "always",
    "quote": "when there is a quote",
    "speaker": "when {} is quoted",
    "role": "when the {} is quoted",
    "figure": "when a figure appears",
    "picture": "when a picture is used",
    "attachment": "when there is an attachment",
    "partner": "when {} is named as partner",
    "type": "when the type is {}",
    "topic": "when the topic is {}",
    "private_office": "when somebody with a private office is quoted",
}


def in_words(covers: str, whom: str = "") -> str:
    """What a step covers: "everything", "the quotes of Eleanor Whitcombe", "figures"."""
    if covers == SPEAKER:
        return f"the quotes of {whom}"
    if covers == ROLE:
        return f"the quotes of the {_without_the(whom)}"
    return _IN_WORDS.get(covers, str(covers))


def when_in_words(condition: str, value: str = "") -> str:
    """When a step is asked: "always", "when Eleanor Whitcombe is quoted"."""
    name = _without_the(value) if condition == ROLE else value
    return _WHEN_IN_WORDS.get(condition, "never").format(name)


def _without_the(role: str) -> str:
    return role[4:] if role[:4].lower() == "the " else role
