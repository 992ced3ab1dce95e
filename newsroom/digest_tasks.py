"""Celery's part in the digests: in the queue of what watches, so that no announcement waits for them.

The database is the schedule here too: what two beats ask for is done once, and what was missed at its time is
done by the next look of the same day.
"""

from . import digesting
from .celery import app
from .watch_tasks import in_turn


@app.task
def digests() -> int:
    """Write the digests of today when they are due, and send what is outstanding. The number written."""
    written = digesting.write()
    if digesting.outstanding():
        send_digests.apply_async(expires=20)
    return written


@app.task
def send_digests() -> int:
    """Send the digests that are due. The number of tries."""
    return in_turn("digests", digesting.send_next, send_digests.apply_async)
