"""A worker that has lost one of its processes ends, so that whoever started it starts a whole one.

With the embedded broker a worker's processes take their tasks from one pipe in turns, by a lock. What kills
one that holds the lock (`kill -9`, or a machine without memory) takes the lock away for good: the worker
goes on receiving, its processes go on waiting, and nothing is announced, while everybody can see that it
runs.
"""

import logging
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from threading import Event, Thread
from typing import Any, NoReturn

from celery import bootsteps
from celery.concurrency.prefork import TaskPool

log = logging.getLogger(__name__)

#: How often a worker looks at its processes, in seconds.
EVERY = 0.5
#: The code with which a worker ends that is not whole.
NOT_WHOLE = 70


class Whole(bootsteps.StartStopStep):
    """Looks at the worker's processes for as long as it runs."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._over = Event()

    def include_if(self, worker: Any) -> bool:
        """Other brokers have an event loop, and a pipe for each process: Celery replaces one that dies."""
        return not worker.use_eventloop

    def start(self, worker: Any) -> None:
        """Begin to look."""
        if isinstance(worker.pool, TaskPool):
            pool: Any = worker.pool
            known = list(pool._pool._pool)
            # However short it lives: it is known before it can be killed.
            pool._pool.on_process_up = known.append
            Thread(target=self._watch, args=(known,), name="whole", daemon=True).start()

    def close(self, worker: Any) -> None:
        """The worker ends as it should: so may its processes."""
        self._over.set()

    def stop(self, worker: Any) -> None:
        """The same, for a worker that is told to end."""
        self._over.set()

    def terminate(self, worker: Any) -> None:
        """The same, for a worker that is told to end at once."""
        self._over.set()

    def _watch(self, known: list[Any]) -> None:
        """Look after the processes that are `known`, to which others add."""
        while not self._over.wait(EVERY):
            for process in list(known):
                # While the pool itself is collecting it, nothing is said of how it ended: it is asked again.
                ended = process.exitcode
                # One that ends by itself, or is told to, puts the lock back.
                if ended == -signal.SIGKILL:
                    log.critical("process %s was killed: the worker ends, to be started anew", process.pid)
                    _end([each.pid for each in known if each is not process])
                elif ended is not None:
                    known.remove(process)


def _end(left: Iterable[int | None]) -> NoReturn:
    """At once: a pool that waits for a lock for ever would never stop."""
    try:
        # One that is being started has no number yet.
        for pid in filter(None, left):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    finally:
        os._exit(NOT_WHOLE)
