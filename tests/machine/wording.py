"""Words that the machine writes: each is like no other, so that one on the wrong page is seen."""

import re
from collections.abc import Callable
from itertools import count
from typing import Any

from stories import content as shape

from .world import FILES, PARTNERS, SPEAKERS

WORD = re.compile(r"xq[a-z]+qx")
LETTERS = "bcdfghjklm"


class Words:
    """A source of words that were never written before."""

    def __init__(self) -> None:
        self._numbers = count()

    def new(self) -> str:
        """A word of letters alone: a digit would be a figure."""
        return f"xq{''.join(LETTERS[int(digit)] for digit in str(next(self._numbers)))}qx"


def paragraph(words: Words, figure: bool = False) -> dict[str, Any]:
    return {"kind": "paragraph", "html": f"<p>{words.new()}{' 7' if figure else ''} boats.</p>"}


def quote(words: Words, number: int) -> dict[str, Any]:
    speaker, role = SPEAKERS[number % len(SPEAKERS)]
    return {"kind": "quote", "html": f"<p>{words.new()} it is.</p>", "speaker": speaker, "role": role}


def first(words: Words, slug: str, number: int) -> dict[str, Any]:
    """The words with which a story begins."""
    body = [paragraph(words), quote(words, number)] if number % 3 else [paragraph(words)]
    return {
        **shape.blank(),
        "headline": f"Headline {words.new()}",
        "slug": slug,
        "summary": f"{words.new()}.",
        "contacts": f"Desk {words.new()}",
        "notes": f"<p>{words.new()}.</p>" if number % 2 else "",
        "body": body,
    }


Change = Callable[[Words, dict[str, Any], int], dict[str, Any]]


def _block(words: Words, content: dict[str, Any], number: int) -> dict[str, Any]:
    """One block of the body with other words."""
    body = list(content["body"])
    place = number % len(body)
    old = body[place]
    html = quote(words, 0)["html"] if old["kind"] == "quote" else paragraph(words, number % 2 == 1)["html"]
    body[place] = {**old, "html": html}
    return {"body": body}


def _more(words: Words, content: dict[str, Any], number: int) -> dict[str, Any]:
    block = quote(words, number) if number % 2 else paragraph(words, number % 4 == 0)
    body = [*content["body"], block]
    return {"body": body[-4:]}


def _less(words: Words, content: dict[str, Any], number: int) -> dict[str, Any]:
    body = list(content["body"])
    if len(body) > 1:
        body.pop(number % len(body))
    return {"body": body}


def _said_by(words: Words, content: dict[str, Any], number: int) -> dict[str, Any]:
    """The same words in another's mouth."""
    speaker, role = SPEAKERS[number % len(SPEAKERS)]
    return {
        "body": [
            {**block, "speaker": speaker, "role": role} if block["kind"] == "quote" else block
            for block in content["body"]
        ]
    }


def _role(words: Words, content: dict[str, Any], number: int) -> dict[str, Any]:
    """The same words and names, and who the first of them is."""
    body, roles = list(content["body"]), [role for _, role in SPEAKERS]
    for place, block in enumerate(body):
        if block["kind"] == "quote":
            body[place] = {**block, "role": roles[number % len(roles)]}
            break
    return {"body": body}


def _credit(words: Words, content: dict[str, Any], number: int) -> dict[str, Any]:
    """One of the small words round the picture."""
    part = ("credit", "caption", "alt")[number % 3]
    return {"picture": content["picture"] and {**content["picture"], part: f"{words.new()} {part}."}}


def _picture(words: Words, content: dict[str, Any], number: int) -> dict[str, Any]:
    if number % 3 == 2:
        return {"picture": None}
    file = FILES[number % 2]
    fields = {"sha256": file, "name": f"{file}.png", "width": 4, "height": 3, "credit": words.new()}
    return {"picture": {**fields, "alt": f"{words.new()} seen.", "caption": f"{words.new()} shown."}}


def _attachment(words: Words, content: dict[str, Any], number: int) -> dict[str, Any]:
    if number % 3 == 2:
        return {"attachments": []}
    file = FILES[number % 2]
    named = {"name": f"{file}.pdf", "title": words.new(), "media_type": "application/pdf", "size": 9}
    return {"attachments": [{"sha256": file, **named}]}


CHANGES: dict[str, Change] = {
    "headline": lambda w, c, n: {"headline": f"Headline {w.new()}{' 9' if n % 3 == 0 else ''}"},
    "summary": lambda w, c, n: {"summary": f"{w.new()}{' 3' if n % 3 == 0 else ''}."},
    "block": _block,
    "more": _more,
    "less": _less,
    "said by": _said_by,
    "role": _role,
    "credit": _credit,
    "notes": lambda w, c, n: {"notes": f"<p>{w.new()}.</p>" if n % 3 else ""},
    "contacts": lambda w, c, n: {"contacts": f"Desk {w.new()}"},
    "picture": _picture,
    "attachment": _attachment,
    "partners": lambda w, c, n: {"partners": PARTNERS[: n % 3]},
    "topics": lambda w, c, n: {"topics": [{"slug": "bridges", "name": "Bridges"}] if n % 2 else []},
    "type": lambda w, c, n: {"type": ("statement", "speech")[n % 2]},
}


def shown(content: dict[str, Any]) -> set[str]:
    """The words that everybody has to find on the public page."""
    body = [block["html"] for block in content["body"]]
    texts = [content[part] for part in ("headline", "summary", "notes", "contacts")]
    picture = content["picture"] or {}
    texts += [picture.get(part, "") for part in ("alt", "caption", "credit")]
    return set(WORD.findall(" ".join([*body, *texts])))
