"""For crawlers and those who find a fault: the addresses of public pages, robots.txt, security.txt."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, timedelta
from math import ceil
from typing import Any
from xml.etree.ElementTree import Element, register_namespace

from django.conf import settings
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, When
from django.db.models.functions import Now
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from stories import languages
from stories.clocks import database_now
from stories.models import Translation

from . import gathering, house
from .feeds import absolute, add, document, stamp
from .listing import WORDS, address, language_of, published
from .models import Release
from .places import ORDER
from .public import answer, page_number
from .translations import Translated

#: A sitemap may hold 50,000 addresses; a fifth of that is answered quickly, and leaves room for other pages.
SITEMAP_SIZE = 10_000
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
#: What a sitemap of news may hold: so many addresses, of so many days.
NEWS_SIZE, NEWS_DAYS = 1000, 2
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
XHTML = "http://www.w3.org/1999/xhtml"
XML = "application/xml; charset=utf-8"


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
    return answer(request, document(root), XML)


def part(number: int) -> Element:
    """A part of the sitemap. The oldest stories come first, so that a full part stays as it is."""
    register_namespace("xhtml", XHTML)
    root = Element("urlset", {"xmlns": SITEMAP})
    for page in lists() if number == 1 else ():
        for place in page.values():
            add_url(root, place, page)
    order = ("visibility__first_from", "visibility__slug")
    columns = ("visibility__slug", "visibility__visible_from", "revision__content__language", "translated")
    public = Release.objects.public().annotate(translated=_translated())
    rows: QuerySet[Release, Any] = public.order_by(*order).values_list(*columns)
    start = (number - 1) * SITEMAP_SIZE
    for slug, visible_from, language, translated in rows[start : start + SITEMAP_SIZE]:
        slugs = {language or languages.DEFAULT: slug}
        slugs |= {each["language"]: each["slug"] for each in translated or ()}
        url = add_url(root, address(slug), {tag: address(slug) for tag, slug in slugs.items()})
        # Small changes too: a crawler is to see them.
        add(url, "lastmod", stamp(visible_from))
    return root


def _translated() -> Case:
    """On a release, what `translations_of` gives, of the few stories of which there can be any."""
    linked = Translation.objects.filter(Q(story=OuterRef("story")) | Q(original=OuterRef("story")))
    return Case(When(Exists(linked), then=Translated.of_release("pk")), default=None)


def add_url(root: Element, place: str, versions: dict[str, str]) -> Element:
    """A page in a sitemap, with its addresses by language where there is more than one."""
    url = add(root, "url")
    add(url, "loc", place)
    for tag, other in versions.items() if len(versions) > 1 else ():
        add(url, f"{{{XHTML}}}link", rel="alternate", hreflang=tag, href=other)
    return url


def lists() -> list[dict[str, str]]:
    """The pages that are no story, but for months and people, to which others lead: addresses by language."""
    found: list[tuple[str, ...]] = [(name,) for name in ("home", "about", "archive", "people", "corrections")]
    found += [("archive_year", f"{year:04}") for year in gathering.years()]
    found += [(kind.value, each.slug) for kind in gathering.FEW for each in gathering.known(kind)]
    return [addresses for addresses in (_in_each_language(*page) for page in found) if addresses]


def _in_each_language(view_name: str, *args: str) -> dict[str, str]:
    """The addresses of a page by language; none of what no address can hold, which raw SQL can store."""
    found = {}
    for tag in languages.LANGUAGES:
        with languages.speaking(tag), suppress(NoReverseMatch):
            found[tag] = absolute(view_name, *args)
    return found


def index(parts: int) -> Element:
    """The addresses of the sitemap's parts."""
    root = Element("sitemapindex", {"xmlns": SITEMAP})
    for number in range(1, parts + 1):
        add(add(root, "sitemap"), "loc", f"{absolute('sitemap')}?page={number}")
    return root


@require_safe
def news(request: HttpRequest) -> HttpResponseBase:
    """The stories of the last two days, as search engines for news want them. One query."""
    recent = Release.objects.public().filter(visibility__first_from__gt=Now() - timedelta(days=NEWS_DAYS))
    words = {name: WORDS[name] for name in ("slug", "first_from", "headline", "language")}
    register_namespace("news", NEWS)
    root = Element("urlset", {"xmlns": SITEMAP})
    rows: Iterable[Any] = recent.order_by(*ORDER).values("zone", **words)[:NEWS_SIZE]
    newsroom = house.current().name
    for row in rows:
        url = add(root, "url")
        add(url, "loc", address(row["slug"]))
        about = add(url, f"{{{NEWS}}}news")
        publication = add(about, f"{{{NEWS}}}publication")
        add(publication, f"{{{NEWS}}}name", newsroom)
        add(publication, f"{{{NEWS}}}language", language_of(row).partition("-")[0])
        moment = published(row["first_from"], row["zone"])
        add(about, f"{{{NEWS}}}publication_date", moment.local.isoformat())
        add(about, f"{{{NEWS}}}title", row["headline"])
    return answer(request, document(root), XML)


@require_safe
def robots(request: HttpRequest) -> HttpResponseBase:
    """What crawlers should leave alone. Nothing is kept safe by it."""
    lines = ["User-agent: *", "Disallow: /desk/", "Disallow: /accounts/", ""]
    lines += [f"Sitemap: {settings.SITE_URL}{reverse(name)}" for name in ("sitemap", "news_sitemap")]
    return answer(request, "\n".join(lines) + "\n", "text/plain; charset=utf-8")


@require_safe
def security(request: HttpRequest) -> HttpResponseBase:
    """Whom to tell of a hole (RFC 9116), where the settings say so.

    Raises:
        Http404: they say nothing.
    """
    if not settings.SECURITY_CONTACTS:
        raise Http404
    lines = [f"Contact: {contact}" for contact in settings.SECURITY_CONTACTS]
    # It has to end within a year, and stays the same for a month, so that its ETag does.
    month = database_now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    lines += [f"Expires: {month + timedelta(days=200):%Y-%m-%dT%H:%M:%SZ}", "Preferred-Languages: en"]
    lines.append(f"Canonical: {absolute('security')}")
    return answer(request, "\n".join(lines) + "\n", "text/plain; charset=utf-8")
