"""Public stories for feed readers: Atom (RFC 4287, in pages by RFC 5005) and JSON Feed 1.1.

A page of a feed begins after a place, as a page of the API does: what comes out meanwhile moves nothing.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, SubElement, tostring

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from stories import languages

from . import gathering, house
from .listing import Listed, address, listed
from .models import Receiver, ReceiverKind, Release, ReleaseQuerySet, TagKind
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


def absolute(view_name: str, *args: str) -> str:
    """The address of a view, in full."""
    return settings.SITE_URL + reverse(view_name, args=args)


@dataclass(frozen=True)
class Source:
    """What a feed is of, and the addresses of its page and of itself in both formats."""

    title: str
    releases: ReleaseQuerySet
    page: str
    atom: str
    json: str
    #: The WebSub hubs that are told when it changes.
    hubs: list[str]


def everything() -> Source:
    """All the news. Of its feeds alone hubs are told."""
    hubs = Receiver.objects.filter(kind=ReceiverKind.WEBSUB, active=True)
    return Source(
        title=_("%(name)s: news") % {"name": house.current().name},
        releases=Release.objects.public(),
        page=absolute("home"),
        atom=absolute("atom"),
        json=absolute("json_feed"),
        hubs=list(hubs.order_by("pk").values_list("url", flat=True)),
    )


def gathered(kind: TagKind, slug: str) -> Source:
    """What is about a topic, from or with an organisation, or quotes a person.

    Raises:
        Http404: nothing public is.
    """
    try:
        found = gathering.named(kind, slug)
    except gathering.NothingPublic as refusal:
        raise Http404 from refusal
    return Source(
        title=f"{house.current().name}: {found.name}",
        releases=gathering.of(kind, slug),
        page=absolute(kind.value, slug),
        atom=absolute(f"{kind.value}_atom", slug),
        json=absolute(f"{kind.value}_json", slug),
        hubs=[],
    )


def _page(request: HttpRequest, source: Source) -> tuple[list[Listed], str]:
    """The stories of the page that is asked for, and the query by which the next one is.

    Raises:
        Http404: there is no such page.
    """
    releases = source.releases
    if "cursor" in request.GET:
        try:
            releases = releases.filter(Place.parse(request.GET["cursor"]).after)
        except NoPlace as refusal:
            raise Http404 from refusal
    stories = listed(releases, 0, FEED_SIZE + 1)
    shown = stories[:FEED_SIZE]
    more = len(stories) > FEED_SIZE
    return shown, "?" + urlencode({"cursor": shown[-1].place.cursor}) if more else ""


@require_safe
def atom(request: HttpRequest) -> HttpResponseBase:
    """The newest stories. An entry's id is its story's and never changes."""
    return _atom(request, everything())


@require_safe
def gathered_atom(request: HttpRequest, slug: str, kind: TagKind) -> HttpResponseBase:
    """The same of a topic, an organisation or a person."""
    return _atom(request, gathered(kind, slug))


def _atom(request: HttpRequest, source: Source) -> HttpResponseBase:
    stories, after = _page(request, source)
    feed = Element("feed", {"xmlns": ATOM, "xml:lang": languages.current()})
    add(feed, "id", source.atom)
    add(feed, "title", source.title)
    add(feed, "updated", stamp(max((story.updated.instant for story in stories), default=NEVER)))
    cursor = request.GET.get("cursor")
    this = f"{source.atom}?{urlencode({'cursor': cursor})}" if cursor else source.atom
    add(feed, "link", rel="self", type=ATOM_TYPE, href=this)
    add(feed, "link", rel="first", type=ATOM_TYPE, href=source.atom)
    if after:
        add(feed, "link", rel="next", type=ATOM_TYPE, href=source.atom + after)
    add(feed, "link", rel="alternate", type="text/html", href=source.page)
    for hub in source.hubs:
        add(feed, "link", rel="hub", href=hub)
    add(add(feed, "author"), "name", house.current().name)
    for story in stories:
        add_entry(feed, story)
    return answer(request, document(feed), f"{ATOM_TYPE}; charset=utf-8")


def add_entry(feed: Element, story: Listed) -> None:
    """The entry of one story."""
    entry = add(feed, "entry", **spoken_in(story.lang))
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


def spoken_in(language: str) -> dict[str, str]:
    """What an element of another language than the document around says of it."""
    return {"xml:lang": language} if language else {}


def stamp(instant: datetime) -> str:
    """An instant as feeds and sitemaps write it."""
    return instant.astimezone(UTC).isoformat(timespec="seconds")


@require_safe
def json_feed(request: HttpRequest) -> HttpResponseBase:
    """The newest stories, as `atom` has them."""
    return _json(request, everything())


@require_safe
def gathered_json(request: HttpRequest, slug: str, kind: TagKind) -> HttpResponseBase:
    """The same of a topic, an organisation or a person."""
    return _json(request, gathered(kind, slug))


def _json(request: HttpRequest, source: Source) -> HttpResponseBase:
    stories, after = _page(request, source)
    feed = {
        "version": JSON_FEED,
        "title": source.title,
        "home_page_url": source.page,
        "feed_url": source.json,
        "language": languages.current(),
        "authors": [{"name": house.current().name}],
        **({"next_url": source.json + after} if after else {}),
        **({"hubs": [{"type": "WebSub", "url": hub} for hub in source.hubs]} if source.hubs else {}),
        "items": [_item(story) for story in stories],
    }
    response = answer(request, json.dumps(feed, ensure_ascii=False) + "\n", "application/feed+json")
    if source.hubs:
        # Where subscribers look for a hub of what is no XML.
        links = [*(f'<{hub}>; rel="hub"' for hub in source.hubs), f'<{source.json}>; rel="self"']
        response["Link"] = ", ".join(links)
    return response


def _item(story: Listed) -> dict[str, Any]:
    """The item of one story; what it does not have has no key."""
    found = {
        "id": f"urn:uuid:{story.uid}",
        "url": address(story.slug),
        "title": story.headline,
        "language": story.lang,
        "date_published": stamp(story.published.instant),
        "date_modified": stamp(story.updated.instant),
        "authors": [{"name": story.organisation}] if story.organisation else [],
        "tags": [story.type_label, *story.topics],
        "image": settings.SITE_URL + story.picture.shared.url if story.picture else "",
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
