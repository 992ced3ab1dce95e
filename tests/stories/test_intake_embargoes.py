"""The embargo line: offered with a moment only where it names exactly one."""

from datetime import datetime

import pytest

from stories.intake import EmbargoLine, recognise


def embargo(line: str) -> EmbargoLine | None:
    return recognise(f"A bridge\n\n{line}\n\nIt is open.").embargo


@pytest.mark.parametrize(
    ("line", "local", "zone"),
    [
        (
            "Embargo: not for publication before 00:01 on Tuesday 17 October 2017",
            "2017-10-17T00:01",
            "Europe/London",
        ),
        ("EMBARGOED until 00.01hrs BST, 17 October 2017", "2017-10-17T00:01", "Europe/London"),
        ("Not for publication before 9am on 17th October 2017", "2017-10-17T09:00", "Europe/London"),
        ("STRICTLY EMBARGOED UNTIL 0930 TUESDAY 17 OCTOBER 2017", "2017-10-17T09:30", "Europe/London"),
        ("Strictly not for broadcast until noon, 17 Oct 2017", "2017-10-17T12:00", "Europe/London"),
        ("UNDER EMBARGO UNTIL: 22:30, October 17, 2017", "2017-10-17T22:30", "Europe/London"),
        ("**Embargo:** 9.30 p.m. on the 17th of October 2017", "2017-10-17T21:30", "Europe/London"),
        ("Embargo: 2017-10-17T00:01Z", "2017-10-17T00:01", "UTC"),
        ("Embargo: 17/10/2017 12:01am UK time", "2017-10-17T00:01", "Europe/London"),
        ("Embargo: 00:01 GMT, 17 January 2018", "2018-01-17T00:01", "UTC"),
        ("Embargo: 00:01 UTC on 17 October 2017", "2017-10-17T00:01", "UTC"),
        ("Embargo: 06:00 CEST on 17 October 2017", "2017-10-17T06:00", "Europe/Brussels"),
        ("Embargo: 06:00 New York time, 17 October 2017", "2017-10-17T06:00", "America/New_York"),
        ("Embargo: 06:00 Asia/Tokyo, 17 October 2017", "2017-10-17T06:00", "Asia/Tokyo"),
        ("Embargo: 00:01\xa0on\xa017\xa0October\xa02017", "2017-10-17T00:01", "Europe/London"),
    ],
)
def test_moment(line: str, local: str, zone: str) -> None:
    assert embargo(line) == EmbargoLine(line, datetime.fromisoformat(local), zone)


@pytest.mark.parametrize(
    ("line", "doubt"),
    [
        ("EMBARGOED", "no full date"),
        ("Embargoed until delivery", "no full date"),
        ("Embargo: 00:01 on Tuesday 17 October", "no full date"),
        ("Embargo: 17 October 2017", "no time"),
        ("Embargo: 00:01 on Monday 17 October 2017", "it is Tuesday 17 October 2017"),
        ("Embargo: midnight, 17 October 2017", "start or the end"),
        ("Embargo: 00:01 on 31 February 2017", "no such day"),
        ("Embargo: 25:00 on 17 October 2017", "not a time of day"),
        ("Embargo: 13am on 17 October 2017", "not a time of day"),
        ("Embargo: 00:01 or 09:30 on 17 October 2017", "more than one time"),
        ("Embargo: 00:01 on 17 October 2017 or 18 October 2017", "more than one date"),
        ("Embargo: 00:01 on 03/04/2018", "two different days"),
        ("Embargo: 00:01 IST on 17 October 2017", "which time zone “IST” is"),
        ("Embargo: 00:01 UTC+1 on 17 October 2017", "offset"),
        ("Embargo: 00:01 BST (01:01 CEST) on 17 October 2017", "more than one time zone"),
        ("Embargo: 00:01 Europe/Nowhere, 17 October 2017", "no time zone called"),
    ],
)
def test_doubt_instead_of_a_moment(line: str, doubt: str) -> None:
    found = embargo(line)
    assert found
    assert (found.text, found.local) == (line, None)
    assert doubt in found.doubt


@pytest.mark.parametrize(
    ("line", "doubt"),
    [
        (
            "Embargo: 00:01 GMT, 17 October 2017",
            "British Summer Time is in force on that day, and the line says GMT.",
        ),
        (
            "Embargo: 00:01 BST, 17 January 2018",
            "British Summer Time is not in force on that day, and the line says BST.",
        ),
    ],
)
def test_moment_with_a_doubt(line: str, doubt: str) -> None:
    found = embargo(line)
    assert found
    assert found.local
    assert found.doubt == doubt


@pytest.mark.parametrize(
    "line",
    [
        "Embargo on harbour dues lifted after nine years",
        "Embargo: how the harbours coped",
        "Embargo until war ends, says minister",
        "Embargoed goods seized at the bridge",
        "Embargoed until 2019, the papers show how the bridge was paid for.",
        "It was not for publication before 17 October 2017.",
    ],
)
def test_not_an_embargo(line: str) -> None:
    assert embargo(line) is None
    assert recognise(f"{line}\n\nIt is open.").headline == line


def test_within_the_story_only_the_plainest_wording_counts() -> None:
    story = "A bridge\n\nIt is open.\n\n{}\n\nMore."
    assert recognise(story.format("Embargoed until 17 October 2017")).embargo is None
    assert recognise(story.format("EMBARGOED UNTIL 17 October 2017")).embargo


def test_its_moment_may_stand_on_the_line_below() -> None:
    found = recognise("EMBARGO\n00:01, Tuesday 17 October 2017\n\nA bridge\n\nIt is open.")
    assert found.headline == "A bridge"
    assert found.embargo
    assert found.embargo.local == datetime.fromisoformat("2017-10-17T00:01")


def test_two_different_ones_are_doubted() -> None:
    line = "Embargo: 00:01 on {} October 2017"
    found = recognise(f"{line.format(17)}\n\nA bridge\n\nIt is open.\n\nEnds\n\n{line.format(18)}").embargo
    assert found == EmbargoLine(
        line.format(17), None, "Europe/London", "The text gives more than one embargo."
    )


def test_is_no_part_of_any_html() -> None:
    found = recognise("Embargo: 00:01 on 17 October 2017\n\nA bridge\n\nIt is open.")
    assert "".join(block.html for block in found.blocks) == "<p>It is open.</p>"
