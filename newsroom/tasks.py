"""Celery's part: to time the effects of a release. What is public never waits for any of it.

The database is the schedule. A message that is lost, or comes twice, changes nothing: the sweep finds
what was missed, and the claim is an insertion that can succeed once.
"""

import os
import socket
from datetime import UTC, datetime, timedelta

from celery import shared_task
from django.db.models.functions import Now

from . import delivering, releasing
from .models import Heartbeat

#: How far ahead an ETA may be set: far below the broker's visibility timeout, past which it would be
#: delivered a second time.
AHEAD = timedelta(seconds=60)


def worker_name() -> str:
    """Which process of which machine ran a task, for the receipt."""
    return f"{socket.gethostname()}/{os.getpid()}"


def database_now() -> datetime:
    """The database's clock: an aware UTC instant."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


@shared_task
def look_ahead() -> int:
    """Set a short ETA for each release that becomes visible soon. The number of them."""
    now = database_now()
    skew = datetime.now(UTC) - now
    coming = [row for row in releasing.due(now + AHEAD) if row[1] > now]
    for release_id, visible_from in coming:
        # By this machine's clock, which the worker compares with; the claim asks the database's again.
        announce.apply_async((release_id,), eta=visible_from + skew, expires=visible_from + skew + AHEAD)
    return len(coming)


@shared_task
def announce(release_id: int) -> bool:
    """Announce one release, if it is public and nobody has. Its deliveries are sent after commit."""
    receipt = releasing.announce(release_id=release_id, worker=worker_name())
    if receipt is None:
        return False
    for pk in receipt.deliveries.values_list("pk", flat=True):
        deliver.delay(pk)
    return True


@shared_task
def sweep() -> int:
    """Announce and deliver whatever was missed, each by a task of its own. The number of them."""
    now = database_now()
    Heartbeat.objects.update_or_create(name="sweep", defaults={"at": Now()})
    missed = [release_id for release_id, _ in releasing.due(now)]
    for release_id in missed:
        announce.delay(release_id)
    late = delivering.outstanding()
    for pk in late:
        deliver.delay(pk)
    return len(missed) + len(late)


@shared_task
def deliver(delivery_id: int) -> bool:
    """Send one delivery."""
    return delivering.deliver(delivery_id=delivery_id)
