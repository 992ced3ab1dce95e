"""The moment of a release with a real worker, beat and broker, and without any of them."""

import http.client
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.db import connection
from django.urls import reverse

from newsroom import mailbox, releasing, tasks
from newsroom.models import Announcement, Delivery, Heartbeat, Release, Subscriber
from stories.clocks import database_now
from stories.moments import Moment
from tests.newsroom.test_tasks import broker
from tests.newsroom.workers import worker_and_beat

# One worker at a time: two on one broker would take each other's messages.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("worker"),
    # The PGMQ client tells of a change of its own, from whatever thread sends first.
    pytest.mark.filterwarnings("ignore:list_queues"),
]

EMAILS = ["copy@wire.example", "desk@radio.example", "editor@paper.example"]
NOBODY = "amqp://127.0.0.1:1//"


def wait_for(found: Callable[[], Any], seconds: float, folder: Path) -> Any:
    """What `found` gives, once it gives anything. Fails with the processes' output."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        if result := found():
            return result
        sleep(0.05)
    logs = "\n".join(path.read_text()[-3000:] for path in folder.glob("*.log"))
    pytest.fail(f"It did not happen within {seconds} s:\n{logs}", pytrace=False)


def alive() -> bool:
    """Whether beat's message has reached a worker a moment ago."""
    heartbeat = Heartbeat.objects.filter(name="sweep").first()
    return heartbeat is not None and database_now() - heartbeat.at < timedelta(seconds=6)


def arm(newsroom, seconds: float, slug: str = "bridge") -> Release:
    """Armed, as the release page does it."""
    revision = newsroom.cleared(slug=slug)
    moment = Moment(database_now().astimezone(UTC) + timedelta(seconds=seconds), "Europe/London")
    release = releasing.arm(revision=revision, by=newsroom.officer, moment=moment)
    tasks.expect(release.story)
    return release


def all_sent(release: Release) -> bool:
    sent = Delivery.objects.filter(release=release, sent_at__isnull=False)
    return sent.count() == len(EMAILS)


def recipients(settings, folder: Path) -> Counter[str]:
    """To whom the mail in the processes' folder is; alarms, which go to the staff, aside."""
    settings.MAIL_FOLDER = folder / "mail"
    found = (str(mailbox.read(path)["To"]) for path in mailbox.messages())
    return Counter(email for email in found if not email.endswith("@newsroom.example"))


def test_announced_at_the_moment_and_delivered_once(live_newsroom, settings, tmp_path):
    cache.clear()
    Subscriber.objects.bulk_create(Subscriber(email=email) for email in EMAILS)
    with worker_and_beat(tmp_path):
        wait_for(alive, 30, tmp_path)
        release = arm(live_newsroom, seconds=3)
        receipt = wait_for(lambda: Announcement.objects.filter(release=release).first(), 10, tmp_path)
        wait_for(lambda: all_sent(release), 10, tmp_path)
        # After another sweep it is still one.
        sleep(6)
    print(f"announced {receipt.lateness.total_seconds() * 1000:.1f} ms late")
    assert receipt.due == release.embargo
    assert timedelta() <= receipt.lateness < timedelta(seconds=2)
    assert receipt.worker.rpartition("/")[2].isdecimal()
    assert Announcement.objects.count() == 1
    assert recipients(settings, tmp_path) == Counter(EMAILS)
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_public_at_the_moment_with_everything_dead_and_announced_once_when_it_is_back(
    live_newsroom, live_server, settings, tmp_path
):
    cache.clear()
    Subscriber.objects.bulk_create(Subscriber(email=email) for email in EMAILS)
    with broker(NOBODY):
        release = arm(live_newsroom, seconds=2)
        until = release.embargo + timedelta(seconds=1)
        seen = watch(live_server.url, reverse("story", args=["bridge"]), until)
    assert {status for status, _, answered in seen if answered < release.embargo} == {404}
    assert {status for status, asked, _ in seen if asked >= release.embargo} == {200}
    first = next(answered for status, _, answered in seen if status == 200)
    print(f"public {(first - release.embargo).total_seconds() * 1000:.1f} ms after the moment, by HTTP")
    assert not Announcement.objects.exists()
    with worker_and_beat(tmp_path):
        receipt = wait_for(lambda: Announcement.objects.filter(release=release).first(), 30, tmp_path)
        wait_for(lambda: all_sent(release), 10, tmp_path)
        sleep(6)
    print(f"announced {receipt.lateness.total_seconds():.3f} s late")
    assert receipt.due == release.embargo
    assert receipt.lateness > timedelta(seconds=1)
    assert receipt.lateness == receipt.at - release.embargo
    assert Announcement.objects.count() == 1
    assert recipients(settings, tmp_path) == Counter(EMAILS)


def watch(server: str, path: str, until: datetime) -> list[tuple[int, datetime, datetime]]:
    """Ask for a page again and again: each answer's status, and when it was asked for and had come.

    By the database's clock, which is read before asking and after the answer.
    """
    client = http.client.HTTPConnection(urlsplit(server).netloc, timeout=10)
    seen = []
    asked = database_now()
    while asked < until:
        client.request("GET", path)
        response = client.getresponse()
        response.read()
        answered = database_now()
        seen.append((response.status, asked, answered))
        sleep(0.003)
        asked = database_now()
    client.close()
    connection.close()
    return seen
