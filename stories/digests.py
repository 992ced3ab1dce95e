"""The digests of content: what a sign-off is for.

PostgreSQL computes the same in `content_parts` and `digest_of` and has the last word; this is for
Python that needs a digest before anything is stored, and the tests hold the two against each other.
"""

import json
from hashlib import sha256
from typing import Any


def canonical(value: Any) -> str:
    """`value` as PostgreSQL prints it as jsonb: one text for equal values.

    Keys go by length in bytes, then by bytes; a space follows each colon and comma.
    """
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        inner = ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {canonical(value[key])}" for key in keys)
        return "{" + inner + "}"
    if isinstance(value, list):
        return "[" + ", ".join(canonical(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def digest_of(value: Any) -> str:
    """The SHA-256 of the canonical form, in hexadecimal digits."""
    return sha256(canonical(value).encode()).hexdigest()


def content_parts(content: dict[str, Any]) -> dict[str, Any]:
    """One digest a part of `content`, and under `quotes` one a quote, in order."""
    parts: dict[str, Any] = {key: digest_of(part) for key, part in content.items()}
    parts["quotes"] = [digest_of(block) for block in quotes(content)]
    return parts


def content_digest(content: dict[str, Any]) -> str:
    """The digest over all parts: that of the revision."""
    return digest_of(content_parts(content))


def quotes(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The quotes of the body, in order."""
    return [block for block in content["body"] if block["kind"] == "quote"]
