"""The public pages that gather stories: by year and month, type, topic, organisation, and who said what."""

import re
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_safe

from stories.moments import month_of

from . import choosing, gathering, people
from .gathering import NothingPublic
from .listing import by_day, listed
from .models import ReleaseQuerySet, TagKind
from .public import PAGE_SIZE, numbered, page, page_number

#: What is said above the name of what stories are gathered by.
LABELS = {
    TagKind.TYPE: gettext_noop("Type"),
    TagKind.TOPIC: gettext_noop("Topic"),
    TagKind.ORGANISATION: gettext_noop("Organisation"),
    TagKind.PERSON: gettext_noop("Person"),
}
#: How many people a page names.
PEOPLE = 100
_AN_ADDRESS = re.compile("[-a-z0-9]{0,200}")


@require_safe
def archive(request: HttpRequest) -> HttpResponseBase:
    """The ways to all the news: by year, type, topic and organisation."""
    return page(
        request,
        "public/archive.html",
        years=gathering.years(),
        groups=[
            (heading, kind.value, gathering.known(kind))
            for heading, kind in (
                (_("By topic"), TagKind.TOPIC),
                (_("By organisation"), TagKind.ORGANISATION),
                (_("By type"), TagKind.TYPE),
            )
        ],
    )


@require_safe
def year(request: HttpRequest, year: str) -> HttpResponseBase:
    """What was published in a year, and the months in which there was something."""
    months = gathering.months(_in_time(year))
    return _list(
        request,
        gathering.published_in(int(year)),
        path=reverse("archive_year", args=[year]),
        title=year,
        label=_("Archive"),
        months=months,
    )


@require_safe
def month(request: HttpRequest, year: str, month: str) -> HttpResponseBase:
    """What was published in a month."""
    if not 1 <= int(month) <= 12:
        raise Http404
    first = date(_in_time(year), int(month), 1)
    return _list(
        request,
        gathering.published_in(int(year), int(month)),
        path=reverse("archive_month", args=[year, month]),
        title=f"{month_of(first)} {first.year:04}",
        label=_("Archive"),
        year=year,
    )


def _in_time(year: str) -> int:
    """A year that has one after it.

    Raises:
        Http404: it has none.
    """
    if not 1 <= int(year) < 9999:
        raise Http404
    return int(year)


@require_safe
def gathered(request: HttpRequest, slug: str, kind: TagKind) -> HttpResponseBase:
    """The stories of a type, about a topic, from or with an organisation, or what a person said in each."""
    try:
        found = gathering.named(kind, slug)
    except NothingPublic as refusal:
        raise Http404 from refusal
    feeds = [(f"{kind.value}_atom", "Atom"), (f"{kind.value}_json", "JSON")] if kind != TagKind.TYPE else []
    by_mail = f"{reverse('subscribe')}?{urlencode({kind.value: slug})}"
    return _list(
        request,
        gathering.of(kind, slug),
        {"quotes": people.quotes_of(slug)} if kind == TagKind.PERSON else {},
        path=reverse(kind.value, args=[slug]),
        title=found.name,
        label=_(LABELS[kind]),
        by_mail=by_mail if kind in choosing.KINDS else "",
        feeds=[(reverse(name, args=[slug]), label) for name, label in feeds],
    )


@require_safe
def quoted(request: HttpRequest) -> HttpResponseBase:
    """Those who are quoted in public stories, in the order of their addresses.

    A page begins after somebody, whoever else is quoted meanwhile.
    """
    after = request.GET.get("after", "")
    if not _AN_ADDRESS.fullmatch(after):
        raise Http404
    found = people.quoted(after, PEOPLE + 1)
    if after and not found:
        raise Http404
    shown, more = found[:PEOPLE], found[PEOPLE:]
    return page(
        request,
        "public/people.html",
        query=f"?after={after}" if after else "",
        people=shown,
        after=after,
        older=shown[-1].slug if more else "",
    )


def _list(
    request: HttpRequest, releases: ReleaseQuerySet, more: dict[str, Any] | None = None, **context: Any
) -> HttpResponseBase:
    """A page of public stories by day, with `more` columns of each.

    Raises:
        Http404: there is no such page.
    """
    number = page_number(request)
    start = (number - 1) * PAGE_SIZE
    stories = listed(releases, start, start + PAGE_SIZE + 1, **more or {})
    if not stories:
        raise Http404
    return page(
        request,
        "public/list.html",
        query=numbered(number),
        number=number,
        newer=number - 1,
        older=number + 1 if len(stories) > PAGE_SIZE else 0,
        days=by_day(stories[:PAGE_SIZE]),
        **context,
    )
