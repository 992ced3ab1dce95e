"""Promise 2: nothing is out early, not even the fact that it exists.

A story with a word of its own in every field is looked for wherever anybody can ask, in every state in
which it is not public, and each answer is held against that for a story that was never written. At the
end the same search finds every one of those words, so that it could have found them before.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from io import BytesIO
from time import sleep
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import LocalePrefixPattern, RoutePattern
from PIL import Image

from newsroom import releasing
from newsroom.access import PAGES
from newsroom.models import Kind, Release
from stories import attachments, files, pictures, renditions
from stories.clocks import database_now
from stories.models import Asset, Organisation, Rendition, Revision, Story, Topic
from stories.moments import Moment
from tests.stories.documents import pdf

pytestmark = pytest.mark.django_db

LONDON = "Europe/London"
NEVER = {
    "slug": "never-was-written",
    "name": f"{'0' * 64}.png",
    "document": f"{'0' * 64}.pdf",
    "drawn": f"{'0' * 64}.avif",
    "uid": "00000000-0000-4000-8000-000000000000",
}
WORDS: dict[str, Any] = {
    "headline": "Canaryheadline",
    "slug": "canaryslug",
    "summary": "Canarysummary.",
    "body": [
        {
            "kind": "paragraph",
            "html": '<p>Canaryparagraph <a href="https://canarylink.example/">Canaryanchor</a></p>',
        },
        {"kind": "heading", "html": "<h2>Canaryheading</h2>"},
        {"kind": "quote", "html": "<p>Canaryquote.</p>", "speaker": "Canaryspeaker", "role": "Canaryrole"},
        {"kind": "list", "html": "<ul><li>Canarylist</li></ul>"},
    ],
    "topics": [{"slug": "canarytopic", "name": "Canarytopic"}],
    "organisation": {"slug": "canaryorganisation", "name": "Canaryorganisation"},
    "partners": [{"slug": "canarypartner", "name": "Canarypartner"}],
    "notes": "<ol><li><p>Canarynotes</p></li></ol>",
    "contacts": "Canarycontacts\ncanarymail@rivers.example",
}
TITLE = "Canarytitle"
PICTURE_WORDS = {"alt": "Canaryalt", "caption": "Canarycaption", "credit": "Canarycredit"}
#: What a reader of the page sees of it, when it is public. The slug stands in its address.
CANARIES = re.findall(r"canary\w+", f"{WORDS} {PICTURE_WORDS} {TITLE}".lower())
SITE = settings.SITE_URL
THIS_YEAR = datetime.now(UTC).year
THIS_MONTH = f"{datetime.now(UTC):%Y-%m}"
#: Of these, what stands in its text: no picture, no file, no topic, and links in Markdown alone.
NOT_IN_TEXT = {*re.findall(r"canary\w+", f"{PICTURE_WORDS} {TITLE}".lower()), "canarytopic", "canarylink"}
IN_TEXT = [word for word in CANARIES if word not in NOT_IN_TEXT]
#: What nobody has built yet, or somebody might guess.
GUESSES = [
    "/search/?q={slug}",
    "/search/?q={uid}",
    "/search/?q=canaryheadline",
    "/search/?q=canaryheadlin",
    "/search/?q=canaryhaedline",
    "/archive/",
    f"/archive/{THIS_YEAR}/",
    f"/archive/{datetime.now(UTC):%Y/%m}/",
    "/types/news-story/",
    "/types/news-story/?page=2",
    "/topics/canarytopic/feed.atom",
    "/topics/canarytopic/feed.json",
    "/organisations/canarypartner/",
    "/organisations/canaryorganisation/feed.json",
    "/search/?q=canaryquote+OR+canaryspeaker&since=2017-01-01",
    "/search/?type=news-story&q=-footbridge",
    "/search/?topic=canarytopic",
    "/search/?organisation=canaryorganisation&q=another",
    "/?q={slug}",
    "/api/",
    "/api/stories/",
    "/api/stories/{uid}/",
    "/feed.json",
    "/feed/",
    "/rss.xml",
    "/news/",
    "/news/{slug}",
    "/news/{slug}/amp/",
    "/news/{slug}/feed.atom",
    "/news/{slug}/?preview=1",
    "/news/{slug}.json",
    "/news/{slug}.txt",
    "/news/{slug}.md",
    "/news/{slug}.pdf",
    "/news/{uid}/",
    "/topics/",
    "/topics/canarytopic/",
    "/organisations/",
    "/organisations/canaryorganisation/",
    "/people/canaryspeaker/",
    "/people/canaryspeaker/?page=2",
    "/people/canaryspeaker/feed.atom",
    "/people/canaryspeaker/feed.json",
    "/people/?after=can",
    f"/oembed?url={SITE}/news/{{slug}}/",
    f"/oembed?url={SITE}/news/{{slug}}/&format=xml&maxwidth=9999",
    "/preview/{uid}/",
    "/stories/{uid}/",
    "/{slug}/",
    "/{slug}",
    "/media/",
    "/media/{name}/",
    "/media/{name}?download=1",
    "/media/{document}",
    "/media/{drawn}",
    "/media/{drawn}?download=1",
    "/media/64/{drawn}",
    "/desk/media/{drawn}",
    "/media/{document}?download=1",
    "/media/canarytitle.pdf",
    "/desk/media/{document}",
    "/documents/",
    "/documents/{document}",
    "/var/media/{document}",
    "/news/{slug}/{document}",
    "/news/{slug}/canarytitle.pdf",
    "/media/../media/{name}",
    "/var/media/{name}",
    "/static/{name}",
    "/static/../var/media/{name}",
    "/sitemap-1.xml",
    "/sitemap.xml?part=pages",
    f"/sitemap.xml?part={THIS_MONTH}",
    f"/sitemap.xml?part={THIS_MONTH}-2",
    "/?page=1",
    "/?page=2",
    "/feed.atom?page=1",
    "/feed.atom?page=2",
    "/.well-known/security.txt",
    "/favicon.ico",
    "/index.html",
]


@pytest.fixture(autouse=True)
def _broker(settings):
    settings.CELERY_BROKER_URL = "memory://"


@dataclass
class Secret:
    """A story that is not to be known of, and what can be known about it."""

    revision: Revision
    asset: Asset

    @cached_property
    def document(self) -> Asset:
        """What is attached to it."""
        return Asset.objects.get(sha256=self.revision.content["attachments"][0]["sha256"])

    @cached_property
    def drawn(self) -> Rendition:
        """What a worker drew of its picture."""
        return self.asset.renditions.get(media_type="image/avif")

    @cached_property
    def known(self) -> dict[str, str]:
        """What stands in its addresses, were they guessed."""
        return {
            "slug": self.revision.slug,
            "name": self.asset.name,
            "document": self.document.name,
            "drawn": self.drawn.name,
            "uid": str(self.revision.story.uid),
        }

    @property
    def traces(self) -> list[bytes]:
        """What would give it away: words, hashes, its files' bytes; its id, unless it is public anyway."""
        its_files = (self.asset, self.document, self.drawn)
        bytes_of_it = [files.path_of(file).read_bytes()[300:364] for file in its_files]
        public = Release.objects.public().filter(story=self.revision.story).exists()
        ids = [
            self.asset.sha256,
            self.document.sha256,
            self.drawn.sha256,
            self.revision.digest,
            *([] if public else [str(self.revision.story.uid)]),
        ]
        return [b"canary", *(text.encode() for text in ids), *bytes_of_it]


def noise() -> BytesIO:
    """A picture like no other."""
    file = BytesIO()
    Image.effect_noise((64, 64), 80).convert("RGB").save(file, "PNG")
    file.seek(0)
    return file


@pytest.fixture
def asset(newsroom) -> Asset:
    return pictures.store(noise(), newsroom.drafter)


@pytest.fixture
def words(newsroom, asset) -> dict[str, Any]:
    """The words of the secret story, with its files; its topic and organisations are there to be found."""
    Topic.objects.create(name="Canarytopic", slug="canarytopic")
    Organisation.objects.create(name="Canaryorganisation", slug="canaryorganisation")
    Organisation.objects.create(name="Canarypartner", slug="canarypartner")
    return words_with(newsroom, asset)


def words_with(newsroom, asset: Asset) -> dict[str, Any]:
    """The words of the secret story, which shows a picture, drawn already, and has something attached."""
    renditions.draw(asset)
    size = {"width": asset.width, "height": asset.height}
    picture = {"sha256": asset.sha256, "name": asset.name, **size, **PICTURE_WORDS}
    document = attachments.store(BytesIO(pdf(text="Canarydocument")), newsroom.drafter)
    attached = {
        "sha256": document.sha256,
        "name": document.name,
        "title": TITLE,
        "media_type": document.media_type,
        "size": document.size,
    }
    return {**WORDS, "picture": picture, "attachments": [attached]}


def arm(newsroom, words: dict[str, Any], *, within: timedelta, original: Story | None = None) -> Release:
    """A release of the secret whose embargo lifts after `within`, by the database's clock.

    It is the translation of `original`, if there is one.
    """
    revision = newsroom.cleared(**words, translates=original)
    moment = Moment(database_now().astimezone(UTC) + within, LONDON)
    return releasing.arm(revision=revision, by=newsroom.officer, moment=moment)


def wait_for(instant: datetime) -> None:
    sleep(max(0, (instant - database_now()).total_seconds()))


def held_past_its_embargo(newsroom, words: dict[str, Any]) -> Revision:
    release = arm(newsroom, words, within=timedelta(seconds=1))
    releasing.hold(story=release.story, by=newsroom.officer, reason="A number is wrong")
    wait_for(release.embargo)
    return release.revision


def called_off(newsroom, words: dict[str, Any]) -> Revision:
    release = arm(newsroom, words, within=timedelta(hours=1))
    releasing.disarm(story=release.story, by=newsroom.officer, reason="Not today")
    return release.revision


def armed_correction_of_a_public_story(newsroom, words: dict[str, Any]) -> Revision:
    release = newsroom.public(slug="public-already")
    revision = newsroom.edit(release.story, **words)
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    moment = Moment(database_now().astimezone(UTC) + timedelta(hours=1), LONDON)
    note = {"kind": Kind.CORRECTION, "note": "Canarynote"}
    return releasing.arm(revision=revision, by=newsroom.officer, moment=moment, **note).revision


def newer_words_of_a_public_story(newsroom, words: dict[str, Any]) -> Revision:
    release = newsroom.public(slug="public-already")
    return newsroom.edit(release.story, **words)


STATES: dict[str, Callable[..., Revision]] = {
    "draft": lambda newsroom, words: newsroom.draft(**words),
    "submitted": lambda newsroom, words: newsroom.submitted(**words),
    "cleared": lambda newsroom, words: newsroom.cleared(**words),
    "armed": lambda newsroom, words: arm(newsroom, words, within=timedelta(hours=1)).revision,
    "held past its embargo": held_past_its_embargo,
    "called off": called_off,
    "armed correction of a public story": armed_correction_of_a_public_story,
    "newer words of a public story": newer_words_of_a_public_story,
}


def patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, str]]:
    """The name and the route of every URL there is, with `{name}` where something is to be put."""
    for pattern in resolver.url_patterns:
        route = before + route_of(pattern)
        if isinstance(pattern.pattern, LocalePrefixPattern):
            yield from (each for prefix in ("", "cy/") for each in patterns(pattern, before + prefix))
        elif isinstance(pattern, URLResolver):
            yield from patterns(pattern, route)
        else:
            yield pattern.name or "", route


def route_of(pattern: URLPattern | URLResolver) -> str:
    """`news/{slug}/` for `news/<slug:slug>/`, and the same for regular expressions."""
    text = str(pattern.pattern)
    if isinstance(pattern.pattern, RoutePattern):
        return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", text)
    text = re.sub(r"\(\?P<(\w+)>[^()]*\)", r"{\1}", text.lstrip("^").rstrip("$"))
    return text.replace("\\", "").replace("(.*)", "anything")


class Anything(dict[str, str]):
    """What is put into a route; "1" for what a story is not found by."""

    def __missing__(self, key: str) -> str:
        return "1"


ROUTES = list(patterns(get_resolver()))


def addresses(known: dict[str, str]) -> list[str]:
    """Every address there is, and the guesses, with what is known of a story in its place."""
    routes = [f"/{route}" for _, route in ROUTES] + GUESSES
    return [route.format_map(Anything(known)) for route in routes]


def answer(
    client: Client, path: str, method: str = "get", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer, which are all that anybody gets."""
    response = getattr(client, method)(path, headers=headers)
    body = b"".join(response) if response.streaming else response.content
    return (
        response.status_code,
        {key: value for key, value in response.headers.items() if key != "Date"},
        body,
    )


def blurred(
    found: tuple[int, dict[str, str], bytes], known: dict[str, str]
) -> tuple[int, dict[str, str], bytes]:
    """An answer without what it repeats from the address: on the way to sign in, or to a missing slash."""
    status, headers, body = found
    if "Location" in headers:
        for key, value in known.items():
            for form in (value, quote(value), quote(quote(value))):
                headers["Location"] = headers["Location"].replace(form, f"<{key}>")
    return status, headers, body


def without_question(
    found: tuple[int, dict[str, str], bytes], path: str
) -> tuple[int, dict[str, str], bytes]:
    """An answer of the search without the words that were looked for, which it repeats."""
    if not path.startswith("/search/?"):
        return found
    status, headers, body = found
    for asked in parse_qs(urlsplit(path).query).get("q", []):
        # As words, and in the address of the same search in another language.
        body = body.replace(asked.encode(), b"<q>").replace(quote_plus(asked).encode(), b"<q>")
    return (
        status,
        {key: value for key, value in headers.items() if key not in {"ETag", "Content-Length"}},
        body,
    )


def test_every_public_url_is_among_those_that_are_tried():
    tried = {name for name, _ in ROUTES}
    assert {name for name in PAGES if name in {"home", "story", "atom", "sitemap", "media"}} <= tried
    assert {name for name, audience in PAGES.items() if audience is None} <= tried | {"healthz", "readyz"}
    never = addresses(NEVER)
    for path in ("/", "/news/never-was-written/", f"/media/{NEVER['name']}", "/feed.atom", "/sitemap.xml"):
        assert path in never
    assert not [path for path in never if set("<>()[]^$?P") & set(path.partition("?")[0])]


@pytest.mark.parametrize("state", STATES)
def test_no_trace_of_it_anywhere(newsroom, words, asset, client, state):
    newsroom.public(slug="another", headline="Another story")
    secret = Secret(STATES[state](newsroom, words), asset)
    traces = secret.traces
    for path in addresses(secret.known):
        status, headers, body = without_question(blurred(answer(client, path), secret.known), path)
        whole = f"{status} {headers}".encode() + body
        assert [trace for trace in traces if trace in whole.lower() or trace in whole] == [], path


@pytest.mark.parametrize("state", STATES)
def test_it_answers_like_a_story_that_was_never_written(newsroom, words, asset, client, state):
    secret = Secret(STATES[state](newsroom, words), asset)
    # What is public already has an id that everybody knows: there its older words are answered.
    public = Release.objects.public().filter(story=secret.revision.story).exists()
    known = {f"/api/stories/{secret.known['uid']}/"} if public else set()
    for here, never in zip(addresses(secret.known), addresses(NEVER), strict=True):
        if here != never and here not in known:
            found = without_question(blurred(answer(client, here), secret.known), here)
            assert found == without_question(blurred(answer(client, never), NEVER), never), here


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("head", {}),
        ("post", {}),
        ("put", {}),
        ("options", {}),
        ("get", {"If-None-Match": "*"}),
        ("get", {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}),
        ("get", {"Range": "bytes=0-0"}),
        ("get", {"Accept": "application/json"}),
        ("get", {"HX-Request": "true"}),
        ("get", {"Cookie": "sessionid=stolen; csrftoken=guessed"}),
    ],
)
def test_however_it_is_asked_for(newsroom, words, asset, method, headers):
    secret = Secret(STATES["armed"](newsroom, words), asset)
    etags = [{"If-None-Match": f'"{file.sha256}"'} for file in (asset, secret.document)]
    for browser in (Client(), Client(enforce_csrf_checks=True)):
        for route in ("/news/{slug}/", "/media/{name}", "/media/{document}", "/media/{drawn}"):
            here, never = route.format_map(secret.known), route.format_map(NEVER)
            for sent in (headers, *({**headers, **etag} for etag in etags)):
                assert answer(browser, here, method, **sent) == answer(browser, never, method, **sent)


def test_those_who_wrote_it_get_no_other_public_answer(newsroom, words, asset, as_):
    secret = Secret(STATES["armed"](newsroom, words), asset)
    for person in (newsroom.drafter, newsroom.lawyer, newsroom.officer, newsroom.administrator):
        for route in ("/news/{slug}/", "/media/{name}", "/media/{document}", "/media/{drawn}"):
            found = answer(as_(person), route.format_map(secret.known))
            assert found == answer(Client(), route.format_map(NEVER))


def test_the_lists_do_not_change_by_a_byte(newsroom, words, asset, client):
    newsroom.public(slug="another", headline="Another story")
    lists = ["/", "/feed.atom", "/feed.json", "/api/stories/", "/api/openapi.json", "/search/"]
    lists += ["/archive/", f"/archive/{THIS_YEAR}/", "/types/news-story/", "/people/"]
    lists += ["/corrections/", "/corrections/feed.atom"]
    lists += [
        "/sitemap.xml",
        "/robots.txt",
        "/readyz",
        "/?page=1",
        "/sitemap.xml?part=pages",
        f"/sitemap.xml?part={THIS_MONTH}",
        "/news-sitemap.xml",
    ]
    before = [answer(client, path) for path in lists]
    arm(newsroom, words, within=timedelta(hours=1))
    assert [answer(client, path) for path in lists] == before


def test_at_its_instant_every_word_is_there(newsroom, words, asset, client):
    release = arm(newsroom, words, within=timedelta(seconds=1))
    secret = Secret(release.revision, asset)
    page, picture = (f"/news/{secret.known['slug']}/", f"/media/{asset.name}")
    document = f"/media/{secret.known['document']}"
    assert [answer(client, path)[0] for path in (page, picture, document)] == [404, 404, 404]
    wait_for(release.embargo)
    assert [answer(client, path)[0] for path in (page, picture, document)] == [200, 200, 200]

    missing = [word for word in CANARIES if word.encode() not in answer(client, page)[2].lower()]
    assert missing == []
    assert files.path_of(asset).read_bytes() == answer(client, picture)[2]
    assert files.path_of(secret.document).read_bytes() == answer(client, document)[2]
    for path, found in {
        "/": ["canaryheadline", "canaryslug", "canarysummary", "canaryalt", asset.sha256],
        "/feed.atom": [
            "canaryheadline",
            "canaryslug",
            "canarysummary",
            "canarytopic",
            "canaryorganisation",
            "canarytitle",
            secret.document.sha256,
            secret.known["uid"],
        ],
        "/feed.json": ["canaryheadline", "canarysummary", "canarytopic", secret.known["uid"]],
        "/api/stories/": CANARIES,
        f"/api/stories/{secret.known['uid']}/": CANARIES,
        "/archive/": ["canarytopic", "canaryorganisation", "canarypartner", "news-story"],
        f"/archive/{THIS_YEAR}/": ["canaryheadline", "canaryslug", "canarysummary"],
        "/types/news-story/": ["canaryheadline", "canaryslug", "canarysummary"],
        "/topics/canarytopic/": ["canaryheadline", "canaryslug", "canarysummary"],
        "/topics/canarytopic/feed.atom": ["canaryheadline", secret.known["uid"]],
        "/organisations/canarypartner/feed.json": ["canaryheadline", secret.known["uid"]],
        "/organisations/canaryorganisation/": ["canaryheadline", "canaryslug", "canarysummary"],
        f"/oembed?url={SITE}/news/canaryslug/": ["canaryheadline", "canaryorganisation", asset.sha256],
        "/people/": ["canaryspeaker"],
        "/people/canaryspeaker/": [
            "canaryspeaker",
            "canaryquote",
            "canaryrole",
            "canaryheadline",
            "canaryslug",
        ],
        "/people/canaryspeaker/feed.atom": ["canaryspeaker", "canaryheadline", secret.known["uid"]],
        "/people/canaryspeaker/feed.json": ["canaryspeaker", "canaryheadline", secret.known["uid"]],
        "/search/": ["canaryheadline", "canaryslug", "canarysummary", "canaryorganisation", "canarytopic"],
        "/search/?q=canaryheadline": ["<mark>canaryheadline</mark>", "canaryslug", "canarysummary"],
        "/search/?q=canaryhaedline": ['did you mean <a href="/search/?q=canaryheadline">'],
        "/search/?q=canaryspeaker+canaryquote+canarynotes": ["<mark>canaryspeaker</mark>"],
        "/news/canaryslug.txt": IN_TEXT,
        "/news/canaryslug.md": IN_TEXT,
        "/news-sitemap.xml": ["canaryheadline", "canaryslug"],
        "/sitemap.xml": ["canaryslug", "/topics/canarytopic/", "/organisations/canarypartner/"],
    }.items():
        body = answer(client, path)[2].decode().lower()
        assert [word for word in found if word not in body] == [], path
