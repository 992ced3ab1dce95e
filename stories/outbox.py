"""An outbox: mail that is written down with what it is about, sent after commit, and retried with back-off.

The claim of a row is committed before it is sent, and counts as a try: a worker that dies on the way leaves
it to another after `LEASE`; what kills whoever tries it is tried no more often than any other row, and
never stands in the way of the next.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from email.utils import parseaddr
from random import uniform
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Now

log = logging.getLogger(__name__)

#: Waiting times between tries, in seconds; after the last one the row is left for a person.
BACK_OFF = (5, 30, 120, 600, 1800, 3600)
#: For how long a claim keeps others away: longer than a task may take, so that nobody sends the same one.
LEASE = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT + 30)

#: What stands at a row for as long as somebody is sending it, and after that if they died over it.
IN_HAND = "The worker that was sending it has not come back."


class NotOfUse(Exception):
    """It is not sent any more. The message says why."""


class Outgoing(models.Model):
    """A mail to somebody, and what became of it."""

    app_privileges = "SELECT, INSERT, UPDATE (attempts, next_attempt, sent_at, error)"

    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt = models.DateTimeField(db_default=Now(), null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        abstract = True


def is_due(rows: models.QuerySet[Any]) -> bool:
    """Whether one of the rows is due."""
    return _due(rows).exists()


def send_next(rows: models.QuerySet[Any], send: Callable[[Any], object]) -> bool:
    """Send the one of `rows` that has been due for longest and that nobody is sending. Whether there was one.

    `send` sends a row, or raises `NotOfUse`.
    """
    row = claim(rows)
    if row is None:
        return False
    unsent = type(row)._default_manager.filter(pk=row.pk, sent_at=None)
    try:
        send(row)
    except NotOfUse as reason:
        unsent.update(next_attempt=None, error=f"Not sent: {reason}")
    # Whatever is wrong with one row, the others go out.
    except Exception as error:
        _postpone(row, error)
    else:
        unsent.update(sent_at=Now(), next_attempt=None, error="")
    return True


@transaction.atomic
def claim(rows: models.QuerySet[Any]) -> Any:
    """Keep others away from the next row that is due, and give it; None where there is none."""
    locked = _due(rows).select_for_update(skip_locked=True, of=("self",))
    row = locked.order_by("next_attempt", "pk").first()
    if row is None:
        return None
    last = row.attempts >= len(BACK_OFF)
    type(row)._default_manager.filter(pk=row.pk).update(
        attempts=F("attempts") + 1,
        next_attempt=None if last else Now() + LEASE,
        error=IN_HAND,
    )
    row.attempts += 1
    return row


def sender_host() -> str:
    """The host that we write from: the right side of a Message-ID."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]


def _due(rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    return rows.filter(sent_at=None, next_attempt__lte=Now())


def _postpone(row: Any, error: Exception) -> None:
    words = f"{type(error).__name__}: {error}".replace("\x00", "")[:500]
    unexpected = not isinstance(error, OSError)
    name = row._meta.verbose_name
    log.warning("%s %s, try %s: %s", name, row.pk, row.attempts, words, exc_info=unexpected)
    if row.attempts <= len(BACK_OFF):
        wait = BACK_OFF[row.attempts - 1] * uniform(0.8, 1.2)  # noqa: S311  jitter is no secret
        next_attempt = Now() + timedelta(seconds=wait)
    else:
        next_attempt = None
    type(row)._default_manager.filter(pk=row.pk).update(next_attempt=next_attempt, error=words)
