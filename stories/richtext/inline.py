"""The words inside a paragraph: runs of text with their marks, and the one way to write them down."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from typing import NamedTuple
from urllib.parse import urlsplit

import nh3

#: A line break, as text in a run. All other white space has become a plain space before.
BREAK = "\n"
# What HTML collapses, and two separators that Word leaves behind. Not the no-break space, which is meant.
_PIECE = re.compile("\n|[ \t\f\r\u2028\u2029]+|[^\n \t\f\r\u2028\u2029]+")
_SPACE = re.compile("[ \t\n\f\r\u2028\u2029]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
#: Characters that show nothing by themselves: a paragraph of these alone is empty.
_UNSEEN = re.compile("[\\s\u00ad\u200b-\u200f\u2060\ufeff]*")

MAX_HREF = 2000
_WEB = re.compile(r"https?://[^\s/?#@\\]+(?:[/?#]\S*)?", re.IGNORECASE)
_MAIL = re.compile(r"mailto:[^\s@?]+@[^\s@?]+(?:\?\S*)?", re.IGNORECASE)
_BARE_MAIL = re.compile(r"[^\s@/:?]+@[^\s@/:?]+\.[^\s@/:?]+")
_UNSAFE_IN_URL = re.compile(r"""[\x00-\x20"<>\\^`{|}\x7f]""")

# The sanitiser has a mind of its own about addresses; ours may only be stricter.
_GATE = nh3.Cleaner(
    tags={"a"},
    attributes={"a": {"href"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel=None,
)


class Marks(NamedTuple):
    """What is done to a run of text: where it links to, and its emphasis."""

    href: str = ""
    strong: bool = False
    em: bool = False

    def meet(self, other: "Marks") -> "Marks":
        """The marks that both have: those of the space between them."""
        href = self.href if self.href == other.href else ""
        return Marks(href, self.strong and other.strong, self.em and other.em)


PLAIN = Marks()
Run = tuple[str, Marks]


def printable(text: str) -> str:
    """`text` without control characters (a space stands for each), half characters and odd line ends."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub(" ", whole.replace("\r\n", "\n").replace("\r", "\n"))


def flat(text: str) -> str:
    """`text` on one line, with single spaces and none at the ends."""
    return _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip(" ")


def seen(text: str) -> bool:
    """Whether any of `text` would be visible on paper."""
    return _UNSEEN.fullmatch(text) is None


def safe_href(href: str) -> str:
    """`href` if it may stand in a story, else empty: web or mail addresses, in full.

    Obvious short forms are completed. A name or password in an address is refused: it serves to deceive.
    """
    href = _UNSAFE_IN_URL.sub(lambda found: f"%{ord(found[0]):02X}", printable(href).strip())
    if href.lower().startswith("www."):
        href = f"https://{href}"
    elif _BARE_MAIL.fullmatch(href):
        href = f"mailto:{href}"
    if len(href) > MAX_HREF or not (_WEB.fullmatch(href) or _MAIL.fullmatch(href)):
        return ""
    try:
        parts = urlsplit(href)
        _ = parts.port  # raises where the port is no number
    except ValueError:
        return ""
    host = parts.netloc
    href = parts.scheme + href[len(parts.scheme) :].replace(host, host.lower(), 1)
    return href if "href" in _GATE.clean(f'<a href="{escape(href)}">') else ""


def paragraphs(runs: Iterable[Run]) -> list[str]:
    """The canonical HTML of each paragraph in `runs`: two line breaks in a row part paragraphs."""
    return [_html(parts) for parts in _parted(_pieces(runs)) if seen("".join(text for text, _ in parts))]


def line(runs: Iterable[Run]) -> str:
    """The canonical HTML of `runs` on one line."""
    return " ".join(paragraphs((text.replace(BREAK, " "), marks) for text, marks in runs))


def _pieces(runs: Iterable[Run]) -> Iterator[Run]:
    """Words, spaces and line breaks, each a run of its own."""
    for marks, same in groupby((run for run in runs if run[0]), key=lambda run: run[1]):
        text = unicodedata.normalize("NFC", "".join(text for text, _ in same))
        for piece in _PIECE.findall(text):
            yield piece, marks


def _parted(pieces: Iterable[Run]) -> Iterator[list[Run]]:
    """The pieces of each paragraph, with one separator between two words and none at the ends.

    A separator has the marks that its neighbours share, so that "<b>a </b>b" and "<b>a</b> b" are one.
    """
    part: list[Run] = []
    gap = ""
    for text, marks in pieces:
        if text == BREAK:
            gap = gap.strip(" ") + BREAK
        elif text[0] in " \t\f\r\u2028\u2029":
            gap = gap or " "
        else:
            if gap.count(BREAK) > 1 and part:
                yield part
                part = []
            elif gap and part:
                part.append((gap, part[-1][1].meet(marks)))
            part.append((text, marks))
            gap = ""
    if part:
        yield part


def _html(runs: list[Run]) -> str:
    """Links outside, then strong, then em, each as long as it can be."""
    out = []
    for href, linked in groupby(runs, key=lambda run: run[1].href):
        inner = ""
        for strong, heavy in groupby(linked, key=lambda run: run[1].strong):
            emphasised = "".join(
                _wrapped("em", em, "".join(_escaped(text) for text, _ in same))
                for em, same in groupby(heavy, key=lambda run: run[1].em)
            )
            inner += _wrapped("strong", strong, emphasised)
        out.append(f'<a href="{escape(href)}">{inner}</a>' if href else inner)
    return "".join(out)


def _wrapped(tag: str, wanted: bool, html: str) -> str:
    return f"<{tag}>{html}</{tag}>" if wanted else html


def _escaped(text: str) -> str:
    return "<br>" if text == BREAK else escape(text, quote=False)
