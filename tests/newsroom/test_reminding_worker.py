"""Reminders with a real worker, beat and broker: each once, also when the worker is killed."""

import os
import signal
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.cache import cache

from approvals import tasks
from approvals.models import Reminder, Step
from newsroom import mailbox
from newsroom.tasks import TURN
from stories import drafting
from stories.moments import Moment
from tests.newsroom.test_worker import alive, wait_for
from tests.newsroom.workers import worker_and_beat

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("worker"),
    pytest.mark.filterwarnings("ignore:list_queues"),
]


def due(newsroom, seconds: float) -> None:
    """A story that Legal has to clear in so many seconds."""
    Step.objects.filter(desk=newsroom.legal).update(before=timedelta(hours=1))
    revision = newsroom.submitted(headline="Secret headline")
    moment = Moment(datetime.now(UTC) + timedelta(hours=1, seconds=seconds), "Europe/London")
    drafting.plan_embargo(story=revision.story, by=newsroom.drafter, moment=moment)


def mails(settings, folder: Path) -> Counter[str]:
    settings.MAIL_FOLDER = folder / "mail"
    return Counter(str(mailbox.read(path)["Message-ID"]) for path in mailbox.messages())


def all_sent() -> bool:
    sent = Reminder.objects.filter(sent_at__isnull=False)
    return sent.count() == 2


@pytest.fixture(autouse=True)
def _turns_are_free(transactional_db: None) -> None:
    cache.clear()
    for turn in (TURN, tasks.TURN):
        cache.delete(turn)


def test_at_the_deadline_each_of_the_desk_gets_one_mail(live_newsroom, settings, tmp_path):
    with worker_and_beat(tmp_path):
        wait_for(alive, 30, tmp_path)
        due(live_newsroom, seconds=3)
        wait_for(all_sent, 50, tmp_path)
    reminder = Reminder.objects.first()
    print(f"reminded {(reminder.sent_at - reminder.due).total_seconds():.1f} s after the deadline")
    assert reminder.sent_at >= reminder.due
    found = mails(settings, tmp_path)
    assert (len(found), set(found.values())) == (2, {1})
    assert set(Reminder.objects.values_list("attempts", flat=True)) == {1}


@contextmanager
def hanging(settings):
    """A mail server that takes the connection and says nothing."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_worker_that_is_killed_while_sending_loses_none(live_newsroom, settings, tmp_path, monkeypatch):
    due(live_newsroom, seconds=-5)
    with hanging(settings) as port:
        monkeypatch.setenv("EMAIL_HOST", "127.0.0.1")
        monkeypatch.setenv("EMAIL_PORT", str(port))
        with worker_and_beat(tmp_path):
            claimed = wait_for(lambda: Reminder.objects.filter(attempts=1).first(), 50, tmp_path)
            kill_workers(tmp_path)
    assert claimed.sent_at is None
    monkeypatch.delenv("EMAIL_HOST")
    cache.clear()
    # Its lease is over.
    Reminder.objects.filter(attempts=1).update(next_attempt=datetime.now(UTC))
    with worker_and_beat(tmp_path):
        wait_for(all_sent, 50, tmp_path)
    found = mails(settings, tmp_path)
    assert (len(found), set(found.values())) == (2, {1})


def kill_workers(folder: Path) -> None:
    """`kill -9` for the worker of this test and its children, found by the folder they were told."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            told = (entry / "environ").read_bytes()
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"NEWSROOM_VAR={folder}\0".encode() in told and b"worker" in command:
            os.kill(int(entry.name), signal.SIGKILL)
