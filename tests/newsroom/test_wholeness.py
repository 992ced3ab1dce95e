"""A worker whose process was killed ends, whatever its pool is doing at that moment."""

import subprocess
import sys

import pytest

from newsroom.wholeness import NOT_WHOLE

WORKER = """
import os, signal, sys, time
from types import SimpleNamespace
from billiard import Process
from celery.concurrency.prefork import TaskPool
from newsroom.wholeness import Whole

pool = TaskPool(2)
first, second = (Process(target=time.sleep, args=(60,)) for _ in range(2))
first.start()
pool._pool = SimpleNamespace(_pool=[first, second], on_process_up=None)
whole = Whole(SimpleNamespace(use_eventloop=False))
whole.start(SimpleNamespace(pool=pool))
{then}
time.sleep(20)
"""
#: One that the pool has taken up and not started has no number yet.
KILLED = "os.kill(first.pid, signal.SIGKILL)"
STARTED_LATER = """
second.start()
pool._pool.on_process_up(second)
pool._pool._pool.clear()
os.kill(second.pid, signal.SIGKILL)
"""
ENDED = """
first.terminate()
time.sleep(2)
whole.stop(None)
sys.exit(3)
"""


def how_it_ends(then: str) -> int:
    return subprocess.run([sys.executable, "-c", WORKER.format(then=then)], timeout=60).returncode


@pytest.mark.parametrize("then", [KILLED, STARTED_LATER])
def test_it_ends(then):
    assert how_it_ends(then) == NOT_WHOLE


def test_a_process_that_is_told_to_end_does_no_harm():
    assert how_it_ends(ENDED) == 3
