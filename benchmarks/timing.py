"""How long the answer to a story that is not public takes, beside that to one that never was.

The URLs of an armed story, a held one, one that is limited to a team, and of two that never were are asked
for in turns that chance decides, over HTTP, of the web server as `script/server` starts it. Reported, not
judged: the comparison of the two that never were with each other says what this machine calls a difference.
"""

import argparse
import http.client
import statistics
import time
from collections.abc import Sequence
from datetime import timedelta
from math import erfc, exp, sqrt
from random import Random
from typing import Any, NamedTuple

from benchmarks.embargo import armed
from benchmarks.stack import running, table

REQUESTS = 4000
#: Others that are armed, too: in a table of one page PostgreSQL would look at every row.
OTHERS = 300
#: Over one connection, before the next one is opened: it may lead to another process of the web server.
A_CONNECTION = 250
NEVER, CONTROL = "never was", "never was either"


class Compared(NamedTuple):
    """Two samples held against each other."""

    #: How likely it is that one of the first takes longer than one of the second; a half for no difference.
    longer: float
    #: Mann and Whitney's test, and Kolmogorov and Smirnov's: how likely such a difference is by chance.
    mann_whitney: float
    kolmogorov_smirnov: float
    #: The greatest distance of the two distributions.
    distance: float


def main(arguments: list[str] | None = None) -> str:
    """Run it; the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=REQUESTS, help=f"For each kind ({REQUESTS})")
    options = parser.parse_args(arguments)
    with running() as stack:
        paths = addresses()
        times = ask(stack.port, paths, options.requests)
    rows = [row(name, times[name], times[NEVER]) for name in paths]
    headings = ["404 of a story that", "requests", "median µs", "90% µs", "99% µs"]
    headings += ["takes longer than “never was”", "p (Mann-Whitney)", "distance (K-S)", "p (K-S)"]
    return f"{table(headings, rows)}\n\n{NOTES}"


NOTES = """\
“Takes longer” is the share of pairs in which it did: 0.5 is no difference, and the distance from 0.5 is
the size of the effect. A small p with 0.50 says that there are many requests, not that there is something
to see."""


def addresses() -> dict[str, str]:
    """The path of each kind; all of one length, which is what a server could tell apart as well."""
    from django.db import connections

    from newsroom import releasing
    from stories import drafting
    from stories.models import Team, User

    marta, ines = (User.objects.get(username=name) for name in ("marta", "ines"))
    releases = {
        name: armed(number, timedelta(hours=5)) for number, name in enumerate(("armed", "held", "limited"))
    }
    for number in range(OTHERS):
        armed(100 + number, timedelta(hours=5))
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE newsroom_visibility")
    releasing.hold(story=releases["held"].story, by=ines, reason="To be measured.")
    team, _ = Team.objects.get_or_create(name="Measured")
    team.members.add(marta, ines)
    drafting.limit(story=releases["limited"].story, by=marta, team=team)
    slugs = {f"is {name}": release.revision.slug for name, release in releases.items()}
    # As long as the others: measured-0.
    slugs |= {NEVER: "measured-8", CONTROL: "measured-9"}
    return {name: f"/news/{slug}/" for name, slug in slugs.items()}


def ask(port: int, paths: dict[str, str], requests: int) -> dict[str, list[float]]:
    """Microseconds from each request to the end of its answer, by kind."""
    turns = [name for name in paths for _ in range(requests)]
    Random(7).shuffle(turns)
    found: dict[str, list[float]] = {name: [] for name in paths}
    for begin in range(0, len(turns), A_CONNECTION):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        # The first answer of a connection pays for opening it.
        for place, name in enumerate([NEVER, *turns[begin : begin + A_CONNECTION]]):
            started = time.perf_counter_ns()
            connection.request("GET", paths[name])
            answer = connection.getresponse()
            answer.read()
            took = (time.perf_counter_ns() - started) / 1000
            if answer.status != 404:
                raise SystemExit(f"{paths[name]} answered {answer.status}.")
            if place:
                found[name].append(took)
        connection.close()
    return found


def row(name: str, times: list[float], never: list[float]) -> list[object]:
    """A line of the table."""
    parts = statistics.quantiles(times, n=100)
    told = [name, len(times), *(f"{parts[place]:,.0f}" for place in (49, 89, 98))]
    if times is never:
        return [*told, "", "", "", ""]
    compared = compare(times, never)
    return [
        *told,
        f"{compared.longer:.3f}",
        f"{compared.mann_whitney:.3f}",
        f"{compared.distance:.3f}",
        f"{compared.kolmogorov_smirnov:.3f}",
    ]


def compare(one: Sequence[float], other: Sequence[float]) -> Compared:
    """Both tests, by their approximations for large samples."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    total, count, others = 0.0, len(one), len(other)
    ties, place = 0.0, 0
    seen, distance = [0, 0], 0.0
    while place < len(ranked):
        end = place
        while end < len(ranked) and ranked[end][0] == ranked[place][0]:
            seen[ranked[end][1]] += 1
            end += 1
        # Whoever takes as long as somebody else gets the middle of their places.
        middle = (place + 1 + end) / 2
        total += middle * sum(1 for _, sample in ranked[place:end] if sample == 0)
        ties += (end - place) ** 3 - (end - place)
        distance = max(distance, abs(seen[0] / count - seen[1] / others))
        place = end
    pairs, everybody = count * others, count + others
    u = total - count * (count + 1) / 2
    spread = sqrt(pairs / 12 * (everybody + 1 - ties / (everybody * (everybody - 1))))
    return Compared(
        longer=u / pairs,
        mann_whitney=erfc(abs(u - pairs / 2) / spread / sqrt(2)) if spread else 1.0,
        distance=distance,
        kolmogorov_smirnov=_kolmogorov(distance * sqrt(pairs / everybody)),
    )


def _kolmogorov(scaled: float) -> float:
    """How likely a distance as great as that is by chance."""
    if scaled < 0.2:
        return 1.0
    terms: list[Any] = [(-1) ** (k - 1) * exp(-2 * k * k * scaled * scaled) for k in range(1, 101)]
    return min(1.0, max(0.0, 2 * sum(terms)))


if __name__ == "__main__":
    import sys

    print(main(sys.argv[1:]))
