"""The log of corrections and withdrawals, for readers and for feed readers."""

from xml.etree.ElementTree import Element

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from stories import languages

from . import feeds, house, noting
from .feeds import absolute, add, document, stamp
from .listing import address, by_day
from .noting import Noted
from .public import PAGE_SIZE, answer, numbered, page, page_number


@require_safe
def corrections(request: HttpRequest) -> HttpResponseBase:
    """What was corrected and withdrawn, by day, the newest first."""
    number = page_number(request)
    start = (number - 1) * PAGE_SIZE
    found = noting.noted(start, start + PAGE_SIZE + 1)
    if number > 1 and not found:
        raise Http404
    return page(
        request,
        "public/corrections.html",
        query=numbered(number),
        number=number,
        newer=number - 1,
        older=number + 1 if len(found) > PAGE_SIZE else 0,
        days=by_day(found[:PAGE_SIZE]),
    )


@require_safe
def corrections_atom(request: HttpRequest) -> HttpResponseBase:
    """The newest of them as Atom."""
    found = noting.noted(0, feeds.FEED_SIZE)
    here = absolute("corrections_atom")
    feed = Element("feed", {"xmlns": feeds.ATOM, "xml:lang": languages.current()})
    add(feed, "id", here)
    add(feed, "title", _("%(name)s: corrections and withdrawals") % {"name": house.current().name})
    add(feed, "updated", stamp(found[0].published.instant if found else feeds.NEVER))
    add(feed, "link", rel="self", type=feeds.ATOM_TYPE, href=here)
    add(feed, "link", rel="alternate", type="text/html", href=absolute("corrections"))
    add(add(feed, "author"), "name", house.current().name)
    for one in found:
        _entry(feed, one)
    return answer(request, document(feed), f"{feeds.ATOM_TYPE}; charset=utf-8")


def _entry(feed: Element, one: Noted) -> None:
    entry = add(feed, "entry", **feeds.spoken_in(one.lang))
    add(entry, "id", f"urn:uuid:{one.key}")
    add(entry, "title", f"{one.label}: {one.headline}")
    add(entry, "category", term=one.kind)
    add(entry, "link", rel="alternate", type="text/html", href=address(one.slug))
    add(entry, "published", stamp(one.published.instant))
    add(entry, "updated", stamp(one.published.instant))
    add(entry, "summary", one.note)
