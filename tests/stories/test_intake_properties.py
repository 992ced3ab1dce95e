"""Whatever the input, every character of it is accounted for."""

import re
import time
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stories.intake import CannotChange, Empty, Recognised, decode, extend_quote, recognise, unquote
from stories.intake.layout import BLANKS

CHARACTERS = st.characters(blacklist_categories=["Cs", "Cc", "Cn"]) | st.sampled_from("\t\n\r\v\f\x85")
TOKENS = st.sampled_from(
    [
        *[
            "Ann Example",
            "Works Secretary",
            "Sir Humbert",
            "said:",
            "She added:",
            "the",
            "and",
            ",",
            ".",
            ":",
            "A.",
            "word " * 9,
        ],
        *[
            "“",
            "”",
            '"',
            "‘",
            "’",
            "'",
            "«",
            "»",
            "\n",
            "\n\n",
            "\r\n",
            " ",
            "\xa0",
            "\u200b",
            "\v",
            "\u2028",
            "\t",
        ],
        *[
            "- ",
            "• ",
            "o\t",
            "1. ",
            "2) ",
            "(3) ",
            "# ",
            "### ",
            "***",
            "---",
            "ENDS",
            "Notes to editors",
            "Notes",
            "Contacts:",
        ],
        *[
            "Embargo: ",
            "EMBARGOED UNTIL ",
            "00:01",
            "17 October 2017",
            "GMT",
            "Press release",
            "News story: ",
            "From: a\nTo: b\n",
        ],
        *[
            "https://example.org/",
            "[a](https://example.org)",
            "<https://b.example>",
            "a@example.org",
            "020 7946 0000",
            "<b>",
            "&amp;",
        ],
    ]
)
SOUP = st.lists(TOKENS, max_size=60).map("".join)

SENTENCES = st.lists(
    st.sampled_from(
        ["The bridge is open.", "It took nine years – and money.", "Who paid?", "The “old” road stays."]
    ),
    min_size=1,
    max_size=6,
).map(" ".join)
WHO = st.sampled_from(["Ann Example", "Works Secretary Sir Humbert Quill", "Bob Sample, Engineer,", "She"])
PARTS = st.one_of(
    SENTENCES,
    st.builds("{} said:\n\n{}".format, WHO, SENTENCES),
    st.builds("{} said:\n\n“{}\n\n“{}”".format, WHO, SENTENCES, SENTENCES),
    st.builds("{} said: “{}”".format, WHO, SENTENCES),
    st.lists(SENTENCES, min_size=1, max_size=4).map(lambda items: "\n".join(f"• {item}" for item in items)),
    st.lists(SENTENCES, min_size=1, max_size=4).map(
        lambda items: "\n".join(f"{n}. {i}" for n, i in enumerate(items, 1))
    ),
    st.sampled_from(
        [
            "What changes",
            "## Background",
            "***",
            "ENDS",
            "Notes to editors",
            "Contact\nJane Roe\n020 7946 0000",
        ]
    ),
)
HEADS = st.sampled_from(
    ["A bridge", "News story: A bridge", "PRESS RELEASE\n\nEmbargo: 00:01, 17 October 2017\n\nA bridge"]
)
RELEASES = st.builds(lambda head, parts: "\n\n".join([head, *parts]), HEADS, st.lists(PARTS, max_size=12))
TEXTS = st.one_of(st.text(CHARACTERS, max_size=200), SOUP, RELEASES)


def visible(text: str) -> str:
    return "".join(char for char in text if char not in BLANKS)


def recognised(text: str) -> Recognised | None:
    try:
        return recognise(text)
    except Empty:
        assert not visible(text.replace("\r", ""))
        return None


def assert_accounted_for(found: Recognised) -> None:
    assert_spans_cover(found)
    for block in found.blocks:
        start, end = block.source
        taken = [
            *block.markup,
            *((s.start, s.end) for s in found.outside if start <= s.start and s.end <= end),
        ]
        assert visible(without(found.text, start, end, sorted(taken))) == visible(block.lead + block.text)
    for span in found.outside:
        if span.kind == "headline":
            assert visible(found.text[span.start : span.end]) == visible(found.headline)


def assert_spans_cover(found: Recognised) -> None:
    """Spans and the white space between them, put together, are the text."""
    at = 0
    for span in found.spans:
        assert at <= span.start < span.end
        assert not visible(found.text[at : span.start])
        at = span.end
    assert not visible(found.text[at:])


def without(text: str, start: int, end: int, taken: list[tuple[int, int]]) -> str:
    pieces = []
    for first, last in taken:
        assert start <= first < last <= end
        pieces.append(text[start:first])
        start = last
    return "".join([*pieces, text[start:end]])


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_no_character_is_lost(text: str) -> None:
    found = recognised(text)
    if found:
        assert found.text == text.replace("\r\n", "\n").replace("\r", "\n")
        assert_accounted_for(found)
        assert found.headline or not any(block.html for block in found.blocks)


@settings(max_examples=300, deadline=None)
@given(SOUP | RELEASES, st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=6))
def test_nor_by_changing_quotes(text: str, changes: list[tuple[bool, int]]) -> None:
    found = recognised(text)
    for longer, index in changes if found else []:
        assert found
        try:
            found = extend_quote(found, index) if longer else unquote(found, index)
        except CannotChange:
            continue
        assert_accounted_for(found)


@settings(max_examples=200, deadline=None)
@given(RELEASES)
def test_turning_back_an_extended_quote_is_turning_back_the_quote(text: str) -> None:
    found = recognise(text)
    for index, block in enumerate(found.blocks):
        after = found.blocks[index + 1 : index + 2]
        if block.kind == "quote" and after and after[0].kind == "paragraph":
            assert unquote(extend_quote(found, index), index) == unquote(found, index)


@settings(max_examples=300, deadline=None)
@given(SOUP | st.text(CHARACTERS, max_size=200))
def test_html_shows_the_words_and_no_tag_of_theirs(text: str) -> None:
    found = recognised(text.replace("[", "("))
    for block in found.blocks if found else []:
        shown = re.sub(r"</?(?:p|br|h2|h3|ol|ul|li|a)(?: href=\"[^\"<>]*\"| start=\"\d+\")?>", "", block.html)
        assert "<" not in shown
        if block.kind in {"paragraph", "heading", "quote"} and "http" not in block.text:
            assert visible(unescape(shown)) == visible(block.text)


@given(TEXTS)
def test_utf_8_comes_back_as_it_was(text: str) -> None:
    assert decode(text.encode("utf-8-sig")) == text


@given(st.text("abc é’”–£\n", max_size=50))
def test_windows_1252_comes_back_as_it_was(text: str) -> None:
    # Two letters that are one in UTF-8 cannot be told from it; between plain ones they can.
    text = "".join(f"{char}ab" for char in text)
    assert decode(text.encode("windows-1252")) == text


MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    "unit",
    [
        *[
            '"',
            "“",
            "“”",
            "“a" + 5 * "\n",
            "word ",
            "a",
            "said: ",
            "\n",
            " ",
            "\u200b",
            "A, ",
            "Sir ",
            "Dr. ",
        ],
        *["Ann Example said:\n\n", "Ann said: “x”\n\n", "He said:\n\n“x”\n\n", "A Heading\n\nOne. Two.\n\n"],
        *["[", "[a](http://x", "<http://x", "http://x)))", "a@", "a.", "0 1", "Contact: 020 7946 0000\n"],
        *["- ", "-", "#", "# ", "1. x" + 5 * "\n", "Notes to editors\n", "Jane Roe" + 5 * "\n"],
        *["Embargo: 00:01 17 October 2017\n", "Embargo: ", "News story: "],
    ],
)
def test_anything_is_read_in_linear_time(unit: str) -> None:
    """A little of it, and four times as much: growing with the square, time would be sixteen-fold."""
    whole = "x\n\n" + unit * (MEGABYTE // len(unit))
    sizes = (MEGABYTE // 16, MEGABYTE // 4)
    # The best of three: what else the machine does must not count.
    little, more = (min(seconds(whole[:size]) for _ in range(3)) for size in sizes)
    assert more < 9 * max(little, 0.05)


@pytest.mark.parametrize(
    "text", ["word " * (MEGABYTE // 5), "a" * MEGABYTE, "The bridge is open. It holds.\n\n" * 33_000]
)
def test_a_megabyte_is_read_in_a_moment(text: str) -> None:
    assert seconds(text) < 10


def seconds(text: str) -> float:
    start = time.process_time()
    assert_spans_cover(recognise(text))
    return time.process_time() - start
