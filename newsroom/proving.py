"""Whether what was withdrawn is gone: every surface that the public has is fetched and looked through."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from http.client import HTTPConnection, HTTPSConnection
from itertools import count
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import NoReverseMatch, reverse
from lxml import etree

from stories import languages
from stories.clocks import office
from stories.models import Asset, Story

from . import oembed
from .feeds import ATOM
from .models import Release, Tag, TagKind, Visibility, Withdrawal
from .public import TEXTS

#: Seconds that an answer may take.
PATIENCE = 20
OK, GONE, MISSING = 200, 410, 404
LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"


class NotWithdrawn(Exception):
    """The story can be read by anybody, or never could: there is nothing to prove."""


@dataclass(frozen=True)
class Answer:
    """What was found at a path: its status, and in what it is at fault (empty: in nothing)."""

    path: str
    status: int
    fault: str = ""


@dataclass(frozen=True)
class Traces:
    """What tells of a story wherever it is found."""

    uid: str
    addresses: frozenset[str]
    headlines: frozenset[str]
    kill: bool

    def found_in(self, body: str) -> str:
        """The first of them in an answer; empty where there is none."""
        paths = [reverse("story", args=[address]) for address in sorted(self.addresses)]
        words = [self.uid, *paths, *sorted(self.headlines)]
        # As it stands in text, in HTML and XML, and in JSON.
        return next((word for word in words if any(form in body for form in _forms(word))), "")


def _forms(word: str) -> tuple[str, ...]:
    return word, escape(word), json.dumps(word, ensure_ascii=False)[1:-1]


def prove(story: Story, base: str) -> Iterator[Answer]:
    """Fetch every surface of the newsroom at `base`, and say where the story is still to be seen.

    Raises:
        NotWithdrawn: see there.
        OSError: the newsroom does not answer.
    """
    gone = Withdrawal.objects.filter(story=story).order_by("-pk").first()
    if gone is None or Release.objects.public().filter(story=story).exists():
        raise NotWithdrawn("Nothing is proved: the story was not withdrawn, or is public again.")
    once = Visibility.objects.filter(story=story).select_related("release__revision")
    traces = Traces(
        uid=str(story.uid),
        addresses=frozenset(row.slug for row in once),
        headlines=frozenset(row.release.revision.headline for row in once),
        kill=gone.kill,
    )
    site = Site(base)
    yield from _addresses(site, traces)
    yield _absent(site, reverse("api_story", args=[story.uid]), "it is still answered")
    yield from _lists(site, traces)
    yield from _gathered(site, story, traces)
    for tag in languages.PREFIXES:
        with languages.speaking(tag):
            answers = [*_lists(site, traces), *_gathered(site, story, traces)]
        yield from answers
    yield from _files(site, story)


def _addresses(site: "Site", traces: Traces) -> Iterator[Answer]:
    """The pages at which it once was: they say that it was withdrawn, or are gone."""
    expected = GONE if traces.kill else OK
    for address in sorted(traces.addresses):
        path = reverse("story", args=[address])
        status, body = site.get(path)
        fault = "" if status == expected else f"it answers {status}, and should answer {expected}"
        if not fault and status == OK and 'class="notice stop"' not in body:
            fault = "it does not say that the story was withdrawn"
        yield Answer(path, status, fault)
        for form in oembed.FORMATS:
            asked = urlencode({"url": settings.SITE_URL + path, "format": form})
            yield _absent(site, f"{reverse('oembed')}?{asked}", "it is still answered")
        for form in TEXTS:
            yield _page(site, reverse("story_text", args=[address, form]), traces)[0]


def _lists(site: "Site", traces: Traces) -> Iterator[Answer]:
    """The pages of news, about the newsroom, of the search, feeds, the API, each part of the sitemap."""
    yield from _numbered(site, reverse("home"), traces)
    yield _page(site, reverse("about"), traces)[0]
    yield _page(site, reverse("archive"), traces)[0]
    yield from _pages(site, reverse("people"), _next_of_people, traces)
    yield from _numbered(site, reverse("corrections"), traces, _without_withdrawals)
    yield _page(site, reverse("corrections_atom"), traces, _without_withdrawals)[0]
    for words in ["", *sorted(traces.headlines)]:
        asked = f"?{urlencode({'q': words[:200]})}" if words else ""
        yield _search(site, reverse("search") + asked, words, traces)
    for name, after in FEEDS.items():
        yield from _pages(site, reverse(name), after, traces)
    yield _page(site, reverse("openapi"), traces)[0]
    answer, body = _page(site, reverse("sitemap"), traces)
    yield answer
    yield _page(site, reverse("news_sitemap"), traces)[0]
    for part in etree.fromstring(body.encode()).iter(LOC) if answer.status == OK else ():
        address = urlsplit(str(part.text))
        if address.path == reverse("sitemap"):
            yield _page(site, f"{address.path}?{address.query}", traces)[0]


def _gathered(site: "Site", story: Story, traces: Traces) -> Iterator[Answer]:
    """The pages that gathered it once, as far as they hold anything still, and their feeds."""
    tags = Tag.objects.filter(release__story=story).order_by("kind", "slug").values_list("kind", "slug")
    for kind, slug in tags.distinct():
        try:
            path = reverse(kind, args=[slug])
        except NoReverseMatch:
            continue
        yield from _numbered(site, path, traces)
        if kind != TagKind.TYPE:
            yield from _pages(site, reverse(f"{kind}_atom", args=[slug]), FEEDS["atom"], traces)
            yield from _pages(site, reverse(f"{kind}_json", args=[slug]), FEEDS["json_feed"], traces)
    once = Visibility.objects.filter(story=story, first_from__isnull=False).order_by("first_from")
    for day in {office(each.first_from).local.date().replace(day=1) for each in once if each.first_from}:
        yield from _numbered(site, reverse("archive_year", args=[f"{day:%Y}"]), traces)
        yield from _numbered(site, reverse("archive_month", args=[f"{day:%Y}", f"{day:%m}"]), traces)


def _whole(body: str, _traces: Traces) -> str:
    """All of an answer."""
    return body


# An entry of the log, as a page and as a feed.
_WITHDRAWAL = re.compile(
    r'<article class="item gone">.*?</article>'
    r'|<entry(?: [^>]*)?>(?:(?!</entry>).)*?<category term="Withdrawal" />.*?</entry>',
    re.DOTALL,
)


def _without_withdrawals(body: str, traces: Traces) -> str:
    """The log without what says that a story was withdrawn. Of what was killed it says nothing either."""
    return body if traces.kill else _WITHDRAWAL.sub("", body)


#: What of an answer may not tell of the story.
Part = Callable[[str, Traces], str]


def _numbered(site: "Site", path: str, traces: Traces, part: Part = _whole) -> Iterator[Answer]:
    """The pages of a list, as many as there are."""
    for number in count(1):
        answer, _ = _page(site, f"{path}?page={number}", traces, part)
        if answer.status == MISSING:
            break
        yield answer


def _search(site: "Site", path: str, words: str, traces: Traces) -> Answer:
    """The first page of what is found by a headline, which the page itself repeats; no story may."""
    status, body = site.get(path)
    listed = body.partition('<ol class="hits')[2].partition("</ol>")[0]
    # In a headline that was found its words are marked.
    trace = traces.found_in(listed.replace("<mark>", "").replace("</mark>", ""))
    return Answer(path, status, f"“{trace}” is found by “{words}”" if trace else "")


def _pages(site: "Site", path: str, after: Callable[[str], str], traces: Traces) -> Iterator[Answer]:
    """The page at a path, and those to which `after` finds the way in each."""
    while path:
        answer, body = _page(site, path, traces)
        yield answer
        address = urlsplit(after(body)) if answer.status == OK else urlsplit("")
        path = f"{address.path}?{address.query}" if address.query else ""


def _next_of_people(body: str) -> str:
    return body.partition('rel="next" href="')[2].partition('"')[0]


def _after_in_atom(body: str) -> str:
    links = etree.fromstring(body.encode()).iterfind(f"{{{ATOM}}}link[@rel='next']")
    return next((str(link.get("href")) for link in links), "")


#: The feeds and the API, by the names of their URLs, and how to find the next page in one.
FEEDS: dict[str, Callable[[str], str]] = {
    "atom": _after_in_atom,
    "json_feed": lambda body: json.loads(body).get("next_url", ""),
    "api_stories": lambda body: json.loads(body)["next"] or "",
}


def _page(site: "Site", path: str, traces: Traces, part: Part = _whole) -> tuple[Answer, str]:
    status, body = site.get(path)
    trace = traces.found_in(part(body, traces))
    return Answer(path, status, f"“{trace}” is in it" if trace else ""), body


def _files(site: "Site", story: Story) -> Iterator[Answer]:
    """The files that it showed, and what was drawn of them, unless another public story shows them."""
    showing = Release.objects.public().filter(revision__assets=OuterRef("pk"))
    shown = Asset.objects.filter(revisions__story=story).filter(~Exists(showing)).distinct()
    for asset in shown.order_by("pk"):
        names = [asset.name, *(drawn.name for drawn in asset.renditions.order_by("pk"))]
        for name in names:
            yield _absent(site, reverse("media", args=[name]), "its bytes are still there")


def _absent(site: "Site", path: str, fault: str) -> Answer:
    """What a path answers at which nothing should be."""
    status, _ = site.get(path)
    return Answer(path, status, "" if status == MISSING else fault)


class Site:
    """The public newsroom, asked as a stranger asks: without cookies, one request after the other."""

    def __init__(self, base: str) -> None:
        self._base = urlsplit(base)

    def get(self, path: str) -> tuple[int, str]:
        """The status and the text at a path."""
        kind = HTTPSConnection if self._base.scheme == "https" else HTTPConnection
        connection = kind(self._base.netloc, timeout=PATIENCE)
        try:
            connection.request(
                "GET", self._base.path.rstrip("/") + path, headers={"Cache-Control": "no-cache"}
            )
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()
