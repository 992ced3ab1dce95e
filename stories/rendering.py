"""A story as the public reads it: from content alone to what `templates/public/_article.html` needs.

Pure, so that the preview, the clearing page and the public page cannot differ: what a clearer reads is
what the public gets.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import nh3
from django.urls import NoReverseMatch, reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from . import content as shape
from . import languages, marking, richtext
from .kinds import ENDINGS, TYPES
from .marking import Marked
from .moments import Moment

# What `richtext` lets through at saving. Asked again here, because raw SQL can store anything.
_GATE = nh3.Cleaner(
    tags={"p", "h2", "h3", "ul", "ol", "li", "a", "strong", "em", "br"},
    attributes={"a": {"href"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel=None,
)

_LINKS = re.compile(
    r"""
    (?P<mail>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
    | (?P<web>\bhttps?://[^\s<>"]*[\w/])
    | (?P<phone>(?<![\w+])(?:\+|\(?)\d[\d ()\u00a0.-]{5,30}\d(?!\w))
    """,
    re.VERBOSE,
)
_DIGITS = range(9, 16)

_TYPES = {ending: media_type for media_type, ending in ENDINGS.items()}
#: The formats that take fewer bytes than others, the best first.
_BETTER = ("image/avif", "image/webp")
# What `newsroom.css` makes of the picture of a story, in rem of so many pixels: from which width of the
# window the page grows no more, and the picture's width then; from which width there is a rail beside it,
# and what of the window is then not the picture's; its part of a narrower window; how tall it gets.
_REM, _PAGE, _COLUMN, _RAIL, _BESIDE, _BELOW, _TALLEST = 16, 70.0, 48.0, 59.0, 22, 0.92, 608
#: How wide a picture should be at least that stands beside a link elsewhere, in pixels.
_SHARED = 1200


@dataclass(frozen=True)
class Piece:
    """A stretch of a line, and where it links to, if anywhere."""

    text: str
    href: str = ""


Line = tuple[Piece, ...]


@dataclass(frozen=True)
class Mine:
    """Brackets round what the reader of a proof covers: what it is, and what they sign without seeing it."""

    words: str
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """A piece of the body. Quotes alone have a number."""

    kind: str
    html: SafeString
    number: int = 0
    speaker: str = ""
    role: str = ""
    #: Where the public finds all that the speaker said; in a proof nowhere.
    speaker_page: str = ""
    paste: str = ""
    mine: Mine | None = None


@dataclass(frozen=True)
class Form:
    """A rendition of a picture: its file, what that is, and where it is fetched from."""

    name: str
    media_type: str
    width: int
    height: int
    size: int
    url: str = ""


@dataclass(frozen=True)
class Source:
    """What a browser chooses from, of one format."""

    media_type: str
    srcset: str


@dataclass(frozen=True)
class Picture:
    """The lead picture, with its size so that nothing moves when it arrives."""

    url: str
    width: int
    height: int
    alt: str
    caption: str
    credit: str
    media_type: str = ""
    #: What is drawn of it, the narrowest first. None while no worker has.
    forms: tuple[Form, ...] = ()
    mine: Mine | None = None
    #: The sentences of the caption that the reader of a proof covers.
    sentences: tuple[str, ...] = ()

    @property
    def legend(self) -> str:
        """The line below it: the caption, ended by the credit."""
        return _marked(self._legend, self.sentences)

    @property
    def _legend(self) -> str:
        credit = self.credit and f"{self.credit.rstrip('.')}."
        if not self.caption or not credit:
            return self.caption or credit
        stop = "" if self.caption[-1] in ".!?…”" else "."
        return f"{self.caption}{stop} {credit}"

    @property
    def sources(self) -> tuple[Source, ...]:
        """What takes fewer bytes than its own format, the best first."""
        better = (Source(kind, self._srcset(kind)) for kind in _BETTER if kind != self.media_type)
        return tuple(source for source in better if source.srcset)

    @property
    def srcset(self) -> str:
        """Its own format: the narrower ones, and itself; empty where there is itself alone."""
        narrower = self._srcset(self.media_type)
        return f"{narrower}, {self.url} {self.width}w" if narrower else ""

    def _srcset(self, media_type: str) -> str:
        return ", ".join(f"{one.url} {one.width}w" for one in self.forms if one.media_type == media_type)

    @property
    def sizes(self) -> str:
        """How wide the picture of a story is on the screen: what `newsroom.css` makes of it.

        In conditions and without `min()`, which not every browser reads here.
        """
        widest = min(self.width, self.width / (self.height or 1) * _TALLEST) / _REM
        own, steps = f"{widest:g}rem", [(_PAGE, f"{_COLUMN:g}rem")]
        if widest < _COLUMN:
            steps = [(max(widest + _BESIDE, _RAIL), own)]
        if widest + _BESIDE > _RAIL:
            steps.append((_RAIL, f"calc(100vw - {_BESIDE}rem)"))
        if widest / _BELOW < _RAIL:
            steps.append((widest / _BELOW, own))
        return ", ".join(
            [*(f"(min-width: {width:g}rem) {shown}" for width, shown in steps), f"{_BELOW * 100:g}vw"]
        )

    @property
    def shared(self) -> Form:
        """What others show of it beside a link: not the largest, and of a format that all of them read."""
        fitting = (one for one in self.forms if one.media_type == self.media_type and one.width >= _SHARED)
        itself = Form("", self.media_type, self.width, self.height, 0, self.url)
        return next(fitting, itself)


@dataclass(frozen=True)
class Document:
    """An attachment: where it is fetched from, as what a reader saves it, and what it is in words."""

    url: str
    title: str
    words: str
    save_as: str
    media_type: str
    size: int


@dataclass(frozen=True)
class Notice:
    """A correction or an update of a story that is public."""

    moment: Moment
    #: "correction", "major" or "minor".
    kind: str
    note: str

    @property
    def is_correction(self) -> bool:
        return self.kind == "correction"

    @property
    def title(self) -> str:
        return _("Correction") if self.is_correction else _("Update")


@dataclass(frozen=True)
class Article:
    """All that the template shows. Whatever is `mine` is for a proof alone, and absent in public."""

    #: Of its words, and of those that pages put round them.
    language: str
    type_label: str
    headline: str
    summary: str
    blocks: tuple[Block, ...]
    picture: Picture | None
    notes: SafeString
    contacts: tuple[tuple[Line, ...], ...]
    topics: tuple[str, ...]
    organisation: str
    partners: tuple[str, ...]
    documents: tuple[Document, ...]
    published: Moment | None
    #: When something of weight changed last, and all that was changed since, the newest first.
    updated: Moment | None
    notices: tuple[Notice, ...]
    address: str
    #: Where the public finds more of the type, from the organisation, with each partner, on each topic. In a
    #: proof nowhere: there may be no such page yet.
    type_page: str
    organisation_page: str
    partner_pages: tuple[Piece, ...]
    topic_pages: tuple[Piece, ...]
    #: Brackets round the whole, and what is said above it where they stand in it only.
    mine: Mine | None = None
    said: Mine | None = None
    my_documents: Mine | None = None
    my_notes: Mine | None = None

    @property
    def locale(self) -> str:
        """The language as those name it that want a country, too."""
        return languages.LOCALES[self.language]

    @property
    def quotes(self) -> tuple[Block, ...]:
        """The quotes, in order."""
        return tuple(block for block in self.blocks if block.kind == "quote")

    @property
    def has_facts(self) -> bool:
        """Whether there is anything to put beside the words."""
        said = self.organisation or self.partners or self.published or self.quotes
        return bool(said or self.notes or self.contacts or self.documents)

    @property
    def has_sections(self) -> bool:
        """Whether anything comes after "Ends"."""
        return bool(self.notes or self.contacts or self.documents or self.topics or self.notices)

    @property
    def said_first(self) -> tuple[Notice, ...]:
        """What stands above the words: the corrections. Updates are told of in the history alone."""
        return tuple(notice for notice in self.notices if notice.is_correction)


def nowhere(_name: str) -> str:
    """No page."""
    return ""


def article(
    content: dict[str, Any],
    *,
    published: Moment | None = None,
    updated: Moment | None = None,
    notices: tuple[Notice, ...] = (),
    address: str = "",
    picture_url: str = "",
    forms: Sequence[Form] = (),
    media: str = "staff_media",
    person_page: Callable[[str], str] = nowhere,
    marks: Marked | None = None,
) -> Article:
    """The article for `content`.

    `address` is the page's own, in full. `forms` are the renditions of the picture. `media` names the URL
    from which these and documents are fetched: that of the staff, unless the article is for the public.
    `person_page` gives where more of a speaker is.
    `marks` says what the reader of a proof covers; without it there is no trace of such marks.
    What is said round the content is in its language, whatever the page around speaks.
    """
    with languages.speaking(content.get("language", languages.DEFAULT)):
        return _article(
            shape.filled(content),
            published,
            updated,
            notices,
            address,
            picture_url,
            forms,
            media,
            person_page,
            marks,
        )


def _article(
    content: dict[str, Any],
    published: Moment | None,
    updated: Moment | None,
    notices: tuple[Notice, ...],
    address: str,
    picture_url: str,
    forms: Sequence[Form],
    media: str,
    person_page: Callable[[str], str],
    marks: Marked | None,
) -> Article:
    if published:
        published = replace(published, instant=published.instant.replace(microsecond=0))
    organisation = content["organisation"] or {}
    public = media == "media"
    shown = Article(
        language=languages.current(),
        type_label=type_label(content["type"]),
        headline=content["headline"],
        summary=content["summary"],
        blocks=tuple(_blocks(content["body"], published, address, person_page)),
        picture=picture(content["picture"], picture_url, fetched(forms, media)),
        notes=sanitised(content["notes"]),
        contacts=contact_lines(content["contacts"]),
        topics=tuple(topic["name"] for topic in content["topics"]),
        organisation=organisation.get("name", ""),
        partners=tuple(partner["name"] for partner in content["partners"]),
        documents=documents(content["attachments"], media),
        published=published,
        updated=updated,
        notices=notices,
        address=address,
        type_page=_page_of("type", content, public),
        organisation_page=_page_of("organisation", organisation, public),
        partner_pages=_named(content["partners"], "organisation", public),
        topic_pages=_named(content["topics"], "topic", public),
    )
    return _proof(shown, content, marks) if marks else shown


def _named(stored: list[dict[str, Any]], view: str, public: bool) -> tuple[Piece, ...]:
    """Topics or organisations by name, each with the page of the public stories about it or from it."""
    return tuple(Piece(item["name"], _page_of(view, item, public)) for item in stored)


def _page_of(view: str, stored: dict[str, Any], public: bool) -> str:
    """The page on which the public finds what is of one type, from one organisation or about one topic."""
    try:
        return reverse(view, args=[stored["type" if view == "type" else "slug"]]) if public and stored else ""
    except NoReverseMatch:
        # Raw SQL can store what no address can hold.
        return ""


def _proof(shown: Article, content: dict[str, Any], marks: Marked) -> Article:
    """The same article with marks on what somebody covers, and with what they sign without seeing it."""
    blocks, notes_whole = [], marks.notes
    for place, block in enumerate(shown.blocks):
        html, found = marking.in_html(block.html, marks.sentences.get(place, ()))
        whole = place in marks.blocks or not found
        blocks.append(replace(block, html=html, mine=Mine(_called(block)) if whole else None))
    notes, found = marking.in_html(shown.notes, marks.sentences.get("notes", ()))
    notes_whole |= not found
    files = tuple(_unseen_files(content))
    lead = content["picture"] or {}
    picture = shown.picture and replace(
        shown.picture,
        sentences=marks.sentences.get("caption", ()),
        mine=Mine("the picture", tuple(_unseen_picture(lead))) if marks.picture else None,
    )
    count = sum(len(some) for key, some in marks.sentences.items() if key != "alt")
    alt = tuple(_unseen_picture(lead))[:1] if marks.sentences.get("alt") else ()
    counted = f"{count} sentence{'s' * (count != 1)} with a figure, underlined and in brackets"
    return replace(
        shown,
        headline=_marked(shown.headline, marks.sentences.get("headline", ())),
        summary=_marked(shown.summary, marks.sentences.get("summary", ())),
        blocks=tuple(blocks),
        picture=picture,
        notes=notes,
        mine=Mine("everything", tuple(_unseen(content))) if marks.everything else None,
        said=Mine(counted if count else "the alt text of the picture", alt) if count or alt else None,
        my_documents=Mine("the documents" if len(files) > 1 else "the document", files)
        if marks.attachments
        else None,
        my_notes=Mine("the notes to editors") if notes_whole else None,
    )


def _called(block: Block) -> str:
    """What a block is called above its brackets."""
    if block.kind != "quote":
        return f"this {block.kind}"
    return f"quote {block.number}" + (f" of {block.speaker}" if block.speaker else "")


def _marked(text: str, sentences: tuple[str, ...]) -> str:
    """A plain text with marks on some of its sentences."""
    return marking.in_html(SafeString(escape(text)), sentences)[0] if sentences else text


def type_label(kind: str) -> str:
    """What the public calls a type of story."""
    return _(TYPES[kind]) if kind in TYPES else kind


def sanitised(html: str) -> SafeString:
    """`html` without anything that a story may not show: the one way to a page for stored HTML."""
    return mark_safe(_GATE.clean(html))  # noqa: S308 - cleaned in this line


def fetched(forms: Iterable[Form], media: str) -> tuple[Form, ...]:
    """Renditions, each to be fetched from the URL called `media`."""
    each = tuple(forms)
    if not each:
        return ()
    # Their names alone differ, and finding out a URL takes its time.
    first = each[0].name
    url = reverse(media, args=[first])
    return tuple(replace(form, url=url.replace(first, form.name)) for form in each)


def picture(stored: dict[str, Any] | None, url: str, forms: tuple[Form, ...] = ()) -> Picture | None:
    """The lead picture as content holds it, to be fetched from `url` or in one of `forms`.

    Without a URL its words still show.
    """
    if not stored:
        return None
    return Picture(
        url=url,
        media_type=_TYPES.get(str(stored.get("name", "")).rpartition(".")[2], ""),
        forms=forms,
        width=stored.get("width", 0),
        height=stored.get("height", 0),
        **{key: stored.get(key, "") for key in ("alt", "caption", "credit")},
    )


def documents(attachments: list[dict[str, Any]], media: str) -> tuple[Document, ...]:
    """The attachments as content holds them, to be fetched from the URL called `media`."""
    return tuple(_document(number, stored, media) for number, stored in enumerate(attachments, start=1))


def _document(number: int, stored: dict[str, Any], media: str) -> Document:
    title = stored["title"] or _("Document %(number)d") % {"number": number}
    name = str(stored["name"])
    try:
        url = reverse(media, args=[name])
    except NoReverseMatch:
        # Raw SQL can store any name: what cannot be fetched is named all the same.
        url = ""
    kind = kind_words(stored["media_type"], name)
    save_as = f"{slugify(title)[:80].strip('-') or f'document-{number}'}.{name.rpartition('.')[2]}"
    return Document(
        url,
        title,
        f"{kind}, {size_words(stored['size'])}",
        save_as,
        media_type=stored["media_type"],
        size=stored["size"],
    )


def kind_words(media_type: str, name: str) -> str:
    """What people call a type of file."""
    return {"application/pdf": "PDF", "text/csv": "CSV"}.get(media_type, name.rpartition(".")[2].upper())


def size_words(size: int) -> str:
    """A number of bytes as people read it: "640 bytes", "218 KB", "1.2 MB"."""
    if size < 1000:
        return ngettext("%(size)d byte", "%(size)d bytes", size) % {"size": size}
    if size < 999_500:
        return f"{size / 1000:.0f} KB"
    megabytes = size / 1_000_000
    return f"{megabytes:.1f} MB" if megabytes < 9.95 else f"{megabytes:.0f} MB"


def _blocks(
    body: list[dict[str, Any]], published: Moment | None, address: str, person_page: Callable[[str], str]
) -> Iterator[Block]:
    number = 0
    for stored in body:
        if stored["kind"] != "quote":
            yield Block(stored["kind"], sanitised(stored["html"]))
            continue
        number += 1
        block = quote({**stored, "number": number})
        speaker_page = person_page(block.speaker)
        yield replace(block, paste=_paste(block, published, address), speaker_page=speaker_page)


def quote(stored: dict[str, Any]) -> Block:
    """A quote as content holds it, with its number."""
    said = {key: stored.get(key, "") for key in ("speaker", "role")}
    return Block("quote", sanitised(stored["html"]), stored["number"], **said)


def _paste(quote: Block, published: Moment | None, address: str) -> str:
    """The quote as somebody pastes it elsewhere: words, name, role, day and address."""
    words = " ".join(richtext.plain([{"kind": "paragraph", "html": quote.html}]).split())
    day = published.day if published else ""
    whose = ", ".join(filter(None, (quote.speaker, quote.role, day)))
    where = address and f"{address}#quote-{quote.number}"
    return " ".join(filter(None, (f"“{words}”", whose and f"{whose}.", where)))


def _unseen(content: dict[str, Any]) -> Iterator[str]:
    """What is signed with everything else and yet is nowhere to be read on the page."""
    yield f"Address: /news/{content['slug']}/"
    yield f"Language: {languages.LANGUAGES[languages.spoken(content['language'])]}"
    if content["picture"]:
        yield from _unseen_picture(content["picture"])
    yield from _unseen_files(content)


def _unseen_picture(stored: dict[str, Any]) -> Iterator[str]:
    """What a picture says to those who do not see it, and which file it is."""
    yield f"Alt text of the picture: {stored.get('alt') or 'none'}"
    size = f"{stored.get('width', 0)} by {stored.get('height', 0)} pixels"
    yield f"Picture file: {size}, {_short(str(stored.get('sha256', '')))}"


def _unseen_files(content: dict[str, Any]) -> Iterator[str]:
    """Which files the attachments are."""
    for number, stored in enumerate(content["attachments"], start=1):
        title = stored["title"] or f"Document {number}"
        kind = kind_words(stored["media_type"], str(stored["name"]))
        yield f"{title}: {kind}, {size_words(stored['size'])}, file {_short(str(stored['sha256']))}"


def _short(digest: str) -> str:
    """The beginning of a digest, to be compared by eye."""
    return f"{digest[:4]} {digest[4:8]}"


def contact_lines(contacts: str) -> tuple[tuple[Line, ...], ...]:
    """The groups of lines that blank lines part, with telephone numbers and addresses as links."""
    groups: list[list[Line]] = [[]]
    for text in contacts.splitlines():
        if text.strip():
            groups[-1].append(tuple(_linked(text.strip())))
        elif groups[-1]:
            groups.append([])
    return tuple(tuple(group) for group in groups if group)


def _linked(text: str) -> Iterator[Piece]:
    end = 0
    for found in _LINKS.finditer(text):
        if href := _href(found):
            if found.start() > end:
                yield Piece(text[end : found.start()])
            yield Piece(found[0], href)
            end = found.end()
    if end < len(text):
        yield Piece(text[end:])


def _href(found: re.Match[str]) -> str:
    """The address of a link; none for figures that are no telephone number."""
    if found["mail"]:
        return f"mailto:{found[0]}"
    if found["web"]:
        return found[0]
    # "+44 (0)20" is dialled from abroad, without the nought.
    number = found[0].replace("(0)", "") if found[0].startswith("+") else found[0]
    digits = re.sub(r"\D", "", number)
    international = number.startswith("+")
    enough = len(digits) in _DIGITS and (international or digits.startswith("0") or len(digits) > 9)
    return f"tel:{'+' * international}{digits}" if enough else ""
