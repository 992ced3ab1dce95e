"""Splits what somebody typed or pasted into tags and text.

The standard library's parser changes from one Python to the next, and the trees of HTML5 parsers move or
drop text; digests are taken over the result, so the splitting is ours, small, and takes linear time.
Nothing that is not clearly a tag is taken for one: `<jane@example.org>` and `x < y` are text.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple


class Tag(NamedTuple):
    """A start or an end tag. Comments and what is dropped with its content come as the tag `!`."""

    name: str
    attrs: dict[str, str]
    end: bool = False


DROPPED = Tag("!", {})

#: Elements whose content no browser shows.
HIDDEN = frozenset(["script", "style", "template", "title", "iframe", "noembed", "noframes", "xml"])

# No `<` inside a tag, not even in quotes: so a scan never runs past the next `<`.
_TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[a-z][a-z0-9]*(?:[:-][a-z0-9-]+)?)(?=[\s/>])"""
    # Not a possessive quantifier: those are faulty in the first versions of Python 3.11.
    r"""(?P<attrs>[^<>"']*(?:(?:"[^"<]*"|'[^'<]*')[^<>"']*)*|[^<>]*)>""",
    re.IGNORECASE,
)
_ATTR = re.compile(r"""([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?""")
_DECLARATION = re.compile(r"<(?:!doctype|!\[|\?)[^<>]*>", re.IGNORECASE)
#: `<o:p>`, `<st1:place>` and their like, which Office writes; not `<tel:...>` or `<to-be-confirmed>`.
_OFFICE = re.compile(r"(?:[a-z]|st\d|wp|pic):|google-")
#: The elements of HTML, past and present; then what comes inside svg and math.
_NAMES = frozenset(
    """
    a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink
    blockquote body br button canvas caption center cite code col colgroup data datalist dd del details
    dfn dialog dir div dl dt em embed fieldset figcaption figure font footer form frame frameset h1 h2
    h3 h4 h5 h6 head header hgroup hr html i iframe image img input ins kbd keygen label legend li link
    listing main map mark marquee menu menuitem meta meter nav nobr noembed noframes noscript object ol
    optgroup option output p param picture plaintext portal pre progress q rb rp rt rtc ruby s samp
    script search section select slot small source spacer span strike strong style sub summary sup svg
    table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr xml xmp

    animate circle clippath defs desc ellipse filter foreignobject g line lineargradient marker mask
    metadata path pattern polygon polyline radialgradient rect set stop symbol text tspan use view math
    maction menclose merror mfenced mfrac mglyph mi mlabeledtr mmultiscripts mn mo mover mpadded
    mphantom mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover
    semantics annotation annotation-xml
    """.split()  # noqa: SIM905  (one name a line would be pages of names)
)


def tokens(html: str) -> Iterator[str | Tag]:
    """The text (as it stands, entities and all) and the tags of `html`, in order."""
    missing: set[str] = set()
    text = at = 0
    while (start := html.find("<", at)) >= 0:
        markup = _markup(html, start, missing)
        if markup is None:
            at = start + 1
            continue
        if text < start:
            yield html[text:start]
        tag, at = markup
        yield tag
        text = at
    if text < len(html):
        yield html[text:]


def _markup(html: str, start: int, missing: set[str]) -> tuple[Tag, int] | None:
    """The tag that begins at `start` and where it ends; None where there is only a `<`."""
    if html.startswith("<!--", start):
        return _dropped(html, start + 4, "-->", missing)
    if declaration := _DECLARATION.match(html, start):
        return DROPPED, declaration.end()
    found = _TAG.match(html, start)
    if not found:
        return None
    name = found["name"].lower()
    if name in HIDDEN:
        return (DROPPED, found.end()) if found["end"] else _dropped(html, found.end(), f"</{name}", missing)
    if name not in _NAMES and not _OFFICE.match(name):
        return None
    return Tag(name, _attrs(found["attrs"]), bool(found["end"])), found.end()


def _dropped(html: str, start: int, closer: str, missing: set[str]) -> tuple[Tag, int] | None:
    """Everything up to `closer`. Where it never closes it is text: to the end would lose too much.

    `missing` remembers the closers that do not come any more, so that nobody looks for them twice.
    """
    if closer in missing:
        return None
    pattern = re.escape(closer) + ("" if closer.endswith(">") else r"(?=[\s/>])[^<>]*>")
    found = re.compile(pattern, re.IGNORECASE).search(html, start)
    if found:
        return DROPPED, found.end()
    missing.add(closer)
    return None


def _attrs(source: str) -> dict[str, str]:
    """The attributes of a tag; of two with one name the first counts, as in a browser."""
    attrs: dict[str, str] = {}
    for name, double, single, bare in _ATTR.findall(source):
        attrs.setdefault(name.lower(), unescape(double or single or bare))
    return attrs
