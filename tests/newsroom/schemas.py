"""Whether a JSON value fits a schema: the keywords of JSON Schema that our own descriptions use.

Any other keyword fails, so that nothing is taken for checked that is not.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

KINDS: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "null": type(None),
}
FORMATS = {
    "date-time": lambda text: datetime.fromisoformat(text).tzinfo is not None,
    "uri": lambda text: bool(urlsplit(text).scheme and urlsplit(text).netloc),
    "uuid": lambda text: str(UUID(text)) == text,
}
KNOWN = {"type", "properties", "required", "additionalProperties", "items", "const", "pattern", "format"}
KNOWN |= {"minimum", "maximum", "default", "$ref"}


def faults(value: Any, schema: dict[str, Any], whole: dict[str, Any], at: str = "") -> Iterator[str]:
    """What of `value` does not fit `schema`, whose references lead into the document `whole`."""
    assert schema.keys() <= KNOWN, schema.keys() - KNOWN
    if "$ref" in schema:
        target = whole
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        yield from faults(value, target, whole, at)
        return
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(isinstance(value, KINDS[kind]) for kind in kinds):
        yield f"{at or 'the whole'} is no {' or '.join(kinds)}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{at} is not {schema['const']}"
    yield from _in_object(value, schema, whole, at) if isinstance(value, dict) else ()
    yield from _in_text(value, schema, at) if isinstance(value, str) else ()
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{at} is {value}"
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from faults(item, schema["items"], whole, f"{at}[{number}]")


def _in_object(
    value: dict[str, Any], schema: dict[str, Any], whole: dict[str, Any], at: str
) -> Iterator[str]:
    known = schema.get("properties", {})
    yield from (f"{at}.{key} is missing" for key in schema.get("required", []) if key not in value)
    for key, inner in value.items():
        if key in known:
            yield from faults(inner, known[key], whole, f"{at}.{key}")
        elif schema.get("additionalProperties") is False:
            yield f"{at}.{key} is not described"


def _in_text(value: str, schema: dict[str, Any], at: str) -> Iterator[str]:
    if not re.search(schema.get("pattern", ""), value):
        yield f"{at} does not match {schema['pattern']}"
    try:
        fits = FORMATS[schema["format"]](value) if "format" in schema else True
    except ValueError:
        fits = False
    if not fits:
        yield f"{at} is no {schema['format']}"
