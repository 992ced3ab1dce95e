"""Public stories for feed readers: Atom (RFC 4287, in pages by RFC 5005) and JSON Feed 1.1.

A page of a feed begins after a place, as a page of the API does: what comes out meanwhile moves nothing.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, SubElement, tostring

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from .listing import Listed, address, listed
from .models import Receiver, ReceiverKind, Release
from .places import NoPlace, Place
from .public import answer

FEED_SIZE = 20
ATOM_TYPE = "application/atom+xml"
ATOM = "http://www.w3.org/2005/Atom"
JSON_FEED = "https://jsonfeed.org/version/1.1"
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


def _page(request: HttpRequest) -> tuple[list[Listed], str]:
    """The stories of the page that is asked for, and the query by which the next one is.

    Raises:
        Http404: there is no such page.
    """
    releases = Release.objects.public()
    if "cursor" in request.GET:
        try:
            releases = releases.filter(Place.parse(request.GET["cursor"]).after)
        except NoPlace as refusal:
            raise Http404 from refusal
    stories = listed(releases, 0, FEED_SIZE + 1)
    shown = stories[:FEED_SIZE]
    more = len(stories) > FEED_SIZE
    return shown, "?" + urlencode({"cursor": shown[-1].place.cursor}) if more else ""


def _hubs() -> list[str]:
    """The WebSub hubs that are told when the feeds change."""
    hubs = Receiver.objects.filter(kind=ReceiverKind.WEBSUB, active=True)
    return list(hubs.order_by("pk").values_list("url", flat=True))


@require_safe
def atom(request: HttpRequest) -> HttpResponseBase:
    """The newest stories. An entry's id is its story's and never changes."""
    stories, after = _page(request)
    here = absolute("atom")
    feed = Element("feed", {"xmlns": ATOM, "xml:lang": "en-GB"})
    add(feed, "id", here)
    add(feed, "title", f"{settings.ORGANISATION}: news")
    add(feed, "updated", stamp(max((story.updated.instant for story in stories), default=NEVER)))
    cursor = request.GET.get("cursor")
    this = f"{here}?{urlencode({'cursor': cursor})}" if cursor else here
    add(feed, "link", rel="self", type=ATOM_TYPE, href=this)
    add(feed, "link", rel="first", type=ATOM_TYPE, href=here)
    if after:
        add(feed, "link", rel="next", type=ATOM_TYPE, href=here + after)
    add(feed, "link", rel="alternate", type="text/html", href=absolute("home"))
    for hub in _hubs():
        add(feed, "link", rel="hub", href=hub)
    add(add(feed, "author"), "name", settings.ORGANISATION)
    for story in stories:
        add_entry(feed, story)
    return answer(request, document(feed), f"{ATOM_TYPE}; charset=utf-8")


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
def json_feed(request: HttpRequest) -> HttpResponseBase:
    """The newest stories, as `atom` has them."""
    stories, after = _page(request)
    here, hubs = absolute("json_feed"), _hubs()
    feed = {
        "version": JSON_FEED,
        "title": f"{settings.ORGANISATION}: news",
        "home_page_url": absolute("home"),
        "feed_url": here,
        "language": "en-GB",
        "authors": [{"name": settings.ORGANISATION}],
        **({"next_url": here + after} if after else {}),
        **({"hubs": [{"type": "WebSub", "url": hub} for hub in hubs]} if hubs else {}),
        "items": [_item(story) for story in stories],
    }
    response = answer(request, json.dumps(feed, ensure_ascii=False) + "\n", "application/feed+json")
    if hubs:
        # Where subscribers look for a hub of what is no XML.
        response["Link"] = ", ".join([*(f'<{hub}>; rel="hub"' for hub in hubs), f'<{here}>; rel="self"'])
    return response


def _item(story: Listed) -> dict[str, Any]:
    """The item of one story; what it does not have has no key."""
    found = {
        "id": f"urn:uuid:{story.uid}",
        "url": address(story.slug),
        "title": story.headline,
        "date_published": stamp(story.published.instant),
        "date_modified": stamp(story.updated.instant),
        "authors": [{"name": story.organisation}] if story.organisation else [],
        "tags": [story.type_label, *story.topics],
        "image": settings.SITE_URL + story.picture.url if story.picture else "",
        "attachments": [
            {
                "url": settings.SITE_URL + document.url,
                "mime_type": document.media_type,
                "title": document.title,
                "size_in_bytes": document.size,
            }
            for document in story.documents
            if document.url
        ],
    }
    # The format wants words of the story in each item, were there none.
    return {**{key: value for key, value in found.items() if value}, "content_text": story.summary}
