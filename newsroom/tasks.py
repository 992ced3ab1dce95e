"""Celery's part: to time the effects of a release. What is public never waits for any of it.

The database is the schedule. A message that is lost, or comes twice, changes nothing: the sweep finds
what was missed, and the claim is an insertion that can succeed once.
"""

import logging
import os
import socket
from datetime import UTC, datetime, timedelta
from threading import Thread
from time import monotonic, sleep

from django.core.cache import cache
from django.db.models.functions import Now

from stories.clocks import database_now
from stories.models import Story

from . import delivering, releasing
from .celery import app
from .models import Heartbeat, Visibility

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
#: How long one task goes on sending mail before it gives its place to others, in seconds.
SLICE = 5.0
#: One task at a time sends, so that a mail server that hangs never takes all places of a worker from the
#: announcements. Who has its turn and dies loses it after as many seconds; two at a time would do no harm.
TURN, TURN_SECONDS = "newsroom.tasks.deliver", 60


def worker_name() -> str:
    """Which process of which machine ran a task, for the receipt."""
    return f"{socket.gethostname()}/{os.getpid()}"


@app.task
def look_ahead() -> int:
    """Set a short ETA for each release that becomes visible soon. The number of them."""
    now = database_now()
    coming = [row for row in releasing.due(now + AHEAD) if row[1] > now]
    for release_id, visible_from in coming:
        _set_eta(release_id, visible_from, datetime.now(UTC) - database_now())
    return len(coming)


def expect(story: Story) -> None:
    """Time the announcement of a story that is visible now, or will be before beat looks again.

    Nobody waits for the broker, and nothing is lost when it is not there: the sweep will find it.
    """
    row = Visibility.objects.filter(story=story, announced=False, visible_from__lte=Now() + AHEAD).first()
    if row and row.visible_from:
        skew = datetime.now(UTC) - database_now()
        arguments = (row.release_id, row.visible_from, skew)
        Thread(name=f"expect {row.release_id}", target=_try_eta, args=arguments, daemon=True).start()


def _try_eta(release_id: int, visible_from: datetime, skew: timedelta) -> None:
    try:
        _set_eta(release_id, visible_from, skew, retry=False)
    # Each broker has exceptions of its own for not being there.
    except Exception as error:
        log.warning("release %s is left to the sweep: the broker does not answer (%s)", release_id, error)


def _set_eta(release_id: int, visible_from: datetime, skew: timedelta, *, retry: bool = True) -> None:
    # By this machine's clock, which workers compare with; the claim asks the database's again.
    moment = visible_from + skew
    soon = max(moment, datetime.now(UTC))
    announce.apply_async((release_id,), eta=moment - EARLY, expires=soon + AHEAD, retry=retry)


@app.task
def announce(release_id: int) -> bool:
    """Announce one release at its moment, if nobody has. Its deliveries are sent after commit."""
    if not _await_moment(release_id):
        return False
    receipt = releasing.announce(release_id=release_id, worker=worker_name())
    if receipt is None:
        return False
    deliver.apply_async(expires=60)
    return True


def _await_moment(release_id: int) -> bool:
    """Wait until a release is visible, if that is a matter of seconds. Whether it is."""
    while (wait := releasing.seconds_to_go(release_id)) is not None and wait <= PATIENCE:
        if wait <= 0:
            return True
        sleep(wait)
    return False


@app.task
def sweep() -> int:
    """Announce whatever was missed, each by a task of its own, and send what is due. The number missed.

    The tasks expire soon, as the sweeps do that wait behind them: none pile up after an outage.
    """
    Heartbeat.objects.update_or_create(name="sweep", defaults={"at": Now()})
    missed = releasing.due(database_now())
    for release_id, _ in missed:
        announce.apply_async((release_id,), expires=30)
    if delivering.outstanding():
        deliver.apply_async(expires=SOON)
    return len(missed)


@app.task
def deliver() -> int:
    """Send what is due, one delivery after another. The number of tries.

    After `SLICE` seconds it goes to the end of the queue; while another has the turn it does nothing.
    """
    if not cache.add(TURN, worker_name(), TURN_SECONDS):
        return 0
    began, tried = monotonic(), 0
    try:
        while delivering.send_next():
            tried += 1
            cache.touch(TURN, TURN_SECONDS)
            if monotonic() - began >= SLICE:
                deliver.apply_async(expires=60)
                break
    finally:
        cache.delete(TURN)
    return tried
