"""Celery's part in clearance: to tell people of deadlines. No sign-off ever waits for any of it."""

from time import monotonic

from celery import shared_task
from django.core.cache import cache

from . import reminding

#: How long one task goes on sending, in seconds, before it gives its place to others.
SLICE = 5.0
#: One task at a time sends: a mail server that hangs never takes all places of a worker from announcements.
TURN, TURN_SECONDS = "approvals.tasks.remind", 60


@shared_task
def remind() -> int:
    """Write down which reminders have come due, and send what is in the outbox. The number of tries."""
    reminding.write()
    if not reminding.outstanding() or not cache.add(TURN, "taken", TURN_SECONDS):
        return 0
    began, tried = monotonic(), 0
    try:
        while reminding.send_next():
            tried += 1
            cache.touch(TURN, TURN_SECONDS)
            if monotonic() - began >= SLICE:
                remind.apply_async(expires=30)
                break
    finally:
        cache.delete(TURN)
    return tried
