"""A story as IPTC ninjs 3.1, whose schema rejects every key that it does not know."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from newsroom import ninjs
from newsroom.telling import Told
from stories.rendering import Form
from tests.people import words

AT = datetime(2026, 3, 29, 0, 1, tzinfo=UTC)
LATER = datetime(2026, 3, 30, 9, 30, 0, 500, tzinfo=UTC)
PICTURE = {
    "sha256": "a" * 64,
    "name": f"{'a' * 64}.jpg",
    "width": 1200,
    "height": 800,
    "alt": "The bridge.",
    "caption": "The bridge at Harrow Weir.",
    "credit": "Rivers",
}
ATTACHMENT = {
    "sha256": "b" * 64,
    "name": f"{'b' * 64}.pdf",
    "title": "Flood map",
    "media_type": "application/pdf",
    "size": 2048,
}

#: Of the schema of ninjs 3.1 (https://www.iptc.org/std/ninjs/), the keys of what we send.
PARTS = {
    "standard": {"name", "version", "schema"},
    "headlines": {"role", "contentType", "value"},
    "descriptions": {"role", "contentType", "value"},
    "bodies": {"role", "contentType", "charCount", "wordCount", "value"},
    "people": {"name", "rel", "uri", "literal", "contactInfo"},
    "organisations": {"name", "rel", "uri", "literal", "symbols", "contactInfo"},
    "subjects": {"name", "rel", "uri", "literal", "creator", "relevance", "confidence"},
    "genres": {"name", "uri", "literal"},
    "renditions": {"name", "href", "contentType", "title", "width", "height", "sizeInBytes"},
}
PLAIN = {
    "uri",
    "type",
    "representationType",
    "version",
    "firstCreated",
    "versionCreated",
    "pubStatus",
    "language",
    "by",
    "slugline",
}


def check(item: dict[str, Any], extra: frozenset[str] = frozenset()) -> None:
    """Hold a document against the schema, as far as it is about what we send."""
    assert item.keys() <= PLAIN | PARTS.keys() | {"associations"} | extra
    assert {type(item[key]) for key in item.keys() & (PLAIN | extra)} == {str}
    for key, known in PARTS.items():
        for part in [item[key]] if isinstance(item.get(key), dict) else item.get(key, []):
            assert part.keys() <= known, key
            numbers = {"width", "height", "sizeInBytes"}
            assert all(isinstance(part[name], int if name in numbers else str) for name in part)
            assert key not in {"headlines", "descriptions", "bodies"} or "value" in part
            assert key != "renditions" or "name" in part
    assert item.get("pubStatus", "usable") in {"usable", "withheld", "canceled"}
    assert item["type"] in {"text", "picture"}
    for associated in item.get("associations", []):
        assert {"name", "uri"} <= associated.keys()
        check(associated, frozenset({"name", "rel"}))


def told(**changes: Any) -> Told:
    return Told(
        uid="0d6c0e2c-7c4b-4f6b-8f3f-0c3f0f5d2a11",
        address="https://rivers.example/news/footbridge-harrow-weir/",
        zone="Europe/London",
        published=AT,
        updated=LATER,
        content=words(**changes),
    )


@pytest.fixture
def full(settings) -> dict[str, Any]:
    settings.SITE_URL = "https://rivers.example"
    return ninjs.item(
        told(
            picture=PICTURE,
            attachments=[ATTACHMENT],
            organisation={"slug": "rivers", "name": "Department for Rivers"},
            partners=[{"slug": "weirs", "name": "Weir Society"}],
            topics=[{"slug": "bridges", "name": "Bridges"}],
        )
    )


def test_a_full_story_fits_the_schema_and_is_json(full):
    check(json.loads(json.dumps(full)))


def test_a_picture_is_told_of_in_every_width_and_format_that_is_drawn(settings):
    settings.SITE_URL = "https://rivers.example"
    name = f"{'c' * 64}.avif"
    story = told(picture=PICTURE)
    story.forms = (Form(name, "image/avif", 480, 320, 9000, f"/media/{name}"),)
    item = ninjs.item(story)
    check(json.loads(json.dumps(item)))
    main, narrow = item["associations"][0]["renditions"]
    assert (main["name"], main["width"], main["height"]) == ("main", 1200, 800)
    assert narrow == {
        "name": "avif-480",
        "href": f"https://rivers.example/media/{name}",
        "contentType": "image/avif",
        "width": 480,
        "height": 320,
        "sizeInBytes": 9000,
    }


def test_a_story_with_nothing_but_its_words_fits_too():
    item = ninjs.item(told(body=[], notes="", contacts="", summary=""))
    check(item)
    assert not {"people", "subjects", "organisations", "associations", "descriptions"} & item.keys()


def test_what_it_says(full):
    assert full["uri"] == "urn:uuid:0d6c0e2c-7c4b-4f6b-8f3f-0c3f0f5d2a11"
    assert (full["type"], full["pubStatus"], full["representationType"]) == ("text", "usable", "full")
    assert full["firstCreated"] == "2026-03-29T00:01:00+00:00"
    assert full["versionCreated"] == "2026-03-30T09:30:00+00:00"
    assert full["headlines"][0]["value"] == "New footbridge opens at Harrow Weir"
    assert full["people"] == [{"name": "Mara Ellingham", "rel": "quoted"}]
    assert full["organisations"] == [
        {"name": "Department for Rivers", "rel": "issuer"},
        {"name": "Weir Society", "rel": "partner"},
    ]
    assert full["subjects"] == [{"name": "Bridges", "rel": "about"}]
    assert full["genres"] == [{"name": "News story"}]
    assert [part["role"] for part in full["descriptions"]] == ["summary", "notes", "contacts"]
    html, plain = (part["value"] for part in full["bodies"])
    assert "<figcaption>Mara Ellingham, Secretary of State for Rivers</figcaption>" in html
    assert "“Nobody will have to wade here again.”" in plain
    page, document = full["renditions"]
    assert page["href"] == "https://rivers.example/news/footbridge-harrow-weir/"
    assert document["href"] == f"https://rivers.example/media/{'b' * 64}.pdf"
    (picture,) = full["associations"]
    assert picture["renditions"][0]["href"] == f"https://rivers.example/media/{'a' * 64}.jpg"
    assert picture["descriptions"][0] == {"role": "alt", "value": "The bridge."}


def test_nothing_that_could_run_is_sent():
    body = [
        {"kind": "paragraph", "html": '<p onclick="x()">One <script>alert(1)</script></p>'},
        {"kind": "quote", "html": "<p>Two.</p>", "speaker": "<b>Mara</b>", "role": ""},
    ]
    html = ninjs.item(told(body=body))["bodies"][0]["value"]
    assert "onclick" not in html
    assert "<script" not in html
    assert "<figcaption>&lt;b&gt;Mara&lt;/b&gt;</figcaption>" in html


def test_of_what_was_taken_back_no_word_is_said():
    item = ninjs.item(Told("1", "https://rivers.example/news/bridge/", "UTC", AT, LATER))
    check(item)
    assert item["pubStatus"] == "canceled"
    assert item.keys() == {
        "uri",
        "standard",
        "type",
        "language",
        "firstCreated",
        "versionCreated",
        "representationType",
        "pubStatus",
    }
    assert "bridge" not in json.dumps(item)
