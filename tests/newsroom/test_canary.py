"""Every URL there is, asked in every way, before the moment: no trace of an armed story of another team.

`test_nothing_early` looks in every state, where the public looks. Here it is one state, and everything else:
what is not meant for the public, people who work here and for whom the story does not exist, methods,
conditional requests, error pages, what is logged, what is mailed. A URL with an argument that nobody said
how to fill in fails.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import policy
from email.parser import BytesParser
from functools import cached_property
from itertools import product
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import transaction
from django.db.models.functions import Now
from django.test import Client
from django.urls import Resolver404, resolve

from approvals import tasks as clearance_tasks
from approvals.models import Decision, PinnedStep, Reminder, Step
from newsroom import bundling, embargo, releasing, tasks
from newsroom.access import audience_of
from newsroom.models import EmbargoGrant, Lookout, Release, Subscriber
from stories import anchors, drafting, pictures, remarks
from stories.access import Role, roles_of
from stories.models import Story, Team, User
from stories.moments import Moment
from tests.newsroom.copying import acknowledged, given, move, token_of
from tests.newsroom.test_nothing_early import (
    NEVER,
    ROUTES,
    Secret,
    arm,
    blurred,
    noise,
    wait_for,
    words_with,
)
from tests.newsroom.test_tasks import broker
from tests.people import person

pytestmark = pytest.mark.django_db

ARGUMENT = re.compile(r"{(\w+)}")
#: What differs from one answer to the next for everybody: the tokens of forms.
TOKEN = re.compile(
    rb'(csrfmiddlewaretoken" value="|X-CSRFToken&quot;: &quot;|X-CSRFToken": ")[0-9A-Za-z]{64}'
)
#: The clock in the head of staff pages.
CLOCK = re.compile(r'<div class="clock">.*')
#: What is sent with every form, so that its view gets further than to say that it is not whole.
FORM = {
    "revision": "{revision}",
    "release": "{release}",
    "confirm": "1",
    "now": "1",
    "reason": "Why?",
    "seen": "{release}",
    "day": "2030-01-01",
    "time": "09:30",
    "zone": "Europe/London",
    "text": "A remark.",
    "headline": "Another",
    "slug": "another-address",
    "verdict": "cleared",
    "logo_kept": "{picture_hash}",
    "original": "/desk/stories/{uid}/",
    "translation": "1",
}
CONDITIONS: list[dict[str, str]] = [
    {"If-None-Match": "*"},
    {"If-None-Match": '"{picture_hash}"'},
    {"If-None-Match": '"{digest}"'},
    {"If-Match": "*"},
    {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    {"If-Range": '"{picture_hash}"', "Range": "bytes=0-9"},
    {"HX-Request": "true"},
    {"Accept": "application/json"},
    {"Accept-Encoding": "gzip"},
    {"X-Forwarded-Host": "elsewhere.example"},
]
#: The public's, which more than one story can stand in.
LISTS = (
    "/",
    "/cy/",
    # The page of the story of which the armed one is a translation.
    "/news/another/",
    "/news/another.txt",
    "/search/",
    "/search/?q=story",
    "/search/?q=canaryhaedline",
    "/archive/",
    f"/archive/{datetime.now(UTC).year}/",
    "/types/news-story/",
    "/people/",
    "/corrections/",
    "/corrections/feed.atom",
    "/feed.atom",
    "/cy/feed.atom",
    "/feed.json",
    "/api/stories/",
    "/api/openapi.json",
    "/sitemap.xml",
    "/news-sitemap.xml",
    "/subscribe/",
    "/subscribe/?topic=canarytopic&organisation=canaryorganisation",
    "/robots.txt",
    "/healthz",
    "/readyz",
    "/?page=1",
    "/sitemap.xml?part=pages",
)


@dataclass
class Armed:
    """The armed story, and everything by which somebody might ask for it."""

    release: Release
    secret: Secret
    numbers: dict[str, str]
    #: Of a copy under embargo that nobody has acknowledged.
    token: str

    @cached_property
    def known(self) -> dict[str, str]:
        """What stands in its addresses. A file is known by its hash as well."""
        return {**self.secret.known, "hash": self.secret.asset.sha256}

    @cached_property
    def fillers(self) -> dict[str, list[str]]:
        """What is put in the place of each argument of a URL, and for a story that never was."""
        known = self.secret.known
        return {
            "uid": [known["uid"]],
            "slug": [known["slug"], known["uid"], "canarytopic", "canaryorganisation", "canaryspeaker"],
            "name": [known["name"], known["document"], known["drawn"], self.secret.asset.sha256, "0" * 32],
            "number": ["1"],
            "digest": [self.secret.asset.sha256[:32], self.release.revision.digest[:32]],
            "scheme": ["light", "dark"],
            "accent": [self.release.revision.digest[:6]],
            "year": [str(datetime.now(UTC).year)],
            "month": [f"{datetime.now(UTC):%m}"],
            "form": ["txt", "md"],
            "pk": [self.numbers["comment"], self.numbers["suggestion"]],
            "step": [self.numbers["step"]],
            "decision": [self.numbers["decision"]],
            "user": ["1"],
            "id": ["1"],
            "office": ["1"],
            "uidb36": ["1"],
            "key": ["set-password"],
            # The last is the real one, of somebody who has not said to keep the embargo.
            "token": [known["slug"], known["uid"], self.token],
            "copy": [self.numbers["copy"]],
            "freeze": ["1"],
            "bundle": [self.numbers["bundle"]],
            "object_id": [self.numbers["story"], self.numbers["revision"], self.numbers["release"]],
            "content_type_id": ["1"],
            "app_label": ["newsroom", "stories"],
            "url": [known["slug"]],
            "anything": [known["slug"]],
        }

    @cached_property
    def filled(self) -> dict[str, str]:
        """What stands in forms and conditions."""
        return {
            **self.numbers,
            "uid": self.secret.known["uid"],
            "picture_hash": self.secret.asset.sha256,
            "digest": self.release.revision.digest,
        }


#: The same of a story that never was.
NOWHERE = {**NEVER, "hash": "0" * 64}


def nowhere(value: str, armed: Armed) -> str:
    """What is asked in the place of `value`, for a story that never was; a number can be of any story."""
    told = next((key for key, known in armed.known.items() if known == value), None)
    return NOWHERE[told] if told else value


@pytest.fixture(autouse=True)
def _broker_and_turns(settings, db) -> Iterator[None]:
    settings.CELERY_BROKER_URL = "memory://"
    for turn in (tasks.TURN, clearance_tasks.TURN):
        cache.delete(turn)
    with broker("memory://"):
        yield


@pytest.fixture
def team(newsroom) -> Team:
    """Those for whom the story exists, besides the desks that are asked."""
    team = Team.objects.create(name="Inner circle")
    team.members.add(newsroom.drafter, newsroom.officer)
    return team


@pytest.fixture
def outsiders(newsroom) -> list[User]:
    """People in every role for whom the story does not exist."""
    return [
        person("otto", "Otto Wren", Role.DUTY_OFFICER, Role.DRAFTER),
        person("mina", "Mina Lark", Role.MANAGER),
        newsroom.administrator,
    ]


def make_armed(
    newsroom, team: Team, ahead: timedelta = timedelta(hours=1), original: Story | None = None
) -> Armed:
    """A limited story with all that there can be about it: remarks, sign-offs, files, an armed release.

    It is in Welsh, and where there is an `original`, its translation.
    """
    asset = pictures.store(noise(), newsroom.drafter)
    words = {**words_with(newsroom, asset), "language": "cy", "team": team}
    release = arm(newsroom, words, within=ahead, original=original)
    revision, story = release.revision, release.story
    said = {"revision": revision, "by": newsroom.lawyer}
    comment = remarks.comment(story=story, anchor=None, text="Canaryremark", **said)
    headline = anchors.make(revision.content, "headline", None, 0, 6)
    suggestion = remarks.suggest(anchor=headline, replacement="Canarysuggestion", **said)
    bundle = bundling.make(by=newsroom.officer, name="Canarybundle")
    bundling.join(story=story, bundle=bundle, by=newsroom.officer)
    grant = given(newsroom, release)
    numbers = {
        "copy": grant.pk,
        "story": story.pk,
        "bundle": bundle.pk,
        "revision": revision.pk,
        "release": release.pk,
        "comment": comment.pk,
        "suggestion": suggestion.pk,
        "step": PinnedStep.objects.filter(submission__story=story)[0].pk,
        "decision": Decision.objects.filter(story=story)[0].pk,
    }
    known = {name: str(number) for name, number in numbers.items()}
    return Armed(release, Secret(revision, asset), known, token_of(grant))


@pytest.fixture
def armed(newsroom, team) -> Armed:
    another = newsroom.public(slug="another", headline="Another story")
    # Else it would be overdue at some moment between two looks, and asked about on each page.
    releasing.announce(release_id=another.pk, worker="test")
    Lookout.objects.filter(release=another).update(sent_at=Now())
    return make_armed(newsroom, team, original=another.story)


def addresses(armed: Armed) -> list[tuple[str, str]]:
    """Every URL there is, with all that it can be filled in with; beside it, of a story that never was."""
    found = {}
    for _, route in ROUTES:
        names = list(dict.fromkeys(ARGUMENT.findall(route)))
        for values in product(*(armed.fillers[name] for name in names)):
            here = route.format(**dict(zip(names, values, strict=True)))
            there = route.format(
                **{name: nowhere(value, armed) for name, value in zip(names, values, strict=True)}
            )
            found[f"/{here}"] = f"/{there}"
    return list(found.items())


Answer = tuple[int, dict[str, str], bytes]


def ask(client: Client, method: str, path: str, data: dict[str, str], headers: dict[str, str]) -> Answer:
    """Status, headers (cookies by their names) and body. Whatever it did is undone."""
    with transaction.atomic():
        sent = {"data": data} if method == "post" else {}
        response = getattr(client, method)(path, headers=headers, **sent)
        body = b"".join(response) if response.streaming else response.content
        transaction.set_rollback(True)
    sent_back = {key: value for key, value in response.headers.items() if key != "Date"}
    client.cookies.clear()
    if session := getattr(client, "session_key", ""):
        client.cookies["sessionid"] = session
    sent_back["Cookies"] = " ".join(sorted(response.cookies))
    return response.status_code, sent_back, TOKEN.sub(rb"\1token", body)


def browsers(outsiders: list[User]) -> Iterator[tuple[str, Client]]:
    """Somebody who is not signed in, and each of those for whom the story does not exist."""
    yield "anonymous", Client(raise_request_exception=False)
    for user in outsiders:
        client = Client(raise_request_exception=False)
        client.force_login(user)
        client.session_key = client.cookies["sessionid"].value
        yield user.username, client


def fill(values: dict[str, str], known: dict[str, str]) -> dict[str, str]:
    return {key: value.format_map(known) for key, value in values.items()}


def traces_in(found: Answer, traces: list[bytes]) -> list[bytes]:
    whole = f"{found[0]} {found[1]}".encode() + found[2]
    lower = whole.lower()
    return [trace for trace in traces if trace in lower or trace in whole]


def test_every_argument_of_every_url_is_filled_in(armed):
    wanted = {name for _, route in ROUTES for name in ARGUMENT.findall(route)}
    assert wanted - armed.fillers.keys() == set(), "say in `fillers` by what somebody would ask for the story"
    filled = [here for here, _ in addresses(armed)]
    assert len(filled) > len(ROUTES)
    for known in armed.secret.known.values():
        assert any(known in path for path in filled)
    assert not [path for path in filled if set("<>()[]^$?{}") & set(path)]


def refused(path: str, method: str, roles: frozenset[Role]) -> bool:
    """Whether the permission matrix keeps somebody with these roles from the view."""
    try:
        audience = audience_of(resolve(path).view_name, method.upper())
    except Resolver404:
        return False
    return audience is not None and not audience & roles


@pytest.mark.parametrize("method", ["get", "head", "post", "options"])
def test_no_trace_and_no_difference_at_any_url(armed, outsiders, method):
    traces = armed.secret.traces
    # What is only looked at depends on who looks; what is sent, on whether they may.
    who_else = outsiders if method == "get" else outsiders[:1]
    form, asked = fill(FORM, armed.filled), addresses(armed)
    # Those to whom a page is refused are all told the same: one of them looks at it, everywhere. That it is
    # refused to them all is for `test_access` to prove.
    roles = {user.username: roles_of(user) for user in who_else if (user, method) != (outsiders[0], "get")}
    for who, client in browsers(who_else):
        for here, there in asked:
            if who in roles and refused(here, method, roles[who]):
                continue
            found = blurred(ask(client, method, here, form, {}), armed.known)
            assert traces_in(found, traces) == [], (who, method, here)
            assert found[0] < 500 or here == "/readyz", (who, method, here)
            # Of what is asked for by a number or a word that is not the story's there is nothing to compare.
            if here != there:
                never = blurred(ask(client, method, there, form, {}), NOWHERE)
                assert told(found, armed.known) == told(never, NOWHERE), (who, method, here, there)


def told(found: Answer, known: dict[str, str]) -> list[str]:
    """An answer line by line, without the address that was asked for, where it is told back."""
    status, headers, body = found
    text = CLOCK.sub("", body.decode("utf-8", "replace"))
    for key, value in known.items():
        text = text.replace(value, f"<{key}>")
    # The address is part of what is counted in these two.
    rest = {name: value for name, value in headers.items() if name not in {"Content-Length", "ETag"}}
    return [str(status), *(f"{name}: {value}" for name, value in sorted(rest.items())), *text.splitlines()]


PUBLIC = (
    "/news/{slug}/",
    "/news/{slug}.md",
    "/media/{name}",
    "/media/{document}",
    "/media/{drawn}",
    "/api/stories/{uid}/",
)


@pytest.mark.parametrize("method", ["get", "head", "post", "options", "put", "delete", "patch", "trace"])
def test_to_the_public_it_is_byte_for_byte_a_story_that_never_was(armed, outsiders, method):
    for who, client in browsers(outsiders):
        for path, condition in product(PUBLIC, [{}, *CONDITIONS]):
            headers = fill(condition, armed.filled)
            found = ask(client, method, path.format_map(armed.known), {}, headers)
            never = ask(client, method, path.format_map(NEVER), {}, headers)
            assert found == never, (who, method, path, headers)
            assert traces_in(found, armed.secret.traces) == [], (who, method, path, headers)


def test_the_lists_and_the_signs_of_life_are_what_they_were(newsroom, team):
    another = newsroom.public(slug="another", headline="Another story")
    # Else it would be overdue at some moment between two looks.
    releasing.announce(release_id=another.pk, worker="test")
    client = Client()
    asked = [(path, headers) for path in LISTS for headers in [{}, *CONDITIONS[4:6], CONDITIONS[0]]]
    before = [ask(client, "get", path, {}, headers) for path, headers in asked]
    armed = make_armed(newsroom, team, original=another.story)
    after = [ask(client, "get", path, {}, headers) for path, headers in asked]
    assert after == before
    # What is looked for is told back.
    told_back = [found for (path, _), found in zip(asked, after, strict=True) if "canary" not in path]
    assert [
        traces_in(found, armed.secret.traces) for found in told_back if traces_in(found, armed.secret.traces)
    ] == []


ERRORS: list[tuple[str, dict[str, str], int]] = [
    ("/news/{slug}/", {"Host": "elsewhere.example"}, 400),
    ("/news/{slug}/%00", {}, 404),
    ("/media/{name}?{slug}", {}, 404),
    ("/desk/stories/{uid}/", {"Cookie": "sessionid=guessed"}, 302),
    ("/news/{slug}/?page=-1", {}, 404),
    ("/?page={slug}", {}, 404),
    ("//news/{slug}//", {}, 404),
]


def test_error_pages_tell_nothing(armed):
    client = Client(raise_request_exception=False)
    for path, headers, status in ERRORS:
        found = blurred(ask(client, "get", path.format_map(armed.known), {}, headers), armed.known)
        never = blurred(ask(client, "get", path.format_map(NEVER), {}, headers), NOWHERE)
        assert found == never, path
        assert found[0] == status, path


def test_a_form_without_its_token_tells_nothing(armed, outsiders):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(outsiders[0])
    for here, _ in addresses(armed):
        response = client.post(here, {"reason": "Some typed words."})
        # What anybody may send has no token: it says what is wrong with it.
        assert response.status_code in {403, 404, 405, 410, 422}, here
        found = (response.status_code, dict(response.headers), response.content)
        assert traces_in(blurred(found, armed.known), armed.secret.traces) == [], here


class Log(logging.Handler):
    """Every line that anything logs, however little it matters."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name} {self.format(record)}")


@pytest.fixture
def log() -> Iterator[Log]:
    """What is logged, at DEBUG and by every logger, whatever the settings say of it."""
    handler, root = Log(), logging.getLogger()
    known = [
        root,
        *(each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)),
    ]
    levels = [(logger, logger.level) for logger in known]
    for logger in known:
        logger.setLevel(logging.DEBUG if logger is root else logging.NOTSET)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    for logger, level in levels:
        logger.setLevel(level)


def mails(folder: Path) -> str:
    """All that was mailed, decoded."""
    parsed = [
        BytesParser(policy=policy.default).parsebytes(path.read_bytes()) for path in folder.glob("*.eml")
    ]
    return "\n".join(f"{message.items()} {message.get_content()}" for message in parsed)


def work() -> None:
    """What worker and beat do all the time."""
    for task in (tasks.look_ahead, tasks.sweep, tasks.deliver, clearance_tasks.remind):
        task()
    for release in Release.objects.all():
        tasks.announce(release.pk)
        tasks.expect(release.story)


def test_no_log_line_and_no_mail_tells_of_it_until_its_moment(newsroom, team, settings, log):
    """Drafted, cleared, reminded of, armed, asked for. What is public is mailed, and the search finds it."""
    Subscriber.objects.create(email="editor@paper.example")
    Step.objects.filter(desk=newsroom.legal).update(before=timedelta(hours=1))
    waiting = newsroom.submitted(
        headline="Canaryheadline", summary="Canarysummary.", slug="canaryslug-waiting"
    )
    moment = Moment(datetime.now(UTC) + timedelta(minutes=50), "Europe/London")
    drafting.plan_embargo(story=waiting.story, by=newsroom.drafter, moment=moment)
    armed = make_armed(newsroom, team)
    work()
    for path in LISTS:
        Client().get(path)
    assert Reminder.objects.exists()
    assert mails(settings.MAIL_FOLDER)
    assert "editor@paper.example" not in mails(settings.MAIL_FOLDER)
    assert log.lines
    traces = [trace.decode("utf-8", "ignore") for trace in armed.secret.traces[:5] if trace.isascii()]
    lines = [*log.lines, mails(settings.MAIL_FOLDER)]
    assert [(trace, line[:200]) for line in lines for trace in traces if trace in line.lower()] == []
    newsroom.public(headline="Canaryheadline", slug="canaryslug-public")
    work()
    tasks.deliver()
    assert "canaryheadline" in mails(settings.MAIL_FOLDER).lower()


def test_no_log_line_and_no_mail_has_the_story_or_a_token_of_a_copy(newsroom, team, settings, log):
    """From the gift to the calling off: the mail alone has the link."""
    armed = make_armed(newsroom, team)
    grant, client = EmbargoGrant.objects.get(), Client()
    link = f"/embargoed/{armed.token}/"
    work()
    client.get(link)
    assert armed.token in mails(settings.MAIL_FOLDER)
    embargo.open_copy(acknowledgement=acknowledged(grant))
    assert b"canaryheadline" in client.get(link).content.lower()
    move(newsroom, armed.release, Moment(datetime.now(UTC) + timedelta(hours=3), "Europe/London"))
    work()
    releasing.hold(story=armed.release.story, by=newsroom.officer, reason="Wait")
    work()
    releasing.disarm(story=armed.release.story, by=newsroom.officer, reason="Not today")
    work()
    told = mails(settings.MAIL_FOLDER)
    assert [told.count(f"'Subject', '{subject}") for subject in ("A copy", "Embargo changed", "On hold")] == [
        1
    ] * 3
    traces = [trace.decode("utf-8", "ignore") for trace in armed.secret.traces[:5] if trace.isascii()]
    lines = [*log.lines, told]
    assert [(trace, line[:200]) for line in lines for trace in traces if trace in line.lower()] == []
    assert [line for line in log.lines if armed.token in line and not line.startswith("django.db")] == []


def test_the_question_of_a_copy_says_nothing_of_its_story(armed):
    """What is asked with a real link, in every way, has no trace of the story before it is acknowledged."""
    client = Client(raise_request_exception=False)
    paths = [f"/embargoed/{armed.token}/"]
    paths += [paths[0] + armed.secret.known[name] for name in ("name", "document", "drawn")]
    for path, method, headers in product(paths, ("get", "head", "post", "options"), [{}, *CONDITIONS]):
        found = ask(client, method, path, {}, fill(headers, armed.filled))
        assert traces_in(found, armed.secret.traces) == [], (path, method, headers)
    assert b"I keep the embargo until" in client.get(paths[0]).content


def test_the_search_finds_what_there_is(newsroom, team, outsiders):
    """At its moment the same questions find it: else they could have found nothing before."""
    armed = make_armed(newsroom, team, timedelta(seconds=2))
    client = Client()
    wait_for(armed.release.embargo)
    found = {path: ask(client, "get", path, {}, {}) for path, _ in addresses(armed)}
    showing = [path for path, answer in found.items() if traces_in(answer, [b"canaryheadline"])]
    lists = {"/", "/search/", "/feed.atom", "/feed.json", "/api/stories/"}
    known = armed.secret.known
    assert lists | {f"/news/{known['slug']}/", f"/api/stories/{known['uid']}/"} <= set(showing)
    for name in ("name", "drawn"):
        media = found[f"/media/{known[name]}"]
        assert (media[0], traces_in(media, armed.secret.traces) != []) == (200, True)


def test_the_people_for_whom_it_exists_do_see_it(armed, newsroom):
    """Else the pages that are searched would be empty for everybody."""
    client = Client()
    client.force_login(newsroom.officer)
    client.session_key = client.cookies["sessionid"].value
    its_own = [path for path, _ in addresses(armed) if armed.secret.known["uid"] in path]
    shown = [path for path in its_own if traces_in(ask(client, "get", path, {}, {}), [b"canaryheadline"])]
    assert len(shown) >= 4
