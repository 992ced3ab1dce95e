"""The public log of corrections and withdrawals."""

import re
from datetime import UTC, timedelta

import feedparser
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from newsroom import noting_views, proving, releasing
from newsroom.models import Kind, Release
from stories.clocks import database_now
from stories.moments import Moment

pytestmark = pytest.mark.django_db

SITE = django_settings.SITE_URL
LOG, FEED = "/corrections/", "/corrections/feed.atom"
NOTHING = "Nothing has been corrected or withdrawn."


@pytest.fixture(autouse=True)
def _broker(settings):
    settings.CELERY_BROKER_URL = "memory://"


def change(newsroom, release: Release, note: str, kind: str = Kind.CORRECTION, **more) -> Release:
    """The next words of a public story: public at once, unless `moment` says when."""
    moment = more.pop("moment", None)
    revision = newsroom.edit(release.story, **(more or {"summary": note}))
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    return releasing.arm(revision=revision, by=newsroom.officer, moment=moment, kind=kind, note=note)


def log(client: Client, path: str = LOG) -> list[tuple[str, str, str, str]]:
    """Each entry of a page: what it is, the story's address and headline, and the note."""
    response = client.get(path)
    assert response.status_code == 200
    return re.findall(
        r'<p class="label(?: gone)?">(\w+)</p>\s*<h4><a href="([^"]*)">([^<]*)</a></h4>\s*<p>([^<]*)</p>',
        response.content.decode(),
    )


def test_a_newsroom_without_faults_says_so(newsroom, client):
    release = newsroom.public()
    change(newsroom, release, "More of it.", Kind.MAJOR)
    newsroom.armed(slug="armed")
    assert NOTHING in client.get(LOG).content.decode()
    assert feedparser.parse(client.get(FEED).content).entries == []


def test_corrections_and_withdrawals_with_their_notes(newsroom, client):
    first = newsroom.public(slug="one", headline="One")
    second = newsroom.public(slug="two", headline="Two")
    corrected = change(newsroom, first, "It is 42 metres.")
    releasing.withdraw(story=second.story, by=newsroom.officer, reason="It was <b>wrong</b>.")
    change(newsroom, corrected, "It is 43 metres.", headline="One, corrected", slug="one-again")
    assert log(client) == [
        ("Correction", "/news/one-again/", "One, corrected", "It is 43 metres."),
        ("Withdrawal", "/news/two/", "Two", "It was &lt;b&gt;wrong&lt;/b&gt;."),
        ("Correction", "/news/one-again/", "One, corrected", "It is 42 metres."),
    ]
    for _, address, _, note in log(client):
        assert note in client.get(address).content.decode()


def test_what_the_story_itself_does_not_say_is_not_said(newsroom, client):
    """Corrections go with what is withdrawn; what is killed has no name; what is public again is not gone."""
    release = newsroom.public(slug="one", headline="Canary")
    change(newsroom, release, "A correction.")
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
    assert log(client) == [("Withdrawal", "/news/one/", "Canary", "Wrong")]
    again = newsroom.edit(release.story, headline="Another canary")
    newsroom.sign(again, newsroom.legal, newsroom.lawyer)
    moment = Moment(database_now().astimezone(UTC) + timedelta(hours=1), "UTC")
    releasing.arm(revision=again, by=newsroom.officer, moment=moment)
    assert log(client) == [("Withdrawal", "/news/one/", "Canary", "Wrong")]
    releasing.arm(revision=again, by=newsroom.officer, moment=None)
    assert NOTHING in client.get(LOG).content.decode()
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong again")
    assert log(client) == [("Withdrawal", "/news/one/", "Another canary", "Wrong again")]
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Libellous", kill=True)
    for path in (LOG, FEED):
        html = client.get(path).content.decode().lower()
        assert "canary" not in html
        assert "/news/one/" not in html
        assert "libellous" not in html


def test_a_correction_that_waits_leaves_no_trace(newsroom, client):
    release = newsroom.public()
    change(newsroom, release, "The first.")
    before = [client.get(path).content for path in (LOG, FEED)]
    latest = Release.objects.public().get()
    moment = Moment(database_now().astimezone(UTC) + timedelta(hours=1), "UTC")
    change(newsroom, latest, "Canary", moment=moment)
    assert [client.get(path).content for path in (LOG, FEED)] == before
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait")
    assert [client.get(path).content for path in (LOG, FEED)] == before


def test_it_has_pages_and_as_many_queries_for_many(newsroom, client, monkeypatch, django_assert_num_queries):
    for number in range(3):
        release = newsroom.public(slug=f"story-{number}", headline=f"Story {number}")
        if number % 2:
            releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
        else:
            change(newsroom, release, "A note.")
        for path in (LOG, FEED):
            with django_assert_num_queries(2):
                assert client.get(path).status_code == 200
    monkeypatch.setattr(noting_views, "PAGE_SIZE", 2)
    assert [headline for _, _, headline, _ in log(client)] == ["Story 2", "Story 1"]
    assert [headline for _, _, headline, _ in log(client, f"{LOG}?page=2")] == ["Story 0"]
    for number in ("3", "0", "x"):
        assert client.get(f"{LOG}?page={number}").status_code == 404


def test_it_has_a_feed_whose_ids_stay(newsroom, client):
    release = newsroom.public(headline="A & B")
    change(newsroom, release, "A note.")
    found = feedparser.parse(client.get(FEED).content)
    assert (found.bozo, found.version, found.feed.id) == (False, "atom10", SITE + FEED)
    (entry,) = found.entries
    assert (entry.title, entry.summary) == ("Correction: A & B", "A note.")
    assert entry.link == f"{SITE}/news/footbridge-harrow-weir/"
    assert entry.id.startswith("urn:uuid:")
    other = newsroom.public(slug="other")
    releasing.withdraw(story=other.story, by=newsroom.officer, reason="Wrong")
    entries = feedparser.parse(client.get(FEED).content).entries
    assert [one.title.partition(":")[0] for one in entries] == ["Withdrawal", "Correction"]
    assert entries[1].id == entry.id != entries[0].id


def test_the_proof_of_a_withdrawal_leaves_out_no_more_than_its_entry(newsroom, client):
    kept = newsroom.public(slug="kept", headline="Kept")
    change(newsroom, kept, "A note.")
    gone = newsroom.public(slug="gone", headline="Gone")
    releasing.withdraw(story=gone.story, by=newsroom.officer, reason="Wrong")
    for path in (LOG, FEED):
        body = client.get(path).content.decode()
        traces = proving.Traces("no-id", frozenset(["gone"]), frozenset(["Gone"]), kill=False)
        rest = proving._without_withdrawals(body, traces)
        assert traces.found_in(body)
        assert not traces.found_in(rest)
        assert "/news/kept/" in rest
        killed = proving.Traces("no-id", frozenset(["gone"]), frozenset(["Gone"]), kill=True)
        assert proving._without_withdrawals(body, killed) == body


def test_corrections_are_found_by_an_index(newsroom):
    newsroom.public()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = Release.objects.filter(kind=Kind.CORRECTION).values("pk").explain()
    assert "release_corrections" in plan
