"""Celery's part in drafting: to draw the renditions of pictures. No page ever waits for any of it."""

import logging
from threading import Thread
from time import monotonic

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.core.cache import cache

from . import renditions

log = logging.getLogger(__name__)

#: How long one task goes on drawing, in seconds, before it gives its place to others.
SLICE = 5.0
#: One task at a time draws, however many workers there are: it takes all of a processor. Who has the turn and
#: dies loses it after as many seconds.
TURN, TURN_SECONDS = "stories.tasks.draw", 120


@shared_task
def draw() -> int:
    """Draw the renditions of the pictures that have none. The number of pictures that were drawn."""
    if not renditions.undrawn().exists() or not cache.add(TURN, "taken", TURN_SECONDS):
        return 0
    began, drawn = monotonic(), 0
    try:
        while asset := renditions.claim_next():
            cache.touch(TURN, TURN_SECONDS)
            try:
                drawn += bool(renditions.draw(asset))
            except SoftTimeLimitExceeded:
                raise
            # Whatever is wrong with one picture, the others are drawn.
            except Exception:
                log.exception("the renditions of picture %s could not be drawn", asset.name)
            if monotonic() - began >= SLICE:
                draw.apply_async(expires=30)
                break
    finally:
        cache.delete(TURN)
    return drawn


def draw_soon() -> None:
    """Have what was just stored drawn at once. Beat has it drawn too, a little later.

    Nobody waits for the broker, and nothing is lost when it is not there.
    """
    Thread(name="draw soon", target=_try_draw, daemon=True).start()


def _try_draw() -> None:
    try:
        draw.apply_async(expires=60, retry=False)
    # Each broker has exceptions of its own for not being there.
    except Exception as error:
        log.warning("renditions are left to beat: the broker does not answer (%s)", error)
