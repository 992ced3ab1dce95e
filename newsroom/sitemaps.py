"""The addresses of public pages, for crawlers."""

from math import ceil
from typing import Any
from xml.etree.ElementTree import Element

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from .feeds import absolute, add, document, stamp
from .listing import address
from .models import Release
from .public import answer, page_number

#: Sitemaps may hold 50,000 addresses; a fifth of that is answered quickly.
SITEMAP_SIZE = 10_000
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


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
