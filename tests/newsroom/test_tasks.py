"""What the tasks decide. How they do with a real worker, beat and broker: see `test_worker`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import enumerate as running_threads
from time import monotonic, sleep
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.core.cache import cache

from newsroom import lanes, releasing, tasks
from newsroom.models import Announcement, Delivery, Heartbeat, Release, Subscriber
from stories.clocks import database_now
from stories.moments import Moment
from tests.newsroom.racing import race

pytestmark = pytest.mark.django_db

Sent = list[tuple[str, dict[str, Any]]]


@contextmanager
def broker(url: str) -> Iterator[None]:
    """Send messages to the broker at `url` for as long as the block lasts."""
    conf, amqp = tasks.app.conf, tasks.app.amqp
    before = conf.broker_url, conf.broker_write_url
    conf.broker_url = conf.broker_write_url = url
    amqp._producer_pool = None
    yield
    conf.broker_url, conf.broker_write_url = before
    amqp._producer_pool = None


@pytest.fixture(autouse=True)
def _turn_is_free(db: None) -> None:
    cache.delete(tasks.TURN)


@pytest.fixture(autouse=True)
def _messages_stay_here() -> Iterator[None]:
    with broker("memory://"):
        yield


@pytest.fixture
def sent() -> Iterator[Sent]:
    """The messages that were sent: the task's name, and the message's headers."""
    messages: Sent = []
    # What a test before this one has begun to send is none of them.
    finish_sending()

    def note(sender: str, headers: dict[str, Any], **_: Any) -> None:
        messages.append((sender.rpartition(".")[2], headers))

    before_task_publish.connect(note)
    yield messages
    before_task_publish.disconnect(note)


def armed(newsroom, slug: str = "bridge", **ahead: float) -> Release:
    revision = newsroom.cleared(slug=slug)
    moment = Moment(database_now().astimezone(UTC) + timedelta(**ahead), "Europe/London")
    return releasing.arm(revision=revision, by=newsroom.officer, moment=moment)


def finish_sending() -> None:
    """Wait for what is being sent beside us, as by `expect`."""
    for thread in running_threads():
        if thread.name.startswith(("expect", "send soon", "draw soon")):
            thread.join(timeout=10)


# Looking ahead


def test_an_eta_for_each_release_of_the_next_minute_and_for_no_other(newsroom, sent):
    soon = armed(newsroom, "soon", seconds=30)
    armed(newsroom, "late", minutes=5)
    held = armed(newsroom, "held", seconds=30)
    releasing.hold(story=held.story, by=newsroom.officer, reason="Wait.")
    newsroom.public(slug="now")
    assert tasks.look_ahead() == 1
    ((name, headers),) = sent
    assert (name, headers["argsrepr"]) == ("announce", f"({soon.pk},)")
    eta = datetime.fromisoformat(headers["eta"])
    assert abs(eta - (soon.embargo - tasks.EARLY)) < timedelta(seconds=0.2)
    assert datetime.fromisoformat(headers["expires"]) - soon.embargo < timedelta(seconds=61)


def test_thousands_of_one_instant_go_with_a_few_messages(newsroom, monkeypatch, sent):
    monkeypatch.setattr(tasks, "TOGETHER", 2)
    instant = database_now().astimezone(UTC) + timedelta(seconds=30)
    same = [arm_for(newsroom, f"same-{number}", instant) for number in range(3)]
    other = arm_for(newsroom, "other", instant + timedelta(seconds=1))
    assert tasks.look_ahead() == 4
    arguments = [headers["argsrepr"] for _, headers in sent]
    assert arguments == [f"({same[0]}, {same[1]})", f"({same[2]},)", f"({other},)"]


def arm_for(newsroom, slug: str, instant: datetime) -> int:
    """The id of a release for exactly that instant."""
    revision, moment = newsroom.cleared(slug=slug), Moment(instant, "Europe/London")
    return releasing.arm(revision=revision, by=newsroom.officer, moment=moment).pk


def test_an_eta_is_always_far_below_the_visibility_timeout(settings):
    timeout = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert tasks.AHEAD.total_seconds() + settings.CELERY_TASK_TIME_LIMIT < timeout


def test_beat_looks_ahead_more_than_once_before_each_moment(settings):
    every = settings.CELERY_BEAT_SCHEDULE["look ahead"]["schedule"]
    assert every * 2 < tasks.AHEAD.total_seconds()


# Expecting


def test_what_is_armed_for_this_minute_gets_its_eta_at_once(newsroom, sent):
    release = armed(newsroom, seconds=20)
    tasks.expect(release.story)
    finish_sending()
    assert [(name, headers["argsrepr"]) for name, headers in sent] == [("announce", f"({release.pk},)")]


def test_what_is_released_now_is_announced_at_once(newsroom, sent):
    release = newsroom.public()
    tasks.expect(release.story)
    finish_sending()
    ((_, headers),) = sent
    assert datetime.fromisoformat(headers["eta"]) < datetime.now(UTC)


def test_what_is_far_or_held_or_not_armed_is_left_to_beat(newsroom, sent):
    tasks.expect(armed(newsroom, "far", minutes=5).story)
    held = armed(newsroom, "held", seconds=20)
    releasing.hold(story=held.story, by=newsroom.officer, reason="Wait.")
    tasks.expect(held.story)
    tasks.expect(newsroom.draft().story)
    finish_sending()
    assert sent == []


def test_nobody_waits_for_a_broker_that_is_dead(newsroom):
    release = newsroom.public()
    with broker("amqp://127.0.0.1:1//"):
        began = monotonic()
        tasks.expect(release.story)
        assert monotonic() - began < 0.5


# Announcing


def test_a_worker_that_is_early_waits_for_the_databases_clock(newsroom, sent):
    Subscriber.objects.create(email="editor@paper.example")
    release = armed(newsroom, seconds=0.5)
    assert tasks.announce(release.pk)
    receipt = Announcement.objects.get()
    assert receipt.due == release.embargo
    assert timedelta() <= receipt.lateness < timedelta(seconds=0.5)
    assert receipt.worker == tasks.worker_name()
    assert [name for name, _ in sent] == ["deliver", "probe"]


def test_a_worker_that_is_much_too_early_lets_it_be(newsroom):
    release, began = armed(newsroom, seconds=10), monotonic()
    assert not tasks.announce(release.pk)
    assert monotonic() - began < 1
    assert not Announcement.objects.exists()


def test_the_second_time_nothing_happens(newsroom, sent):
    release = newsroom.public()
    assert tasks.announce(release.pk)
    sent.clear()
    assert not tasks.announce(release.pk)
    assert sent == []


def test_a_release_that_never_was(newsroom):
    assert not tasks.announce(1_000_000)


class TestManyWorkers:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_one_of_twenty_that_wait_for_the_moment_announces(self, live_newsroom):
        release = armed(live_newsroom, seconds=tasks.PATIENCE - 0.1)
        assert sorted(race(20, lambda _: tasks.announce(release.pk))) == [False] * 19 + [True]
        assert Announcement.objects.get().lateness < timedelta(seconds=2)

    def test_a_hold_while_they_wait_stops_them(self, live_newsroom):
        release = armed(live_newsroom, seconds=tasks.PATIENCE - 0.1)

        def act(number: int) -> object:
            if number:
                return tasks.announce(release.pk)
            sleep(0.1)
            return releasing.hold(story=release.story, by=live_newsroom.officer, reason="Stop.")

        assert race(5, act)[1:] == [False] * 4
        assert not Announcement.objects.exists()

    def test_many_sweeps_and_senders_at_once_send_each_mail_once(self, live_newsroom):
        Subscriber.objects.bulk_create(Subscriber(email=f"{n}@paper.example") for n in range(20))
        release = live_newsroom.public()
        works = [tasks.sweep, lambda: tasks.announce(release.pk), tasks.deliver, tasks.deliver]
        for result in race(12, lambda number: works[number % 4]()):
            assert not isinstance(result, Exception)
        while tasks.deliver():
            pass
        assert Announcement.objects.count() == 1
        assert set(Delivery.objects.values_list("attempts", "error")) == {(1, "")}


# Sweeping and sending


def test_a_sweep_finds_what_was_missed_and_gives_a_sign_of_life(newsroom, sent):
    missed = newsroom.public()
    armed(newsroom, "later", seconds=30)
    assert tasks.sweep() == 1
    assert [(name, headers["argsrepr"]) for name, headers in sent] == [("announce", f"({missed.pk},)")]
    assert database_now() - Heartbeat.objects.get(name="sweep").at < timedelta(seconds=5)


def test_a_sweep_sends_for_what_is_to_be_delivered(newsroom, sent):
    Subscriber.objects.create(email="editor@paper.example")
    releasing.announce(release_id=newsroom.public().pk, worker="test")
    tasks.sweep()
    assert [name for name, _ in sent] == ["deliver"]
    sent.clear()
    assert tasks.deliver() == 1
    tasks.sweep()
    assert sent == []


def test_what_a_sweep_sends_does_not_pile_up(newsroom, sent):
    Subscriber.objects.create(email="editor@paper.example")
    releasing.announce(release_id=newsroom.public().pk, worker="test")
    newsroom.public(slug="missed")
    tasks.sweep()
    latest = datetime.now(UTC) + timedelta(seconds=31)
    assert {name for name, _ in sent} == {"announce", "deliver"}
    assert all(datetime.fromisoformat(headers["expires"]) < latest for _, headers in sent)


def test_a_sender_gives_its_place_to_others_in_time(newsroom, monkeypatch, sent):
    Subscriber.objects.bulk_create(Subscriber(email=f"{n}@paper.example") for n in range(4))
    releasing.announce(release_id=newsroom.public().pk, worker="test")
    monkeypatch.setattr(tasks, "SLICE", 0)
    monkeypatch.setattr(lanes, "BATCH", {**lanes.BATCH, lanes.MAIL: 1})
    monkeypatch.setattr(lanes, "PARALLEL", {**lanes.PARALLEL, lanes.MAIL: 2})
    assert [tasks.deliver() for _ in range(3)] == [2, 2, 0]
    assert [name for name, _ in sent] == ["deliver"]


def test_one_sends_at_a_time_on_each_machine(newsroom):
    Subscriber.objects.create(email="editor@paper.example")
    releasing.announce(release_id=newsroom.public().pk, worker="test")
    cache.add(tasks.TURN, "another", 60)
    assert tasks.deliver() == 0
    cache.delete(tasks.TURN)
    assert tasks.deliver() == 1
