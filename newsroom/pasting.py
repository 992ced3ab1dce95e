"""A story as text, for whoever pastes it elsewhere: plain, or in Markdown (CommonMark). Pure."""

import re
from html import unescape
from typing import cast

from django.utils.translation import gettext as _

from stories import richtext
from stories.rendering import Article, Block
from stories.richtext.tokens import Tag, tokens

# What Markdown would take for a sign wherever it stands, and what at the beginning of a line alone.
_SIGN = re.compile(r"[\\`*_\[\]<&~|]")
_FIRST = re.compile(r"^(?:[-+=#>:]|\d+[.)])")
_SPACE = re.compile(r"\s+")


def plain(article: Article) -> str:
    """The story in plain text, in the order of its page."""
    return _joined(
        article.headline,
        _about(article),
        article.summary,
        *(f"{notice.title}, {notice.moment.public}: {notice.note}" for notice in article.said_first),
        richtext.plain([_stored(block) for block in article.blocks]),
        _("Ends"),
        _section(_("Notes to editors"), richtext.plain(richtext.to_blocks(article.notes))),
        _section(_("Press contacts"), _contacts(article)),
        article.address,
    )


def markdown(article: Article) -> str:
    """The story in Markdown. No word of it is taken for a sign."""
    return _joined(
        f"# {escaped(article.headline)}",
        escaped(_about(article)),
        article.summary and f"**{escaped(article.summary)}**",
        *(
            _quoted(f"**{notice.title}, {notice.moment.public}:** {escaped(notice.note)}")
            for notice in article.said_first
        ),
        *map(_block, article.blocks),
        f"**{_('Ends')}**",
        _section(f"## {_('Notes to editors')}", to_markdown(article.notes)),
        _section(f"## {_('Press contacts')}", "\n\n".join(map(escaped, _contacts(article).split("\n\n")))),
        article.address and f"<{article.address}>",
    )


def _about(article: Article) -> str:
    """The line below the headline."""
    told = [
        article.type_label,
        article.organisation and _("from %(name)s") % {"name": article.organisation},
        article.partners and _("with %(names)s") % {"names": ", ".join(article.partners)},
        article.published and _("published %(moment)s") % {"moment": article.published.public},
        article.updated and _("updated %(moment)s") % {"moment": article.updated.public},
    ]
    return "; ".join(str(part) for part in told if part)


def _section(heading: str, words: str) -> str:
    return f"{heading}\n\n{words}" if words else ""


def _joined(*parts: str) -> str:
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _stored(block: Block) -> richtext.Block:
    """A block as the content holds it, which is what `richtext` reads."""
    said = {"kind": block.kind, "html": block.html, "speaker": block.speaker, "role": block.role}
    return cast(richtext.Block, said)


def _contacts(article: Article) -> str:
    groups = (["".join(piece.text for piece in line) for line in group] for group in article.contacts)
    return "\n\n".join("\n".join(lines) for lines in groups)


# Markdown


def _block(block: Block) -> str:
    words = to_markdown(block.html)
    if block.kind != "quote":
        return words
    whose = ", ".join(filter(None, (block.speaker, block.role)))
    return _quoted(f"{words}\n\n— {escaped(whose)}" if whose else words)


def _quoted(words: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in words.split("\n"))


def escaped(text: str) -> str:
    """Words as Markdown takes them for words. Lines stay lines."""
    return "\\\n".join(_first(_signs(_SPACE.sub(" ", line).strip())) for line in text.strip().splitlines())


def _signs(text: str) -> str:
    return _SIGN.sub(r"\\\g<0>", text)


def _first(line: str) -> str:
    """A line that begins no list, heading or quotation; "1." is kept from it by its full stop."""
    return _FIRST.sub(lambda sign: f"{sign[0][:-1]}\\{sign[0][-1]}", line)


def to_markdown(html: str) -> str:
    """Canonical HTML (paragraphs, headings, lists, links, emphasis) as Markdown."""
    writer = _Writer()
    for token in tokens(html):
        writer.feed(token)
    return re.sub(r"\n{3,}", "\n\n", writer.out).strip("\n")


class _Writer:
    """Markdown as it comes of tags and text."""

    def __init__(self) -> None:
        self.out = ""
        self._href = ""
        #: Whether the next word is the first of its line.
        self._fresh = True
        #: Of each list that is open, the number of the last item; None where there are no numbers.
        self._lists: list[int | None] = []

    def feed(self, token: str | Tag) -> None:
        """Write what comes next."""
        if isinstance(token, str):
            self._text(_SPACE.sub(" ", unescape(token)))
        elif token.name in {"strong", "em"}:
            self.out += "**" if token.name == "strong" else "*"
        elif token.name == "a":
            self._link(token)
        elif token.name == "br":
            self._line("\\\n")
        elif token.name in {"ul", "ol"}:
            self._list(token)
        elif token.name == "li" and not token.end:
            self._item()
        elif token.name in {"h2", "h3"} and not token.end:
            self.out += f"{'#' * int(token.name[1])} "
        elif token.name in {"p", "h2", "h3"} and token.end:
            self._line("\n\n")

    def _line(self, end: str) -> None:
        """End a line. What goes on in an item is moved in as far as its words."""
        self.out += end + "    " * len(self._lists)
        self._fresh = True

    def _text(self, text: str) -> None:
        if self._fresh:
            text = text.lstrip()
        self.out += _first(_signs(text)) if self._fresh else _signs(text)
        self._fresh = self._fresh and not text

    def _link(self, tag: Tag) -> None:
        if tag.end:
            self.out += f"](<{self._href}>)"
            return
        self._href = re.sub(r"[<>\s\\]", "", unescape(tag.attrs.get("href", "")))
        self.out += "["

    def _list(self, tag: Tag) -> None:
        if tag.end:
            self._lists.pop()
            self.out = self.out.rstrip(" ") + "\n\n"
            return
        if not self._lists:
            self.out = f"{self.out.rstrip()}\n\n" if self.out.strip() else ""
        start = tag.attrs.get("start", "1")
        number = int(start) - 1 if start.isdecimal() and len(start) < 10 else 0
        self._lists.append(number if tag.name == "ol" else None)

    def _item(self) -> None:
        number = self._lists[-1] = None if self._lists[-1] is None else self._lists[-1] + 1
        sign = "-" if number is None else f"{number}."
        margin = "    " * (len(self._lists) - 1)
        before = self.out.rstrip(" ")
        self.out = before + ("" if before.endswith("\n") or not before else "\n") + f"{margin}{sign:<4}"
        self._fresh = True
