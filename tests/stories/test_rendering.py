"""Content to article, without a database: what the public, the preview and the clearing page show."""

from datetime import UTC, datetime

import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from approvals.coverage import marks
from stories import rendering, richtext
from stories.content import blank
from stories.moments import Moment
from stories.rendering import Piece

AT = Moment(datetime(2017, 10, 16, 23, 1, 0, 250_000, tzinfo=UTC), "Europe/London")
QUOTE = {
    "kind": "quote",
    "html": "<p>Nobody will <em>wade</em> here &amp; there.</p><p>Never again.</p>",
    "speaker": "Mara Ellingham",
    "role": "Secretary of State for Rivers",
}
PLAIN = {"kind": "paragraph", "html": "<p>A footbridge opened.</p>"}
PICTURE = {
    "sha256": "a" * 64,
    "name": "a" * 64 + ".jpg",
    "width": 1600,
    "height": 900,
    "alt": "A footbridge over a weir",
    "caption": "The bridge at noon",
    "credit": "Department for Rivers",
}
WORDS = {
    **blank(),
    "type": "press-release",
    "headline": "New footbridge <opens>",
    "slug": "new-footbridge",
    "summary": "It saves two miles.",
    "body": [PLAIN, QUOTE, PLAIN, {**QUOTE, "html": "<p>Later.</p>", "speaker": "Tom Ashdown"}],
    "picture": PICTURE,
    "topics": [{"slug": "bridges", "name": "Bridges"}],
    "organisation": {"slug": "rivers", "name": "Department for Rivers and Coasts"},
    "notes": "<ol><li>It is 40 metres long.</li></ol>",
    "contacts": "River desk\n020 7946 0000\n\nOut of hours\npress@rivers.example",
}


def page(content=WORDS, **more) -> str:
    """The article as the template renders it."""
    return render_to_string("public/_article.html", {"article": rendering.article(content, **more)})


def test_every_part_of_the_content_is_in_the_article():
    article = rendering.article(
        WORDS, published=AT, address="https://x.example/news/a/", picture_url="/p.jpg"
    )
    assert article.type_label == "Press release"
    assert article.headline == "New footbridge <opens>"
    assert article.summary == "It saves two miles."
    assert [block.kind for block in article.blocks] == ["paragraph", "quote", "paragraph", "quote"]
    assert [(quote.number, quote.speaker) for quote in article.quotes] == [
        (1, "Mara Ellingham"),
        (2, "Tom Ashdown"),
    ]
    assert article.picture == rendering.Picture(
        "/p.jpg",
        1600,
        900,
        "A footbridge over a weir",
        "The bridge at noon",
        "Department for Rivers",
        "image/jpeg",
    )
    assert article.notes == "<ol><li>It is 40 metres long.</li></ol>"
    assert article.topics == ("Bridges",)
    assert article.organisation == "Department for Rivers and Coasts"
    assert article.address == "https://x.example/news/a/"


def test_a_moment_is_shown_to_the_second():
    assert rendering.article(WORDS, published=AT).published == Moment(
        datetime(2017, 10, 16, 23, 1, tzinfo=UTC), "Europe/London"
    )
    assert (
        '<time datetime="2017-10-17T00:01:00+01:00">00:01 BST, <span>Tuesday 17 October 2017</span></time>'
        in page(published=AT)
    )


def test_a_quote_is_ready_to_be_pasted():
    article = rendering.article(WORDS, published=AT, address="https://x.example/news/a/")
    assert article.quotes[0].paste == (
        "“Nobody will wade here & there. Never again.” Mara Ellingham, Secretary of State for Rivers, "
        "Tuesday 17 October 2017. https://x.example/news/a/#quote-1"
    )
    assert rendering.article(WORDS).quotes[1].paste == (
        "“Later.” Tom Ashdown, Secretary of State for Rivers."
    )


def test_a_blank_story_renders():
    html = page(blank())
    assert '<p class="end-mark">Ends</p>' in html
    for absent in ("<img", "<dl>", "<nav", "Press contacts", "Notes to editors", "Topics", "<time"):
        assert absent not in html


@pytest.mark.parametrize(
    ("caption", "credit", "legend"),
    [
        ("The bridge", "A. Person", "The bridge. A. Person."),
        ("The bridge.", "A. Person.", "The bridge. A. Person."),
        ("The bridge", "", "The bridge"),
        ("", "A. Person", "A. Person."),
        ("", "", ""),
    ],
)
def test_the_credit_ends_the_caption(caption, credit, legend):
    shown = rendering.picture({**PICTURE, "caption": caption, "credit": credit}, "/p.jpg")
    assert shown is not None
    assert shown.legend == legend


# What raw SQL may have stored


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '<img src="https://evil.example/x.png" onerror="alert(1)">',
        '<p onclick="alert(1)" style="position:fixed">words</p>',
        '<a href="javascript:alert(1)">words</a>',
        '<a href="/desk/">words</a>',
        "<svg onload=alert(1)><style>*{display:none}</style></svg>",
        '<iframe src="https://evil.example"></iframe>',
        '<form action="https://evil.example"><input name="password"></form>',
        '</blockquote></figure><div class="mine">',
    ],
)
@pytest.mark.parametrize("field", ["body", "quote", "notes"])
def test_nothing_but_words_gets_through(attack, field):
    changed = {
        "body": {"body": [{"kind": "paragraph", "html": attack}]},
        "quote": {"body": [{**QUOTE, "html": attack}]},
        "notes": {"notes": attack},
    }[field]
    html = page({**WORDS, **changed})
    for trace in ("<script", "onerror", "onclick", "style=", "javascript:", '"/desk/', "<svg", "<iframe"):
        assert trace not in html
    for trace in ("evil.example", "<form", "<input", 'class="mine"'):
        assert trace not in html


@pytest.mark.parametrize("field", ["headline", "summary", "contacts"])
def test_plain_text_is_escaped(field):
    html = page({**WORDS, field: "<script>alert(1)</script>"})
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_names_and_picture_words_are_escaped():
    nasty = '"><script>'
    picture = {**PICTURE, "alt": nasty, "caption": nasty, "credit": nasty}
    quote = {**QUOTE, "speaker": nasty, "role": nasty}
    topics, organisation = [{"slug": "x", "name": nasty}], {"slug": "x", "name": nasty}
    content = {**WORDS, "picture": picture, "body": [quote], "topics": topics, "organisation": organisation}
    assert "<script" not in page(content, picture_url="/p.jpg", marks=marks(WORDS, "everything"))


@given(
    st.text(), st.sampled_from(["<p>{}</p>", "<h2>{}</h2>", "<ul><li>{}<ol><li>b</li></ol></li></ul>", "{}"])
)
def test_what_is_canonical_passes_unchanged(text, frame):
    for block in richtext.to_blocks(frame.format(text)):
        assert rendering.sanitised(block["html"]).replace("&nbsp;", "\u00a0") == block["html"]


# What a clearer covers


def test_without_coverage_there_is_no_trace_of_marks():
    html = page(published=AT, address="https://x.example/", picture_url="/p.jpg")
    for trace in ("mine", "whose", "You cover", "unseen", "Alt text"):
        assert trace not in html


def test_who_covers_the_quotes_sees_each_marked():
    html = page(marks=marks(WORDS, "quotes"))
    assert html.count('<div class="mine">') == 2
    assert '<p class="whose" lang="en-GB">You cover this: quote 1 of Mara Ellingham</p>' in html
    assert '<p class="whose" lang="en-GB">You cover this: quote 2 of Tom Ashdown</p>' in html
    assert html.count("<div") == html.count("</div>")


def test_a_quote_without_a_speaker_is_marked_by_its_number():
    content = {**WORDS, "body": [{**QUOTE, "speaker": ""}]}
    html = page(content, marks=marks(content, "quotes"))
    assert "You cover this: quote 1</p>" in html


def test_who_covers_everything_sees_the_whole_marked_and_what_is_not_shown():
    html = page(marks=marks(WORDS, "everything"))
    assert html.count('<div class="mine">') == 1
    assert '<p class="whose" lang="en-GB">You cover this: everything</p>' in html
    assert "Address: /news/new-footbridge/" in html
    assert "Alt text of the picture: A footbridge over a weir" in html
    assert html.count("<div") == html.count("</div>")


@pytest.mark.parametrize("covers", ["quotes", "everything"])
def test_a_proof_is_the_public_page_with_marks_and_nothing_less(covers):
    public, proof = (
        rendering.article(WORDS, published=AT),
        rendering.article(WORDS, published=AT, marks=marks(WORDS, covers)),
    )
    assert [block.html for block in proof.blocks] == [block.html for block in public.blocks]
    shown = [line.strip() for line in page(published=AT, marks=marks(WORDS, covers)).splitlines()]
    for line in page(published=AT).splitlines():
        assert line.strip() in shown


# Contacts


@pytest.mark.parametrize(
    ("text", "hrefs"),
    [
        ("020 7946 0000", ["tel:02079460000"]),
        ("+44 (0)20 7946 0000", ["tel:+442079460000"]),
        ("(020) 7946 0000 or 07700 900123", ["tel:02079460000", "tel:07700900123"]),
        ("+1 (212) 555-0100", ["tel:+12125550100"]),
        ("Write to press.desk+wales@rivers.example.", ["mailto:press.desk+wales@rivers.example"]),
        ("https://rivers.example/press.", ["https://rivers.example/press"]),
        ("08:00 to 18:00, 17 October 2017", []),
        ("2017-10-17, 2017-2018, room 1234567", []),
        ("javascript:alert(1) @ nobody", []),
    ],
)
def test_numbers_and_addresses_become_links(text, hrefs):
    ((line,),) = rendering.contact_lines(text)
    assert [piece.href for piece in line if piece.href] == hrefs
    assert "".join(piece.text for piece in line) == text


def test_blank_lines_part_contacts():
    assert rendering.contact_lines("\nRiver desk\r\n020 7946 0000\n \n\nOut of hours\n") == (
        ((Piece("River desk"),), (Piece("020 7946 0000", "tel:02079460000"),)),
        ((Piece("Out of hours"),),),
    )
    assert rendering.contact_lines("") == ()


@given(st.text(st.sampled_from("0123456789 +()-.@a:/\n")))
def test_no_character_of_the_contacts_is_lost(text):
    shown = [piece.text for group in rendering.contact_lines(text) for line in group for piece in line]
    assert "".join("".join(shown).split()) == "".join(text.split())


@pytest.mark.parametrize("unit", ["1(", "a", "1", "+ ", "a@", "a@a.", "1 ", "https://", "a@a-"])
def test_a_megabyte_of_contacts_takes_no_time(unit):
    rendering.contact_lines(unit * (1_000_000 // len(unit)))


DOCUMENT = {
    "sha256": "b" * 64,
    "name": "b" * 64 + ".pdf",
    "title": "Die Brücke – kurz",
    "media_type": "application/pdf",
    "size": 217_900,
}


def test_documents_and_partners_are_named():
    partners = [{"slug": "trust", "name": "Harbour Trust"}, {"slug": "wardens", "name": "Wardens <of> Wend"}]
    content = {**WORDS, "partners": partners, "attachments": [DOCUMENT]}
    (document,) = rendering.article(content, media="media").documents
    assert document.url == f"/media/{DOCUMENT['name']}"
    assert (document.words, document.save_as) == ("PDF, 218 KB", "die-brucke-kurz.pdf")
    html = page(content)
    assert f'<a href="/desk/media/{DOCUMENT["name"]}" download="die-brucke-kurz.pdf">' in html
    assert '<a href="#documents">1 document</a>' in html
    assert "<dd>Harbour Trust</dd><dd>Wardens &lt;of&gt; Wend</dd>" in html
    assert "Documents" not in page()
    assert "<dt>With</dt>" not in page()


def test_a_document_without_a_title_or_with_another_name_is_named_all_the_same():
    raw = {**DOCUMENT, "title": "", "name": "of raw SQL/<i>", "media_type": "x/y"}
    (document,) = rendering.documents([raw], "media")
    assert (document.title, document.url) == ("Document 1", "")
    assert "<i>" not in page({**WORDS, "attachments": [raw]})


def test_words_from_before_there_were_documents_are_still_shown():
    old = {key: part for key, part in WORDS.items() if key not in ("attachments", "partners")}
    assert page(old) == page()


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 KB"),
        (218_400, "218 KB"),
        (999_499, "999 KB"),
        (999_500, "1.0 MB"),
        (1_240_000, "1.2 MB"),
        (19_999_999, "20 MB"),
    ],
)
def test_sizes_in_words(size, words):
    assert rendering.size_words(size) == words


# The picture

#: As wide as what is left beside the rail.
BESIDE = "(min-width: 59rem) calc(100vw - 22rem)"


def shown(width: int, height: int, *forms: rendering.Form) -> rendering.Picture:
    stored = {**PICTURE, "name": "p.jpg", "width": width, "height": height}
    found = rendering.picture(stored, "/p.jpg", forms)
    assert found
    return found


def form(media_type: str, width: int) -> rendering.Form:
    name = f"{media_type[-4:]}{width}"
    return rendering.Form(name, media_type, width, width // 2, 1, f"/{name}")


def test_a_picture_that_nobody_has_drawn_is_the_picture_alone():
    picture = shown(1600, 900)
    assert (picture.sources, picture.srcset, picture.shared.url) == ((), "", "/p.jpg")
    html = page(picture_url="/p.jpg")
    assert "<picture" not in html
    assert "srcset" not in html


def test_a_browser_chooses_between_what_was_drawn():
    picture = shown(
        1600,
        800,
        *(form(f"image/{kind}", width) for width in (480, 1440) for kind in ("jpeg", "webp", "avif")),
    )
    assert [(one.media_type, one.srcset) for one in picture.sources] == [
        ("image/avif", "/avif480 480w, /avif1440 1440w"),
        ("image/webp", "/webp480 480w, /webp1440 1440w"),
    ]
    assert picture.srcset == "/jpeg480 480w, /jpeg1440 1440w, /p.jpg 1600w"
    assert picture.shared.url == "/jpeg1440"


@pytest.mark.parametrize(
    ("width", "height", "sizes"),
    [
        (1600, 900, f"(min-width: 70rem) 48rem, {BESIDE}, 92vw"),
        # No wider than it is: 40rem,
        (640, 360, f"(min-width: 62rem) 40rem, {BESIDE}, (min-width: 43.4783rem) 40rem, 92vw"),
        (320, 180, "(min-width: 59rem) 20rem, (min-width: 21.7391rem) 20rem, 92vw"),
        # and no taller than 38rem.
        (1000, 2000, "(min-width: 59rem) 19rem, (min-width: 20.6522rem) 19rem, 92vw"),
    ],
)
def test_how_wide_a_picture_is_on_the_screen(width, height, sizes):
    assert shown(width, height).sizes == sizes
