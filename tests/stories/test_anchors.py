from html import escape
from typing import Any

import nh3
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stories import anchors, richtext
from tests.people import words

#: Letters, what HTML is made of, what is easily lost, and what people type.
LETTERS = st.sampled_from([*"abcde  <>&\"';", "\u00a0", "é", "“", "’", "–", "£", "&amp;", "<p>", "文", "🦀"])
TEXT = st.lists(LETTERS, min_size=1, max_size=12).map("".join) | st.just("homes on the Saltmarsh coast")
MARKED = st.tuples(
    st.sampled_from(
        ["{}", "<em>{}</em>", "<strong>{}</strong>", '<a href="https://x.test/?a=1&amp;b=2">{}</a>']
    ),
    TEXT,
)


def html(runs: list[tuple[str, str]]) -> str:
    return "".join(mark.format(escape(text, quote=False)) for mark, text in runs)


INLINE = st.lists(MARKED | st.just(("<br>", "")), min_size=1, max_size=5).map(html)
PARAGRAPHS = st.lists(INLINE, min_size=1, max_size=3)
BLOCK = st.one_of(
    INLINE.map(lambda one: f"<p>{one}</p>"),
    INLINE.map(lambda one: f"<h2>{one}</h2>"),
    PARAGRAPHS.map(
        lambda some: "<ul>" + "".join(f"<li>{one}<ol><li>inner</li></ol></li>" for one in some) + "</ul>"
    ),
    PARAGRAPHS.map(
        lambda some: (
            '<figure class="quote"><blockquote>'
            + "".join(f"<p>{one}</p>" for one in some)
            + "</blockquote><figcaption><cite>Mara &amp; Co</cite>, minister</figcaption></figure>"
        )
    ),
)


@st.composite
def contents(draw) -> dict[str, Any]:
    blocks = richtext.to_blocks("".join(draw(st.lists(BLOCK, min_size=1, max_size=4))))
    notes = richtext.inline_notes("".join(draw(st.lists(BLOCK, max_size=2))))
    picture = {"sha256": "0" * 64, "alt": draw(TEXT), "caption": draw(TEXT).strip(), "credit": ""}
    headline = " ".join(draw(TEXT).split())
    return words(body=blocks, notes=notes, picture=picture, headline=headline)


@st.composite
def marked(draw) -> tuple[dict[str, Any], anchors.Place]:
    """A content, and words somewhere in it."""
    content = draw(contents())
    reading = anchors.Reading(content)
    part = draw(st.sampled_from(list(anchors.PARTS)))
    texts = [(block, text) for block, text in reading.texts(part) if text.strip()]
    assume(texts)
    block, text = draw(st.sampled_from(texts))
    inside = [number for number, letter in enumerate(text) if not letter.isspace()]
    start = draw(st.sampled_from(inside))
    end = draw(st.sampled_from([number for number in inside if number >= start])) + 1
    return content, anchors.Place(part, block, start, end)


def made(content: dict[str, Any], place: anchors.Place) -> dict[str, Any]:
    return anchors.make(content, place.part, place.block, place.start, place.end)


def twins(content: dict[str, Any], place: anchors.Place) -> list[anchors.Place]:
    """The places of the same text in which the same words stand between the same words."""
    text = anchors.Reading(content).text(place.part, place.block)
    sides = "\x00" * 40 + text + "\x01" * 40
    around = sides[place.start : place.end + 80]
    return [
        anchors.Place(place.part, place.block, at, at + place.end - place.start)
        for at in range(len(text))
        if sides[at : at + len(around)] == around
    ]


@given(marked())
@settings(max_examples=400, deadline=None)
def test_words_are_found_where_they_were_marked(example):
    content, place = example
    anchor = made(content, place)
    assert anchors.is_anchor(anchor)
    assert len(anchor["prefix"]) <= 40
    same = twins(content, place)
    assert anchors.find(content, anchor) == (place if same == [place] else None)


@given(
    marked(),
    st.sampled_from(["new words", "a < b & c > d", "<b>bold</b>", "&amp;", "5 000\u00a0km", "x\n\ny"]),
)
@settings(max_examples=400, deadline=None)
def test_replacing_changes_these_words_and_nothing_else(example, replacement):
    content, place = example
    assume(twins(content, place) == [place])
    anchor = made(content, place)
    try:
        changed = anchors.replace(content, anchor, replacement)
    except anchors.Across:
        assert "\n" in anchor["exact"]
        return
    before, after = anchors.Reading(content), anchors.Reading(changed)
    text = before.text(place.part, place.block)
    settled = anchors.settled(place.part, replacement)
    assert after.text(place.part, place.block) == text[: place.start] + settled + text[place.end :]
    others = [(part, block) for part in anchors.PARTS for block, _ in before.texts(part)]
    for part, block in set(others) - {(place.part, place.block)}:
        assert before.text(part, block) == after.text(part, block)
    assert {**changed, place.part: None, "picture": None} == {**content, place.part: None, "picture": None}
    # As the form would store it, so that opening and saving it changes nothing.
    assert richtext.to_blocks(richtext.to_html(changed["body"])) == changed["body"]
    assert richtext.inline_notes(changed["notes"]) == changed["notes"]
    for block in changed["body"]:
        assert nh3.clean(block["html"], link_rel=None).replace("&nbsp;", "\u00a0") == block["html"]


@given(marked())
@settings(max_examples=200, deadline=None)
def test_marked_words_are_located_as_a_browser_sends_them(example):
    content, place = example
    anchor = made(content, place)
    reading = anchors.Reading(content)
    browser = {key: anchor[key].replace("\n", " ").replace("\u00a0", " ") for key in ("prefix", "suffix")}
    typed = anchor["exact"].replace("\n", "  ").replace("’", "'")
    try:
        located = reading.locate(place.part, typed, block=place.block, **browser)
    except anchors.Several:
        return
    found = reading.find(located)
    assert found is None or reading.words(found).split() == anchor["exact"].split() or "'" in typed


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["part", "block", "exact", "prefix", "suffix"]),
                inner | st.just("body") | st.just("headline"),
            )
        ),
        max_leaves=8,
    )
)
def test_anything_that_is_no_anchor_is_found_nowhere(value):
    place = anchors.find(words(), value)
    assert place is None or anchors.is_anchor(value)


BODY = [
    {"kind": "paragraph", "html": "<p>Work starts in March, the department said today.</p>"},
    {"kind": "paragraph", "html": "<p>It will protect about 4,200 homes and the railway to Port Lowen.</p>"},
    {"kind": "paragraph", "html": "<p>The railway carries about 900 people, the department said.</p>"},
]


def anchor_of(text: str, block: int = 1, body: list[dict[str, Any]] = BODY) -> dict[str, Any]:
    whole = anchors.Reading(words(body=body)).text("body", block)
    start = whole.index(text)
    return anchors.make(words(body=body), "body", block, start, start + len(text))


def paragraph(text: str) -> dict[str, Any]:
    return {"kind": "paragraph", "html": f"<p>{text}</p>"}


def test_words_are_followed_into_another_block():
    body = [BODY[0], paragraph("About 4,200 people live here."), *BODY[1:]]
    place = anchors.find(words(body=body), anchor_of("about 4,200 homes"))
    assert place == anchors.Place("body", 2, 16, 33)


@pytest.mark.parametrize(
    "now",
    [
        "It will shield about 4,200 houses.",
        "So it will protect some 4,200 houses and the line to Port Lowen.",
        "It will protect nearly 4,200 dwellings and the railway to Port Lowen.",
    ],
)
def test_words_are_found_when_what_is_around_them_has_changed(now):
    content = words(body=[BODY[0], paragraph(now), BODY[2]])
    place = anchors.find(content, anchor_of("4,200"))
    assert place
    assert now[place.start : place.end] == "4,200"


def test_equal_words_elsewhere_are_not_taken_for_those_that_are_gone():
    anchor = anchor_of("about")
    assert anchors.find(words(body=[BODY[0], BODY[2]]), anchor) is None
    assert anchors.find(words(body=[BODY[0], paragraph("Nothing is left."), BODY[2]]), anchor) is None


def test_of_equal_words_the_context_tells_which():
    for text, block in (("about", 1), ("about", 2), ("the department said", 0), ("the department said", 2)):
        place = anchors.find(words(body=BODY), anchor_of(text, block))
        assert place
        assert place.block == block


def test_of_equal_paragraphs_the_block_tells_which_and_without_it_nothing_does():
    twice = [BODY[1], BODY[0], BODY[1]]
    anchor = anchor_of("4,200", 2, twice)
    place = anchors.find(words(body=twice), anchor)
    assert place
    assert place.block == 2
    assert anchors.find(words(body=[BODY[0], *twice[:2], BODY[1]]), {**anchor, "block": 9}) is None


def test_words_that_are_gone_are_not_replaced():
    with pytest.raises(anchors.NotThere):
        anchors.replace(words(body=BODY[:1]), anchor_of("4,200"), "4,100")


def test_tags_stay_around_the_words():
    body = [
        paragraph(
            'See <a href="https://x.test/a?b=1&amp;c=2">the <em>plan</em></a> <em>of 1 &lt; 2</em> days.'
        ),
    ]
    content = words(body=body)
    text = anchors.Reading(content).text("body", 0)
    assert text == "See the plan of 1 < 2 days."
    anchor = anchors.make(content, "body", 0, text.index("plan"), text.index(" days"))
    changed = anchors.replace(content, anchor, "map & <key>")
    assert changed["body"][0]["html"] == (
        '<p>See <a href="https://x.test/a?b=1&amp;c=2">the <em>map &amp; &lt;key&gt;</em></a> days.</p>'
    )
    assert body[0]["html"].startswith("<p>See <a")


def test_a_quote_keeps_its_speaker_whatever_they_are_called():
    quote = {"kind": "quote", "html": "<p>One.</p><p>Two, three.</p>", "speaker": "A, B", "role": "x & y, z"}
    content = words(body=[quote])
    anchor = anchors.make(content, "body", 0, 5, 8)
    assert anchors.replace(content, anchor, "Four")["body"] == [
        {**quote, "html": "<p>One.</p><p>Four, three.</p>"}
    ]


def test_words_over_two_paragraphs_can_be_marked_but_not_replaced():
    quote = {"kind": "quote", "html": "<p>One.</p><p>Two.</p>", "speaker": "A", "role": ""}
    content = words(body=[quote])
    anchor = anchors.make(content, "body", 0, 0, 8)
    assert anchors.find(content, anchor) == anchors.Place("body", 0, 0, 8)
    assert anchor["exact"] == "One.\nTwo"
    with pytest.raises(anchors.Across):
        anchors.replace(content, anchor, "Three")


def test_a_line_break_inside_the_words_goes_with_them():
    content = words(body=[paragraph("one<br>two<br>three")])
    anchor = anchors.make(content, "body", 0, 0, 7)
    assert anchors.replace(content, anchor, "four")["body"][0]["html"] == "<p>four<br>three</p>"


def test_paragraphs_of_notes_are_apart():
    content = words(notes=richtext.inline_notes("<p>One.</p><ul><li>Two</li><li>Three</li></ul>"))
    assert anchors.Reading(content).text("notes", None) == "One.\nTwo\nThree"
    changed = anchors.replace(content, anchors.make(content, "notes", None, 5, 8), "Zwei")
    assert changed["notes"] == content["notes"].replace("Two", "Zwei")


def test_a_headline_is_one_line_and_contacts_are_lines():
    content = words(headline="One bridge", contacts="River desk\n020 7946 0000")
    headline = anchors.replace(content, anchors.make(content, "headline", None, 0, 3), " Two\n new ")
    assert headline["headline"] == "Two new bridge"
    contacts = anchors.replace(content, anchors.make(content, "contacts", None, 0, 10), "A desk \r\nB desk\n")
    assert contacts["contacts"] == "A desk\nB desk\n020 7946 0000"


def test_there_are_no_words_in_a_picture_that_is_not_there():
    reading = anchors.Reading(words(picture=None))
    assert reading.text("caption", None) == ""
    with pytest.raises(anchors.NotThere):
        reading.anchor("caption", None, 0, 1)


@pytest.mark.parametrize("range_", [(0, 0), (5, 2), (-3, 2), (0, 999), (3, 4)])
def test_no_words_make_no_anchor(range_):
    with pytest.raises(anchors.NotThere):
        anchors.make(words(headline="One bridge"), "headline", None, *range_)


def test_typed_words_are_located_whatever_their_spaces_and_quotation_marks():
    reading = anchors.Reading(words(body=[paragraph("The minister’s “plan” of\u00a05 May<br>stands.")]))
    anchor = reading.locate("body", ' minister\'s  "plan" of 5 May\nstands ')
    assert anchor["exact"] == "minister’s “plan” of\u00a05 May\nstands"
    assert anchor["block"] == 0


def test_typed_words_that_are_there_twice_have_to_be_told_apart():
    reading = anchors.Reading(words(body=BODY))
    with pytest.raises(anchors.Several):
        reading.locate("body", "railway")
    assert reading.locate("body", "railway", suffix=" carries")["block"] == 2
    assert reading.locate("body", "railway", block=1)["block"] == 1
    with pytest.raises(anchors.NotThere):
        reading.locate("body", "motorway")
    with pytest.raises(anchors.NotThere):
        reading.locate("body", "  ")


def test_a_long_story_full_of_one_letter_takes_no_time():
    content = words(body=[paragraph("e " * 20_000)])
    reading = anchors.Reading(content)
    anchor = reading.anchor("body", 0, 20_000, 20_001)
    assert reading.find(anchor) is None
    assert reading.find({**anchor, "prefix": "x" * 40}) is None
