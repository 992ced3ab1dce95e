"""Celery's part in watching: pre-flights, looking from outside, and the mail to the duty officers.

All of it is in a queue of its own (`watching`), with a worker of its own: an announcement never waits behind
a link that hangs. The database is the schedule here too: each task takes what is due, one after another,
gives its place to others after a few seconds, and expires where it was not taken up in time.
"""

import logging
from collections.abc import Callable
from functools import lru_cache
from time import monotonic

from django.core.cache import cache
from django.db.models.functions import Now

from . import alarming, preflight, probing
from .celery import app
from .models import Heartbeat
from .tasks import worker_name

log = logging.getLogger(__name__)

#: How long one task goes on before it gives its place to others, in seconds.
SLICE = 5.0
#: Of each kind one task at a time: however many workers watch, few links and pages are asked for at once.
#: Who has its turn and dies loses it after as many seconds; two at a time would do no harm.
TURN_SECONDS = 60
#: How many pre-flights are looked up at a time.
BATCH = 20
#: How long what the checks share is of use, in seconds: what the machines and the links answered.
RUN_LASTS = 60


@app.task
def watch() -> None:
    """Give a sign of life, write down what is wrong, and start what is due."""
    Heartbeat.objects.update_or_create(name="watch", defaults={"at": Now()})
    alarming.write()
    if alarming.outstanding():
        tell.apply_async(expires=5)
    if probing.outstanding():
        probe.apply_async(expires=5)


@app.task
def probe() -> int:
    """Look from outside for what was announced. The number of looks."""
    found = in_turn("probe", lambda: probing.look_next(worker_name()), probe.apply_async)
    # Whoever is to hear of a page that is wrong hears of it at once.
    if found and alarming.write():
        tell.apply_async(expires=30)
    return found


@app.task
def tell() -> int:
    """Send the mail that is due. The number of tries."""
    return in_turn("tell", alarming.send_next, tell.apply_async)


@app.task
def preflights() -> int:
    """Check the releases that have come to a mark. The number of them."""
    run = _run()
    waiting: list[preflight.Due] = []
    broken: set[preflight.Due] = set()

    def check_next() -> bool:
        if not waiting:
            found = preflight.due(BATCH + len(broken))
            waiting.extend(due for due in reversed(found) if due not in broken)
        if not waiting:
            return False
        due = waiting.pop()
        try:
            preflight.take(due, run)
        # Whatever is wrong with one release, the others are checked.
        except Exception:
            log.exception("the pre-flight of release %s broke", due.release_id)
            broken.add(due)
        return True

    checked = in_turn("preflights", check_next, preflights.apply_async)
    if checked and alarming.outstanding():
        tell.apply_async(expires=30)
    return checked


def _run() -> preflight.Run:
    """What the checks of this process share, until it is too old."""
    return _runs(int(monotonic() / RUN_LASTS))


@lru_cache(maxsize=1)
def _runs(minute: int) -> preflight.Run:
    return preflight.Run()


def in_turn(name: str, act: Callable[[], bool], again: Callable[..., object]) -> int:
    """Act until there is nothing to do, for a slice of time, if nobody else is at it. How often there was."""
    turn = f"newsroom.watch_tasks.{name}"
    if not cache.add(turn, worker_name(), TURN_SECONDS):
        return 0
    began, done = monotonic(), 0
    try:
        while act():
            done += 1
            cache.touch(turn, TURN_SECONDS)
            if monotonic() - began >= SLICE:
                again(expires=30)
                break
    finally:
        cache.delete(turn)
    return done
