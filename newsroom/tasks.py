"""Celery's part: to time the effects of a release. What is public never waits for any of it.

The database is the schedule. A message that is lost, or comes twice, changes nothing: the sweep finds
what was missed, and the claim is an insertion that can succeed once.
"""

import logging
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from random import sample
from threading import Thread
from time import monotonic, sleep

from celery.exceptions import SoftTimeLimitExceeded
from django.core.cache import cache
from django.db.models.functions import Now

from stories.clocks import database_now
from stories.models import Story

from . import bundling, delivering, holders, releasing, subscribing
from .celery import app
from .models import Heartbeat

log = logging.getLogger(__name__)

#: How far ahead an ETA may be set: far below the broker's visibility timeout, past which it would be
#: delivered a second time.
AHEAD = timedelta(seconds=60)
#: How much before its moment a worker takes up a release, to meet it awake and with a warm connection.
EARLY = timedelta(seconds=0.5)
#: How long a worker waits for a moment by the database's clock, in seconds. Its own may run ahead by five.
PATIENCE = 6.0
#: After how long a message is not worth its work any more, in seconds. Whose clock runs ahead throws away
#: what others have just sent, so it is well above what clocks differ by.
SOON = 15
#: How many releases of one instant go with one message. A message each would keep the broker and the workers
#: busy with nothing else on a day with thousands: each is sent by several looks ahead, and by each sweep.
TOGETHER = 50
#: How long one task goes on sending before it gives its place to others, in seconds.
SLICE = 5.0
#: On each machine one task at a time sends, so that the other places of its workers are left to the
#: announcements; that one sends many things at once (`delivering.THREADS`). Who has the turn and dies loses
#: it after as many seconds; two at a time would do no harm.
TURN, TURN_SECONDS = f"newsroom.tasks.deliver:{socket.gethostname()}", 60


def worker_name() -> str:
    """Which process of which machine ran a task, for the receipt."""
    return f"{socket.gethostname()}/{os.getpid()}"


@app.task
def look_ahead() -> int:
    """Set a short ETA for each release that becomes visible soon. The number of them."""
    now = database_now()
    coming = [row for row in releasing.due(now + AHEAD) if row[1] > now]
    for release_ids, visible_from in _together(coming):
        _set_eta(release_ids, visible_from, datetime.now(UTC) - database_now())
    return len(coming)


def _together(rows: list[tuple[int, datetime]]) -> Iterator[tuple[tuple[int, ...], datetime]]:
    """The releases of each instant, a few at a time."""
    for visible_from, same in groupby(rows, key=lambda row: row[1]):
        ids = [release_id for release_id, _ in same]
        for begin in range(0, len(ids), TOGETHER):
            yield tuple(ids[begin : begin + TOGETHER]), visible_from


def expect(story: Story) -> None:
    """Time the announcement of a story that is visible now, or will be before beat looks again, and of what
    goes out together with it.

    Nobody waits for the broker, and nothing is lost when it is not there: the sweep will find it.
    """
    coming = releasing.due(database_now() + AHEAD, bundling.stories_with(story))
    if coming:
        skew = datetime.now(UTC) - database_now()
        Thread(name=f"expect {story.pk}", target=_try_etas, args=(coming, skew), daemon=True).start()


def send_soon() -> None:
    """Have what was just written into the outbox sent at once. The sweep sends it too, a little later."""
    Thread(name="send soon", target=_try_send, daemon=True).start()


def _try_send() -> None:
    try:
        deliver.apply_async(expires=60, retry=False)
    # Each broker has exceptions of its own for not being there.
    except Exception as error:
        log.warning("deliveries are left to the sweep: the broker does not answer (%s)", error)


def _try_etas(coming: list[tuple[int, datetime]], skew: timedelta) -> None:
    try:
        for release_ids, visible_from in _together(coming):
            _set_eta(release_ids, visible_from, skew, retry=False)
    # Each broker has exceptions of its own for not being there.
    except Exception as error:
        named = ", ".join(str(release_id) for release_id, _ in coming)
        log.warning("release %s is left to the sweep: the broker does not answer (%s)", named, error)


def _set_eta(
    release_ids: tuple[int, ...], visible_from: datetime, skew: timedelta, *, retry: bool = True
) -> None:
    # By this machine's clock, which workers compare with; the claim asks the database's again.
    moment = visible_from + skew
    soon = max(moment, datetime.now(UTC))
    announce.apply_async(release_ids, eta=moment - EARLY, expires=soon + AHEAD, retry=retry)


@app.task
def announce(*release_ids: int) -> bool:
    """Announce releases of one moment, when it comes, those that nobody has. Whether it did any.

    Their deliveries are sent after commit.
    """
    visible = _await_moment(release_ids)
    announced = _announce_together(visible)
    # In an order of its own: another worker that has the same ones would be in its way at each.
    left = [release_id for release_id in visible if release_id not in announced]
    singly = [release_id for release_id in sample(left, len(left)) if _announce(release_id)]
    if announced or singly:
        # Who sends here already finds the new rows: of ten thousand at an instant not each has to say so.
        if not cache.get(TURN):
            deliver.apply_async(expires=60)
        # By its name: what watches stands above what it watches.
        app.send_task("newsroom.watch_tasks.probe", expires=60)
        return True
    return False


def _announce_together(release_ids: list[int]) -> set[int]:
    """Announce as many as can be in one go, or in a few where many are told of each. Which they are."""
    if len(release_ids) < 2:
        return set()
    announced, some = set(), delivering.at_once()
    for begin in range(0, len(release_ids), some):
        announced |= _announce_some(release_ids[begin : begin + some])
    return announced


def _announce_some(release_ids: list[int]) -> set[int]:
    """Announce releases in one transaction. Which they are: none where one of them is wrong."""
    try:
        receipts = releasing.announce_together(release_ids=release_ids, worker=worker_name())
    except SoftTimeLimitExceeded:
        raise
    # One of them is wrong, or was held this instant; which, is found one by one.
    except Exception as error:
        log.warning("%s releases are announced one by one: %s", len(release_ids), error)
        return set()
    return {receipt.release_id for receipt in receipts}


def _announce(release_id: int) -> bool:
    """Announce one, if nobody has. Whatever is wrong with it, the others are announced."""
    try:
        return releasing.announce(release_id=release_id, worker=worker_name()) is not None
    except SoftTimeLimitExceeded:
        raise
    except Exception:
        log.exception("release %s could not be announced", release_id)
        return False


def _await_moment(release_ids: tuple[int, ...]) -> list[int]:
    """Wait until one of the releases is visible, if that is a matter of seconds. Those that are."""
    while waits := releasing.waits(release_ids):
        if visible := [release_id for release_id, wait in waits.items() if wait <= 0]:
            return visible
        soonest = min(waits.values())
        if soonest > PATIENCE:
            break
        sleep(soonest)
    return []


@app.task
def sweep() -> int:
    """Announce whatever was missed, a few by each task, and send what is due. The number missed.

    The tasks expire soon, as the sweeps do that wait behind them: none pile up after an outage.
    """
    Heartbeat.objects.update_or_create(name="sweep", defaults={"at": Now()})
    missed = releasing.due(database_now())
    for release_ids, _ in _together(missed):
        announce.apply_async(release_ids, expires=30)
    subscribing.forget()
    if _outstanding():
        deliver.apply_async(expires=SOON)
    return len(missed)


def _outstanding() -> bool:
    """Whether anything is due that a worker sends."""
    return delivering.outstanding() or holders.outstanding() or subscribing.outstanding()


@app.task
def deliver() -> int:
    """Send what is due. The number of tries.

    After `SLICE` seconds it goes to the end of the queue; while another here has the turn it does nothing.
    """
    if not cache.add(TURN, worker_name(), TURN_SECONDS):
        return 0
    began, tried = monotonic(), 0
    try:
        tried = delivering.run(SLICE)
        # Behind the stories: a mail server that hangs keeps only these waiting.
        while monotonic() - began < 2 * SLICE and (holders.send_next() or subscribing.send_next()):
            tried += 1
    finally:
        cache.delete(TURN)
    # Where nothing could be tried, the next sweep looks again.
    if tried and _outstanding():
        deliver.apply_async(expires=60)
    return tried
