"""What the public meets. Each view asks `Release.objects.public()` and nothing else what is public.

No view here looks at the session or renders with the request, so that no cookie is read or set and no
page differs by who asks. An edge may keep a page but has to ask before each use: "no more than a second
old" is two for caches that count in whole seconds, and a story would be late behind them.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from hashlib import sha256
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, Exists, F, Func, JSONField, OuterRef, QuerySet, Value
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
    HttpResponseRedirect,
)
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe
from psycopg.types.numeric import Int8

from stories import files, languages, rendering, renditions
from stories.models import Asset, Revision
from stories.moments import Moment

from . import asking, gathering, house, keeping, pasting, people, translations
from .listing import WORDS, address, by_day, language_of, newest, picture_url, published
from .models import Release, TagKind, Visibility, Withdrawal, release_clock
from .showing import Shown
from .translations import Translated

HTML = "text/html; charset=utf-8"
PROBLEM = "application/problem+json"
#: The forms of a story's text: what writes it, and its type.
TEXTS = {
    "txt": (pasting.plain, "text/plain; charset=utf-8"),
    "md": (pasting.markdown, "text/markdown; charset=utf-8"),
}
#: What is for programs is told in JSON also that it is not there.
API_PATHS = "/api/"
#: What a page shows of when it is public, and no more: what is kept of it is drawn anew when any of it has
#: changed, and nobody must see by how long that takes that a correction was armed.
SHOWN = ("release_id", "story_id", "slug", "zone", "visible_from", "first_from", "updated_at")
PAGE_SIZE = 20
#: How many stories a story leads to.
MOST_RELATED = 3
#: What of a story's words leads to it from another.
HEADING = ("headline", "story_type", "language")
#: For how many seconds a story that is kept may lead to the same others, as long as each of them is public.
BESIDE = 10
#: How many releases a story's page can be of: its own, and those beside it.
MOST_AT_ONCE = MOST_RELATED + len(languages.LANGUAGES)
OK = 200


def answer(
    request: HttpRequest, body: str, content_type: str = HTML, *, status: int = 200
) -> HttpResponseBase:
    """`body`, with an ETag over what anybody can read and nothing else."""
    response = HttpResponse(body, content_type=content_type, status=status)
    fresh(response)
    if status != OK:
        return response
    etag = f'"{sha256(response.content).hexdigest()[:32]}"'
    response["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


def fresh(response: HttpResponseBase) -> None:
    """Let nobody use an answer later without asking us, but the proxy in front of us while we do not answer.

    Kept there it is out of date from the beginning: see `deploy/nginx.conf`. The same for all that is
    public, and for what never was.
    """
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Expires"] = "@1"


def site(shown: Shown | None = None) -> dict[str, Any]:
    """What every public page shows of the newsroom itself: `shown`, or what is set now."""
    shown = shown or house.current()
    return {
        "organisation": shown.name,
        "url": settings.SITE_URL,
        "press": shown.press,
        "house": shown,
        "language": languages.current(),
        # Of what administrators wrote, where it is not that of the page.
        "house_lang": languages.other(languages.DEFAULT),
    }


def page(
    request: HttpRequest, template: str, *, status: int = 200, query: str = "", **context: Any
) -> HttpResponseBase:
    """A public page, with the ways to itself in other languages.

    `query` is the part of its address, behind the path, that counts.
    """
    shown = {"site": site(), "versions": versions(request, query), **context}
    return answer(request, render_to_string(template, shown), status=status)


class Version(NamedTuple):
    """A page in one of the languages in which there is one."""

    language: str
    #: What the language is called in itself.
    name: str
    path: str


def versions(request: HttpRequest, query: str = "") -> list[Version]:
    """A page that is there in each language that pages speak, itself among them."""
    path = request.path_info.removeprefix(f"/{languages.current()}")
    return [
        Version(tag, name, (f"/{tag}" if tag in languages.PREFIXES else "") + path + query)
        for tag, name in languages.LANGUAGES.items()
    ]


def numbered(number: int) -> str:
    """The part of an address that names a page of a list."""
    return f"?page={number}" if number > 1 else ""


def problem(request: HttpRequest, status: HTTPStatus, detail: str) -> HttpResponseBase:
    """What is wrong, for a program (RFC 9457)."""
    about = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return answer(request, json.dumps(about) + "\n", PROBLEM, status=status)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    """The one answer for what is not public and for what never was."""
    if request.path_info.startswith(API_PATHS):
        return problem(request, HTTPStatus.NOT_FOUND, "There is no public story at this address.")
    response = HttpResponse(_not_found(house.current(), settings.SITE_URL, languages.current()), status=404)
    fresh(response)
    return response


@lru_cache(maxsize=8)
def _not_found(shown: Shown, url: str, language: str) -> bytes:
    """The page that says so. Of all pages it is drawn most often: while everybody waits for a story."""
    with languages.speaking(language):
        return render_to_string("404.html", {"site": {**site(shown), "url": url}}).encode()


def page_number(request: HttpRequest) -> int:
    """The page that is asked for.

    Raises:
        Http404: it is no page's number.
    """
    number = request.GET.get("page", "1")
    if not (number.isascii() and number.isdecimal() and 0 < len(number) < 7 and number[0] != "0"):
        raise Http404
    return int(number)


class Related(NamedTuple):
    """A public story that is about the same as another, or from the same organisation.

    It is no part of what was cleared, and stands below the article.
    """

    slug: str
    headline: str
    language: str
    type_label: str
    published: Moment

    @property
    def lang(self) -> str:
        """Its language, where that is not the one of the page around."""
        return languages.other(self.language)

    @classmethod
    def of_release(cls) -> Func:
        """On `Visibility`, the newest of them as the database gives them."""
        return Func(F("release_id"), Value(MOST_RELATED), function="related_to", output_field=JSONField())

    @classmethod
    def of_stored(cls, stored: Sequence[dict[str, Any]]) -> "list[Related]":
        """They, with their words. One query, of facts; none where there is none."""
        if not stored:
            return []
        releases = _padded([each["release"] for each in stored], MOST_RELATED)
        with asking.of_facts():
            words = {row[0]: dict(zip(HEADING, row[1:], strict=True)) for row in _HEADINGS(*releases)}
        return [cls._of_row({**each, **words[each["release"]]}) for each in stored]

    @classmethod
    def _of_row(cls, row: Mapping[str, Any]) -> "Related":
        moment = published(datetime.fromisoformat(row["first_from"]), row["zone"])
        kind = rendering.type_label(row["story_type"])
        return cls(row["slug"], row["headline"], language_of(row), kind, moment)


@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """The newest story, then the others by day, and the ways to the topics."""
    number = page_number(request)
    return page(request, "public/home.html", query=numbered(number), **of_home(number))


def of_home(number: int) -> dict[str, Any]:
    """What a page of the news shows.

    Raises:
        Http404: there is no such page.
    """
    start = (number - 1) * PAGE_SIZE
    stories = newest(start, start + PAGE_SIZE + 1)
    if number > 1 and not stories:
        raise Http404
    shown = stories[:PAGE_SIZE]
    leads = shown[:1] if number == 1 else []
    return {
        "number": number,
        "newer": number - 1,
        "older": number + 1 if len(stories) > PAGE_SIZE else 0,
        "top": leads[0] if leads else None,
        "days": by_day(shown[len(leads) :]),
        "topics": gathering.known(TagKind.TOPIC) if number == 1 else [],
    }


def draw_story(request: HttpRequest, slug: str) -> HttpResponseBase:
    """A story; at an address that it has left, the way to the new one; of what was withdrawn, that it was."""
    shown = shown_at(slug, beside=True)
    if not shown.is_public:
        return _was_here(request, shown)
    with languages.speaking(shown.release.revision.language):
        return page(request, "public/story.html", **of_story(shown))


def of_story(shown: Visibility) -> dict[str, Any]:
    """What the page of a story shows, which comes from `shown_at` with what is `beside` it."""
    translated = [Translated.of_stored(stored) for stored in getattr(shown, "translated", ())]
    others = {each.slug for each in translated}
    related = Related.of_stored(getattr(shown, "related", ()))
    return of_article(
        public_article(shown, renditions.forms(shown.forms)),
        shown.slug,
        [each for each in related if each.slug not in others],
        translated,
    )


def of_article(
    article: rendering.Article,
    slug: str,
    related: Sequence[Related] = (),
    translated: Sequence[Translated] = (),
) -> dict[str, Any]:
    """What the page of an article shows."""
    return {
        "article": article,
        "slug": slug,
        "structured": structured(article, translated),
        "by_mail": by_mail(article),
        "related": related,
        "versions": versions_of_story(article.language, slug, translated),
    }


def versions_of_story(language: str, slug: str, translated: Sequence[Translated]) -> list[Version]:
    """A story in each language in which it is public, itself among them; none where it is in one alone."""
    slugs = {language: slug} | {each.language: each.slug for each in translated}
    return [
        Version(tag, name, reverse("story", args=[slugs[tag]]))
        for tag, name in languages.LANGUAGES.items()
        if translated and tag in slugs
    ]


def made_of() -> tuple[Any, ...]:
    """What is on every page besides its own: see `site`."""
    return house.current().version, settings.SITE_URL


story = require_safe(keeping.kept(draw_story, made_of, seconds=BESIDE))


def shown_at(slug: str, *, beside: bool = False) -> Visibility:
    """What the public reads at an address; where there is nothing any more, what it read there last.

    It is found by one query, with what its page shows `beside` it where that is asked for: stories that are
    related, and those that say the same in another language. Whoever keeps the page finds these once, and
    asks of them again only whether they are public. Of its release and revision there is what pages are
    made of.

    Raises:
        Http404: it never read anything there.
    """
    found = _with_beside(slug) if beside else _there(False)(slug)
    if not found:
        raise Http404
    shown = Visibility.from_db(DEFAULT_DB_ALIAS, SHOWN, found[0][: len(SHOWN)])
    for name, value in zip(_added(beside), found[0][len(SHOWN) :], strict=True):
        setattr(shown, name, value)
    with asking.of_facts():
        ((release_id, revision_id, follows_id, content),) = _RELEASED(shown.pk)
    shown.release = Release.from_db(
        DEFAULT_DB_ALIAS, ["id", "revision_id", "follows_id"], [release_id, revision_id, follows_id]
    )
    shown.release.revision = Revision.from_db(DEFAULT_DB_ALIAS, ["id", "content"], [revision_id, content])
    return shown


def _with_beside(slug: str) -> list[tuple[Any, ...]]:
    """What `_there` gives with what is beside it.

    Of what is public, who listens may ask again, as a rule, only whether it is so still, and all that is
    beside: it is the one release of the one story of this address for as long as it is. What else can change
    is what is drawn of its picture, and what there is beside.
    """
    asked: list[asking.Question] = []
    with asking.listening(asked):
        found = _there(True)(slug)
    for question, row in zip(asked, found, strict=False):
        shown = {row[0], *(each["release"] for each in (*row[-2], *row[-1]))}
        is_public = row[len(SHOWN)]
        asking.heard(question._replace(brief=_still_all(shown)) if is_public else question)
    return found


def _still_all(releases: set[int]) -> asking.Question | None:
    """Whether all of these are public; None for more than there can be, but by raw SQL."""
    if len(releases) > MOST_AT_ONCE:
        return None
    return _still().question(*_padded(releases, MOST_AT_ONCE), told=((str(len(releases)).encode(),),))


def _padded(releases: Collection[int], most: int) -> list[Int8]:
    """These and no others, as many values as `most`.

    Of one number and one type, however many and large they are, so that what asks for them is prepared once.
    """
    return [Int8(release) for release in (*releases, *[0] * (most - len(releases)))]


def make_ready() -> None:
    """Put together what `shown_at` asks. No query."""
    for question in (_there(True), _there(False), _still(), _RELEASED, _HEADINGS):
        question.make()


@cache
def _there(beside: bool) -> asking.Prepared:
    """What the public reads or read at an address, what it reads now first: as `SHOWN`, and what is added."""

    def build(slug: str) -> "QuerySet[Visibility, tuple[Any, ...]]":
        there = Visibility.objects.with_is_public().filter(slug=slug, visible_from__lte=release_clock())
        there = there.with_forms().order_by("-is_public", "-pk")
        if beside:
            there = there.annotate(related=Related.of_release(), translated=Translated.of_release())
        return there.values_list(*SHOWN, *_added(beside))[:1]

    return asking.Prepared(build, "any address")


@cache
def _still() -> asking.Prepared:
    """How many of some releases are public."""

    def build(*releases: int) -> "QuerySet[Visibility, tuple[Any, ...]]":
        public = Visibility.objects.public().filter(pk__in=releases).order_by()
        return public.values(all_of_them=Value(1)).annotate(number=Count("*")).values_list("number")

    return asking.Prepared(build, *range(-MOST_AT_ONCE, 0))


def _added(beside: bool) -> tuple[str, ...]:
    return ("is_public", "forms", *(("related", "translated") if beside else ()))


_RELEASED = asking.Prepared(
    lambda pk: Release.objects.filter(pk=pk).values_list(
        "pk", "revision_id", "follows_id", "revision__content"
    ),
    -1,
)
#: Of some releases what leads to them.
_HEADINGS = asking.Prepared(
    lambda *pks: Release.objects.filter(pk__in=pks).values_list("pk", *(WORDS[name] for name in HEADING)),
    *range(-MOST_RELATED, 0),
)


@require_safe
def text(request: HttpRequest, slug: str, form: str) -> HttpResponseBase:
    """A story as text, plain or in Markdown; of what has left its address, the way on."""
    shown = shown_at(slug)
    if not shown.is_public:
        return _text_was_here(shown, form)
    write, content_type = TEXTS[form]
    with languages.speaking(shown.release.revision.language):
        response = answer(request, write(public_article(shown)), content_type)
    response["Link"] = f'<{address(slug)}>; rel="canonical"'
    return response


def _text_was_here(once: Visibility, form: str) -> HttpResponseBase:
    """The way to a story's text where it is now; of what was withdrawn, to the page that says so."""
    now = Visibility.objects.public().filter(story=once.story_id).first()
    response = (
        HttpResponsePermanentRedirect(reverse("story_text", args=[now.slug, form]))
        if now
        else HttpResponseRedirect(reverse("story", args=[once.slug]))
    )
    fresh(response)
    return response


def public_article(shown: Visibility, forms: Sequence[rendering.Form] = ()) -> rendering.Article:
    """The article that the public reads of a release that is visible, its picture in these `forms`."""
    assert shown.first_from
    assert shown.updated_at
    content = shown.release.revision.content
    return rendering.article(
        content,
        published=published(shown.first_from, shown.zone),
        updated=published(shown.updated_at, shown.zone) if shown.updated_at > shown.first_from else None,
        notices=notices(shown) if shown.release.follows_id else (),
        address=address(shown.slug),
        picture_url=picture_url(content["picture"]),
        forms=forms,
        media="media",
        person_page=people.page_of,
    )


def notices(shown: Visibility) -> tuple[rendering.Notice, ...]:
    """What was corrected and changed in a story since it was published, the newest first."""
    chain = Visibility.objects.filter(
        story=shown.story_id,
        first_from=shown.first_from,
        visible_from__lte=shown.visible_from,
        release__follows__isnull=False,
    )
    told = chain.order_by("-pk").values_list("visible_from", "zone", "release__kind", "release__note")
    return tuple(
        rendering.Notice(published(instant, zone), kind, note)
        for instant, zone, kind, note in told
        if instant
    )


def _was_here(request: HttpRequest, once: Visibility) -> HttpResponseBase:
    """The answer at an address at which there was something to read once.

    Raises:
        Http404: everything was held in the instant in which it came out.
    """
    now = Visibility.objects.public().filter(story=once.story_id).first()
    if now:
        response = HttpResponsePermanentRedirect(reverse("story", args=[now.slug]))
        # It can change once more, and be withdrawn.
        fresh(response)
        return response
    gone = Withdrawal.objects.filter(story=once.story_id).order_by("-pk").first()
    if gone is None:
        raise Http404
    with languages.speaking(gone.release.revision.language):
        return _gone(request, once, gone)


def _gone(request: HttpRequest, once: Visibility, gone: Withdrawal) -> HttpResponseBase:
    """What is said of a story that was withdrawn."""
    if gone.kill:
        return page(request, "public/killed.html", status=410, versions=())
    first = once.first_from or once.embargo
    context = {
        "versions": (),
        "headline": gone.release.revision.headline,
        "type_label": rendering.type_label(gone.release.revision.content["type"]),
        "organisation": (gone.release.revision.content["organisation"] or {}).get("name", ""),
        "published": published(first, once.zone),
        "withdrawn": published(gone.at, once.zone),
        "reason": gone.reason,
    }
    return page(request, "public/withdrawn.html", **context)


def by_mail(article: rendering.Article) -> str:
    """The address by which a reader's own mail program writes to somebody of a story."""
    words = "\n\n".join(filter(None, (article.summary, article.address)))
    return "mailto:?" + urlencode({"subject": article.headline, "body": words}, quote_via=quote)


def structured(article: rendering.Article, translated: Sequence[Translated] = ()) -> SafeString:
    """The story as a schema.org NewsArticle in JSON, safe inside a script element."""
    assert article.published is not None
    moment = article.published.local.isoformat()
    updated = article.updated.local.isoformat() if article.updated else moment
    newsroom = house.current().name
    publisher = {"@type": "GovernmentOrganization", "name": newsroom, "url": settings.SITE_URL}
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article.headline,
        "description": article.summary,
        "articleSection": article.type_label,
        "datePublished": moment,
        "dateModified": updated,
        "inLanguage": article.language,
        "url": article.address,
        "mainEntityOfPage": article.address,
        "author": {"@type": "Organization", "name": article.organisation or newsroom},
        "publisher": publisher,
        "isAccessibleForFree": True,
        **translations.structured(translated),
    }
    corrections = [notice for notice in article.notices if notice.is_correction]
    if corrections:
        data["correction"] = [
            {
                "@type": "CorrectionComment",
                "text": notice.note,
                "datePublished": notice.moment.local.isoformat(),
            }
            for notice in corrections
        ]
    if article.topics:
        data["keywords"] = list(article.topics)
    if article.picture:
        data["image"] = {
            "@type": "ImageObject",
            "url": settings.SITE_URL + article.picture.shared.url,
            "width": article.picture.shared.width,
            "height": article.picture.shared.height,
            "caption": article.picture.caption,
            "creditText": article.picture.credit,
        }
    # Without these three no element or comment can begin or end inside the script.
    text = json.dumps(data, ensure_ascii=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return mark_safe(text)  # noqa: S308 - escaped above


@require_safe
def media(request: HttpRequest, name: str) -> HttpResponseBase:
    """A file that the released revision of a public story shows, or a rendition of one."""
    showing = Release.objects.public().filter(revision__assets=OuterRef("pk"))
    file = renditions.found(Asset.objects.filter(Exists(showing)), name)
    if file is None:
        raise Http404
    etag = f'"{file.sha256}"'
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged:
        unchanged["Cache-Control"] = "no-cache"
        return unchanged
    try:
        response = files.answer(file)
    except FileNotFoundError:
        raise Http404 from None
    response["Cache-Control"] = "no-cache"
    response["ETag"] = etag
    return response
