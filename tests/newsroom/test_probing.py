"""What a stranger sees of a release, held against what was cleared, over real HTTP."""

import re
from datetime import timedelta

import pytest
from django.db import Error, connection, connections, transaction
from django.db.models.functions import Now

from newsroom import outside, probing, releasing
from newsroom.models import Lookout, Probe, Release
from stories import record
from stories.refusals import hint_of
from tests.newsroom.web import between, dripping, serving

pytestmark = pytest.mark.django_db(transaction=True)

HTML = {"Content-Type": "text/html; charset=utf-8"}


@pytest.fixture
def announced(live_newsroom) -> Release:
    """A release that is public and announced."""
    release = live_newsroom.public(headline="Bridges & <weirs>")
    releasing.announce(release_id=release.pk, worker="test")
    return release


@pytest.fixture
def from_outside(live_server, settings) -> str:
    """The newsroom's own pages are looked at where the test's server answers."""
    settings.PROBE_URL = live_server.url
    return live_server.url


def again() -> None:
    """The wait until the next look is over."""
    Lookout.objects.filter(next_attempt__isnull=False).update(next_attempt=Now())


def test_what_was_cleared_is_seen_and_told_once(announced, from_outside):
    assert probing.outstanding()
    assert probing.look_next("worker/1")
    probe = Probe.objects.get()
    assert (probe.seen, probe.status, probe.differed) == (True, 200, "")
    assert (probe.by, probe.worker, probe.release) == (None, "worker/1", announced)
    assert probe.due == announced.embargo
    assert timedelta() < probe.lateness < timedelta(minutes=1)
    assert Lookout.objects.get().sent_at is not None
    assert not probing.look_next("worker/1")
    assert not probing.outstanding()
    assert list(record.verify()) == []
    entry = record.lines(announced.story)[0]
    assert record.words(entry).title == "Seen from outside as it was cleared"
    assert "by worker/1" in record.words(entry).detail


def test_the_receipt_and_the_lookout_are_written_together(live_newsroom):
    release = live_newsroom.public()
    assert not Lookout.objects.exists()
    with transaction.atomic():
        releasing.announce(release_id=release.pk, worker="test")
        transaction.set_rollback(True)
    assert not Lookout.objects.exists()
    receipt = releasing.announce(release_id=release.pk, worker="test")
    lookout = Lookout.objects.get()
    assert (lookout.release, lookout.since) == (release, receipt.at)


def test_another_story_that_comes_or_goes_meanwhile_is_no_difference(live_newsroom, from_outside, settings):
    """The stories that a page leads to are no part of what was cleared."""
    topics = [{"slug": "bridges", "name": "Bridges"}]
    live_newsroom.public(slug="other", topics=topics)
    release = live_newsroom.public(topics=topics)
    releasing.announce(release_id=release.pk, worker="test")
    left_out: list[bytes] = []

    def alter(path: str, body: bytes) -> bytes:
        left_out.extend(re.findall(b'<aside class="related.*?</aside>', body, re.DOTALL))
        return re.sub(b'<aside class="related.*?</aside>', b"", body, flags=re.DOTALL)

    with between(from_outside, alter) as proxy:
        settings.PROBE_URL = proxy.url
        probing.look_next("test")
    assert b"/news/other/" in left_out[0]
    probe = Probe.objects.get()
    assert (probe.seen, probe.differed) == (True, "")


def test_one_byte_that_is_another_is_found(announced, from_outside, settings):
    def alter(path: str, body: bytes) -> bytes:
        return (
            body.replace(b"Nobody will have to wade", b"Nobody will have to wode")
            if "/news/" in path
            else body
        )

    with between(from_outside, alter) as proxy:
        settings.PROBE_URL = proxy.url
        probing.look_next("test")
    probe = Probe.objects.get()
    assert (probe.seen, probe.status) == (False, 200)
    assert probe.differed.startswith("the page is not what was cleared, from byte ")
    lookout = Lookout.objects.get()
    assert lookout.sent_at is None
    assert lookout.next_attempt is not None
    assert probe.differed in lookout.error


@pytest.mark.parametrize(("alter", "words"), [
    (lambda body: body + b"<!-- served by the edge -->", "bytes, what was cleared has"),
    (lambda body: body[:-10], "bytes, what was cleared has"),
    (lambda body: b"", "the page has 0 bytes"),
    (lambda body: body.replace(b"Harrow", b"Harrow "), "from byte"),
])  # fmt: skip
def test_more_less_and_other_bytes_are_found(announced, from_outside, settings, alter, words):
    with between(from_outside, lambda path, body: alter(body)) as proxy:
        settings.PROBE_URL = proxy.url
        assert words in probing.look_at(loaded(announced)).differed


def loaded(release: Release) -> Release:
    return probing.lookouts().get(release=release).release


@pytest.mark.parametrize(("alter", "words"), [
    (lambda body: body.replace(b"urn:uuid:", b"urn:other:"), "the feed lacks the story"),
    (lambda body: body.replace(b"Bridges", b"Barges"), "the feed has another title"),
    (lambda body: body.replace(b"/news/", b"/olds/"), "the feed leads to another address"),
    (lambda body: body[:100], "the feed is no XML"),
    (lambda body: b"", "the feed is no XML"),
])  # fmt: skip
def test_a_feed_without_the_story_is_found(announced, from_outside, settings, alter, words):
    with between(from_outside, lambda path, body: alter(body) if "feed" in path else body) as proxy:
        settings.PROBE_URL = proxy.url
        look = probing.look_at(loaded(announced))
    assert (look.seen, look.status, look.differed) == (False, 200, words)


def test_a_story_that_newer_ones_have_pushed_out_of_the_feed_is_seen(
    live_newsroom, announced, from_outside, monkeypatch
):
    monkeypatch.setattr("newsroom.feeds.FEED_SIZE", 1)
    live_newsroom.public(slug="newer")
    assert probing.look_at(loaded(announced)).seen


def test_nobody_answers_and_then_somebody_does(announced, from_outside, settings):
    settings.PROBE_URL = "http://127.0.0.1:1"
    probing.look_next("test")
    first = Probe.objects.get()
    assert (first.seen, first.status) == (False, None)
    assert first.differed == "the page did not answer: nobody listens there"
    # Not due before its wait is over.
    assert not probing.outstanding()
    again()
    probing.look_next("test")
    assert Probe.objects.count() == 1
    settings.PROBE_URL = from_outside
    again()
    probing.look_next("test")
    assert list(Probe.objects.order_by("pk").values_list("seen", flat=True)) == [False, True]
    assert list(record.verify()) == []


def test_it_is_looked_for_a_bounded_number_of_times(announced):
    looks = 0
    while probing.look_next("test"):
        looks += 1
        again()
    assert looks == 7
    assert Probe.objects.count() == 1
    assert not Probe.objects.get().seen


@pytest.mark.parametrize("status", [404, 500, 301])
def test_another_status_is_told_and_no_redirect_is_followed(announced, settings, status):
    with serving(lambda method, path: (status, {**HTML, "Location": "/elsewhere/"}, b"no")) as web:
        settings.PROBE_URL = web.url
        look = probing.look_at(loaded(announced))
    assert (look.status, look.differed) == (status, f"the page answered {status}, not 200")
    assert [path for _, path in web.asked] == ["/news/footbridge-harrow-weir/"]


def test_it_asks_as_a_stranger_under_the_public_name(announced, settings):
    settings.SITE_URL = "https://news.example"
    with serving(lambda method, path: (404, HTML, b"")) as web:
        settings.PROBE_URL = web.url
        probing.look_at(loaded(announced))
    (headers,) = web.headers
    assert headers["Host"] == "news.example"
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["Accept-Encoding"] == "identity"
    assert "Cookie" not in headers


def test_an_answer_that_drips_is_cut_off(announced, settings, monkeypatch):
    monkeypatch.setattr(outside, "WHOLE", 0.5)
    with dripping() as web:
        settings.PROBE_URL = web.url
        assert probing.look_at(loaded(announced)).differed == "the page did not answer: no answer in time"


def test_an_answer_without_end_is_cut_off(announced, settings, monkeypatch):
    monkeypatch.setattr(outside, "LARGEST", 1024 * 1024)
    with serving(lambda method, path: (200, HTML, bytes(1024 * 1024 + 1))) as web:
        settings.PROBE_URL = web.url
        assert probing.look_at(loaded(announced)).differed == "the page did not answer: more than 1 MB"


def test_an_answer_that_breaks_off_is_told(announced, settings):
    with serving(lambda method, path: (200, {**HTML, "Content-Length": "1000"}, b"half")) as web:
        settings.PROBE_URL = web.url
        assert "did not answer" in probing.look_at(loaded(announced)).differed


def test_words_that_somebody_changed_behind_the_record_are_not_what_was_cleared(announced, from_outside):
    release = loaded(announced)
    release.revision.content["headline"] = "Another"
    assert probing.look_at(release).differed == "the words in the database are not those that were cleared"


# What the database refuses


def refused(sql: str, *values: object) -> str:
    """The hint with which the database refuses a statement, or the name of its constraint."""
    with pytest.raises(Error) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    diagnosis = getattr(caught.value.__cause__, "diag", None)
    return hint_of(caught.value) or (diagnosis.constraint_name or "") or str(diagnosis.sqlstate)


INSERT = """INSERT INTO newsroom_probe (story_id, release_id, seen, status, differed, worker)
            VALUES (%s, %s, %s, %s, %s, 'raw')"""


def test_a_probe_is_of_a_public_release_of_its_story_and_says_what_differed(live_newsroom):
    armed, out = live_newsroom.armed(slug="armed"), live_newsroom.public(slug="out")
    assert refused(INSERT, armed.story_id, armed.pk, True, 200, "") == "not_public"
    assert refused(INSERT, armed.story_id, out.pk, True, 200, "") == "not_public"
    for values in ((True, 404, ""), (True, 200, "but"), (False, 200, " "), (True, None, "")):
        assert refused(INSERT, out.story_id, out.pk, *values) == "probe_says_what_differed"


def test_a_probe_is_never_changed_or_written_twice(announced, from_outside):
    probing.look_next("test")
    assert refused(INSERT, announced.story_id, announced.pk, True, 200, "") == "unchanged"
    assert probing.note(release=announced, look=probing.Look(200), worker="other") is None
    # The role has no right to it.
    assert refused("UPDATE newsroom_probe SET seen = false") == "42501"
    assert refused("DELETE FROM newsroom_probe") == "42501"
    assert (
        refused("INSERT INTO newsroom_lookout (release_id, since) VALUES (%s, now())", announced.pk)
        == "42501"
    )


def test_what_is_not_public_any_more_is_not_looked_for(announced):
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE newsroom_visibility SET visible_from = NULL")
    probing.look_next("test")
    assert Lookout.objects.get().error == "Not sent: it is not public."
    assert not Probe.objects.exists()
