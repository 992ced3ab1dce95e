"""Nothing early, nothing lost, nothing twice: whatever is killed, and whenever.

`FAULT_TIMES` says how often each (once); `python -m benchmarks faults --times 50` tells how late it was, too.
"""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.brokers import REDIS
from tests.faults.faults import FAULTS
from tests.faults.running import Tally

BASE = Path(__file__).resolve().parents[2]
TIMES = int(os.environ.get("FAULT_TIMES", "1"))
KILLED = [fault.name for fault in FAULTS if fault.name.startswith("worker killed")]
BROKEN = [fault.name for fault in FAULTS if fault.name.startswith("broker")]
OTHERS = [fault.name for fault in FAULTS if fault.name not in KILLED]
#: Half of them with the embedded broker, half with Redis, where there is one: two newsrooms, side by side.
WITH = {"pgmq": KILLED + BROKEN, "redis": OTHERS} if REDIS else {"pgmq": KILLED + OTHERS}

Tried = dict[str, dict[str, Tally]]


@pytest.fixture(scope="session")
def tried(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Tried:
    """What came of the faults, by broker: tried once for all processes of the test run."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "faults"
    shared.mkdir(exist_ok=True)
    kept = shared / "found.json"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(json.dumps(_try()))
    found = json.loads(kept.read_text())
    return {broker: {one["fault"]: Tally(**one) for one in tallies} for broker, tallies in found.items()}


def _try() -> dict[str, Any]:
    """All faults, with each broker in a process that has a Django and a database of its own."""
    running = {broker: _start(broker, faults) for broker, faults in WITH.items()}
    found = {}
    for broker, process in running.items():
        out, err = process.communicate()
        if process.returncode != 0:
            pytest.fail(f"The faults could not be tried with {broker}:\n{err[-5000:]}", pytrace=False)
        found[broker] = json.loads(out.splitlines()[-1])
    return found


def _start(broker: str, faults: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.faults", "--json", "--hurry", f"--broker={broker}"]
    command += [f"--times={TIMES}", *(f"--fault={name}" for name in faults)]
    return subprocess.Popen(command, cwd=BASE, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def hold(tally: Tally) -> None:
    """Nothing was broken, and it was looked at."""
    assert tally.broken == {}, "\n".join(tally.stuck)
    assert (tally.rounds, len(tally.first), len(tally.announced)) == (TIMES, TIMES, TIMES)
    # Asked for before the moment, and seen after it, or nothing was shown.
    assert tally.looked == TIMES
    assert min(tally.first) >= 0
    assert min(tally.announced) >= 0


CASES = [pytest.param(broker, fault) for broker, faults in WITH.items() for fault in faults]
if not REDIS:
    no_redis = pytest.mark.skip(reason="there is no redis-server or valkey-server on this machine")
    CASES += [pytest.param("redis", fault, marks=no_redis) for fault in BROKEN]


@pytest.mark.parametrize(("broker", "fault"), CASES)
def test_nothing_early_and_nothing_lost_and_nothing_twice(tried: Tried, broker: str, fault: str) -> None:
    hold(tried[broker][fault])
