"""oEmbed 1.0: what another site is told of a public story to which it links."""

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.views.decorators.http import require_safe

from stories.rendering import Article

from . import house
from .feeds import add, document
from .models import Visibility
from .public import answer, problem, public_article, shown_at

FORMATS = {"json": "application/json", "xml": "text/xml; charset=utf-8"}


@require_safe
def oembed(request: HttpRequest) -> HttpResponseBase:
    """A public story as a link with a title, and its picture where there is room for it.

    Raises:
        Http404: no public story is, or ever was, at the address that is asked for.
    """
    form = request.GET.get("format", "json")
    if form not in FORMATS:
        return problem(request, HTTPStatus.NOT_IMPLEMENTED, "There is “json” and “xml”.")
    shown = _now_at(_slug_in(request.GET.get("url", "")))
    told = _told(public_article(shown), _most(request, "maxwidth"), _most(request, "maxheight"))
    body = _xml(told) if form == "xml" else json.dumps(told, ensure_ascii=False) + "\n"
    return answer(request, body, FORMATS[form])


def _slug_in(url: str) -> str:
    """What names the story in an address of ours, whatever of the page it points at.

    Raises:
        Http404: it is no address of a story.
    """
    try:
        found = resolve(urlsplit(url.removeprefix(settings.SITE_URL)).path)
    except (Resolver404, ValueError):
        raise Http404 from None
    if not url.startswith(settings.SITE_URL) or found.view_name != "story":
        raise Http404
    return str(found.kwargs["slug"])


def _now_at(slug: str) -> Visibility:
    """What is public of the story that is, or was, at an address.

    Raises:
        Http404: nothing is.
    """
    shown = shown_at(slug)
    if shown.is_public:
        return shown
    now = Visibility.objects.public().filter(story=shown.story_id)
    if there := now.select_related("release__revision").first():
        return there
    raise Http404


def _most(request: HttpRequest, name: str) -> int | None:
    """How many pixels there is room for; None where nobody says."""
    given = request.GET.get(name, "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 7 else None


def _told(article: Article, width: int | None, height: int | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "version": "1.0",
        "type": "link",
        "title": article.headline,
        "author_name": article.organisation or house.current().name,
        "provider_name": house.current().name,
        "provider_url": settings.SITE_URL,
    }
    picture = article.picture
    if picture and _fits(picture.width, width) and _fits(picture.height, height):
        about = {"url": settings.SITE_URL + picture.url, "width": picture.width, "height": picture.height}
        told |= {f"thumbnail_{key}": value for key, value in about.items()}
    return told


def _fits(size: int, most: int | None) -> bool:
    return most is None or size <= most


def _xml(told: dict[str, Any]) -> str:
    root = Element("oembed")
    for key, value in told.items():
        add(root, key, str(value))
    return document(root)
