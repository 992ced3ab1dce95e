"""Each fault again and again, in a newsroom of real processes: `python -m benchmarks faults --times 50`.

The faults are those of `tests/faults`, which CI runs a few times each.
"""

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from benchmarks.stack import ROOT, table
from tests.faults.faults import FAULTS
from tests.faults.running import HEADINGS, Tally, rows, tried

NOTES = """\
Seconds after the moment, as least / median / 99th percentile / greatest. Each time is a story of its own
(three of them where it says “several at once”) with three subscribers, its page and the lists asked for every
few milliseconds through its moment. First 200 is the end of the first answer that showed it, of several the
last; after a web server or a database was killed, that is how long it was away. Announced is the receipt of
a worker: what was being announced when its worker died is found by the sweep, every 5 s. Early and late are
counted against the database's clock; a story lost would be one that was not public, announced and delivered
to all within 90 s. Repeated: the same mail under the same Message-ID, by which a receiver knows it. What a
killed sender had claimed is given back by the test, where the product waits for its lease."""


def main(arguments: list[str] | None = None) -> str:
    """Run it; the table, or (with `--json`) the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=50, help="How often each (50)")
    parser.add_argument("--fault", action="append", default=[], help="Part of a fault's name; all, left out")
    parser.add_argument("--broker", choices=["pgmq", "redis"], help="One of the two brokers; both, left out")
    parser.add_argument(
        "--hurry", action="store_true", help="Do not wait for beat's next sweep after a fault"
    )
    parser.add_argument("--abreast", type=int, default=1, help="As many newsrooms side by side (1)")
    parser.add_argument("--json", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.json:
        redis = options.broker == "redis"
        found = tried(options.times, redis=redis, wanted=options.fault, hurry=options.hurry)
        return json.dumps([asdict(tally) for tally in found])
    return written(measured(options))


def measured(options: Any) -> list[Tally]:
    """The figures: in as many newsrooms at a time as are wanted, each with a share of the faults."""
    brokers = [options.broker] if options.broker else ["pgmq", "redis"]
    names = [fault.name for fault in FAULTS if any(part in fault.name for part in options.fault or [""])]
    shares = [
        (broker, names[start :: options.abreast]) for broker in brokers for start in range(options.abreast)
    ]
    with ThreadPoolExecutor(max_workers=options.abreast) as pool:
        tallies = [
            tally for found in pool.map(lambda share: _apart(*share, options), shares) for tally in found
        ]
    return sorted(tallies, key=lambda tally: (tally.broker, names.index(tally.fault)))


def _apart(broker: str, names: list[str], options: Any) -> list[Tally]:
    """The figures with one broker: in a process of its own, which is set up for it."""
    if not names:
        return []
    command = [sys.executable, "-m", "benchmarks.faults", "--json", f"--broker={broker}"]
    command += [f"--times={options.times}", *(f"--fault={name}" for name in names)]
    command += ["--hurry"] if options.hurry else []
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    return [Tally(**one) for one in json.loads(out.splitlines()[-1])]


def written(tallies: list[Tally]) -> str:
    """The table, what did not hold, and what the columns say."""
    ran = [tally for tally in tallies if not tally.skipped]
    late = sum(tally.late_404 for tally in ran)
    polls, silent = sum(tally.polls for tally in ran), sum(tally.silent for tally in ran)
    summed = f"Asked for after its moment and not there: {late} of {polls:,}. Without an answer: {silent:,}."
    stuck = [f"- {tally.fault} ({tally.broker}): {words}" for tally in ran for words in tally.stuck]
    return "\n\n".join(
        [table(HEADINGS, rows(tallies)), summed, *(["\n".join(stuck)] if stuck else []), NOTES]
    )


if __name__ == "__main__":
    print(main())
