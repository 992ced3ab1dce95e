"""Every page, public and staff, in every state that is easily met: the Nu checker has nothing to say."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from newsroom import releasing, subscribing
from newsroom.access import PAGES
from newsroom.models import Subscriber
from stories import remarks
from stories.access import roles_of
from stories.models import User
from tests.checkers.html import faults
from tests.checkers.stage import FULL, Stage, furnish
from tests.newsroom.housing import saved
from tests.newsroom.test_access import paths, people
from tests.newsroom.test_canary import TOKEN
from tests.stories.test_importing import TEXT

pytestmark = pytest.mark.django_db

#: What is sent to every address that takes a form: nothing, and what gets further but is wrong or incomplete.
FORMS: list[dict[str, str]] = [
    {},
    {
        "email": "no address",
        "q": "bridge",
        "reason": "<why> & why not",
        "day": "2026-03-29",
        "time": "01:30",
        "embargo-day": "2030-10-27",
        "embargo-time": "01:30",
        "zone": "Europe/London",
        "headline": "An <odd> headline",
        "text": TEXT,
        "revision": "1",
        "release": "1",
        "username": "marta",
        "password": "wrong",
    },
]
START = '<!DOCTYPE html><html lang="en"><title>A page</title>'
FAULTY = {"an error": f"{START}<p><div></p>", "a warning": f"{START}<section>Words.</section>"}
#: The pages of one story that show most, by who sees most on them.
OF_STORIES = {
    "duty officer": ["story_release", "story_copies", "story_record", "story_comments", "story_embargo"],
    "drafter": ["story_draft", "story_revision"],
    "clearer": ["story_clearing"],
}
#: Of the public's pages, those that say more than their bare address.
ASKED = [
    "/?page=2",
    "/search/?q=footbridge",
    "/search/?q=fotbridge",
    "/search/?q=nothing+like+it&since=2017-01-01&until=2017-02-01",
    "/search/?since=x&until=y&topic=none&type=none&page=x",
    "/search/?topic=bridges&organisation=rivers&type=press-release",
    "/search/?q=%22%3Cscript%3E%22+OR+-",
    "/archive/?page=x",
    "/people/?after=m",
    "/subscribe/?topic=bridges&organisation=rivers",
    f"/news/{FULL}/",
    "/news/bare/",
    "/news/corrected/",
    "/news/updated/",
    "/news/gone/",
    "/news/killed/",
    "/news/none/",
    "/people/mara-ellingham/",
    "/nothing/",
]


@pytest.fixture
def stage(newsroom, settings) -> Stage:
    settings.CELERY_BROKER_URL = "memory://"
    return furnish(newsroom)


def others(stage: Stage) -> list[str]:
    """The ids of stories in every state but the one whose addresses are asked for anyway: armed."""
    newsroom = stage.newsroom
    held = newsroom.armed(slug="held")
    releasing.hold(story=held.story, by=newsroom.officer, reason="A number is <wrong>")
    off = newsroom.armed(slug="off")
    releasing.disarm(story=off.story, by=newsroom.officer, reason="Not today")
    submitted = newsroom.submitted(slug="submitted", body=stage.full.revision.content["body"])
    remarks.comment(revision=submitted, by=newsroom.lawyer, story=submitted.story, anchor=None, text="Why?")
    stale = newsroom.cleared(slug="stale")
    newsroom.edit(stale.story, headline="Another headline")
    stories = [newsroom.draft(slug="draft"), submitted, stale, held, off]
    stories += [stage.full, stage.corrected, stage.gone, stage.killed]
    return [str(each.story.uid) for each in stories]


def asked(client: Client, path: str, form: dict[str, str] | None = None) -> Iterator[tuple[str, str]]:
    """The page at an address, if that is a page of ours, and what it is called. What a form did is undone."""
    with transaction.atomic():
        response = client.get(path) if form is None else client.post(path, form)
        transaction.set_rollback(True)
    if response.get("Content-Type", "").startswith("text/html") and response.content:
        sent = "" if form is None else f" sent {len(form)} fields"
        page = TOKEN.sub(rb"\1" + b"a" * 64, response.content).decode()
        # What htmx fetches goes into a page.
        if "<html" in page:
            yield f"{path}{sent}: {response.status_code}", page


def public(newsroom: Any, found: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What anybody meets."""
    reader = Client(raise_request_exception=False)
    someone = Subscriber.objects.create(email="someone@paper.example", daily=True)
    more = [subscribing.choices_path(someone), *ASKED]
    for path in [path for name, path in found.items() if PAGES.get(name, ()) is None] + more:
        yield from seen(reader, path)


def staff(newsroom: Any, found: dict[str, str], uids: list[str]) -> Iterator[tuple[str, str]]:
    """What people who work here meet: each address as one sees it who may, and stories in all states."""
    armed = re.findall(r"[0-9a-f-]{36}", found["story_draft"])[0]
    by_role = people(newsroom)
    for name, path in found.items():
        if name.startswith("admin:") or PAGES[name] is None:
            continue
        who = next(user for user in by_role.values() if PAGES[name] & roles_of(user))
        yield from seen(signed_in(who), path)
    for uid in uids:
        for who, names in OF_STORIES.items():
            browser = signed_in(by_role[who])
            for name in names:
                yield from asked(browser, found[name].replace(armed, uid))


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def seen(client: Client, path: str) -> Iterator[tuple[str, str]]:
    """A page, and what it says to each of the forms."""
    yield from asked(client, path)
    for form in FORMS:
        yield from asked(client, path, form)


def shape(page: str) -> str:
    """A page without its words: two pages of one shape have the same faults."""
    return re.sub(r">[^<]+<", "><", re.sub(r"\d+|[0-9a-f-]{32,}", "0", page))


def test_every_page_passes_the_nu_checker(stage, tmp_path):
    newsroom = stage.newsroom
    saved(newsroom, about="<p>It measures <strong>the sea</strong>.</p>")
    uids = others(stage)
    found = paths(newsroom)
    pages: dict[str, str] = {}
    shapes: set[str] = set()
    for name, page in [*public(newsroom, found), *staff(newsroom, found, uids)]:
        if shape(page) not in shapes:
            shapes.add(shape(page))
            pages[name] = page
    assert len(pages) > 100
    assert {"200", "403", "404", "409", "422"} <= {name[-3:] for name in pages}
    assert {"/: 200", f"/news/{FULL}/: 200", "/news/gone/: 200", "/search/?q=footbridge: 200"} <= pages.keys()
    found = faults({**pages, **FAULTY}, tmp_path / "pages")
    # Else it would say nothing that it finds nothing.
    assert all(found.pop(name) for name in FAULTY)
    assert {name: kept for name, said in found.items() if (kept := mendable(pages[name], said))} == {}


def mendable(page: str, said: list[str]) -> list[str]:
    """The faults but one: a staff page that shows what the public will read shows the heading that it has."""
    proof = 'class="proof"' in page
    return [fault for fault in said if not (proof and fault.startswith("Consider using the “h1” element"))]
