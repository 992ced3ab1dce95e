"""Public stories for machines: the Atom feed and the sitemap."""

import re
from datetime import UTC, datetime
from math import ceil
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from .listing import Listed, address, newest
from .models import Receiver, ReceiverKind, Release
from .public import answer, page_number

FEED_SIZE = 20
#: Sitemaps may hold 50,000 addresses; a fifth of that is answered quickly.
SITEMAP_SIZE = 10_000
ATOM = "http://www.w3.org/2005/Atom"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
#: When a feed without a story last changed.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# What XML 1.0 cannot hold, in whatever form.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return _NOT_XML.sub("", text)


def add(parent: Element, tag: str, text: str = "", **attributes: str) -> Element:
    """A new element below `parent`, without the characters that XML cannot hold."""
    element = SubElement(parent, tag, {key: clean(value) for key, value in attributes.items()})
    element.text = clean(text) or None
    return element


def document(root: Element) -> str:
    """An XML document."""
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def absolute(view_name: str) -> str:
    """The address of a view, in full."""
    return settings.SITE_URL + reverse(view_name)


@require_safe
def atom(request: HttpRequest) -> HttpResponseBase:
    """The newest stories. An entry's id is its story's and never changes."""
    stories = newest(0, FEED_SIZE)
    feed = Element("feed", {"xmlns": ATOM, "xml:lang": "en-GB"})
    add(feed, "id", absolute("atom"))
    add(feed, "title", f"{settings.ORGANISATION}: news")
    add(feed, "updated", stamp(max((story.updated.instant for story in stories), default=NEVER)))
    add(feed, "link", rel="self", type="application/atom+xml", href=absolute("atom"))
    add(feed, "link", rel="alternate", type="text/html", href=absolute("home"))
    for hub in Receiver.objects.filter(kind=ReceiverKind.WEBSUB, active=True).values_list("url", flat=True):
        add(feed, "link", rel="hub", href=hub)
    add(add(feed, "author"), "name", settings.ORGANISATION)
    for story in stories:
        add_entry(feed, story)
    return answer(request, document(feed), "application/atom+xml; charset=utf-8")


def add_entry(feed: Element, story: Listed) -> None:
    """The entry of one story."""
    entry = add(feed, "entry")
    add(entry, "id", f"urn:uuid:{story.uid}")
    add(entry, "title", story.headline)
    add(entry, "link", rel="alternate", type="text/html", href=address(story.slug))
    add(entry, "published", stamp(story.published.instant))
    add(entry, "updated", stamp(story.updated.instant))
    if story.organisation:
        add(add(entry, "author"), "name", story.organisation)
    add(entry, "category", term=story.type_label)
    for topic in story.topics:
        add(entry, "category", term=topic)
    for document in story.documents:
        if document.url:
            about = {"type": document.media_type, "length": str(document.size), "title": document.title}
            add(entry, "link", rel="enclosure", href=settings.SITE_URL + document.url, **about)
    add(entry, "summary", story.summary)


def stamp(instant: datetime) -> str:
    """An instant as feeds and sitemaps write it."""
    return instant.astimezone(UTC).isoformat(timespec="seconds")


@require_safe
def sitemap(request: HttpRequest) -> HttpResponseBase:
    """The addresses of all public pages; where there are too many for one file, an index of parts."""
    parts = ceil(Release.objects.public().count() / SITEMAP_SIZE)
    if "page" in request.GET:
        number = page_number(request)
        if number > max(parts, 1):
            raise Http404
        root = part(number)
    else:
        root = index(parts) if parts > 1 else part(1)
    return answer(request, document(root), "application/xml; charset=utf-8")


def part(number: int) -> Element:
    """A part of the sitemap. The oldest stories come first, so that a full part stays as it is."""
    root = Element("urlset", {"xmlns": SITEMAP})
    if number == 1:
        add(add(root, "url"), "loc", absolute("home"))
    order = ("visibility__first_from", "visibility__slug")
    columns = ("visibility__slug", "visibility__visible_from")
    rows: QuerySet[Release, Any] = Release.objects.public().order_by(*order).values_list(*columns)
    start = (number - 1) * SITEMAP_SIZE
    for slug, visible_from in rows[start : start + SITEMAP_SIZE]:
        url = add(root, "url")
        add(url, "loc", address(slug))
        # Small changes too: a crawler is to see them.
        add(url, "lastmod", stamp(visible_from))
    return root


def index(parts: int) -> Element:
    """The addresses of the sitemap's parts."""
    root = Element("sitemapindex", {"xmlns": SITEMAP})
    for number in range(1, parts + 1):
        add(add(root, "sitemap"), "loc", f"{absolute('sitemap')}?page={number}")
    return root
