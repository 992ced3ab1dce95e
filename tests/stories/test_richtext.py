"""Rich text is canonical, safe, and loses no words."""

import re
import time
import unicodedata
from collections import Counter
from html import escape

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stories.richtext import Block, inline_notes, plain, quotes, to_blocks, to_html, word_count

# --- what is canonical ---


def html_of(html: str) -> list[str]:
    return [block["html"] for block in to_blocks(html)]


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("", []),
        ("   \n\n ", []),
        ("<p></p><p>&nbsp;</p><p><br></p><p>\u200b</p>", []),
        ("<p> The  wall\n is\tlong. </p>", ["<p>The wall is long.</p>"]),
        ("<p>9&nbsp;km</p>", ["<p>9\u00a0km</p>"]),
        ("<h1>One</h1><h2>Two</h2><h3>Three</h3><h5>Five</h5>",
         ["<h2>One</h2>", "<h2>Two</h2>", "<h3>Three</h3>", "<h3>Five</h3>"]),
        ("<p><b>a</b><strong>b</strong> <i>c</i></p>", ["<p><strong>ab</strong> <em>c</em></p>"]),
        ("<p><em><b>x</b></em></p>", ["<p><strong><em>x</em></strong></p>"]),
        ("<p><b>The </b>wall</p>", ["<p><strong>The</strong> wall</p>"]),
        ("<div>One<div>Two</div>Three</div>", ["<p>One</p>", "<p>Two</p>", "<p>Three</p>"]),
        ("Loose <b>words</b><p>and more</p>tail",
         ["<p>Loose <strong>words</strong></p>", "<p>and more</p>", "<p>tail</p>"]),
        ("<p>a<br>b</p>", ["<p>a<br>b</p>"]),
        ("<p><br>a<br> <br>b<br></p>", ["<p>a</p>", "<p>b</p>"]),
        ("<h2>a<br>b</h2>", ["<h2>a b</h2>"]),
        ("<ul><li><p>a</p></li><li>b<ol start=3><li>c</li></ol></li></ul>",
         ['<ul><li>a</li><li>b<ol start="3"><li>c</li></ol></li></ul>']),
        ("<ul><li><p>a</p><p>b</p></li></ul>", ["<ul><li><p>a</p><p>b</p></li></ul>"]),
        ("<ol start=0><li>a</li></ol><ul start=4><li>b</li></ul>",
         ["<ol><li>a</li></ol>", "<ul><li>b</li></ul>"]),
        ("<ul><li></li></ul><ul></ul>", []),
        ("<ul>stray<li>a</li></ul>", ["<ul><li>stray</li><li>a</li></ul>"]),
        ("<ul><li><h2>a</h2></li></ul>", ["<ul><li>a</li></ul>"]),
        ("<table><tr><td>a</td><td>b</td></tr></table>", ["<p>a</p>", "<p>b</p>"]),
        ("<p>H<sub>2</sub>O <u>is</u> <span style='font-weight:700'>wet</span></p>",
         ["<p>H2O is <strong>wet</strong></p>"]),
        ("<p>caf\u0065\u0301</p>", ["<p>café</p>"]),
        ("<p>a\u2028b\x0bc\x00d</p>", ["<p>a b c d</p>"]),
        ("<P CLASS=x ID=y>a</P>", ["<p>a</p>"]),
        ("<p>1 < 2 && 3 > 2</p>", ["<p>1 &lt; 2 &amp;&amp; 3 &gt; 2</p>"]),
        ("<p>Write to <press@rivers.example></p>", ["<p>Write to &lt;press@rivers.example&gt;</p>"]),
        ("<p>See <https://rivers.example></p>", ["<p>See &lt;https://rivers.example&gt;</p>"]),
        ("<p>costs <to-be-confirmed> <b></p>", ["<p>costs &lt;to-be-confirmed&gt;</p>"]),
    ],
)  # fmt: skip
def test_canonical(typed: str, canonical: list[str]) -> None:
    assert html_of(typed) == canonical


@pytest.mark.parametrize(
    ("href", "kept"),
    [
        ("https://Rivers.EXAMPLE/A?b=c&d=e#f", "https://rivers.example/A?b=c&amp;d=e#f"),
        ("HTTP://rivers.example:8080", "http://rivers.example:8080"),
        (" https://rivers.example/a b ", "https://rivers.example/a%20b"),
        ("https://rivers.example/ö", "https://rivers.example/ö"),
        ("mailto:press@rivers.example?subject=x", "mailto:press@rivers.example?subject=x"),
        ("press@rivers.example", "mailto:press@rivers.example"),
        ("www.rivers.example", "https://www.rivers.example"),
    ],
)
def test_links_that_stay(href: str, kept: str) -> None:
    assert html_of(f'<p><a href="{escape(href)}" title=t target=_blank onclick=x>w</a></p>') == [
        f'<p><a href="{kept}">w</a></p>'
    ]


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "\x01javascript:alert(1)",
        "javascript&colon;alert(1)", "&#106;avascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///x",
        "blob:https://x/y", "//rivers.example", "/desk/", "#part", "?a", "https:", "https://", "http:/x",
        "https://user:pass@rivers.example", "https://bank.example@evil.example", "https://[::1",
        "https://rivers.example:port/", "mailto:", "mailto:x", "tel:123", "https://" + "x" * 2000,
    ],
)  # fmt: skip
def test_links_that_go_leave_their_words(href: str) -> None:
    assert html_of(f'<p><a href="{href}">words</a></p>') == ["<p>words</p>"]


def test_neighbouring_links_to_one_place_are_one() -> None:
    both = '<p><a href="https://a.example">a</a> <a href="https://a.example">b</a></p>'
    assert html_of(both) == ['<p><a href="https://a.example">a b</a></p>']


def test_plain_text_is_taken_as_it_stands() -> None:
    typed = "First & <foremost>\r\n\r\nSecond &amp; last,\r\non two lines\r\n \r\n\r\n"
    assert html_of(typed) == [
        "<p>First &amp; &lt;foremost&gt;</p>",
        "<p>Second &amp;amp; last,<br>on two lines</p>",
    ]


def test_text_between_tags_is_split_at_blank_lines() -> None:
    assert html_of("One\n\nTwo <b>b</b>\n\n<p>Three\n\nstill three</p>\nFour") == [
        "<p>One</p>",
        "<p>Two <strong>b</strong></p>",
        "<p>Three still three</p>",
        "<p>Four</p>",
    ]


def test_deep_lists_are_flattened_and_keep_their_words() -> None:
    (block,) = to_blocks("<ul><li>x" * 500 + "</ul>" * 500)
    assert block["html"].count("<ul>") == 6
    assert block["html"].count("x") == 500


# --- quotes ---

FIGURE = (
    '<figure class="quote"><blockquote><p>We <em>shall</em>.</p><p>Soon.</p></blockquote>'
    '<figcaption><cite>Eleanor Whitcombe</cite>, <span class="role">Secretary, Rivers &amp; Coasts</span>'
    "</figcaption></figure>"
)
QUOTE: Block = {
    "kind": "quote",
    "html": "<p>We <em>shall</em>.</p><p>Soon.</p>",
    "speaker": "Eleanor Whitcombe",
    "role": "Secretary, Rivers & Coasts",
}


def test_a_quote_is_a_block_with_speaker_and_role() -> None:
    assert to_blocks(FIGURE) == [QUOTE]
    assert to_html([QUOTE]) == (
        '<figure class="quote">\n<blockquote>\n<p>We <em>shall</em>.</p>\n<p>Soon.</p>\n</blockquote>\n'
        "<figcaption><cite>Eleanor Whitcombe</cite>, "
        '<span class="role">Secretary, Rivers &amp; Coasts</span></figcaption>\n</figure>'
    )


@pytest.mark.parametrize(
    ("caption", "speaker", "role"),
    [
        ("", "", ""),
        ("Piotr Zielak", "Piotr Zielak", ""),
        ("– Piotr Zielak, master of the port, Saltmarsh", "Piotr Zielak", "master of the port, Saltmarsh"),
        ("<cite>Ann, Lady Fenn</cite>, chair", "Ann, Lady Fenn", "chair"),
        ("<cite>Ann Fenn</cite>", "Ann Fenn", ""),
        ("<cite></cite>, <span class=role>A spokesperson</span>", "", "A spokesperson"),
        ("Ann Fenn, <span class='role'>chair</span>", "Ann Fenn", "chair"),
        ("<cite>Ann</cite> <span class=role>chair</span> and more", "Ann", "chair and more"),
        ("<p>Ann<br>Fenn,</p><p>chair</p>", "Ann Fenn", "chair"),
    ],
)
def test_who_speaks(caption: str, speaker: str, role: str) -> None:
    html = (
        f"<figure class=quote><blockquote><p>Yes.</p></blockquote><figcaption>{caption}</figcaption></figure>"
    )
    assert to_blocks(html) == [{"kind": "quote", "html": "<p>Yes.</p>", "speaker": speaker, "role": role}]


@pytest.mark.parametrize(
    "html",
    [
        "<blockquote>Yes.</blockquote>",
        "<blockquote><p>Yes.<footer></footer></blockquote>",
        "<figure><blockquote>Yes.</blockquote></figure>",
        "<figure class='big quote'>Yes.</figure>",
        "<figure class=quote><blockquote><h2>Yes.</h2></blockquote></figure>",
        "<figure class=quote><blockquote><ul><li>Yes.</ul></blockquote>",
        "<blockquote><blockquote>Yes.</blockquote></blockquote>",
    ],
)
def test_other_ways_to_write_a_quote(html: str) -> None:
    assert to_blocks(html) == [{"kind": "quote", "html": "<p>Yes.</p>", "speaker": "", "role": ""}]


def test_a_figure_without_a_quote_is_paragraphs() -> None:
    assert html_of("<figure><img src=x><figcaption>The wall</figcaption></figure>after") == [
        "<p>The wall</p>",
        "<p>after</p>",
    ]


def test_a_plain_blockquote_in_a_figure_takes_its_caption() -> None:
    html = "<figure><blockquote>Yes.</blockquote><figcaption>Ann Fenn, chair</figcaption></figure>after"
    quote, after = to_blocks(html)
    assert (quote["speaker"], quote["role"], after["html"]) == ("Ann Fenn", "chair", "<p>after</p>")


def test_a_quote_inside_a_list_stands_between_its_halves() -> None:
    html = "<ul><li>a<blockquote>q</blockquote></li><li>b</li></ul>"
    assert [(b["kind"], b["html"]) for b in to_blocks(html)] == [
        ("list", "<ul><li>a</li></ul>"),
        ("quote", "<p>q</p>"),
        ("list", "<ul><li>b</li></ul>"),
    ]


def test_a_second_caption_is_not_lost() -> None:
    html = "<blockquote>q<footer>Ann</footer><footer>in the <cite>House, Monday</cite></footer></blockquote>"
    assert to_blocks(html) == [
        {"kind": "quote", "html": "<p>q</p><p>in the House, Monday</p>", "speaker": "Ann", "role": ""}
    ]


def test_somebody_without_the_editor_writes_a_quote_by_hand() -> None:
    typed = (
        "The wall is long.\r\n\r\n"
        '<figure class="quote">\r\n<blockquote>\r\nWe shall.\r\n\r\nSoon.\r\n</blockquote>\r\n'
        "<figcaption>Eleanor Whitcombe, Secretary</figcaption>\r\n</figure>\r\n\r\n"
        "It opens in May."
    )
    assert to_blocks(typed) == [
        {"kind": "paragraph", "html": "<p>The wall is long.</p>"},
        {
            "kind": "quote",
            "html": "<p>We shall.</p><p>Soon.</p>",
            "speaker": "Eleanor Whitcombe",
            "role": "Secretary",
        },
        {"kind": "paragraph", "html": "<p>It opens in May.</p>"},
    ]


# --- reading ---


def test_plain_words_and_quotes() -> None:
    blocks = to_blocks(
        "<h2>The wall</h2><p>It is <b>long</b>.<br>Very.</p>"
        "<ul><li>one<ol start=2><li>two &amp; a half</li></ol></li><li><p>three</p><p>four</p></li></ul>"
        + FIGURE
    )
    assert plain(blocks) == (
        "The wall\n\nIt is long.\nVery.\n\n• one\n  2. two & a half\n• three\nfour\n\n"
        "“We shall.\n\nSoon.”\nEleanor Whitcombe, Secretary, Rivers & Coasts"
    )
    assert word_count(blocks) == 2 + 4 + 1 + 3 + 2 + 3
    assert quotes(blocks) == [QUOTE]


def test_notes_have_no_quotes_and_no_headings() -> None:
    assert inline_notes(f"<h2>Sources</h2><ul><li>2016 survey</li></ul>{FIGURE}") == (
        "<p>Sources</p>\n\n<ul><li>2016 survey</li></ul>\n\n<p>We <em>shall</em>.</p>\n\n<p>Soon.</p>\n\n"
        "<p>Eleanor Whitcombe, Secretary, Rivers &amp; Coasts</p>"
    )
    assert inline_notes("Ends\n\n1. A & B") == "<p>Ends</p>\n\n<p>1. A &amp; B</p>"


# --- what other programs paste ---

WORD = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta charset=utf-8><title>x</title>
<!--[if gte mso 9]><xml><o:OfficeDocumentSettings/></xml><![endif]-->
<style><!-- p.MsoNormal {margin:0} --></style>
</head><body lang=EN-GB style='tab-interval:36.0pt'><!--StartFragment-->
<p class=MsoNormal><b><span style='font-size:14.0pt'>The wall<o:p></o:p></span></b></p>
<p class=MsoNormal><o:p>&nbsp;</o:p></p>
<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><![if !supportLists]><span
style='mso-list:Ignore'>·<span>&nbsp;&nbsp;</span></span><![endif]>nine
kilo<st1:place w:st="on">metres</st1:place></p>
<!--EndFragment--></body></html>"""
GOOGLE_DOCS = (
    '<meta charset="utf-8"><b style="font-weight:normal;" id="docs-internal-guid-1"><p dir="ltr" '
    'style="line-height:1.38"><span style="font-size:11pt;font-weight:700;white-space:pre-wrap;">Bold</span>'
    '<span style="font-weight:400"> and </span><span style="font-style:italic">italic</span></p><br />'
    '<ul><li dir="ltr" aria-level="1"><p dir="ltr" role="presentation"><span>one</span></p></li></ul></b>'
    '<br class="Apple-interchange-newline">'
)
OUTLOOK = (
    '<div class="elementToProof" style="font-family: Aptos">Dear all,</div><div><br></div>'
    '<div>See <a href="https://rivers.example/" id="LPlnk1" class="OWAAutoLink">the page</a>.<br><br>'
    "Best</div>"
    '<div id="Signature"><table><tbody><tr><td><p>Marta</p></td></tr></tbody></table></div>'
)


def test_paste_from_word() -> None:
    assert html_of(WORD) == [
        "<p><strong>The wall</strong></p>",
        "<p>·\u00a0\u00a0nine kilometres</p>",
    ]


def test_paste_from_google_docs() -> None:
    assert html_of(GOOGLE_DOCS) == [
        "<p><strong>Bold</strong> and <em>italic</em></p>",
        "<ul><li>one</li></ul>",
    ]


def test_paste_from_outlook() -> None:
    assert html_of(OUTLOOK) == [
        "<p>Dear all,</p>",
        '<p>See <a href="https://rivers.example/">the page</a>.</p>',
        "<p>Best</p>",
        "<p>Marta</p>",
    ]


# --- attacks ---

ATTACKS = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<script>alert(1)",
    "<img src=x onerror=alert(1)>",
    "<img src='x' onerror=\"alert('1 > 0')\">",
    "<p onclick=alert(1) style=background:url(javascript:alert(1))>x</p>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href=javascript:alert(1)><text>x</text></a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><mi//xlink:href='data:x,<script>alert(4)</script>'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<style>@import'//evil.example'</style>",
    "<style><!--</style><script>alert(1)</script>-->",
    "<!--><script>alert(1)</script>-->",
    "<!-- --!><img src=x onerror=alert(1)> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "<template><script>alert(1)</script></template>",
    "<template><template></template><img src=x onerror=alert(1)>",
    "<iframe src=javascript:alert(1)>x</iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object><embed src=javascript:alert(1)>",
    "<base href=//evil.example/><a href=x>x</a>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<textarea><script>alert(1)</script></textarea><img src=x onerror=alert(1)>",
    "<xmp><img src=x onerror=alert(1)></xmp><plaintext><script>alert(1)</script>",
    "<a href='javascript:alert(1)'>x</a><a href=\"data:text/html;base64,PHNjcmlwdD4=\">y</a>",
    "<a href='https://x.example/\"onmouseover=\"alert(1)'>x</a>",
    "<a href=https://x.example/`onmouseover=alert(1)>x</a>",
    "<figure class=quote>x<figcaption><cite><img src=x onerror=alert(1)>&lt;script&gt;</cite></figure>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<p>\u226e\u0338script\u0338>alert(1)</p>",
    "<a href=https://x.example//\u0338>\u0338script></a>",
    "<ol start='1\" onx=\"2'><li>x</ol>",
    "<b <script>alert(1)</script>>x</b>",
    "<p title=\"<script>alert(1)</script>\">x</p>",
]  # fmt: skip
ONLY = nh3.Cleaner(
    tags={"p", "h2", "h3", "ul", "ol", "li", "a", "strong", "em", "br"},
    attributes={"a": {"href"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel=None,
)
TAG = re.compile(
    r'</?(?:p|h[23]|ul|ol|li|strong|em|br|a)>|<a href="(?:https?://|mailto:)[^"<>]*">|<ol start="\d+">'
)


def assert_safe(blocks: list[Block]) -> None:
    for block in blocks:
        assert ONLY.clean(block["html"]).replace("&nbsp;", "\u00a0") == block["html"]
        rest = TAG.sub("", block["html"])
        assert "<" not in rest
        assert ">" not in rest


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks(attack: str) -> None:
    for html in (attack, f"<p>before</p>{attack}<p>after</p>", f"<ul><li>{attack}</li></ul>"):
        blocks = to_blocks(html)
        assert_safe(blocks)
        assert to_blocks(to_html(blocks)) == blocks
        for quote in quotes(blocks):
            assert "<cite><img" not in to_html([quote])


@pytest.mark.parametrize(
    "unit",
    [
        "<", "<!--", "<script>", "<div>", "<b>", "<font color=1>", "<p>x", "<ul><li>", "<a x=\"<a y='", "<a ",
        "<title>x</title>", "<blockquote>", "<figure>", "&amp;", " \n", "<br>", "<table><tr><td>x", "</b>",
        "x <b>y</b> ",
        "\u0338", "<i></b>", "<figure class=quote><figcaption>a",
    ],
)  # fmt: skip
def test_the_time_taken_grows_no_faster_than_the_text(unit: str) -> None:
    html = "<p>" + unit * (200_000 // len(unit))
    began = time.process_time()
    blocks = to_blocks(html)
    assert time.process_time() - began < 5
    assert_safe(blocks[:10])


# --- properties ---

NAMES = [
    "p", "div", "h1", "h2", "h3", "h6", "ul", "ol", "li", "blockquote", "figure", "figure class=quote",
    'figure class="quote"', "figcaption", "footer", "cite", "span class=role", "b", "strong", "i", "em", "u",
    "a href=https://a.example", "a href=javascript:x", "a", "table", "tr", "td", "pre", "br", "hr", "section",
    "svg", "math", "mi", "font", "o:p", "select", "option", "button", "noscript", "body", "form",
    "ol start=4",
    "p style='mso-list:l0 level1 lfo1'", "b style=font-weight:normal", "sub", "dl", "dd",
]  # fmt: skip
# Letters, white space of all kinds, what is special in HTML, and a combining mark.
TEXT = st.text(alphabet="abcXYZ019éß€ \n\t\u00a0\u2028\u0301<>&\"'/=,.-–\u200b", max_size=12)
PIECES = st.one_of(
    TEXT.map(lambda text: (escape(text, quote=False), text)),
    st.sampled_from(NAMES).map(lambda name: (f"<{name}>", "")),
    st.sampled_from(NAMES).map(lambda name: (f"</{name.split()[0]}>", "")),
)
MARKUP = st.lists(PIECES, max_size=40).map(
    lambda pieces: ("<p>" + "".join(html for html, _ in pieces), "".join(text for _, text in pieces))
)


def letters(text: str) -> Counter[str]:
    """What no treatment of white space and no separator between name and role may change."""
    return Counter(
        char for char in unicodedata.normalize("NFD", text) if char.isalnum() or char in "<>&\"'/=.€"
    )


@settings(max_examples=600, deadline=None)
@given(MARKUP)
def test_no_visible_text_is_lost_or_made_up(markup: tuple[str, str]) -> None:
    html, text = markup
    shown = "".join(
        re.sub("<[^>]*>", "", block["html"]).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        + block.get("speaker", "")
        + block.get("role", "")
        for block in to_blocks(html)
    )
    assert letters(shown) == letters(text)


@settings(max_examples=600, deadline=None)
@given(st.one_of(MARKUP.map(lambda markup: markup[0]), TEXT, st.text()))
def test_opening_and_saving_changes_nothing(html: str) -> None:
    blocks = to_blocks(html)
    assert to_blocks(to_html(blocks)) == blocks
    assert inline_notes(inline_notes(html)) == inline_notes(html)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(), MARKUP.map(lambda markup: markup[0])))
def test_whatever_comes_is_safe(html: str) -> None:
    assert_safe(to_blocks(html))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(alphabet="<>/!-ab ='\"pscript&;:", max_size=30), max_size=5))
def test_text_that_is_nearly_markup_is_safe_and_stays(parts: list[str]) -> None:
    blocks = to_blocks("".join(parts))
    assert_safe(blocks)
    assert to_blocks(to_html(blocks)) == blocks


@settings(max_examples=300, deadline=None)
@given(speaker=TEXT, role=TEXT, body=TEXT)
def test_names_and_roles_come_back_as_they_are(speaker: str, role: str, body: str) -> None:
    (first, *_) = to_blocks(
        f"<figure class=quote><blockquote><p>x{escape(body)}</p></blockquote><figcaption>"
        f"<cite>{escape(speaker)}</cite>, <span class=role>{escape(role)}</span></figcaption></figure>"
    )
    tidy = [
        re.sub("[ \t\n\u2028]+", " ", unicodedata.normalize("NFC", text)).strip(" ")
        for text in (speaker, role)
    ]
    assert [first["speaker"], first["role"]] == tidy
    assert to_blocks(to_html([first])) == [first]
