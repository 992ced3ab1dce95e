"""What a clearer is shown of a change: nothing that changes a digest goes unseen."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import coverage
from approvals.differences import EMPTY, Difference, Run, difference
from approvals.models import Covers
from approvals.parts import parts, word_count
from tests.approvals.contents import contents
from tests.people import words


def body(*html: str) -> list[dict[str, Any]]:
    return [{"kind": "paragraph", "html": f"<p>{text}</p>"} for text in html]


def quote(text: str, speaker: str = "Mara Ellingham", role: str = "Secretary of State") -> dict[str, Any]:
    return {"kind": "quote", "html": f"<p>{text}</p>", "speaker": speaker, "role": role}


def told(found: Difference) -> list[tuple[str, str]]:
    """Each passage as its label and its runs in a shorthand: [-out-] {+in+}."""
    shown = {"=": "{}", "-": "[-{}-]", "+": "{{+{}+}}"}
    texts = ("".join(shown[run.op].format(run.text) for run in p.runs) for p in found.passages)
    return [(passage.label, text.strip()) for passage, text in zip(found.passages, texts, strict=True)]


def test_the_same_words_are_no_difference():
    assert not difference(words(), words())
    assert difference(words(), words()).size == "nothing"


def test_a_word_in_a_paragraph():
    found = difference(
        words(body=body("We hope to finish it by the end of 2020.")),
        words(body=body("We shall finish it by the winter of 2020.")),
    )
    assert told(found) == [
        ("paragraph 1", "We [-hope to-]{+shall+} finish it by the [-end-]{+winter+} of 2020.")
    ]
    assert (found.words_in, found.words_out) == (2, 3)
    assert found.size == "2 words put in, 3 taken out"
    assert found.places == "paragraph 1"


def test_each_change_is_announced_to_those_who_hear_it():
    found = difference(words(headline="One <b> weir"), words(headline="Two <b> weir"))
    assert found.passages[0].html == (
        '<del><span class="visually-hidden">taken out: </span>One</del> '
        '<ins><span class="visually-hidden">put in: </span>Two</ins> &lt;b&gt; weir'
    )


def test_a_paragraph_that_is_new_or_gone_or_moved():
    one, two, three = "The bridge is open.", "It is free to cross.", "Dogs are welcome."
    assert told(difference(words(body=body(one, three)), words(body=body(one, two, three)))) == [
        ("paragraph 2, new", "{+It is free to cross.\n+}")
    ]
    assert told(difference(words(body=body(one, two, three)), words(body=body(one, three)))) == [
        ("paragraph 2, taken out", "[-It is free to cross.\n-]")
    ]
    moved = told(difference(words(body=body(one, two)), words(body=body(two, one))))
    assert [text for _, text in moved] == ["{+It is free to cross.\n+}", "[-It is free to cross.\n-]"]


def test_a_paragraph_is_held_against_the_one_that_it_was():
    found = difference(
        words(body=body("The bridge is forty metres long.", "It opens at dawn each day.")),
        words(body=body("Everybody came.", "The bridge is fifty metres long.", "It opens at dusk each day.")),
    )
    assert told(found) == [
        ("paragraph 1, new", "{+Everybody came.\n+}"),
        ("paragraph 2", "The bridge is [-forty-]{+fifty+} metres long."),
        ("paragraph 3", "It opens at [-dawn-]{+dusk+} each day."),
    ]


def test_texts_with_little_in_common_are_shown_whole():
    found = difference(
        words(body=body("The bridge saves walkers two miles.")),
        words(body=body("No ferry runs on a Sunday in May.")),
    )
    assert [[run.op for run in passage.runs] for passage in found.passages] == [["-"], ["+"]]


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        (
            '<a href="https://a.example/">Map</a>',
            '<a href="https://b.example/">Map</a>',
            "https://b.example/",
        ),
        ("plain", "<strong>plain</strong>", "[bold]"),
        ("one two", "one\xa0two", "[fixed space]"),
        ("one two", "one  two", "[space][space]"),
        ("one two", "one</p><p>two", "[paragraph]"),
        ("a &amp; b", "a & b", "written in another way"),
    ],
)
def test_what_has_no_words_of_its_own_is_named(old: str, new: str, seen: str):
    found = difference(words(body=body(old)), words(body=body(new)))
    assert seen in found.passages[0].html
    assert found.size == "no word: marks, spaces, links or pictures alone"


def test_other_parts_of_the_page():
    picture = {
        "sha256": "a" * 64,
        "name": f"{'a' * 64}.jpg",
        "width": 4,
        "height": 3,
        "alt": "A weir",
        "caption": "",
    }
    old = words(picture=picture, topics=[{"slug": "bridges", "name": "Bridges"}], organisation=None)
    new = words(
        type="statement",
        slug="harrow-weir",
        picture={**picture, "sha256": "b" * 64, "alt": "A bridge"},
        topics=[{"slug": "bridges", "name": "Bridges"}, {"slug": "rivers", "name": "Rivers"}],
        organisation={"slug": "rivers", "name": "Department for Rivers"},
        contacts="River desk",
    )
    assert told(difference(old, new)) == [
        ("the type", "[-News story-]{+Statement+}"),
        ("the address", "[-footbridge-harrow-weir-]{+harrow-weir+}"),
        ("the lead picture", "[-[picture aaaaaaaa]-]{+[picture bbbbbbbb]+}"),
        ("the picture’s alt text", "A [-weir-]{+bridge+}"),
        ("the topics", "Bridges\n{+Rivers\n+}"),
        ("the organisation", "[- [none] -]{+Department for Rivers+}"),
        ("the contacts", "River desk[-\n020 7946 0000\npress@rivers.example-]"),
    ]


def test_only_quotes_are_compared_for_a_desk_that_covers_quotes():
    old = words(body=[*body("One."), quote("Nobody will wade."), quote("It is dry.", "Tom Reed", "Mayor")])
    new = words(
        headline="Another",
        body=[*body("Two."), quote("Nobody will swim."), quote("It is dry.", "Tom Reed", "Lord Mayor")],
    )
    assert told(difference(old, new, Covers.QUOTES)) == [
        ("quote 1", "Nobody will [-wade-]{+swim+}.\nMara Ellingham\nSecretary of State"),
        ("quote 2", "It is dry.\nTom Reed\n{+Lord +}Mayor"),
    ]


def test_places_are_counted_beyond_three():
    old, new = words(body=body(*"abcde")), words(body=body(*"vwxyz"))
    assert difference(old, new).places == "paragraph 1, taken out, paragraph 2, taken out and 8 more places"


def test_words_are_counted_without_tags_and_punctuation():
    content = words(body=[*body("A footbridge’s <b>span</b> – 40.5 metres!"), quote("Yes.", "Tom Reed", "")])
    assert word_count(content, Covers.QUOTES) == 3
    whole = {**content, **dict.fromkeys(("headline", "slug", "summary", "notes", "contacts"), "")}
    assert word_count(whole, Covers.EVERYTHING) == 11


@given(contents(), contents(), st.sampled_from(Covers.values))
@settings(max_examples=150, deadline=None)
def test_a_difference_is_empty_only_for_one_digest(old: dict[str, Any], new: dict[str, Any], covers: str):
    same = coverage.covered_digest(old, covers) == coverage.covered_digest(new, covers)
    found = difference(old, new, covers)
    assert bool(found) is not same
    changes = [run for passage in found.passages for run in passage.runs if run.op != "="]
    assert [run for run in changes if not run.text.strip()] == []


@given(contents(), contents(), st.sampled_from(Covers.values))
@settings(max_examples=150, deadline=None)
def test_what_stayed_with_what_went_out_is_the_old_text(
    old: dict[str, Any], new: dict[str, Any], covers: str
):
    def side(runs: tuple[Run, ...], left_out: str) -> list[Any]:
        return [token for run in runs if run.op != left_out for token in run.tokens]

    texts = [[list(part.tokens or EMPTY) for part in parts(content, covers)] for content in (old, new)]
    for passage in difference(old, new, covers).passages:
        for text, left_out in zip(texts, "+-", strict=True):
            mine = side(passage.runs, left_out)
            assert not mine or mine in text or "code behind" in passage.label


@pytest.mark.parametrize("changed", [2, 1000])
def test_a_long_text_is_compared_in_seconds(changed: int):
    """A long report, each nth paragraph of it edited; and one that says the same again and again."""
    old = [
        f"Paragraph {n} says that the river rose {n} inches in the night of the flood." for n in range(4_000)
    ]
    new = [text.replace("rose", "fell") if n % changed == 0 else text for n, text in enumerate(old)]
    began = time.monotonic()
    found = difference(words(body=body(*old)), words(body=body(*new)))
    assert time.monotonic() - began < 10
    assert found
    began = time.monotonic()
    assert difference(
        words(body=body(*["Again."] * 2000)), words(body=body(*["Again.", "And again."] * 1000))
    )
    assert time.monotonic() - began < 10


def test_a_long_paragraph_is_compared_in_seconds():
    old = " ".join(f"word{n}" for n in range(30_000))
    new = " ".join(f"word{n if n % 2 else n + 30_000}" for n in range(30_000))
    began = time.monotonic()
    assert difference(words(body=body(old)), words(body=body(new)))
    assert time.monotonic() - began < 10
