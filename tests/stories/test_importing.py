import json
from datetime import UTC, datetime
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from django.core.management import CommandError, call_command

from stories import importing, intake, richtext
from stories.importing import Change
from stories.models import Story

pytestmark = pytest.mark.django_db

TEXT = """\
Embargo: not for publication before 00:01 on Tuesday 17 October 2017

# Press release: Ferry returns to Lowen Sound

The ferry sails again on Monday, after a winter in dry dock.

Minister for Small Harbours Joss Amberley said:

“She looks ten years younger, and she can smell the open sea.”

Tickets are sold on board and at https://ferries.example/lowen.

- Six sailings a day
- Bicycles go free

Ends

Notes to editors

1. The ferry was built in 1987.

Contacts

Ports desk
ports@rivers.example
"""


def test_a_story_begins_with_what_was_recognised(newsroom):
    recognised = intake.recognise(TEXT)
    content = importing.content_of(recognised)
    revision = importing.begin(by=newsroom.drafter, recognised=recognised, content=content)
    assert content["type"] == "press-release"
    assert content["headline"] == "Ferry returns to Lowen Sound"
    assert content["slug"] == "ferry-returns-to-lowen-sound"
    assert content["summary"] == "The ferry sails again on Monday, after a winter in dry dock."
    assert [block["kind"] for block in content["body"]] == ["quote", "paragraph", "list"]
    quote = content["body"][0]
    assert (quote["speaker"], quote["role"]) == ("Joss Amberley", "Minister for Small Harbours")
    assert 'href="https://ferries.example/lowen"' in content["body"][1]["html"]
    assert "1987" in content["notes"]
    assert content["contacts"] == "Ports desk\nports@rivers.example"
    assert revision.story.intakes.get().text == TEXT
    embargo = revision.story.embargos.get()
    assert (embargo.instant, embargo.zone) == (datetime(2017, 10, 16, 23, 1, tzinfo=UTC), "Europe/London")


def test_the_paragraph_that_is_the_summary_is_said_once():
    recognised = intake.recognise(TEXT)
    first = recognised.blocks[importing.summary_block(recognised)]
    assert first.text == recognised.summary
    assert "after a winter in dry dock" not in str(importing.content_of(recognised)["body"])
    corrected = importing.with_words(recognised, summary="The ferry is back.")
    assert "after a winter in dry dock" in str(importing.content_of(corrected)["body"])


def test_the_body_is_canonical_from_the_start():
    body = importing.content_of(intake.recognise(TEXT))["body"]
    assert richtext.to_blocks(richtext.to_html(body)) == body


def test_corrections_are_made_in_their_order():
    recognised = intake.recognise(TEXT)
    number = next(n for n, block in enumerate(recognised.blocks) if block.kind == "quote")
    plain = importing.corrected(TEXT, [Change("unquote", number)])
    assert not any(block.kind == "quote" for block in plain.blocks)
    longer = importing.corrected(TEXT, [Change("extend", number)])
    assert "Tickets are sold" in longer.blocks[number].text


@pytest.mark.parametrize("change", [Change("extend", 999), Change("extend", -1), Change("burn", 0)])
def test_a_correction_that_does_not_fit_is_refused(change):
    with pytest.raises(ValueError):
        importing.corrected(TEXT, [change])


def test_the_command_prints_what_was_recognised(newsroom, tmp_path):
    file, out = tmp_path / "release.txt", StringIO()
    file.write_text(TEXT, "utf-8")
    call_command("import_story", str(file), by="marta", json=True, stdout=out)
    found = json.loads(out.getvalue())
    story = Story.objects.get(uid=found["id"])
    assert story.by == newsroom.drafter
    assert (found["type"], found["headline"]) == ("press-release", "Ferry returns to Lowen Sound")
    quotes = [block for block in found["blocks"] if block["kind"] == "quote"]
    assert [(q["speaker"], q["role"]) for q in quotes] == [("Joss Amberley", "Minister for Small Harbours")]


def test_the_command_reads_standard_input(newsroom, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(TEXT.encode("utf-16"))))
    call_command("import_story", "-", by="marta")
    assert "Ferry returns to Lowen Sound" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "by", "words"),
    [
        (b"", "marta", "empty|nothing|no words"),
        (b"PK\x03\x04 word", "marta", "Word|file"),
        (b"Some words", "nobody-here", "Nobody active"),
    ],
)
def test_the_command_refuses_in_words(newsroom, tmp_path, data, by, words):
    file = tmp_path / "release.txt"
    file.write_bytes(data)
    with pytest.raises(CommandError, match=f"(?i){words}"):
        call_command("import_story", str(file), by=by)
    assert not Story.objects.exists()


def test_the_command_says_that_a_file_is_missing(newsroom):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_story", "nowhere.txt", by="marta")
