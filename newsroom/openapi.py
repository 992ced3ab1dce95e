"""The API in words for programs: OpenAPI 3.1. The tests hold every answer against it."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from . import house

#: How many stories a page has that asks for no number, and how many it has at most.
PAGE_SIZE = 20
MOST = 100
TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
INSTANT = {"type": "string", "format": "date-time"}
ADDRESS = {"type": "string", "format": "uri"}
#: What each story says of the standard that it follows.
NINJS = "https://www.iptc.org/std/ninjs/"


def document() -> dict[str, Any]:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{house.current().name}: news",
            "version": "1",
            "description": "The public stories, for reading, as IPTC ninjs 3.1. HEAD is answered like GET,"
            " without the body.",
        },
        "externalDocs": {"url": NINJS, "description": "IPTC ninjs"},
        "servers": [{"url": settings.SITE_URL}],
        "paths": {
            reverse("api_stories"): {"get": _stories()},
            "/api/stories/{uuid}/": {"get": _story()},
            reverse("openapi"): {"get": _description()},
        },
        "components": {"schemas": {"Page": _page(), "Story": _item(), "Problem": _problem()}},
    }


def _stories() -> dict[str, Any]:
    return {
        "operationId": "stories",
        "summary": "The public stories, the newest first",
        "description": "Follow `next` to go on. What comes out meanwhile moves no story from one page to"
        " another.",
        "parameters": [
            {
                "name": "cursor",
                "in": "query",
                "description": "Where to go on, as `next` of the page before says it.",
                "schema": TEXT,
            },
            {
                "name": "page_size",
                "in": "query",
                "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": PAGE_SIZE},
            },
            _condition(),
        ],
        "responses": {
            "200": _body("A page of stories", "Page"),
            "304": _unchanged(),
            "400": _refusal("There is no such cursor, or no such number of stories on a page"),
        },
    }


def _story() -> dict[str, Any]:
    return {
        "operationId": "story",
        "summary": "A public story",
        "parameters": [
            {
                "name": "uuid",
                "in": "path",
                "required": True,
                "description": "The `uri` of the story without `urn:uuid:`; it never changes.",
                "schema": {"type": "string", "format": "uuid"},
            },
            _condition(),
        ],
        "responses": {
            "200": _body("The story", "Story"),
            "304": _unchanged(),
            "404": _refusal("There is no public story at this address"),
        },
    }


def _description() -> dict[str, Any]:
    return {
        "operationId": "description",
        "summary": "This document",
        "parameters": [_condition()],
        "responses": {
            "200": {
                "description": "The description of the API",
                "headers": _etag(),
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "304": _unchanged(),
        },
    }


def _condition() -> dict[str, Any]:
    return {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag of what is there already: unchanged, it is not sent again.",
        "schema": TEXT,
    }


def _etag() -> dict[str, Any]:
    return {"ETag": {"description": "Of what anybody can read", "schema": TEXT}}


def _body(words: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": words, "headers": _etag(), "content": content}


def _unchanged() -> dict[str, Any]:
    return {"description": "What is there already is the newest", "headers": _etag()}


def _refusal(words: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": words, "content": content}


def _shape(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object with these keys and no others."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _page() -> dict[str, Any]:
    stories = _list({"$ref": "#/components/schemas/Story"})
    return _shape({"stories": stories, "next": {"type": ["string", "null"], "format": "uri"}})


def _problem() -> dict[str, Any]:
    return _shape({"type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT})


def _item() -> dict[str, Any]:
    """A story as `ninjs.item` makes it: of what ninjs allows, the keys that are used here."""
    named = {"name": TEXT, "rel": TEXT}
    words = {"role": TEXT, "contentType": TEXT, "value": TEXT}
    rendition = _shape(
        {"name": TEXT, "href": ADDRESS},
        contentType=TEXT,
        title=TEXT,
        sizeInBytes=COUNT,
        width=COUNT,
        height=COUNT,
    )
    picture = _shape(
        {
            "name": TEXT,
            "rel": TEXT,
            "uri": ADDRESS,
            "type": {"const": "picture"},
            "renditions": _list(rendition),
        },
        by=TEXT,
        descriptions=_list(_shape({"role": TEXT, "value": TEXT})),
    )
    return _shape(
        {
            "uri": {"type": "string", "pattern": "^urn:uuid:[0-9a-f-]{36}$"},
            "standard": _shape({"name": {"const": "ninjs"}, "version": {"const": "3.1"}, "schema": ADDRESS}),
            "type": {"const": "text"},
            "language": TEXT,
            "firstCreated": INSTANT,
            "versionCreated": INSTANT,
            "representationType": {"const": "full"},
            "pubStatus": {"const": "usable"},
            "headlines": _list(_shape(words)),
            "bodies": _list(_shape(words)),
            "by": TEXT,
            "slugline": TEXT,
            "genres": _list(_shape({"name": TEXT})),
            "renditions": _list(rendition),
        },
        descriptions=_list(_shape(words)),
        people=_list(_shape(named)),
        organisations=_list(_shape(named)),
        subjects=_list(_shape(named)),
        associations=_list(picture),
    )
