"""What a clearer is shown of a change: nothing that changes a digest goes unseen."""

import re
import time
from collections import Counter
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from django.template.loader import render_to_string
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import coverage
from approvals.comparing import EMPTY, Run
from approvals.counting import word_count
from approvals.differences import Difference, difference
from approvals.models import Covers
from approvals.parts import Part, links, parts
from approvals.passages import Passage
from approvals.tokens import Tokens
from tests.approvals.contents import TEXT, contents
from tests.people import words


def body(*html: str) -> list[dict[str, Any]]:
    return [{"kind": "paragraph", "html": f"<p>{text}</p>"} for text in html]


def quote(text: str, speaker: str = "Mara Ellingham", role: str = "Secretary of State") -> dict[str, Any]:
    return {"kind": "quote", "html": f"<p>{text}</p>", "speaker": speaker, "role": role}


def items(*html: str, tag: str = "ul", start: str = "") -> dict[str, Any]:
    rows = "".join(f"<li>{text}</li>" for text in html)
    return {"kind": "list", "html": f"<{tag}{start}>{rows}</{tag}>"}


def run_text(run: Run) -> str:
    """A run in a shorthand: [-out-] {+in+} [<gone<] {>come>}."""
    shown = {"=": "{}", "-": "[-{}-]", "+": "{{+{}+}}", "<": "[<{}<]", ">": "{{>{}>}}"}
    text = "".join(run_text(inner) for inner in run.inner) or run.text
    return shown[run.op].format(text)


def told(found: Difference) -> list[tuple[str, str]]:
    """Each passage as its label and its runs in that shorthand."""
    return [(p.label, "".join(run_text(run) for run in p.runs).strip()) for p in found.passages]


def lines(passage: Passage) -> list[str]:
    """Each line of a passage as it is read aloud, without any tag."""
    html = re.sub(r"</?li[^>]*>", "\n", passage.html)
    return [line for line in (aloud(part) for part in html.split("\n")) if line]


def aloud(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())


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


def test_a_paragraph_that_is_new_or_gone():
    one, two, three = "The bridge is open.", "It is free to cross.", "Dogs are welcome."
    assert told(difference(words(body=body(one, three)), words(body=body(one, two, three)))) == [
        ("paragraph 2, new", "{+It is free to cross.\n+}")
    ]
    assert told(difference(words(body=body(one, two, three)), words(body=body(one, three)))) == [
        ("paragraph 2, taken out", "[-It is free to cross.\n-]")
    ]


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
    assert word_count(whole, Covers.EVERYTHING) == 8
    assert word_count({**whole, "notes": "<p>Two &amp; more_words</p>"}, Covers.NOTES) == 3
    assert word_count({**whole, "topics": [{"name": "Bridges", "slug": "bridges"}]}, Covers.EVERYTHING) == 9


# What moved


def test_a_paragraph_that_moved_is_said_at_both_places():
    one, two, three = "The bridge is open.", "It is free to cross.", "Dogs are welcome."
    found = difference(words(body=body(one, two, three)), words(body=body(three, one, two)))
    assert [(p.label, p.where) for p in found.passages] == [
        ("paragraph 1, moved here", "was paragraph 3, after ‘It is free to cross.’"),
        ("paragraph 3, moved away", "now paragraph 1, at the top"),
    ]
    assert [aloud(p.html) for p in found.passages] == ["Dogs are welcome.", "‘Dogs are welcome.’"]
    assert found.size == "1 paragraph moved, no word changed"
    assert found.places == "paragraph 1"


def test_a_paragraph_that_moved_and_changed_shows_its_words():
    one, two = "It is free to cross all day and all night.", "The bridge at the weir is forty metres long."
    found = difference(
        words(body=[*body(one, "Come.", two)]), words(body=body(two.replace("forty", "fifty"), one, "Come."))
    )
    assert told(found) == [
        ("paragraph 1, moved here", "The bridge at the weir is [-forty-]{+fifty+} metres long."),
        ("paragraph 3, moved away", f"[<{two}\n<]"),
    ]
    assert found.size == "1 word put in, 1 taken out, 1 paragraph moved"


def test_a_quote_that_swapped_places_with_another():
    first, second = quote("Nobody will wade."), quote("It is dry.", "Tom Reed", "Mayor")
    found = difference(words(body=[first, second]), words(body=[second, first]), Covers.QUOTES)
    assert found.size == "1 quote moved, no word changed"


def test_a_sentence_that_moved_within_its_paragraph():
    one, two = "The bridge is open to all walkers.", "It is free to cross by night."
    found = difference(words(body=body(f"{one} {two}")), words(body=body(f"{two} {one}")))
    assert (found.words_in, found.words_out) == (0, 0)
    assert found.size == "1 passage moved, no word changed"
    assert aloud(found.passages[0].html) == (
        "moved away (now further down) → ‘The bridge is open to all walkers.’"
        " It is free to cross by night."
        " → moved here (was further up): The bridge is open to all walkers. (end of what moved)"
    )


def test_a_sentence_that_moved_to_another_paragraph_and_changed_on_the_way():
    one, two = "The bridge is open.", "Everybody came to see it on the first day of May."
    designs = "designs in a tank at the port of Lowen."
    moved = f"Engineers tested three {designs}"
    found = difference(
        words(body=body(f"{one} {moved}", two)),
        words(body=body(one, f"{two} {moved.replace('three', 'four').replace('Engineers', 'They')}")),
    )
    assert told(found) == [
        ("paragraph 1", f"{one}[-[space]-][<{moved}<]"),
        (
            "paragraph 2",
            f"{two}{{+[space]+}}{{>[-Engineers-]{{+They+}} tested [-three-]{{+four+}} {designs}>}}",
        ),
    ]
    assert found.size == "2 words put in, 2 taken out, 1 passage moved"
    assert [move.where for p in found.passages for run in p.runs if (move := run.move)] == [
        "now in paragraph 2",
        "was in paragraph 1",
    ]


def test_words_that_were_exchanged_for_others_at_one_place_did_not_move():
    shared = "the bridge is open to all"
    found = difference(
        words(headline=f"{shared}, one two three four five six seven eight nine ten eleven twelve."),
        words(headline=f"a b c d e f g h i j k l m n o p q r s t u v w x y z, {shared}."),
    )
    assert not found.moved


def test_an_edit_is_said_by_sentences():
    found = difference(
        words(body=body("The bridge is long. It is cheap.")),
        words(body=body("The bridge is long. It is free. It is cheap.")),
    )
    assert told(found)[0][1] == "The bridge is long. {+It is free. +}It is cheap."


def test_a_paragraph_that_became_an_item_keeps_its_words():
    text = "The bridge is open to all walkers."
    found = difference(words(body=body(text)), words(body=[items(text)]))
    assert (found.words_in, found.words_out) == (0, 0)
    assert found.moved == {"passage": 1}


# Lists


def test_items_put_in_taken_out_and_moved_are_lines():
    old = words(body=[items("one fish", "two fish", "red fish", "blue fish", tag="ol")])
    new = words(body=[items("blue fish", "one fish", "a cat", "red fish", tag="ol")])
    found = difference(old, new)
    assert lines(found.passages[0]) == [
        "1. → moved here (was item 4): blue fish",
        "2. one fish",
        "(2.) taken out: two fish",
        "3. put in: a cat",
        "4. red fish",
        "(4.) moved away (now item 1) → ‘blue fish’",
    ]
    assert found.size == "2 words put in, 2 taken out, 1 list item moved"


def test_many_items_that_stayed_are_counted():
    some = [f"item {n}" for n in range(10)]
    found = difference(words(body=[items(*some)]), words(body=[items(*some, "a cat")]))
    assert lines(found.passages[0]) == ["• item 0", "… 8 more as before …", "• item 9", "• put in: a cat"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (items("a"), items("a", tag="ol"), "taken out: [bulleted list] → put in: [numbered list]"),
        (
            items("a", tag="ol"),
            items("a", tag="ol", start=' start="4"'),
            "taken out: [numbered list] → put in: [numbered list from 4]",
        ),
    ],
)
def test_another_kind_of_list_is_said(old: dict[str, Any], new: dict[str, Any], said: str):
    found = difference(words(body=[old]), words(body=[new]))
    assert lines(found.passages[0])[0] == f"kind of list: {said}"
    assert found.size == "no word: marks, spaces, links or pictures alone"


def test_an_item_under_another_one_moved_there():
    old = words(body=[items("fish<ul><li>red</li></ul>", "blue")])
    new = words(body=[items("fish<ul><li>red</li><li>blue</li></ul>")])
    found = difference(old, new)
    assert lines(found.passages[0]) == [
        "• fish",
        "• red",
        "• → moved here (was item 2): blue",
        "• moved away (now item 1.2) → ‘blue’",
    ]
    assert found.size == "1 list item moved, no word changed"


def test_an_item_that_went_to_another_list():
    old = words(body=[items("red", "blue"), *body("Between."), items("one")])
    new = words(body=[items("red"), *body("Between."), items("one", "blue")])
    assert [lines(p)[-1] for p in difference(old, new).passages] == [
        "• moved away (now item 2 of list 2) → ‘blue’",
        "• → moved here (was item 2 of list 1): blue",
    ]


# Quotes, and things with a name


def test_a_speaker_and_a_role_are_named():
    old = words(body=[quote("Nobody will have to wade here again.", "Mara Ellingham", "Mayor")])
    new = words(body=[quote("Nobody will have to swim here again.", "Tom Reed", "Lord Mayor")])
    found = difference(old, new, Covers.QUOTES)
    assert lines(found.passages[0]) == [
        "Nobody will have to taken out: wade put in: swim here again.",
        "speaker: taken out: Mara Ellingham → put in: Tom Reed",
        "role: put in: Lord Mayor",
    ]


@pytest.mark.parametrize("whom", ["Mara Ellingham", "Tom Reed"])
def test_only_the_quotes_of_one_speaker_are_compared(whom: str):
    first, second = quote("Nobody will wade."), quote("It is dry.", "Tom Reed", "Mayor")
    old = words(body=[first, second])
    new = words(body=[first, {**second, "html": "<p>It is wet.</p>"}])
    found = difference(old, new, "speaker", whom=whom)
    assert bool(found) is (whom == "Tom Reed")
    assert word_count(old, "speaker", whom) == (6 if whom == "Tom Reed" else 8)
    assert links(old, "speaker", whom) == []


def test_attachments_and_partners_are_lines():
    def file(title: str, digest: str) -> dict[str, Any]:
        return {"sha256": digest * 64, "name": "f.pdf", "title": title, "media_type": "a/b", "size": 9}

    partners = [{"slug": "t", "name": "Harbour Trust"}, {"slug": "r", "name": "Coast Railway"}]
    old = words(attachments=[file("The plan", "a"), file("The map", "b")], partners=partners)
    new = words(attachments=[file("The plan", "c")], partners=partners[::-1])
    found = difference(old, new)
    assert [(p.label, lines(p)) for p in found.passages] == [
        (
            "the attachments",
            [
                "• The plan taken out: [file aaaaaaaa] put in: [file cccccccc]",
                "• taken out: The map [file bbbbbbbb] [f.pdf] [a/b] [9 bytes]",
            ],
        ),
        (
            "the partner organisations",
            [
                "• moved away (now partner organisation 2) → ‘Harbour Trust’",
                "• Coast Railway",
                "• → moved here (was partner organisation 1): Harbour Trust",
            ],
        ),
    ]
    assert found.by_part == [
        ("the attachments", "0 words put in, 2 taken out"),
        ("the partner organisations", "1 partner organisation moved, no word changed"),
    ]
    assert [p.label for p in difference(words(), new).passages] == [p.label for p in found.passages]
    assert difference(old, new, "attachments").size == "0 words put in, 2 taken out"


@pytest.mark.parametrize(
    ("covers", "changed", "labels"),
    [
        ("notes", {"notes": "<p>Other.</p>"}, ["the notes to editors", "the notes to editors"]),
        ("notes", {"headline": "Other"}, []),
        ("pictures", {"picture": {"sha256": "a" * 64, "alt": "A weir"}}, ["the lead picture"]),
    ],
)
def test_a_desk_that_covers_one_part_is_shown_that(covers: str, changed: dict[str, Any], labels: list[str]):
    found = difference(words(), words(**changed), covers)
    assert {p.label.partition(",")[0] for p in found.passages} >= set(labels)
    assert bool(found) is bool(labels)


def test_each_sentence_with_figures_is_a_part():
    said = [{"kind": "paragraph", "html": "<p>It is <em>40</em> metres long. We are glad. 9.</p>"}]
    found = list(
        parts(words(headline="", summary="", notes="", body=[*said, quote("We built forty.")]), "figures")
    )
    assert [(part.kind, part.label, read(part)) for part in found] == [
        ("block figure", "figure in paragraph", "It is 40 metres long."),
        ("block figure", "figure in paragraph", "We are glad. 9."),
        ("block figure", "figure in quote", "We built forty."),
        ("block more", "more on quote", read(found[-1])),
    ]


def read(part: Part) -> str:
    return "".join(token.plain for token in part.tokens)


# What is shown


def page(found: Difference) -> str:
    return render_to_string("approvals/_passages.html", {"difference": found})


def test_the_page_tells_moves_without_colour():
    one, two = "The bridge is open to all walkers.", "It is free to cross by night."
    found = difference(words(body=body(one, two)), words(body=body(two.replace("free", "dear"), one)))
    assert aloud(page(found)) == (
        "→ Paragraph 1, moved here (was paragraph 2, after ‘The bridge is open to…’)"
        "It is taken out: free put in: dear to cross by night."
        "→ Paragraph 2, moved away (now paragraph 1, at the top)"
        "‘It is free to cross by night.’"
    )


class Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {(tag, name) for name, _ in attrs} | {(tag, "")}


SHARP = st.lists(
    st.sampled_from(
        ["<b onclick=x>", "</del>", "&lt;", "&", '"', "'", "<script>", "word", " ", "a b c d e f", "{}"]
    )
).map("".join)


@st.composite
def hostile(draw: st.DrawFn) -> dict[str, Any]:
    def html() -> str:
        return f"<p>{draw(SHARP).replace('&', '&amp;').replace('<', '&lt;')}</p>"

    blocks = [
        {"kind": "quote", "html": html(), "speaker": draw(SHARP), "role": draw(SHARP)},
        {"kind": "list", "html": f"<ul><li>{html()}</li><li>{html()}</li></ul>"},
        {"kind": "paragraph", "html": html()},
        {"kind": draw(SHARP), "html": f'<p><a href="{draw(TEXT).replace("<", "")}">{html()}</a></p>'},
    ]
    return words(
        headline=draw(SHARP),
        body=draw(st.permutations(blocks)),
        attachments=[{"sha256": draw(SHARP), "title": draw(SHARP), "name": draw(SHARP)}],
        partners=[{"slug": "a", "name": draw(SHARP)}],
    )


@given(hostile(), hostile())
@settings(max_examples=100, deadline=None)
def test_no_word_of_a_story_becomes_code(old: dict[str, Any], new: dict[str, Any]):
    tags = Tags()
    tags.feed(page(difference(old, new)))
    allowed = {"div", "h3", "blockquote", "span", "ins", "del", "ul", "li", "details", "summary", "b"}
    assert {tag for tag, _ in tags.found} <= allowed
    assert {name for _, name in tags.found} <= {"", "class", "aria-hidden"}


# Nothing goes unseen


SENTENCES = [
    "The river rose by nine inches in the night.",
    "The river rose by ten inches in the night.",
    "Nobody was hurt when the old bridge fell into it.",
    "It opens in May.",
    "Ends",
    "Work on the <strong>new</strong> bridge starts as soon as the water is gone.",
]
TEXTS = st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=3).map(" ".join)
LISTS = st.recursive(
    TEXTS,
    lambda inner: st.tuples(
        st.sampled_from(["ul", "ol"]), TEXTS, st.lists(inner, min_size=1, max_size=3)
    ).map(lambda found: f"{found[1]}<{found[0]}>{''.join(f'<li>{i}</li>' for i in found[2])}</{found[0]}>"),
    max_leaves=5,
)
BLOCKS = st.one_of(
    TEXTS.map(lambda text: {"kind": "paragraph", "html": f"<p>{text}</p>"}),
    TEXTS.map(lambda text: {"kind": "heading", "html": f"<h2>{text}</h2>"}),
    st.tuples(TEXTS, st.sampled_from(["Mara", "Tom Reed"])).map(lambda found: quote(*found)),
    st.lists(LISTS, min_size=1, max_size=3).map(lambda found: items(*found)),
)
STORIES = st.lists(BLOCKS, max_size=5).map(
    lambda blocks: words(body=blocks, notes="".join(b["html"] for b in blocks))
)
ANY = st.one_of(st.tuples(contents(), contents()), st.tuples(STORIES, STORIES))


@given(ANY, st.sampled_from([*Covers.values, "notes", "pictures"]), st.sampled_from([0.0, 2.0]))
@settings(max_examples=300, deadline=None)
def test_a_difference_is_empty_only_for_one_digest(
    pair: tuple[dict[str, Any], dict[str, Any]], covers: str, budget: float
):
    same = coverage.covered_digest(pair[0], covers) == coverage.covered_digest(pair[1], covers)
    found = difference(*pair, covers, budget=budget)
    assert bool(found) is not same
    changes = [run for passage in found.passages for run in passage.runs if run.op != "="]
    assert [run for run in changes if run.op in "-+" and not run.text.strip()] == []
    for passage in found.passages:
        said = re.search("put in: |taken out: |moved here|moved away", f"{passage.label} {passage.html}")
        assert said
    assert found.size != "nothing" or same


def side(passage: Passage, ops: str) -> Tokens:
    """The tokens that a passage had at its place ("=-<"), or that it has there now ("=+>")."""
    here = [passage.move, *(row.move for row in passage.rows)]
    came = [move is not None and not move.away for move in here]
    rows = [
        row for row, moved in zip(passage.rows, came[1:], strict=True) if "+" in ops or not (moved or came[0])
    ]
    return tuple(token for row in rows for run in row.runs if run.op in ops for token in run.tokens)


def in_order(some: list[Any], everything: list[Any]) -> bool:
    """Whether all of some stand in everything, in that order."""
    rest = iter(everything)
    return all(one in rest for one in some)


@given(ANY, st.sampled_from(Covers.values), st.sampled_from([0.0, 2.0]))
@settings(max_examples=300, deadline=None)
def test_what_stayed_with_what_went_is_the_old_text_and_with_what_came_the_new(
    pair: tuple[dict[str, Any], dict[str, Any]], covers: str, budget: float
):
    found = [p for p in difference(*pair, covers, budget=budget).passages if "code behind" not in p.label]
    rest = []
    for content, ops in zip(pair, ("=-<", "=+>"), strict=True):
        whole = [part.tokens for part in parts(content, covers) if part.tokens]
        told = [tokens for passage in found if (tokens := side(passage, ops)) not in ((), EMPTY)]
        assert in_order(told, whole)
        rest.append(Counter(whole) - Counter(told))
    assert rest[0] == rest[1]


@given(ANY)
@settings(max_examples=200, deadline=None)
def test_what_moved_is_what_it_was_with_its_changes(pair: tuple[dict[str, Any], dict[str, Any]]):
    runs = [run for passage in difference(*pair).passages for run in passage.runs]
    gone = Counter(run.tokens for run in runs if run.op == "<")
    for run in runs:
        if run.op == ">":
            sides = [
                tuple(token for inner in run.inner if inner.op in ops for token in inner.tokens)
                for ops in ("=-", "=+")
            ]
            assert sides[1] == run.tokens
            assert gone[sides[0]] > 0


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_another_order_alone_is_told_as_moved_alone(data: st.DataObject):
    blocks = data.draw(st.lists(BLOCKS, max_size=8))
    mixed = data.draw(st.permutations(blocks))
    found = difference(words(body=blocks), words(body=mixed))
    assert (found.words_in, found.words_out) == (0, 0)
    assert bool(found.moved) is (blocks != mixed)
    assert {run.op for passage in found.passages for run in passage.runs} <= {"=", "<"}


# In good time


def test_many_paragraphs_in_another_order_take_no_time():
    old = [
        f"Paragraph {n} says that the river rose {n} inches in the night of the flood." for n in range(200)
    ]
    began = time.monotonic()
    found = difference(words(body=body(*old)), words(body=body(*old[::-1])))
    assert time.monotonic() - began < 2
    assert (found.size, found.words_in) == ("199 paragraphs moved, no word changed", 0)
    edited = [text.replace("rose", "fell") for text in old[::-1]]
    began = time.monotonic()
    assert difference(words(body=body(*old)), words(body=body(*edited)), budget=0.1)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("word", ["again ", "It rose again and again and again. "])
def test_words_that_repeat_without_end_take_no_time(word: str):
    old, new = [word * 3000, "Between.", "Last."], ["First.", "Between.", word * 2500 + "and " + word * 400]
    began = time.monotonic()
    assert difference(words(body=body(*old)), words(body=body(*new)))
    assert time.monotonic() - began < 5


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
