"""The shape of a revision's content: all that the public could see, and nothing else."""

from typing import Any

from .kinds import TYPES
from .languages import DEFAULT


def blank() -> dict[str, Any]:
    """Content with every part there and nothing in it."""
    return {
        "type": next(iter(TYPES)),
        "language": DEFAULT,
        "headline": "",
        "slug": "",
        "summary": "",
        "body": [],
        "picture": None,
        "topics": [],
        "organisation": None,
        "partners": [],
        "attachments": [],
        "notes": "",
        "contacts": "",
    }


def filled(content: dict[str, Any]) -> dict[str, Any]:
    """A stored content with every part there: those from before a part was known lack it."""
    return {**blank(), **content}


#: What each part is called on a page.
PART_LABELS = {
    "type": "type",
    "language": "language",
    "headline": "headline",
    "slug": "address",
    "summary": "summary",
    "body": "body",
    "picture": "lead picture",
    "topics": "topics",
    "organisation": "organisation",
    "partners": "partner organisations",
    "attachments": "attachments",
    "notes": "notes to editors",
    "contacts": "contacts",
}


def changed_parts(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The labels of the parts in which two contents differ, in the order of the page."""
    old, new = filled(old), filled(new)
    return [label for part, label in PART_LABELS.items() if old[part] != new[part]]
