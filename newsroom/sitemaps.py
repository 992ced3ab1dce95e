"""For crawlers and those who find a fault: the addresses of public pages, robots.txt, security.txt."""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Any, NamedTuple, Self
from xml.etree.ElementTree import Element, register_namespace

from django.conf import settings
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.functions import JSONObject, Now
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
from .models import Release, ReleaseQuerySet
from .places import ORDER
from .public import answer
from .translations import Translated

#: A sitemap may hold 50,000 addresses; a fifth of that is answered quickly, and leaves room for other pages.
SITEMAP_SIZE = 10_000
#: The part of those pages; any other is of a month.
PAGES = "pages"
_PART = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([2-9]|[1-9][0-9]{1,4}))?")
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
#: What a sitemap of news may hold: so many addresses, of so many days.
NEWS_SIZE, NEWS_DAYS = 1000, 2
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
XHTML = "http://www.w3.org/1999/xhtml"
XML = "application/xml; charset=utf-8"
#: Of stories, their addresses, since when they read as they do, and what they are linked with.
Rows = Iterable[tuple[str, datetime, dict[str, Any] | None]]


class Part(NamedTuple):
    """A part of the sitemap: the stories of a month, by when they came out, or a page of them."""

    month: date
    page: int

    @classmethod
    def all(cls) -> list[Self]:
        """Those in which there is something public, the oldest first. One query."""
        return [
            cls(month, page + 1)
            for month, stories in gathering.counts()
            for page in range(ceil(stories / SITEMAP_SIZE))
        ]

    @classmethod
    def named(cls, name: str) -> Self:
        """The part of a name.

        Raises:
            ValueError: no part can have it.
        """
        found = _PART.fullmatch(name)
        if found is None:
            raise ValueError(name)
        year, month, page = found.groups()
        return cls(date(int(year), int(month), 1), int(page or 1))

    @property
    def name(self) -> str:
        """What it is called in its address: `2026-11`, the second page `2026-11-2`."""
        page = f"-{self.page}" if self.page > 1 else ""
        return f"{self.month.year:04}-{self.month.month:02}{page}"

    @property
    def stories(self) -> Rows:
        """What it has of each story, the oldest first, so that what comes out later goes to the end.

        Raises:
            ValueError: there is no such year.
        """
        start = (self.page - 1) * SITEMAP_SIZE
        releases = gathering.published_in(self.month.year, self.month.month)
        return _in_order(releases)[start : start + SITEMAP_SIZE]


@require_safe
def sitemap(request: HttpRequest) -> HttpResponseBase:
    """The addresses of all public pages; where there are too many for one file, an index of parts.

    A part is a month's, so that none takes longer however much was published in others.
    """
    public = Release.objects.public()
    wanted = request.GET.get("part")
    if wanted is not None:
        root = part(wanted)
    elif public[: SITEMAP_SIZE + 1].count() > SITEMAP_SIZE:
        root = index()
    else:
        root = urls(lists(), _in_order(public))
    return answer(request, document(root), XML)


def part(name: str) -> Element:
    """A part of the sitemap: of the pages that are no story, or of stories.

    Raises:
        Http404: it is none, or nothing in it is public.
    """
    if name == PAGES:
        return urls(lists(), ())
    try:
        stories = list(Part.named(name).stories)
    except ValueError:
        raise Http404 from None
    if not stories:
        raise Http404
    return urls((), stories)


def urls(pages: Iterable[dict[str, str]], stories: Rows) -> Element:
    """A sitemap of some pages, each with its addresses by language, and of stories."""
    register_namespace("xhtml", XHTML)
    root = Element("urlset", {"xmlns": SITEMAP})
    for page in pages:
        for place in page.values():
            add_url(root, place, page)
    for slug, visible_from, linked in stories:
        slugs = {linked["language"] or languages.DEFAULT: slug} if linked else {}
        slugs |= {each["language"]: each["slug"] for each in (linked or {}).get("others", ())}
        url = add_url(root, address(slug), {tag: address(other) for tag, other in slugs.items()})
        # Small changes too: a crawler is to see them.
        add(url, "lastmod", stamp(visible_from))
    return root


def _in_order(releases: ReleaseQuerySet) -> QuerySet[Release, Any]:
    """Of each its address, since when it reads as it does, and what it is linked with; the oldest first."""
    ordered = releases.order_by("visibility__first_from", "visibility__slug")
    return ordered.values_list("visibility__slug", "visibility__visible_from", _linked())


def _linked() -> Case:
    """On a release, its language and what `translations_of` gives, of those of which there can be any.

    Of no other a word is read: there may be thousands in one answer.
    """
    linked = Translation.objects.filter(Q(story=OuterRef("story")) | Q(original=OuterRef("story")))
    own = JSONObject(language=F("revision__content__language"), others=Translated.of_release("pk"))
    return Case(When(Exists(linked), then=own), default=None)


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


def index() -> Element:
    """The addresses of the sitemap's parts."""
    root = Element("sitemapindex", {"xmlns": SITEMAP})
    for name in (PAGES, *(each.name for each in Part.all())):
        add(add(root, "sitemap"), "loc", f"{absolute('sitemap')}?part={name}")
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
