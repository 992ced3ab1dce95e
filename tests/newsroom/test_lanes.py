"""Receivers: signed and in order, and whoever is slow, broken or hostile harms nobody else."""

import hmac
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_network
from time import monotonic, sleep, time
from urllib.parse import parse_qs

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from newsroom import delivering, lanes, outgoing, receivers, releasing, sending, telling
from newsroom.models import Delivery, Receiver, Release, Subscriber
from stories import outbox
from tests.newsroom import receiving as how
from tests.newsroom.racing import race
from tests.newsroom.receiving import Receiving, receiving
from tests.newsroom.workers import BASE, environment

pytestmark = pytest.mark.django_db

SITE = "https://rivers.example"
#: What a worker does, in a process that can be killed.
RUN = "import django; django.setup(); from newsroom import delivering; delivering.run(60)"


@pytest.fixture(autouse=True)
def _outgoing(settings) -> None:
    settings.OUTGOING_ALLOW = (ip_network("127.0.0.0/8"),)
    settings.OUTGOING_PORTS = (range(1, 65536),)
    settings.SITE_URL = SITE


@pytest.fixture
def server() -> Iterator[Receiving]:
    with receiving() as found:
        yield found


def made(server: Receiving, kind: str = "webhook", name: str = "Wire") -> Receiver:
    return receivers.add(name=name, kind=kind, url=server.url)


def told(release: Release, event: str = "release", number: int = 1) -> int:
    return delivering.write(event=event, release=release, cause=f"{event}:{number}")


def send_all() -> int:
    return delivering.run(60)


def make_due() -> None:
    """Let all waiting times have passed."""
    Delivery.objects.filter(next_attempt__isnull=False).update(next_attempt=Now())
    Receiver.objects.update(rests_until=None)


def events(server: Receiving) -> list[str]:
    return [request.headers["Newsroom-Event"] for request in server.requests]


def signs(secret: str, header: str, stamp: str, body: bytes) -> list[bool]:
    """Of each part of a signature, whether a secret made it: as a receiver would check it."""
    due = hmac.new(secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest()
    return [hmac.compare_digest(part, f"v1={due}") for part in header.split(",")]


# What is sent


def test_a_webhook_is_told_and_signed(newsroom, server):
    receiver, release = made(server), newsroom.public()
    releasing.announce(release_id=release.pk, worker="test")
    assert send_all() == 1
    (request,) = server.requests
    delivery = Delivery.objects.get()
    assert delivery.sent_at is not None
    stamp = request.headers["Newsroom-Timestamp"]
    assert abs(int(stamp) - time()) < 600
    assert request.headers["Newsroom-Event"] == "release"
    assert request.headers["Newsroom-Delivery"] == delivery.key
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    assert signs(receiver.secret, request.headers["Newsroom-Signature"], stamp, request.body) == [True]
    at = release.embargo.astimezone(UTC).isoformat(timespec="seconds")
    assert json.loads(request.body) == {
        "event": "release",
        "story": str(release.story.uid),
        "url": f"{SITE}/news/footbridge-harrow-weir/",
        "headline": "New footbridge opens at Harrow Weir",
        "published": at,
        "updated": at,
    }


def test_after_a_rotation_both_secrets_sign_until_the_old_one_is_over(newsroom, server):
    receiver, release = made(server), newsroom.public()
    old = receiver.secret
    new = receivers.rotate(receiver=receiver, rotation=0)
    told(release)
    send_all()
    Receiver.objects.update(previous_until=Now())
    told(release, number=2)
    send_all()
    parts = [
        (request.headers["Newsroom-Signature"], request.headers["Newsroom-Timestamp"], request.body)
        for request in server.requests
    ]
    assert [signs(new, *part) for part in parts] == [[True, False], [True]]
    assert [signs(old, *part) for part in parts] == [[False, True], [False]]


def test_a_changed_body_has_another_signature(newsroom, server):
    receiver = made(server)
    told(newsroom.public())
    send_all()
    (request,) = server.requests
    header, stamp = request.headers["Newsroom-Signature"], request.headers["Newsroom-Timestamp"]
    assert signs(receiver.secret, header, stamp, request.body + b" ") == [False]
    assert signs(receiver.secret, header, str(int(stamp) + 1), request.body) == [False]


@pytest.mark.parametrize("event", ["withdrawal", "kill"])
def test_of_what_was_taken_back_no_word_is_sent(newsroom, server, event):
    made(server)
    release = newsroom.public()
    told(release)
    send_all()
    told(release, event)
    assert send_all() == 1
    body = json.loads(server.requests[-1].body)
    assert body.keys() == {"event", "story", "url", "status", "updated"}
    assert (body["event"], body["status"]) == (event, "withdrawn")
    assert b"footbridge opens" not in server.requests[-1].body


def test_a_recall_goes_to_those_who_were_sent_it_and_to_nobody_else(newsroom, server):
    made(server)
    release = newsroom.public()
    told(release)
    send_all()
    with receiving() as late:
        receivers.add(name="Late", kind="webhook", url=late.url)
        Subscriber.objects.create(email="late@paper.example")
        assert told(release, "kill") == 1
        send_all()
        assert events(server) == ["release", "kill"]
        assert late.requests == []


def test_what_waits_of_a_story_that_is_taken_back_is_not_sent(newsroom, server):
    made(server)
    Subscriber.objects.create(email="reader@paper.example")
    release = newsroom.public()
    told(release)
    assert told(release, "kill") == 0, "nobody has anything that could be recalled"
    assert send_all() == 0
    assert set(Delivery.objects.values_list("error", flat=True)) == {
        "Not sent: the story is not public any more."
    }


def test_whoever_may_be_sent_it_at_this_moment_is_told_too(newsroom, server):
    receiver, release = made(server), newsroom.public()
    told(release)
    told(newsroom.public(slug="other"), number=2)
    first, second = lanes.claim(lanes.Lane(receiver))
    assert told(release, "kill") == 1
    assert send_all() == 0, "it waits for what is being sent"
    lanes.sent([first, second])
    assert send_all() == 1
    assert told(second.release, "kill", 2) == 1
    # It turned out not to have been sent.
    Delivery.objects.filter(pk=second.pk).update(sent_at=None, attempts=0)
    assert send_all() == 0
    assert Delivery.objects.latest("pk").error == "Not sent: nothing about this story was sent to them."


def test_a_recall_goes_before_all_that_waits(newsroom, server, monkeypatch):
    monkeypatch.setattr(lanes, "BATCH", {**lanes.BATCH, "webhook": 1})
    monkeypatch.setattr(lanes, "PARALLEL", {**lanes.PARALLEL, "webhook": 1})
    made(server)
    release = newsroom.public()
    told(release)
    send_all()
    for number in range(3):
        told(newsroom.public(slug=f"story-{number}"), number=number + 2)
    told(release, "kill")
    assert send_all() == 4
    assert events(server) == ["release", "kill", "release", "release", "release"]


def test_whoever_left_the_list_is_still_told_that_what_they_were_sent_is_void(newsroom):
    someone = Subscriber.objects.create(email="reader@paper.example")
    release = newsroom.public()
    told(release)
    send_all()
    Subscriber.objects.filter(pk=someone.pk).update(active=False)
    assert told(release, "correction") == 0
    assert told(release, "kill") == 1
    assert send_all() == 1


def test_words_that_are_not_public_any_more_are_not_sent(newsroom, server):
    made(server)
    release = newsroom.armed()
    told(release)
    send_all()
    assert server.requests == []
    delivery = Delivery.objects.get()
    assert (delivery.error, delivery.attempts) == ("Not sent: the story is not public any more.", 0)
    assert delivery.given_up_at is None


def test_a_hub_is_told_once_however_many_stories_there_are(newsroom, server):
    made(server, "websub")
    for number in range(5):
        releasing.announce(release_id=newsroom.public(slug=f"story-{number}").pk, worker="test")
    assert send_all() == 5
    (request,) = server.requests
    feeds = [f"{SITE}/feed.json", f"{SITE}/feed.atom"]
    assert parse_qs(request.body.decode()) == {"hub.mode": ["publish"], "hub.url": feeds}
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Newsroom-Signature" not in request.headers
    assert not Delivery.objects.filter(sent_at=None).exists()


def test_the_feed_names_the_active_hubs(newsroom, client, server):
    hub = made(server, "websub")
    link = f'<link rel="hub" href="{hub.url}" />'.encode()
    assert link in client.get("/feed.atom").content
    feed = client.get("/feed.json")
    assert feed.json()["hubs"] == [{"type": "WebSub", "url": hub.url}]
    assert feed["Link"] == f'<{hub.url}>; rel="hub", <{SITE}/feed.json>; rel="self"'
    receivers.switch(receiver=hub, on=False)
    assert b'rel="hub"' not in client.get("/feed.atom").content
    feed = client.get("/feed.json")
    assert ("hubs" in feed.json(), "Link" in feed) == (False, False)


def test_ninjs_is_pushed(newsroom, server):
    made(server, "ninjs")
    release = newsroom.public()
    told(release)
    send_all()
    document = json.loads(server.requests[0].body)
    assert document["uri"] == f"urn:uuid:{release.story.uid}"
    assert document["pubStatus"] == "usable"
    told(release, "withdrawal")
    send_all()
    document = json.loads(server.requests[1].body)
    assert document["pubStatus"] == "canceled"
    assert "headlines" not in document


def test_one_delivery_goes_to_one(newsroom, server):
    release = newsroom.public()
    about = {"event": "release", "story": release.story, "release": release}
    for to in ({}, {"recipient": "a@b.example", "receiver": made(server)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Delivery.objects.create(**about, **to, key=f"key {len(to)}")


# Failing


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, "It answered 500 (Internal Server Error)."),
        (404, "It answered 404 (Not Found)."),
        (302, "It answered 302 (Found): a redirect, which is not followed."),
        (799, "It answered 799."),
    ],
)
def test_an_answer_that_is_no_yes_is_tried_again(newsroom, server, status, words):
    made(server)
    server.status = status
    told(newsroom.public())
    assert send_all() == 1
    delivery = Delivery.objects.get()
    assert (delivery.error, delivery.attempts, delivery.given_up_at) == (words, 1, None)
    assert delivery.next_attempt is not None
    server.status = 200
    make_due()
    assert send_all() == 1
    assert {request.headers["Newsroom-Delivery"] for request in server.requests} == {delivery.key}
    assert Delivery.objects.get().sent_at is not None


def test_what_is_gone_is_given_up_at_once(newsroom, server):
    receiver = made(server)
    server.status = 410
    told(newsroom.public())
    send_all()
    delivery = Delivery.objects.get()
    assert delivery.given_up_at is not None
    assert delivery.error == "It answered 410 (Gone): nothing is to be sent there any more."
    receiver.refresh_from_db()
    assert receiver.active


def test_after_the_last_try_it_is_a_dead_letter(newsroom, server):
    made(server)
    server.status = 500
    told(newsroom.public())
    for _ in range(len(outbox.BACK_OFF) + 1):
        assert send_all() == 1
        make_due()
    assert send_all() == 0
    delivery = Delivery.objects.get()
    assert delivery.attempts == len(server.requests) == len(outbox.BACK_OFF) + 1
    assert delivery.given_up_at is not None


@pytest.mark.parametrize(("asked", "waited"), [("90", 90), ("99999999", lanes.LONGEST_WAIT)])
def test_a_receiver_that_asks_us_to_wait_is_given_time(newsroom, server, asked, waited):
    receiver = made(server)
    server.status, server.headers = 429, {"Retry-After": asked}
    for number in range(3):
        told(newsroom.public(slug=f"story-{number}"))
    assert 1 <= send_all() <= lanes.PARALLEL["webhook"]
    receiver = Receiver.objects.annotate(now=Now()).get()
    assert receiver.rests_until is not None
    assert waited / 2 < (receiver.rests_until - receiver.now).total_seconds() <= waited
    tried = len(server.requests)
    assert send_all() == 0
    assert len(server.requests) == tried


def test_a_hostile_answer_is_told_by_its_number_alone(newsroom, server):
    made(server)
    server.instead = lambda wire, over: wire.sendall(
        b"HTTP/1.1 500 <script>alert(1)</script>\r\nContent-Length: 9\r\n\r\n<b>bad</b>"
    )
    told(newsroom.public())
    send_all()
    assert Delivery.objects.get().error == "It answered 500 (Internal Server Error)."


def test_whoever_is_not_reached_rests_and_then_all_that_is_due_is_given_up(newsroom, server, monkeypatch):
    monkeypatch.setattr(outgoing, "TOTAL", 0.2)
    receiver = made(server)
    server.instead = how.hang
    for number in range(40):
        told(newsroom.public(slug=f"story-{number}"), number=number)
    tried = []
    for number in range(len(outbox.BACK_OFF) + 1):
        tried.append(send_all())
        receiver.refresh_from_db()
        assert receiver.failures == (number + 1) % (len(outbox.BACK_OFF) + 1)
        Receiver.objects.update(rests_until=None)
    # From the second time on it is one try: the rest waits for it.
    assert set(tried[1:]) == {1}
    left = Delivery.objects.filter(given_up_at=None)
    assert left.count() <= sum(tried)
    dead = Delivery.objects.filter(attempts=0).first()
    assert dead is not None
    assert dead.error.startswith("It was not reached 7 times in a row. It took longer than 0.2 seconds.")


def test_whoever_is_reached_again_need_not_rest(newsroom, server, monkeypatch):
    monkeypatch.setattr(outgoing, "TOTAL", 0.2)
    receiver = made(server)
    server.instead = how.hang
    told(newsroom.public())
    send_all()
    server.instead = None
    make_due()
    assert send_all() == 1
    receiver.refresh_from_db()
    assert (receiver.failures, receiver.rests_until) == (0, None)


@pytest.mark.parametrize("instead", [how.hang, how.trickle, how.continue_for_ever, how.babble, how.pour])
def test_whoever_misbehaves_keeps_nobody_waiting(newsroom, monkeypatch, instead):
    """The others are served while it is tried, not after."""
    monkeypatch.setattr(outgoing, "TOTAL", 2.0)
    Subscriber.objects.create(email="reader@paper.example")
    with ExitStack() as stack:
        bad, good = (stack.enter_context(receiving()) for _ in range(2))
        made(bad, name="Bad")
        made(good, name="Good")
        bad.instead = instead
        for number in range(30):
            told(newsroom.public(slug=f"story-{number}"), number=number)
        send_all()
        assert len(good.requests) == 30
        assert Delivery.objects.filter(receiver=None, sent_at=None).count() == 0
        last = Delivery.objects.filter(receiver__name="Good").latest("sent_at")
        bads = Delivery.objects.filter(receiver__name="Bad", attempts__gt=0, sent_at=None)
        assert last.sent_at is not None
        assert all(row.next_attempt and last.sent_at < row.next_attempt for row in bads)


def test_a_receiver_is_not_sent_more_at_once_than_is_allowed(newsroom, server, monkeypatch):
    monkeypatch.setattr(lanes, "BATCH", {**lanes.BATCH, "webhook": 1})
    made(server)
    for number in range(12):
        told(newsroom.public(slug=f"story-{number}"), number=number)
    assert send_all() == 12
    assert server.busiest <= lanes.PARALLEL["webhook"]


def test_an_address_inside_is_refused_at_sending_too(newsroom, server, settings):
    made(server)
    settings.OUTGOING_ALLOW = ()
    told(newsroom.public())
    send_all()
    assert server.connections == 0
    assert "private or special network" in Delivery.objects.get().error


def test_a_story_that_cannot_be_said_holds_up_no_other(newsroom, server):
    receiver = made(server)
    for number in range(3):
        told(newsroom.public(slug=f"story-{number}"), number=number)
    lane = lanes.Lane(receiver)
    parcels, _ = telling.parcels(lanes.claim(lane))
    assert parcels[0].told.content is not None
    parcels[0].told.content["headline"] = None
    outcomes: list[sending.Outcome] = []
    sending.send(lane, parcels, outcomes.append)
    assert [outcome.fate.name for outcome in outcomes] == ["FAILED", "SENT", "SENT"]
    assert outcomes[0].words.startswith("AttributeError")
    assert len(server.requests) == 2


@pytest.mark.parametrize("kind", ["webhook", "websub"])
def test_a_batch_takes_as_many_queries_for_many_as_for_one(newsroom, server, kind):
    receiver = made(server, kind)
    Subscriber.objects.create(email="reader@paper.example")
    releases = [newsroom.public(slug=f"story-{number}") for number in range(6)]

    def queries(some: list[Release], event: str) -> int:
        for release in some:
            told(release, event, release.pk)
        with CaptureQueriesContext(connection) as found:
            for lane in (lanes.Lane(receiver), lanes.Lane()):
                rows = lanes.claim(lane)
                assert len(rows) == len(some)
                ready, refused = telling.parcels(rows, lane.kind)
                assert len(ready) == len(some)
                assert refused == []
                lanes.sent(rows)
        return len(found)

    for event in ("release", "correction", "withdrawal"):
        assert queries(releases[:1], event) == queries(releases[1:], event)


# Order


def test_a_correction_never_overtakes_its_release(newsroom, server):
    made(server)
    server.status = 500
    release = newsroom.public()
    told(release)
    told(release, "correction")
    assert send_all() == 1
    assert send_all() == 0, "it waits while the release does"
    server.status = 204
    make_due()
    assert send_all() == 2
    assert events(server) == ["release", "release", "correction"]


def test_other_stories_do_not_wait(newsroom, server):
    made(server)
    first = newsroom.public(slug="first")
    told(first)
    server.status = 500
    send_all()
    server.status = 204
    told(first, "correction")
    told(newsroom.public(slug="second"), number=2)
    assert send_all() == 1


def test_a_dead_letter_is_out_of_the_way(newsroom, server):
    made(server)
    release = newsroom.public()
    told(release)
    told(release, "correction")
    server.status = 410
    assert send_all() == 2
    assert Delivery.objects.given_up().count() == 2
    told(release, "update")
    server.status = 204
    assert send_all() == 1
    assert events(server) == ["release", "correction", "update"]


def test_dead_letters_that_are_tried_again_go_in_their_order(newsroom, server):
    receiver, release = made(server), newsroom.public()
    told(release)
    told(release, "correction")
    server.status = 410
    send_all()
    told(release, "update")
    server.status = 204
    assert delivering.try_all_again(receiver=receiver) == 2
    assert send_all() == 3
    assert events(server)[2:] == ["release", "correction", "update"]
    assert not Delivery.objects.given_up().exists()


def test_a_dead_letter_does_not_overtake_what_was_sent_since(newsroom, server):
    receiver, release = made(server), newsroom.public()
    told(release)
    server.status = 410
    send_all()
    told(release, "correction")
    server.status = 204
    send_all()
    (dead,) = Delivery.objects.given_up()
    with pytest.raises(delivering.Overtaken, match="must not overtake"):
        delivering.try_again(delivery=dead)
    assert delivering.try_all_again(receiver=receiver) == 0
    assert send_all() == 0


def test_nor_what_is_being_sent_at_this_moment(newsroom, server):
    receiver, release = made(server), newsroom.public()
    told(release)
    server.status = 410
    send_all()
    told(release, "correction")
    assert len(lanes.claim(lanes.Lane(receiver))) == 1
    with pytest.raises(delivering.Overtaken):
        delivering.try_again(delivery=Delivery.objects.given_up().get())


def test_only_dead_letters_of_who_is_switched_on_are_tried_again(newsroom, server):
    receiver = made(server)
    server.status = 410
    told(newsroom.public())
    send_all()
    (dead,) = Delivery.objects.given_up()
    receivers.switch(receiver=receiver, on=False)
    receiver.refresh_from_db()
    for act in (
        lambda: delivering.try_again(delivery=dead),
        lambda: delivering.try_all_again(receiver=receiver),
    ):
        with pytest.raises(delivering.SwitchedOff):
            act()
    receivers.switch(receiver=receiver, on=True)
    delivering.try_again(delivery=dead)
    with pytest.raises(delivering.NotGivenUp):
        delivering.try_again(delivery=dead)


def test_the_way_is_the_same_for_mail(newsroom):
    Subscriber.objects.create(email="reader@paper.example")
    release = newsroom.public()
    told(release)
    told(release, "correction")
    rows = lanes.claim(lanes.Lane())
    assert [row.event for row in rows] == ["release"]
    assert lanes.claim(lanes.Lane()) == []
    lanes.failed(rows[0], "refused", for_good=True)
    assert [row.event for row in lanes.claim(lanes.Lane())] == ["correction"]


def test_what_corrects_says_so_in_the_subject(newsroom, settings):
    from newsroom import mailbox

    Subscriber.objects.create(email="reader@paper.example")
    release = newsroom.public()
    for event in ("release", "correction", "update", "withdrawal"):
        told(release, event)
        send_all()
    subjects = {str(mailbox.read(path)["Subject"]) for path in mailbox.messages()}
    day = release.moment.day
    assert subjects == {
        "New footbridge opens at Harrow Weir",
        "Correction: New footbridge opens at Harrow Weir",
        "Updated: New footbridge opens at Harrow Weir",
        f"Withdrawn: a story of {day}",
    }
    Delivery.objects.filter(event="withdrawal").latest("pk")


# Many at once


class TestManyAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_two_workers_keep_the_order_of_each_story(self, live_newsroom, server):
        made(server)
        releases = [live_newsroom.public(slug=f"story-{number}") for number in range(6)]
        for number, release in enumerate(releases):
            told(release, number=number)
            told(release, "correction", number)
            told(release, "update", number)
        race(4, lambda _: send_all())
        send_all()
        sent: dict[str, list[str]] = {}
        for request in server.requests:
            sent.setdefault(json.loads(request.body)["story"], []).append(request.headers["Newsroom-Event"])
        assert list(sent.values()) == [["release", "correction", "update"]] * 6
        assert set(Delivery.objects.values_list("attempts", "error")) == {(1, "")}

    def test_writing_beside_sending_keeps_the_order(self, live_newsroom, server):
        made(server)
        release = live_newsroom.public()

        def act(number: int) -> object:
            if number:
                return [send_all() for _ in range(5)]
            for event in ("release", "correction", "update", "correction"):
                with transaction.atomic():
                    type(release.story).objects.select_for_update().get(pk=release.story_id)
                    told(release, event, len(server.requests))
            return None

        race(3, act)
        send_all()
        first = list(dict.fromkeys(events(server)))
        assert first == ["release", "correction", "update"]

    def test_many_who_try_a_dead_letter_again_send_it_once(self, live_newsroom, server):
        made(server)
        server.status = 410
        told(live_newsroom.public())
        send_all()
        server.status = 204
        (dead,) = Delivery.objects.given_up()
        results = race(8, lambda _: delivering.try_again(delivery=dead))
        assert results.count(None) == 1
        assert sum(race(4, lambda _: send_all())) + send_all() == 1
        assert len(server.requests) == 2

    def test_a_worker_that_is_kept_waiting_keeps_what_it_has(self, live_newsroom, server, monkeypatch):
        monkeypatch.setattr(lanes, "LEASE", timedelta(seconds=1))
        monkeypatch.setattr(delivering, "HOLD", 0.1)
        monkeypatch.setattr(outgoing, "TOTAL", 4.0)
        receiver = made(server)
        told(live_newsroom.public())
        server.instead = how.hang

        def act(number: int) -> object:
            if number:
                return send_all()
            while not server.requests:
                sleep(0.05)
            sleep(2)
            return lanes.claim(lanes.Lane(receiver))

        assert race(2, act) == [[], 1]
        assert len(server.requests) == 1

    def test_a_kill_between_claim_and_mark_repeats_under_the_same_key(self, live_newsroom, server, tmp_path):
        made(server)
        release = live_newsroom.public()
        told(release)
        told(release, "correction")
        server.instead = how.hang
        told_it = {
            **environment(tmp_path),
            "DJANGO_SETTINGS_MODULE": "newsroom.settings",
            "NEWSROOM_OUTGOING_ALLOW": "127.0.0.0/8",
            "NEWSROOM_OUTGOING_PORTS": "1-65535",
        }
        child = subprocess.Popen([sys.executable, "-c", RUN], env=told_it, cwd=BASE)
        try:
            deadline = monotonic() + 60
            while not server.requests and monotonic() < deadline:
                sleep(0.05)
        finally:
            child.kill()
            child.wait(10)
        server.over.set()
        server.instead = None
        # It was taken in over there, and here nothing was written down.
        assert send_all() == 0, "the claim keeps others away"
        Delivery.objects.filter(lease__isnull=False).update(lease=datetime.now(UTC) - timedelta(seconds=1))
        assert send_all() == 2
        assert events(server) == ["release", "release", "correction"]
        keys = [request.headers["Newsroom-Delivery"] for request in server.requests]
        assert keys[0] == keys[1] == Delivery.objects.get(event="release").key
        assert not Delivery.objects.filter(sent_at=None).exists()
