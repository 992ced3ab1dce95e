"""Nothing early, nothing lost, nothing twice: whatever is killed, and whenever.

`FAULT_TIMES` says how often each (once); `python -m benchmarks faults --times 50` tells how late it was, too.
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.brokers import REDIS
from tests.faults.faults import FAULTS
from tests.faults.running import Tally

BASE = Path(__file__).resolve().parents[2]
TIMES = int(os.environ.get("FAULT_TIMES", "1"))
#: With Redis those faults alone in which the broker matters, unless there is more time.
WITH_REDIS = [fault.name for fault in FAULTS if TIMES > 1 or "broker" in fault.name]

Tried = Callable[[str], dict[str, Tally]]


@pytest.fixture(scope="session")
def tried(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Tried:
    """What came of the faults with a broker, tried once for all processes of the test run."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "faults"
    shared.mkdir(exist_ok=True)

    def with_broker(broker: str) -> dict[str, Tally]:
        kept = shared / f"{broker}.json"
        with (shared / f"{broker}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                kept.write_text(_try(broker))
        return {one["fault"]: Tally(**one) for one in json.loads(kept.read_text())}

    return with_broker


def _try(broker: str) -> str:
    """All faults, in a process with a Django and a database of its own; as JSON."""
    command = [sys.executable, "-m", "benchmarks.faults", "--json", "--hurry", f"--times={TIMES}"]
    command += [f"--broker={broker}"]
    command += [f"--fault={name}" for name in WITH_REDIS] if broker == "redis" else []
    run = subprocess.run(command, check=False, capture_output=True, text=True, cwd=BASE)
    if run.returncode != 0:
        pytest.fail(f"The faults could not be tried:\n{run.stderr[-5000:]}", pytrace=False)
    return run.stdout.splitlines()[-1]


def hold(tally: Tally) -> None:
    """Nothing was broken, and it was looked at."""
    assert tally.broken == {}, "\n".join(tally.stuck)
    assert (tally.rounds, len(tally.first), len(tally.announced)) == (TIMES, TIMES, TIMES)
    # Before the moment and after it, or nothing was shown.
    assert tally.polls > 20 * TIMES
    assert min(tally.first) >= 0
    assert min(tally.announced) >= 0


@pytest.mark.parametrize("fault", [fault.name for fault in FAULTS])
def test_with_the_embedded_broker(tried: Tried, fault: str) -> None:
    hold(tried("pgmq")[fault])


@pytest.mark.skipif(not REDIS, reason="there is no redis-server or valkey-server on this machine")
@pytest.mark.parametrize("fault", WITH_REDIS)
def test_with_redis(tried: Tried, fault: str) -> None:
    tally = tried("redis")[fault]
    if tally.skipped:
        pytest.skip(tally.skipped)
    hold(tally)
