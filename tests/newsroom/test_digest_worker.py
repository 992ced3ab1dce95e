"""The digests with a real worker, beat and broker: each once, also when the worker is killed."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache

from newsroom import mailbox, releasing
from newsroom.models import Delivery, Digest, DigestDay, Subscriber
from newsroom.tasks import TURN
from stories.clocks import database_now, office
from tests.newsroom.test_reminding_worker import hanging, kill_workers
from tests.newsroom.test_worker import wait_for
from tests.newsroom.workers import worker_and_beat

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("worker"),
    pytest.mark.filterwarnings("ignore:list_queues"),
]

EMAILS = [f"{number}@paper.example" for number in range(4)]


@pytest.fixture(autouse=True)
def _turns_are_free(transactional_db: None) -> None:
    cache.clear()
    cache.delete(TURN)


def story_to_tell(newsroom) -> None:
    """A public story that is announced, and people who get the news once a day."""
    Subscriber.objects.bulk_create(Subscriber(email=email, daily=True) for email in EMAILS)
    releasing.announce(release_id=newsroom.public().pk, worker="test")


def due_in(seconds: float, monkeypatch) -> None:
    """Tell the processes that are started from now on when the digests of today are due."""
    at = office(database_now() + timedelta(seconds=seconds)).local.time()
    monkeypatch.setenv("NEWSROOM_DIGEST_AT", at.isoformat(timespec="seconds"))


def mails(settings, folder: Path) -> Counter[tuple[str, str]]:
    settings.MAIL_FOLDER = folder / "mail"
    found = (mailbox.read(path) for path in mailbox.messages())
    all_of_them = Counter((str(message["To"]), str(message["Message-ID"])) for message in found)
    # Alarms, which go to the staff, aside.
    return Counter({key: number for key, number in all_of_them.items() if key[0] in EMAILS})


def all_sent() -> bool:
    return Digest.objects.filter(sent_at__isnull=False).count() == len(EMAILS)


def test_at_its_time_each_gets_one_mail(live_newsroom, settings, tmp_path, monkeypatch):
    story_to_tell(live_newsroom)
    due_in(5, monkeypatch)
    with worker_and_beat(tmp_path):
        wait_for(all_sent, 90, tmp_path)
    day = DigestDay.objects.get()
    print(f"written {(day.at - day.until).total_seconds():.1f} s after they were due")
    assert day.at >= day.until
    found = mails(settings, tmp_path)
    assert {email for email, _ in found} == set(EMAILS)
    assert len(found) == len(EMAILS)
    assert set(found.values()) == {1}
    assert Delivery.objects.filter(digest__isnull=False, sent_at__isnull=False).count() == len(EMAILS)


def test_a_worker_that_is_killed_while_sending_loses_none(live_newsroom, settings, tmp_path, monkeypatch):
    story_to_tell(live_newsroom)
    due_in(2, monkeypatch)
    with hanging(settings) as port:
        monkeypatch.setenv("EMAIL_HOST", "127.0.0.1")
        monkeypatch.setenv("EMAIL_PORT", str(port))
        with worker_and_beat(tmp_path):
            claimed = wait_for(lambda: Digest.objects.filter(attempts=1).first(), 90, tmp_path)
            carried = wait_for(lambda: Delivery.objects.open().filter(digest=claimed).first(), 10, tmp_path)
            kill_workers(tmp_path)
    assert claimed.sent_at is None
    assert carried.lease > database_now()
    monkeypatch.delenv("EMAIL_HOST")
    cache.clear()
    # Its lease is over.
    Digest.objects.filter(attempts=1).update(next_attempt=database_now())
    with worker_and_beat(tmp_path):
        wait_for(all_sent, 90, tmp_path)
    found = mails(settings, tmp_path)
    assert {email for email, _ in found} == set(EMAILS)
    assert set(found.values()) == {1}
    assert DigestDay.objects.count() == 1
    assert not Delivery.objects.open().exists()
