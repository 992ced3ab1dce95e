"""Start from text: what is recognised, and what is left alone."""

import json

import pytest

from stories.intake import (
    CannotChange,
    Empty,
    NotText,
    Recognised,
    TooLong,
    as_json,
    decode,
    extend_quote,
    recognise,
    unquote,
)

STORY = """
# News story: Works Secretary opens the Marl Bridge

After nine years the bridge over the Marl is open. It carries a road and a railway, and a path for walkers.

Works Secretary Sir Humbert Quill said:

With the opening of this bridge, a valley is one again. But its work isn't over – the old road comes next.

The government paid for two thirds of the bridge, and the county for the rest.

Nine years ago the last ferry sank. The crossing was closed on the same day, and was never opened again.
"""

RELEASE = """PRESS RELEASE – EMBARGOED UNTIL 00.01hrs BST, Tuesday 17 October 2017

Fund opens to small harbours

Harbours with fewer than twenty berths can apply from today for a share of
the new fund. The money – £12 million over three years – is for quays and
for training.

What changes today

The fund replaces two older schemes. Harbours that had money from either can apply again.

Harbours Minister Dame Ann Example said:

“Small harbours feed whole valleys. They were forgotten.

“That ends today.”

She added:

“More will follow.”

“This is good news,” said Bob Sample, who runs Odd Harbour.

Harbours can ask for:

• money for quays
• money for training,
  and for travel

ENDS

Notes to editors

1. The fund was announced in March: https://example.org/fund.
2. Pictures are in [the library](https://example.org/pictures).

Media enquiries:
Jane Roe
020 7946 0000
press@example.org
"""


def kinds(found: Recognised) -> list[str]:
    return [block.kind for block in found.blocks]


def only(found: Recognised, kind: str) -> str:
    [text] = [block.text for block in found.blocks if block.kind == kind]
    return text


def body(text: str) -> Recognised:
    return recognise(f"A headline\n\n{text}")


class TestAStoryWithAQuote:
    """The shape that most stories have: type, headline, paragraphs, one quote without marks."""

    def test_type_and_headline(self) -> None:
        found = recognise(STORY)
        assert (found.type, found.type_given) == ("news-story", True)
        assert found.headline == "Works Secretary opens the Marl Bridge"

    def test_quote_is_the_one_paragraph_after_its_attribution(self) -> None:
        [quote] = [block for block in recognise(STORY).blocks if block.kind == "quote"]
        assert (quote.speaker, quote.role) == ("Sir Humbert Quill", "Works Secretary")
        assert quote.text.startswith("With the opening of this bridge, ")
        assert quote.text.endswith(" the old road comes next.")
        assert quote.lead == "Works Secretary Sir Humbert Quill said:"

    def test_all_other_paragraphs_in_order(self) -> None:
        found = recognise(STORY)
        assert kinds(found) == ["paragraph", "quote", "paragraph", "paragraph"]
        paragraphs = [
            line for line in STORY.split("\n\n")[1:] if "said:" not in line and "With the" not in line
        ]
        texts = [block.text for block in found.blocks if block.kind == "paragraph"]
        assert texts == [text.strip() for text in paragraphs]

    def test_first_paragraph_is_the_summary_and_stays(self) -> None:
        found = recognise(STORY)
        assert found.summary == found.blocks[0].text

    @pytest.mark.parametrize("ending", ["\r\n", "\r", "\n"])
    def test_line_ends_make_no_difference(self, ending: str) -> None:
        assert as_json(recognise(STORY.replace("\n", ending))) == as_json(recognise(STORY))

    def test_as_json(self) -> None:
        shown = as_json(recognise("Speech: On bridges\n\nBob said:\n\nThey hold."))
        assert json.loads(json.dumps(shown)) == {
            "type": "speech",
            "headline": "On bridges",
            "summary": "",
            "embargo": None,
            "blocks": [
                {"kind": "quote", "text": "They hold.", "speaker": "Bob", "role": "", "lead": "Bob said:"},
            ],
        }


class TestARelease:
    """A release as it stands in a mail, broken at 72 columns."""

    def test_kinds(self) -> None:
        assert kinds(recognise(RELEASE)) == [
            *["embargo", "paragraph", "heading", "paragraph", "quote", "quote", "paragraph", "paragraph"],
            *["list", "ends", "notes", "contacts"],
        ]

    def test_type_headline_and_embargo_share_lines(self) -> None:
        found = recognise(RELEASE)
        assert (found.type, found.headline) == ("press-release", "Fund opens to small harbours")
        assert as_json(found)["embargo"] == {
            "text": "EMBARGOED UNTIL 00.01hrs BST, Tuesday 17 October 2017",
            "local": "2017-10-17T00:01:00",
            "zone": "Europe/London",
            "doubt": "",
        }

    def test_lines_broken_by_a_mail_program_are_joined(self) -> None:
        assert recognise(RELEASE).blocks[1].text == (
            "Harbours with fewer than twenty berths can apply from today for a share of the new fund. "
            "The money – £12 million over three years – is for quays and for training."
        )

    def test_quotes(self) -> None:
        first, second = [block for block in recognise(RELEASE).blocks if block.kind == "quote"]
        assert first.text == "Small harbours feed whole valleys. They were forgotten.\n\nThat ends today."
        assert first.html == (
            "<p>Small harbours feed whole valleys. They were forgotten.</p><p>That ends today.</p>"
        )
        assert (second.text, second.speaker, second.role) == (
            "More will follow.",
            "Dame Ann Example",
            "Harbours Minister",
        )

    def test_words_with_the_speaker_after_them_stay_a_paragraph(self) -> None:
        assert (
            recognise(RELEASE).blocks[6].text == "“This is good news,” said Bob Sample, who runs Odd Harbour."
        )

    def test_list(self) -> None:
        found = next(block for block in recognise(RELEASE).blocks if block.kind == "list")
        assert found.html == (
            "<ul><li><p>money for quays</p></li><li><p>money for training, and for travel</p></li></ul>"
        )
        assert found.text == "• money for quays\n• money for training, and for travel"

    def test_notes(self) -> None:
        [notes] = recognise(RELEASE).notes
        assert notes.lead == "Notes to editors"
        assert notes.html == (
            "<ol><li><p>The fund was announced in March: "
            '<a href="https://example.org/fund">https://example.org/fund</a>.</p></li>'
            '<li><p>Pictures are in <a href="https://example.org/pictures">the library</a>.</p></li></ol>'
        )

    def test_contacts(self) -> None:
        [contacts] = recognise(RELEASE).contacts
        assert contacts.text == "Jane Roe\n020 7946 0000\npress@example.org"
        assert contacts.html.endswith('<br><a href="mailto:press@example.org">press@example.org</a></p>')

    def test_what_is_not_story_has_no_html(self) -> None:
        assert {block.html for block in recognise(RELEASE).blocks if block.kind in {"embargo", "ends"}} == {
            ""
        }


@pytest.mark.parametrize(
    ("first", "code", "headline"),
    [
        ("News story: A bridge", "news-story", "A bridge"),
        ("NEWS STORY – A bridge", "news-story", "A bridge"),
        ("News\xa0story:\xa0A bridge", "news-story", "A bridge"),
        ("\ufeff\u200bNews story: A bridge", "news-story", "A bridge"),
        ("## Press release: A bridge", "press-release", "A bridge"),
        ("PRESS RELEASE - A bridge", "press-release", "A bridge"),
        ("Press release\n\nA bridge", "press-release", "A bridge"),
        ("Press release:\n# A bridge", "press-release", "A bridge"),
        ("Media statement | A bridge", "statement", "A bridge"),
        ("Statement: A bridge", "statement", "A bridge"),
        ("Speech: A bridge", "speech", "A bridge"),
        ("Government response: A bridge", "government-response", "A bridge"),
        ("Statistics: A bridge", "statistics", "A bridge"),
        ("Consultation: A bridge", "consultation", "A bridge"),
        ("Report: A bridge", "report", "A bridge"),
    ],
)
def test_type(first: str, code: str, headline: str) -> None:
    found = recognise(f"{first}\n\nIt is open.")
    assert (found.type, found.type_given, found.headline) == (code, True, headline)
    assert [block.text for block in found.blocks] == ["It is open."]


@pytest.mark.parametrize(
    "first",
    [
        "Report-card results are out",
        "Statement of intent",
        "Speechless",
        "Consultation-free zones",
        "Press release",
    ],
)
def test_no_type(first: str) -> None:
    found = recognise(first)
    assert (found.type, found.type_given, found.headline) == ("news-story", False, first)


class TestHeadline:
    def test_broken_by_a_mail_program(self) -> None:
        found = recognise(
            "News story: Harbours Minister opens a fund that is meant for every\nharbour on the coast\n\nYes."
        )
        assert found.headline == "Harbours Minister opens a fund that is meant for every harbour on the coast"

    def test_a_break_where_the_next_word_had_room_was_meant(self) -> None:
        found = recognise(
            "Fund opens to small harbours along the whole coast\n"
            "Harbours with fewer than twenty berths can apply from today for a share of\nthe fund.\n\nMore."
        )
        assert found.headline == "Fund opens to small harbours along the whole coast"

    def test_a_paragraph_is_not_used_up_as_headline(self) -> None:
        text = "The bridge over the Marl opened today after nine years of work. " * 5
        found = recognise(f"{text}\n\nMore.")
        assert found.headline == "The bridge over the Marl opened today after nine years of work."
        assert found.blocks[0].text == text.strip()

    def test_head_of_a_mail_and_date_stand_above(self) -> None:
        found = recognise(
            "From: A\nSubject: B\n\nFOR IMMEDIATE RELEASE\n\n17 October 2017\n\nA bridge\n\nOpen."
        )
        assert found.headline == "A bridge"
        assert kinds(found) == ["preamble"] * 4 + ["paragraph"]

    def test_date_below_is_not_the_summary(self) -> None:
        assert recognise("A bridge\n\nQuill Bay, 17 October 2017\n\nIt is open.").summary == "It is open."


class TestSummary:
    def test_ends_with_a_sentence_within_300_characters(self) -> None:
        found = body("The bridge is open. " + "It was built by Dr. Marl and it took " * 12 + "years.")
        assert found.summary == "The bridge is open."
        assert len(only(found, "paragraph")) > 300

    def test_or_with_a_word(self) -> None:
        found = body("bridge " * 60)
        assert found.summary == "bridge " * 41 + "bridge…"

    def test_shows_links_without_their_markup(self) -> None:
        assert body("See [the bridge](https://example.org).").summary == "See the bridge."


class TestQuote:
    @pytest.mark.parametrize(
        ("said", "text"),
        [
            ("“It holds.”", "It holds."),
            ('"It holds."', "It holds."),
            ("‘It’s strong.’", "It’s strong."),
            ("'It holds'", "It holds"),
            ("« It holds. »", "It holds."),
            ("“It holds”.", "It holds."),
            ("“It ‘really’ holds.”", "It ‘really’ holds."),
            ("It holds.", "It holds."),
            ("“It,” she said, “holds.”", "“It,” she said, “holds.”"),
            ('"It" and "holds"', '"It" and "holds"'),
            ("“It holds.", "“It holds."),
            ("It “holds”", "It “holds”"),
        ],
    )
    def test_marks_come_off_when_they_are_one_pair(self, said: str, text: str) -> None:
        assert only(body(f"Ann Example said:\n\n{said}\n\nThe end came."), "quote") == text

    @pytest.mark.parametrize(
        ("said", "count"),
        [
            ("“One.\n\n“Two.\n\n“Three.”\n\nFour.", 3),
            ("“One.\n\nTwo.”\n\nFour.", 2),
            ("“One.”\n\n“Two.”\n\nFour.", 2),
            ("“One.”\n\n“Two,” said Bob.", 1),
            ('"One.\n\n"Two."\n\n"Three," said Bob.', 2),
            ("One.\n\n“Two.”", 1),
            ("“One.\n\nTwo.", 1),
        ],
    )
    def test_paragraphs_held_together_by_marks(self, said: str, count: int) -> None:
        found = body(f"Ann Example said:\n\n{said}")
        assert len(only(found, "quote").split("\n\n")) == count
        assert len(found.blocks) == 1 + len(said.split("\n\n")) - count

    def test_in_the_paragraph_of_its_attribution(self) -> None:
        found = body("Ann Example, Harbours Minister, said: “One.\n\n“Two.”\n\nThree.")
        quote = found.blocks[0]
        assert (quote.speaker, quote.role, quote.text) == ("Ann Example", "Harbours Minister", "One.\n\nTwo.")
        assert (quote.lead, kinds(found)) == ("Ann Example, Harbours Minister, said:", ["quote", "paragraph"])

    def test_on_the_line_below_its_attribution(self) -> None:
        found = body("It was a long day.\n\nAnn Example said:\n“It holds.”\n\nThree.")
        assert kinds(found) == ["paragraph", "quote", "paragraph"]

    @pytest.mark.parametrize(
        "text",
        [
            "Ann Example said:",
            "Ann Example said:\n\nENDS",
            "Ann Example said:\n\n1. One\n2. Two",
            "Ann Example said:\n\nNotes to editors\n\nA note.",
            "He said:\n\nIt holds.",
            "The report said:\n\nIt holds.",
            "Ann Example said the plan has three parts:\n\nIt holds.",
            "Ann Example said: “It holds” and left.",
            "It opened. Ann Example said:\n\nIt holds.",
        ],
    )
    def test_is_not_guessed(self, text: str) -> None:
        assert "quote" not in kinds(body(text))

    def test_a_short_quote_is_no_heading(self) -> None:
        found = body("Ann Example said:\n\nIt holds\n\nThe bridge is open. It took nine years.")
        assert kinds(found) == ["quote", "paragraph"]


class TestChangingAQuote:
    def test_extended_to_the_next_paragraph(self) -> None:
        found = extend_quote(recognise(STORY), 1)
        assert kinds(found) == ["paragraph", "quote", "paragraph"]
        assert found.blocks[1].text.split("\n\n")[1].startswith("The government paid")
        assert found.blocks[1].speaker == "Sir Humbert Quill"

    def test_turned_back(self) -> None:
        found = unquote(recognise(STORY), 1)
        assert kinds(found) == ["paragraph"] * 5
        assert found.blocks[1].text == "Works Secretary Sir Humbert Quill said:"

    def test_turned_back_with_its_marks(self) -> None:
        text = "Ann Example said: “One.\n\n“Two.”"
        assert [block.text for block in unquote(body(text), 0).blocks] == text.split("\n\n")

    def test_extended_by_marks_of_its_own(self) -> None:
        found = extend_quote(body("Ann Example said:\n\nOne.\n\n“Two.”"), 0)
        assert found.blocks[0].text == "One.\n\nTwo."

    def test_extended_over_a_ruled_line_and_turned_back(self) -> None:
        found = body("Ann Example said:\n\nOne.\n\n***\n\nTwo.")
        extended = extend_quote(found, 0)
        assert [span.kind for span in extended.spans] == ["headline", "quote"]
        assert unquote(extended, 0).spans == unquote(found, 0).spans

    @pytest.mark.parametrize("index", [-1, 0, 2, 99])
    def test_only_a_quote_can_be_changed(self, index: int) -> None:
        with pytest.raises(CannotChange):
            extend_quote(recognise(STORY), index)
        with pytest.raises(CannotChange):
            unquote(recognise(STORY), index)

    @pytest.mark.parametrize("after", ["", "• One", "ENDS", "Bob said:\n\nTwo.", "## Two"])
    def test_only_a_paragraph_can_be_added(self, after: str) -> None:
        with pytest.raises(CannotChange, match="Only a paragraph"):
            extend_quote(body(f"Ann Example said:\n\nOne.\n\n{after}"), 0)


class TestSmallPrint:
    @pytest.mark.parametrize(
        "line", ["Ends", "ENDS", "ends", "- ends -", "-ENDS-", "###", "# # #", "[ENDS]", "END", "Ends."]
    )
    def test_ends(self, line: str) -> None:
        assert kinds(body(f"One.\n\n{line}\n\nAfter.")) == ["paragraph", "ends", "notes"]

    @pytest.mark.parametrize("line", ["The end", "End of the line", "Weekends", "Ends meet"])
    def test_not_ends(self, line: str) -> None:
        assert "ends" not in kinds(body(f"One.\n\n{line}\n\nAfter."))

    @pytest.mark.parametrize(
        "line",
        [
            "Notes to editors",
            "NOTES TO EDITORS:",
            "Note to Editors",
            "Notes for editors",
            "## Editors’ notes",
            "Notes to editors:\xa0",
        ],
    )
    def test_notes(self, line: str) -> None:
        found = body(f"One.\n\n{line}\n\nFirst.\n\n1. Second.\n\nContact\n\nJane Roe")
        assert kinds(found) == ["paragraph", "notes", "contacts"]
        assert found.notes[0].text == "First.\n\n1. Second."
        assert found.notes[0].html == "<p>First.</p><ol><li><p>Second.</p></li></ol>"

    def test_notes_on_the_line_of_their_heading(self) -> None:
        [notes] = body("One.\n\nNotes to editors: the bridge is long.").notes
        assert (notes.lead, notes.text) == ("Notes to editors:", "the bridge is long.")

    def test_notes_with_a_heading_in_two_lines(self) -> None:
        [notes] = body("One.\n\nNotes to  \n  editors:\n  the bridge\n  is long.\n\nTwo.").notes
        assert (notes.lead, notes.text) == ("Notes to\neditors:", "the bridge\nis long.\n\nTwo.")

    @pytest.mark.parametrize("line", ["Background", "Notes on editors", "Notes to editors are long", "Notes"])
    def test_not_notes(self, line: str) -> None:
        assert not body(f"One.\n\n{line}\n\nTwo.").notes

    @pytest.mark.parametrize(
        "line",
        [
            "Contact",
            "Contacts:",
            "MEDIA ENQUIRIES",
            "For further information",
            "Press office",
            "Media contacts:",
            "Press contact",
        ],
    )
    def test_contacts(self, line: str) -> None:
        [contacts] = body(f"One.\n\n{line}\n\nJane Roe\n\nAsk for her.").contacts
        assert (contacts.lead, contacts.text) == (line, "Jane Roe\n\nAsk for her.")

    def test_a_telephone_within_the_story_does_not_end_it(self) -> None:
        found = body("One.\n\nPress office: 020 7946 0000\n\nTwo.\n\nThree at 020 7946 0000.")
        assert kinds(found) == ["paragraph", "contacts", "paragraph", "paragraph"]

    def test_label_of_a_telephone_stays_with_it(self) -> None:
        [contacts] = body("One.\n\nContacts\n\nJane Roe\n\nOut of hours: 020 7946 0000").contacts
        assert contacts.text == "Jane Roe\n\nOut of hours: 020 7946 0000"

    def test_telephones_and_addresses_after_the_end_are_contacts(self) -> None:
        found = body("One.\n\nENDS\n\nJane Roe\n\n020 7946 0000\n\nThe Harbour Office looks after harbours.")
        assert [(block.kind, block.text) for block in found.blocks[2:]] == [
            ("contacts", "Jane Roe\n\n020 7946 0000"),
            ("notes", "The Harbour Office looks after harbours."),
        ]


class TestLists:
    @pytest.mark.parametrize("marker", ["•", "-", "–", "*", "·", "\uf0b7", "o\t", "•\xa0"])
    def test_bullets(self, marker: str) -> None:
        found = body(f"Three:\n\n{marker} One\n{marker} Two\n\n{marker} Three")
        assert [block.html for block in found.blocks[1:]] == [
            "<ul><li><p>One</p></li><li><p>Two</p></li><li><p>Three</p></li></ul>"
        ]

    @pytest.mark.parametrize("marker", ["{}.", "{})", "({})", "{}.\t"])
    def test_numbers(self, marker: str) -> None:
        items = "\n".join(f"{marker.format(n)} Item" for n in range(3, 6))
        assert body(f"{items}").blocks[0].html == (
            '<ol start="3"><li><p>Item</p></li><li><p>Item</p></li><li><p>Item</p></li></ol>'
        )

    def test_numbers_that_do_not_follow_keep_their_own(self) -> None:
        found = body("1. One\n3. Three")
        assert [block.html for block in found.blocks] == [
            "<ol><li><p>One</p></li></ol>",
            '<ol start="3"><li><p>Three</p></li></ol>',
        ]

    def test_a_dash_at_which_a_mail_program_broke_the_line_is_no_bullet(self) -> None:
        found = body(
            "It is a bridge that took a long time and cost a great deal of\n– so they say – money.\n\nTwo."
        )
        assert kinds(found) == ["paragraph", "paragraph"]

    @pytest.mark.parametrize(
        "line", ["1.5 million came.", "o well", "-5 degrees", "*Note*", "2017 was long."]
    )
    def test_not_items(self, line: str) -> None:
        assert kinds(body(f"{line}\n\nMore.")) == ["paragraph", "paragraph"]


class TestHeadings:
    def test_markdown(self) -> None:
        found = body("## What changes\n\nOne.\n\n### Details\n\nTwo.")
        assert [block.html for block in found.blocks if block.kind == "heading"] == [
            "<h2>What changes</h2>",
            "<h3>Details</h3>",
        ]

    @pytest.mark.parametrize(
        ("line", "below"),
        [
            ("What changes.", "One. Two."),
            ("what changes", "One. Two."),
            ("What changes", "One."),
            ("What changes", "• One. Two."),
            ("W" * 81, "One. Two."),
        ],
    )
    def test_is_not_guessed(self, line: str, below: str) -> None:
        assert "heading" not in kinds(body(f"Nought.\n\n{line}\n\n{below}"))


class TestParagraphs:
    def test_without_any_blank_line_each_line_is_one(self) -> None:
        found = recognise(
            "A bridge\nIt is open.\nAnn Example said:\nIt holds.\nNotes to editors\n1. One\n2. Two"
        )
        assert (found.headline, kinds(found)) == ("A bridge", ["paragraph", "quote", "notes"])

    def test_long_lines_were_not_broken_by_a_mail_program(self) -> None:
        line = "The bridge over the Marl opened today. " * 5
        assert kinds(body(f"{line}\n{line}\n\n{line}")) == ["paragraph"] * 3

    def test_short_lines_keep_their_ends(self) -> None:
        found = body("The Bridge Office\n1 Quay Street\vMarl\u2028Odd\n\nTwo.")
        assert found.blocks[0].html == "<p>The Bridge Office<br>1 Quay Street<br>Marl<br>Odd</p>"

    def test_typed_characters_stay(self) -> None:
        words = "A\xa0bridge — “naïve”, 3\u202f000 m, 👩\u200d🔧 & <b>more</b>."
        [block] = body(words).blocks
        assert block.text == words
        assert (
            block.html
            == "<p>A\xa0bridge — “naïve”, 3\u202f000 m, 👩\u200d🔧 &amp; &lt;b&gt;more&lt;/b&gt;.</p>"
        )


class TestLinks:
    @pytest.mark.parametrize(
        ("words", "shown"),
        [
            (
                "See https://example.org/a?b=1&c=2.",
                'See <a href="https://example.org/a?b=1&amp;c=2">https://example.org/a?b=1&amp;c=2</a>.',
            ),
            (
                "(https://example.org/a_(b))",
                '(<a href="https://example.org/a_(b)">https://example.org/a_(b)</a>)',
            ),
            ("<https://example.org>", '<a href="https://example.org">https://example.org</a>'),
            ("[a <b>](https://example.org)", '<a href="https://example.org">a &lt;b&gt;</a>'),
            (
                "ann.example@example.org.",
                '<a href="mailto:ann.example@example.org">ann.example@example.org</a>.',
            ),
            ("<mailto:a@example.org>", '<a href="mailto:a@example.org">a@example.org</a>'),
            ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
            (
                'https://example.org/"onclick="x',
                '<a href="https://example.org/">https://example.org/</a>&quot;onclick=&quot;x',
            ),
            ("[a](https://example.org/'x')", '<a href="https://example.org/&#x27;x&#x27;">a</a>'),
            ("https://", "https://"),
            ("a@b", "a@b"),
        ],
    )
    def test_html(self, words: str, shown: str) -> None:
        assert body(f"{words}\n\nMore.").blocks[0].html == f"<p>{shown}</p>"


class TestDecoding:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
    def test_encodings(self, encoding: str) -> None:
        assert decode("The “Marl” – £5 café\r\n".encode(encoding)) == "The “Marl” – £5 café\r\n"

    @pytest.mark.parametrize(("mark", "encoding"), [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
    def test_both_orders_of_sixteen_bits(self, mark: bytes, encoding: str) -> None:
        assert decode(mark + "“Marl”".encode(encoding)) == "“Marl”"

    def test_windows_marks_within_utf_8(self) -> None:
        assert decode("café ".encode() + b"\x93Marl\x94") == "café “Marl”"

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"%PDF-1.7 ...", "PDF"),
            (b"PK\x03\x04 [Content_Types].xml word/document.xml", r"Word file \(\.docx\)"),
            (b"PK\x03\x04 xl/workbook.xml", "spreadsheet"),
            (b"PK\x03\x04 mimetypeapplication/vnd.oasis.opendocument.text", "LibreOffice"),
            (b"PK\x03\x04 other", "ZIP"),
            (b"{\\rtf1\\ansi", "rtf"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "older Word"),
            (b"\x89PNG\r\n\x1a\n", "picture"),
            (b"a\x00b", "not text"),
            ("Мост открыт".encode("windows-1251"), "UTF-8"),
            (b"abc \x81 def", "UTF-8"),
            (b"\xff\xfea", "UTF-8"),
            (b"\xff\xfe\x00\x00a\x00\x00\x00", "UTF-8"),
            (b"one\ntwo\x07", r"line 2 holds a control character \(U\+0007\)"),
        ],
    )
    def test_what_is_not_text_is_refused_in_words(self, data: bytes, says: str) -> None:
        with pytest.raises(NotText, match=says):
            decode(data)

    def test_too_long(self) -> None:
        with pytest.raises(TooLong, match=r"2\.1 MB of text; one story can have at most 2 MB"):
            decode(b"a" * (2 * 1024 * 1024 + 1))
        assert len(decode(b"a" * (2 * 1024 * 1024))) == 2 * 1024 * 1024

    def test_a_document_is_named_before_its_size(self) -> None:
        with pytest.raises(NotText, match="PDF"):
            decode(b"%PDF-" + bytes(3 * 1024 * 1024))


class TestRefusals:
    @pytest.mark.parametrize("text", ["", " ", "\n\r\n\t", "\ufeff", "\xa0\u200b\u2028\v"])
    def test_empty(self, text: str) -> None:
        with pytest.raises(Empty, match="nothing in it but white space"):
            recognise(text)

    @pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\ud800b", "a\uffff"])
    def test_what_is_not_a_character(self, text: str) -> None:
        with pytest.raises(NotText, match="line 1"):
            recognise(text)

    def test_too_many_lines(self) -> None:
        with pytest.raises(TooLong, match="250,001 lines"):
            recognise("a\n" * 250_001)
