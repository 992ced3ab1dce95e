"""Which sentences have a figure, and that nobody changes one past the statistics desk."""

import re
import unicodedata
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals import coverage, figures
from stories import richtext
from stories.content import blank
from tests.approvals.contents import PHRASES, SOUP
from tests.approvals.test_coverage_kinds import digest, sql

pytestmark = pytest.mark.django_db


def paragraph(text: str) -> dict[str, Any]:
    return {"kind": "paragraph", "html": f"<p>{text}</p>"}


def quote(text: str, speaker: str = "Mara Ellingham", role: str = "Secretary for Rivers") -> dict[str, Any]:
    return {"kind": "quote", "html": f"<p>{text}</p>", "speaker": speaker, "role": role}


def body(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {**blank(), "body": list(blocks)}


def sentences(html: str) -> list[str]:
    """The sentences, on which both languages agree."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT s FROM sentences(%s) WITH ORDINALITY f (s, n) ORDER BY n", [html])
        found = [row[0] for row in cursor.fetchall()]
    assert found == figures.sentences(html)
    return found


def covered(html: str) -> list[str]:
    """The sentences with a figure, on which both languages agree."""
    content = {"notes": html}
    found = sql("covered_content", content, coverage.FIGURES, "")
    assert found == coverage.covered_content(content, coverage.FIGURES)
    return found[0]["sentences"] if found else []


@given(st.lists(SOUP | PHRASES | st.sampled_from(["<p>", "</p>"]), max_size=8).map("".join))
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_python_and_postgresql_cut_alike_and_lose_nothing(html: str):
    found = sentences(html)
    covered(html)
    gone = re.sub(r"[\s\v\x1c-\x1f\x85\xa0]|</?(?:p|h2|h3|ul|ol|li)>|<br ?/?>", "", html)
    assert re.sub(r"[\s\v\x1c-\x1f\x85\xa0]|</?(?:p|h2|h3|ul|ol|li)>|<br ?/?>", "", "".join(found)) == gone


PLAIN = st.sampled_from(
    ["It rained.", "Was <em>it</em> cold?", "Nobody came!", "“We <strong>saw</strong> it.”"]
)
COUNTED = st.sampled_from(
    ["Three came.", "It cost £1.5 <em>million</em>.", "See No. 5!", "“Half of <em>it</em>.”"]
)


@given(st.data(), st.lists(COUNTED, min_size=1, max_size=3), st.lists(PLAIN, max_size=4))
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sentences_without_a_figure_come_and_go(data: st.DataObject, counted: list[str], plain: list[str]):
    mixed = list(counted)
    for sentence in plain:
        mixed.insert(data.draw(st.integers(0, len(mixed))), sentence)
    without, amid = (body(paragraph(" ".join(found))) for found in (counted, mixed))
    assert digest(amid) == digest(without)


@given(st.lists(PHRASES | SOUP, max_size=5))
def test_what_the_editor_makes_is_cut_into_sentences(paragraphs: list[str]):
    for block in richtext.to_blocks("".join(f"<p>{text}</p>" for text in paragraphs)):
        assert figures.is_canonical(block["html"].replace('<ol start="5">', "<ol>"))


# Where a sentence ends


def test_a_sentence_ends_before_a_capital():
    assert sentences("<p>It rained. Three came! Why? Nobody… Then.</p>") == [
        "It rained.",
        "Three came!",
        "Why?",
        "Nobody…",
        "Then.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "It cost £1.5 million.",
        "See No. 5 of it.",
        "It takes approx. 40 days.",
        "It takes approx. Forty days.",
        "It fell by approx. £5.",
        "It fell by <em>approx</em>. Forty per cent.",
        "The U.K. Government cut it by half.",
        "Dr. Reed saw two.",
        "It fell. by 5%.",
        "It fell. (5% in May.)",
        "It fell. −5%.",
        "It fell. &lt;5%.",
        "It fell.\u200b 5%.",
        "It rose<br>by 5%.",
    ],
)
def test_a_sentence_goes_on(text: str):
    assert covered(f"<p>{text}</p>") == [text]


@pytest.mark.parametrize(
    "text",
    [
        "He said: “It rained.” Three came.",
        "(It rained.) Three came.",
        "It <em>rained.</em> Three came.",
        "It <em>rained</em>.\xa0Three came.",
        "It rained.<br>Three came.",
        "It rained.</p><p>Three came.",
        "<strong>It rained.</strong><br>Three came.",
    ],
)
def test_a_stop_with_what_closes_after_it_ends_a_sentence(text: str):
    assert covered(f"<p>{text}</p>") == ["Three came."]


def test_each_item_of_a_list_is_a_sentence_of_its_own():
    assert covered("<ul><li>Apples</li><li>Two pears<ul><li>Ripe</li></ul></li></ul>") == ["Two pears"]


def test_marks_are_never_cut_apart():
    text = '<a href="https://x.example/">It rained. <em>Three came.</em></a>'
    assert covered(f"<p>It was May. {text} Nobody saw.</p>") == [text]


def test_what_no_editor_makes_is_one_sentence():
    for html in (
        "<p><em>It rained. Three came.</p>",
        "<p>It rained. Three came. \x01</p>",
        "It <i>rained</i>. Three",
    ):
        assert covered(html) == [html]


# What is a figure


@pytest.mark.parametrize(
    "text",
    """
    5 1,000 £5 ٣ ५ ５ ½ ⅞ ² ① 𝟓 50% ‰ two ELEVEN Nineteen forty twenty-one hundreds tens million Trillions
    dozens half halved halves thirds quarter doubled twice triple threefold percentage per&nbsp;cent
    1<em>2</em> tw<strong>el</strong>ve tw\u200bo tw\u00ado <em>t</em>en, (ten) ten’s
    &#53; &#x35; &#116;en &half; &frac12; &percnt; &amp;#53; &#3<em></em>9; per<br>cent
    """.split(),  # noqa: SIM905
)
def test_a_figure(text: str):
    assert covered(f"<p>It is {text} now. It rained.</p>") == [f"It is {text} now."]


@pytest.mark.parametrize(
    "text",
    """
    one someone often tent weight canine percolate Fortune secondhand thirdly
    &amp; &lt;b&gt; &#39; &#8217; &nbsp; <em>it</em>
    """.split(),  # noqa: SIM905
)
def test_no_figure(text: str):
    assert covered(f"<p>It is {text} now.</p>") == []


def test_a_number_in_the_address_of_a_link_is_no_figure():
    assert covered('<p>It is <a href="https://x.example/5/1.5?two">here</a>.</p>') == []


def test_the_digits_of_every_script():
    digits = [chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) == "Nd"]
    assert [found for found in digits if not figures.has_figure(found)] == []


def test_figures_are_looked_for_in_every_text():
    content = {
        **body(paragraph("It rained."), quote("We saw two.")),
        "headline": "5 < 6 & more",
        "summary": "Rain. Three came.",
        "notes": "<p>Half.</p>",
        "picture": {"sha256": "5", "alt": "Two boats", "caption": "Ten boats", "credit": "5"},
    }
    assert coverage.covered_content(content, coverage.FIGURES) == [
        {"in": "headline", "sentences": ["5 &lt; 6 &amp; more"]},
        {"in": "summary", "sentences": ["Three came."]},
        {
            "in": "quote",
            "sentences": ["We saw two."],
            "speaker": "Mara Ellingham",
            "role": "Secretary for Rivers",
        },
        {"in": "notes", "sentences": ["Half."]},
        {"in": "caption", "sentences": ["Ten boats"]},
        {"in": "alt", "sentences": ["Two boats"]},
    ]
    digest(content)
    assert coverage.marks(content, coverage.FIGURES) == coverage.Marks(
        sentences={
            "headline": ("5 < 6 & more",),
            "summary": ("Three came.",),
            1: ("We saw two.",),
            "notes": ("Half.",),
            "caption": ("Ten boats",),
            "alt": ("Two boats",),
        }
    )


def test_a_list_that_says_where_it_starts_is_marked_whole():
    html = '<ol start="5"><li>Apples</li></ol>'
    content = {**body({"kind": "list", "html": html}), "notes": html}
    assert coverage.marks(content, coverage.FIGURES) == coverage.Marks(blocks=frozenset([0]), notes=True)


# Past the statistics desk


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("It is 1<em>2</em>.", "It is 1<em>3</em>."),
        ("It is 12.", "It is 1<em>2</em>."),
        ("It is 12.", "It is 1\u200b2."),
        ("It is 12.", "It is &#49;2."),
        ("It is &#53;.", "It is &#54;."),
        ("It is &half;.", "It is &frac14;."),
        ("Two came.", "Tw<em>o</em> came."),
        ("It rose by 5%.", "It fell by 5%."),
        ("It rose<br>by 5%.", "It fell<br>by 5%."),
        ("It rose by approx. Five.", "It fell by approx. Five."),
        ("It is 5.", '<a href="https://x.example/">It is 5.</a>'),
        ('<a href="https://x.example/">It is 5.</a>', '<a href="https://y.example/">It is 5.</a>'),
        ("It is 5. It is 6.", "It is 6. It is 5."),
        ("It is 5.", "It is 5. It is 5."),
    ],
)
def test_no_figure_is_changed_unseen(before: str, after: str):
    first, then = (digest(body(paragraph(text))) for text in (before, after))
    assert first
    assert first != then


def test_no_figure_is_put_into_another_mouth():
    text = "It is 5."
    places = [paragraph(text), quote(text), quote(text, "Tom Reed"), quote(text, role="Engineer")]
    assert len({digest(body(place)) for place in places}) == 4
    assert len({digest({**blank(), part: text}) for part in ("headline", "summary", "notes")}) == 3


def test_no_list_is_numbered_anew():
    lists = [
        '<ol start="5"><li>Apples</li></ol>',
        '<ol start="6"><li>Apples</li></ol>',
        "<ol><li>Apples</li></ol>",
    ]
    assert len({digest(body({"kind": "list", "html": html})) for html in lists}) == 3


HOSTILE = {
    "stops": "." * 200_000,
    "letters": "A. " * 66_000,
    "short sentences": "Ab. " * 50_000,
    "white space": "approx." + " " * 200_000,
    "stops and spaces": ". " * 100_000,
    "open tags": "<em>" * 50_000,
    "marks": ".<em></em>" * 20_000,
    "nested marks": '<a href="x">' + "<strong>x<em>y<br>z</em>w</strong>" * 6_000 + "<",
    "links": '.<a href="......">.</a>' * 8_000,
    "less than": "<" * 200_000,
    "ampersands": "&a" * 100_000,
    "closers": ".'" * 100_000,
    "breaks": ". <br>" * 33_000,
    "per": "per " * 50_000,
    "blocks": "<p>5</p>" * 25_000,
    "figures": "It is 5. " * 22_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_no_longer_than_other_text(name: str):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '30s'")
    assert len(sentences(HOSTILE[name])) > 0
    covered(HOSTILE[name])
