"""What we send as ninjs, held against the schema that IPTC publishes, formats too.

The schema is IPTC's and is not part of this repository. Where it is, NINJS_SCHEMA says:
https://www.iptc.org/std/ninjs/ninjs-schema_3.1.json, also in IPTC's repository "newsinjson". `test_ninjs` of
the newsroom's own tests has what of it can be said without it.
"""

import json
import os
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from newsroom import delivering, ninjs, receivers
from newsroom.telling import Told
from tests.checkers.stage import Stage, furnish
from tests.newsroom.receiving import Receiving, receiving
from tests.newsroom.test_ninjs import AT, LATER, told

pytestmark = pytest.mark.django_db

#: Without its checker a format is a remark, and a bad date passes.
FORMATS = Draft202012Validator.FORMAT_CHECKER


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    """The schema, by which the formats are checked that it names."""
    given = os.environ.get("NINJS_SCHEMA", "")
    if not given:
        pytest.skip(
            "There is no schema of ninjs here: get https://www.iptc.org/std/ninjs/ninjs-schema_3.1.json and"
            " name the file in NINJS_SCHEMA."
        )
    text = Path(given).read_text()
    document = json.loads(text)
    assert "ninjs-schema_3.1" in document["$id"], f"{given} is no schema of ninjs 3.1"
    Draft202012Validator.check_schema(document)
    assert {"uri", "date-time"} <= FORMATS.checkers.keys()
    return Draft202012Validator(document, format_checker=FORMATS)


def faults(schema: Draft202012Validator, item: dict[str, Any]) -> list[str]:
    """What in a document the schema does not allow."""
    return [f"{error.json_path}: {error.message}" for error in schema.iter_errors(item)]


@pytest.fixture
def stage(newsroom, settings) -> Stage:
    settings.SITE_URL = "https://rivers.example"
    return furnish(newsroom)


@pytest.fixture
def server(settings) -> Iterator[Receiving]:
    settings.OUTGOING_ALLOW, settings.OUTGOING_PORTS = (ip_network("127.0.0.0/8"),), (range(1, 65536),)
    with receiving() as found:
        yield found


def test_the_schema_finds_what_is_wrong(schema):
    """Else it would say nothing that it finds nothing."""
    good = ninjs.item(told())
    assert faults(schema, good) == []
    wrong: list[dict[str, Any]] = [
        {"firstCreated": "yesterday"},
        {"uri": "no address"},
        {"pubStatus": "gone"},
        {"headlines": [{"role": "main"}]},
        {"renditions": [{"href": "https://rivers.example/"}]},
        {"renditions": [{"name": "web", "href": "/news/"}]},
        {"associations": [{"name": "lead picture", "uri": "https://rivers.example/", "alt": "A bridge"}]},
        {"organisations": [{"name": "Rivers", "slug": "rivers"}]},
        {"more": "than it knows"},
    ]
    for change in wrong:
        assert len(faults(schema, {**good, **change})) == 1, change


def test_every_story_of_the_api_fits(stage, schema):
    page = json.loads(Client().get("/api/stories/").content)
    found = {story["slugline"]: faults(schema, story) for story in page["stories"]}
    assert found == {"new-bridge": [], "bare": [], "corrected": [], "updated": []}
    full = next(story for story in page["stories"] if story["slugline"] == "new-bridge")
    # All that a story can have is there to be checked.
    assert {"people", "organisations", "subjects", "genres", "associations"} <= full.keys()
    assert [part["name"] for part in full["renditions"]] == ["web", "attachment-1", "attachment-2"]
    assert len(full["associations"][0]["renditions"]) > 1


def test_all_that_receivers_are_sent_fits(stage, schema, server):
    receivers.add(name="Wire", kind="ninjs", url=server.url)
    stories = [stage.full, stage.bare, stage.corrected, stage.updated]
    for release in stories:
        delivering.write(event="release", release=release, cause=f"release:{release.pk}")
    assert delivering.run(60) == len(stories)
    for release, event in ((stage.full, "withdrawal"), (stage.bare, "kill"), (stage.corrected, "correction")):
        delivering.write(event=event, release=release, cause=f"{event}:{release.pk}")
    delivering.run(60)
    sent = [json.loads(request.body) for request in server.requests]
    assert [item["pubStatus"] for item in sent] == ["usable"] * 4 + ["canceled", "canceled", "usable"]
    assert [faults(schema, item) for item in sent] == [[]] * 7


@pytest.mark.parametrize(
    "changes",
    [
        {"body": [], "summary": "", "notes": "", "contacts": "", "headline": ""},
        {"body": [{"kind": "paragraph", "html": "<p>\u0007 😀 <script>x</script></p>"}]},
        {"organisation": {"slug": "", "name": "\u2028"}, "topics": [{"slug": "a b/c", "name": "“”"}]},
        {"slug": "of raw/SQL and ümlauts", "type": "no such type"},
        {
            "picture": {
                "sha256": "a" * 64,
                "name": f"{'a' * 64}.jpg",
                "width": 0,
                "height": 0,
                "alt": "",
                "caption": "",
                "credit": "",
            }
        },
        {
            "attachments": [
                {"sha256": "b" * 64, "name": "of raw SQL", "title": "", "media_type": "x", "size": 0},
                {
                    "sha256": "b" * 64,
                    "name": f"{'b' * 64}.csv",
                    "title": "",
                    "media_type": "text/csv",
                    "size": 0,
                },
            ]
        },
    ],
)
def test_what_nobody_would_write_fits_too(schema, settings, changes):
    settings.SITE_URL = "https://rivers.example"
    assert faults(schema, ninjs.item(told(**changes))) == []


def test_what_was_taken_back_fits(schema):
    gone = Told(told().uid, "https://rivers.example/news/bridge/", "UTC", AT, LATER)
    assert faults(schema, ninjs.item(gone)) == []
