"""What a clearer covers is marked in the proof, whatever the kind; the public page knows nothing of it."""

import re
from html import unescape

import pytest
from django.template.loader import render_to_string
from hypothesis import given

from approvals import coverage
from approvals.models import Covers
from stories import marking, rendering
from stories.content import blank
from tests.approvals.contents import contents

PICTURE = {
    "sha256": "4751" + "a" * 60,
    "name": "a" * 64 + ".png",
    "width": 1680,
    "height": 945,
    "alt": "Five gates between six towers",
    "caption": "The gates at noon. The tower is 40 metres high.",
    "credit": "Department for Rivers",
}
DOCUMENT = {
    "sha256": "f325" + "b" * 60,
    "name": "b" * 64 + ".pdf",
    "title": "Facts in brief",
    "media_type": "application/pdf",
    "size": 218_000,
}
QUOTE = {
    "kind": "quote",
    "html": "<p>It took eleven minutes. We were ready.</p>",
    "speaker": "Mara Ellingham",
    "role": "Secretary of State for Rivers",
}
WORDS = {
    **blank(),
    "headline": "Gates shield 4,200 homes",
    "slug": "gates",
    "summary": "Work starts soon. It costs £61 million.",
    "body": [
        {"kind": "paragraph", "html": "<p>The wall is <strong>nine</strong> km &amp; long. It is grey.</p>"},
        QUOTE,
        {"kind": "list", "html": "<ul><li>No figure here.</li><li>Half of it is done.</li></ul>"},
        {
            **QUOTE,
            "html": "<p>The harbour stays open.</p>",
            "speaker": "Piotr Zielak",
            "role": "Harbour master",
        },
    ],
    "picture": PICTURE,
    "attachments": [DOCUMENT],
    "notes": "<ol><li>The survey is of 2016.</li><li>It is public.</li></ol>",
}


def proof(covers: str, whom: str = "", content: dict = WORDS) -> str:
    marks = coverage.marks(content, covers, whom)
    article = rendering.article(content, picture_url="/p.png", marks=marks)
    return render_to_string("public/_article.html", {"article": article})


def bracketed(html: str) -> list[str]:
    """What is said above each pair of brackets."""
    found = re.findall(r'<div class="mine"><p class="whose" lang="en-GB">You cover this: ([^<]*)</p>', html)
    assert html.count('<div class="mine">') == len(found)
    assert html.count("<div") == html.count("</div>")
    return found


def sentences(html: str) -> list[str]:
    """The sentences that are marked, as they are read."""
    found = re.findall(
        r'\(you cover this sentence: </span>(.*?)<span class="heard vh"> end of sentence\)', html, re.S
    )
    return [unescape(re.sub(r"<[^>]*>", "", one)) for one in found]


def plain(html: str) -> str:
    """A page without its tags, the words for those who hear it, and what is said above brackets."""
    html = re.sub(
        r'<span class="heard vh">.*?</span>|<p class="(?:whose|unseen)" lang="en-GB">.*?</p>',
        "",
        html,
        flags=re.S,
    )
    return " ".join(re.sub(r"<[^>]*>", "", html).split())


@pytest.mark.parametrize(
    ("covers", "whom", "said"),
    [
        ("everything", "", ["everything"]),
        ("quotes", "", ["quote 1 of Mara Ellingham", "quote 2 of Piotr Zielak"]),
        ("speaker", "piotr zielak", ["quote 2 of Piotr Zielak"]),
        ("role", "Secretary of State for Rivers", ["quote 1 of Mara Ellingham"]),
        ("figures", "", []),
        ("pictures", "", ["the picture"]),
        ("attachments", "", ["the document"]),
        ("notes", "", ["the notes to editors"]),
    ],
)
def test_each_kind_of_coverage_has_its_brackets(covers, whom, said):
    assert bracketed(proof(covers, whom)) == said


def test_each_kind_is_known_here():
    assert set(Covers.values) == {
        *("everything", "quotes", "speaker", "role", "figures", "pictures", "attachments", "notes")
    }


def test_sentences_with_figures_are_marked_where_they_stand():
    html = proof("figures")
    assert sentences(html) == [
        "Gates shield 4,200 homes",
        "It costs £61 million.",
        "The tower is 40 metres high.",
        "The wall is nine km & long.",
        "It took eleven minutes.",
        "Half of it is done.",
        "The survey is of 2016.",
    ]
    assert "You cover this: 7 sentences with a figure, underlined and in brackets" in html
    assert "Alt text of the picture: Five gates between six towers" in html
    assert '<strong><span class="mine-words">nine</span></strong>' in html, "tags stay as they are"


def test_what_is_signed_unseen_is_listed():
    files = ("Picture file: 1680 by 945 pixels, 4751 aaaa", "Facts in brief: PDF, 218 KB, file f325 bbbb")
    alt = "Alt text of the picture: Five gates between six towers"
    everything, picture, documents = proof("everything"), proof("pictures"), proof("attachments")
    assert all(words in everything for words in (*files, alt, "Address: /news/gates/"))
    assert files[0] in picture
    assert alt in picture
    assert files[1] in documents
    assert files[0] not in documents
    assert "unseen" not in proof("quotes")


@pytest.mark.parametrize("covers", Covers.values)
def test_a_proof_reads_as_the_public_page(covers):
    public = render_to_string(
        "public/_article.html", {"article": rendering.article(WORDS, picture_url="/p.png")}
    )
    assert plain(proof(covers, "Mara Ellingham")) == plain(public)
    for trace in ("mine", "whose", "unseen", "heard", "You cover", "you cover"):
        assert trace not in public


@pytest.mark.parametrize("covers", ["pictures", "attachments", "notes", "figures", "quotes"])
def test_where_there_is_nothing_to_cover_there_are_no_marks(covers):
    empty = {**blank(), "headline": "Nothing"}
    assert "mine" not in proof(covers, content=empty)


def test_what_cannot_be_cut_into_sentences_is_marked_as_a_whole():
    odd = {
        **WORDS,
        "body": [{"kind": "list", "html": '<ol start="5"><li>Words.</li></ol>'}],
        "notes": "<b>7</b>",
    }
    assert bracketed(proof("figures", content=odd)) == ["this list", "the notes to editors"]


def test_a_sentence_that_is_not_found_marks_its_block():
    html = rendering.sanitised("<p>One of 3.</p>")
    assert marking.in_html(html, ["Two of 3."]) == (html, False)


@given(contents())
def test_marks_change_no_word_and_leave_no_sentence_out(content):
    marks = coverage.marks(content, "figures")
    article = rendering.article(content, marks=marks)
    bare = rendering.article(content)
    for place, (block, other) in enumerate(zip(article.blocks, bare.blocks, strict=True)):
        assert plain(block.html) == plain(other.html)
        wanted = len(marks.sentences.get(place, ()))
        assert block.mine or len(sentences(block.html)) == wanted
