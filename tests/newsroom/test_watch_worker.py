"""Watching with a real worker, beat, broker and web server: what is released is seen from outside."""

import pytest
from django.core.cache import cache

from newsroom import releasing
from newsroom.models import Alarm, Preflight, Probe
from stories import record
from tests.newsroom.test_worker import alive, arm, wait_for
from tests.newsroom.web import between
from tests.newsroom.workers import worker_and_beat

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("worker"),
    pytest.mark.filterwarnings("ignore:list_queues"),
]


@pytest.fixture(autouse=True)
def _as_the_server(monkeypatch) -> None:
    """The worker draws its pages as the test's server does: without the names that collecting gives files."""
    cache.clear()
    monkeypatch.setenv("DEBUG", "1")


def test_what_is_released_is_checked_before_and_seen_from_outside(
    live_newsroom, live_server, monkeypatch, tmp_path
):
    monkeypatch.setenv("NEWSROOM_PROBE_URL", live_server.url)
    with worker_and_beat(tmp_path):
        wait_for(alive, 30, tmp_path)
        release = arm(live_newsroom, seconds=45)
        checked = wait_for(lambda: Preflight.objects.first(), 40, tmp_path)
        probe = wait_for(lambda: Probe.objects.first(), 60, tmp_path)
    print(f"seen from outside {probe.lateness.total_seconds() * 1000:.0f} ms after it was due")
    assert (checked.release, checked.mark, checked.moment) == (release, "15min", release.embargo)
    states = {result["check"]: result["state"] for result in checked.results}
    assert {states[name] for name in ("signoffs", "workers", "broker", "mail", "clocks")} == {"ok"}
    assert (probe.release, probe.seen, probe.differed) == (release, True, "")
    assert probe.due == release.embargo
    assert not Alarm.objects.filter(kind="unseen").exists()
    assert list(record.verify()) == []


def test_a_page_that_is_altered_on_its_way_raises_the_alarm_and_is_looked_for_again(
    live_newsroom, live_server, monkeypatch, tmp_path
):
    altered = [True]

    def alter(path: str, body: bytes) -> bytes:
        return (
            body.replace(b"footbridge opened", b"footbridge closed") if altered and "/news/" in path else body
        )

    with between(live_server.url, alter) as proxy:
        monkeypatch.setenv("NEWSROOM_PROBE_URL", proxy.url)
        with worker_and_beat(tmp_path):
            wait_for(alive, 30, tmp_path)
            release = live_newsroom.public()
            releasing.announce(release_id=release.pk, worker="test")
            alarm = wait_for(lambda: Alarm.objects.exclude(sent_at=None).first(), 40, tmp_path)
            altered.clear()
            wait_for(lambda: Probe.objects.filter(seen=True).exists(), 60, tmp_path)
    assert (alarm.kind, alarm.release, alarm.recipient) == ("unseen", release, live_newsroom.officer)
    assert list(Probe.objects.order_by("pk").values_list("seen", flat=True)) == [False, True]
    assert Alarm.objects.count() == 1
    assert list(record.verify()) == []
