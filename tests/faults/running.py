"""All faults, each some times, on one stage; and the table of what came of them."""

import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .brokers import REDIS
from .faults import FAULTS, Fault
from .rounds import Outcome, Round
from .stage import SUBSCRIBERS, Stage, Stuck, a_stage
from .watching import Clock


@dataclass
class Tally:
    """What came of all rounds of one fault, as JSON can hold it."""

    fault: str
    broker: str
    rounds: int = 0
    early: int = 0
    lost: int = 0
    announced_again: int = 0
    duplicated: int = 0
    repeated: int = 0
    late_404: int = 0
    polls: int = 0
    #: Rounds in which each story was asked for before its moment.
    looked: int = 0
    silent: int = 0
    #: Seconds after the moment: the first answer that showed it, and the receipt.
    first: list[float] = field(default_factory=list)
    announced: list[float] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    #: How often it did not come to the fault.
    missed: int = 0
    #: How long all its rounds took.
    seconds: float = 0.0
    #: Why it was not tried.
    skipped: str = ""

    def add(self, outcome: Outcome) -> None:
        """One more round."""
        self.rounds += 1
        self.early += outcome.seen.early
        self.lost += outcome.lost
        self.announced_again += outcome.announced_again
        self.duplicated += outcome.duplicated
        self.repeated += outcome.repeated
        self.late_404 += outcome.seen.late
        self.polls += outcome.seen.polls
        self.looked += outcome.seen.before > 0
        self.silent += outcome.seen.silent
        self.first += [outcome.seen.first] if outcome.seen.first is not None else []
        self.announced += [outcome.announced] if outcome.announced is not None else []
        self.stuck += [outcome.stuck] if outcome.stuck else []

    @property
    def broken(self) -> dict[str, int]:
        """The promises that did not hold, and how often."""
        counts = {
            "early": self.early,
            "late": self.late_404,
            "lost": self.lost,
            "announced twice": self.announced_again,
            "delivered twice": self.duplicated,
            "not broken": self.missed,
        }
        return {what: count for what, count in counts.items() if count}


def tried(times: int, *, redis: bool = False, wanted: Sequence[str] = (), hurry: bool = False) -> list[Tally]:
    """Each fault (or those `wanted`), `times` times. Only once in a process, whose Django it sets up."""
    if redis and not REDIS:
        return [
            Tally(fault.name, "Redis", skipped="no redis-server or valkey-server here") for fault in FAULTS
        ]
    chosen = [fault for fault in FAULTS if not wanted or any(word in fault.name for word in wanted)]
    found = []
    with a_stage(redis=redis) as stage:
        room, clock = _furnish(stage)
        for fault in chosen:
            tally = Tally(fault.name, stage.broker.name)
            if redis and fault.only_pgmq:
                tally.skipped = fault.only_pgmq
            else:
                _many(stage, room, clock, fault, tally, times, hurry=hurry)
            found.append(tally)
            print(_in_a_line(tally), file=sys.stderr, flush=True)
    return found


def _furnish(stage: Stage) -> tuple[Any, Clock]:
    """People, desks and subscribers; and the database's clock."""
    from newsroom.models import Subscriber
    from tests.people import furnish

    room = furnish()
    Subscriber.objects.bulk_create(Subscriber(email=email) for email in SUBSCRIBERS)
    with stage.superuser() as connection:
        return room, Clock(connection)


def _many(
    stage: Stage, room: Any, clock: Clock, fault: Fault, tally: Tally, times: int, *, hurry: bool
) -> None:
    slug = "".join(sign if sign.isalnum() else "-" for sign in fault.name.lower())
    begun = time.monotonic()
    with fault.around(stage):
        for number in range(times):
            one = Round(stage, room, clock, f"{slug}-{number}", together=fault.together, hurry=hurry)
            try:
                fault.act(stage, one, number)
            except Stuck as stuck:
                tally.missed += 1
                tally.stuck.append(f"{fault.name}, round {number}: {stuck}")
            tally.add(one.finish())
    tally.seconds = round(time.monotonic() - begun, 1)


def _in_a_line(tally: Tally) -> str:
    kept = asdict(tally)
    return ", ".join(f"{key} {value}" for key, value in kept.items() if not isinstance(value, list))


def rows(tallies: Iterable[Tally]) -> list[list[object]]:
    """A line of a table for each fault."""
    return [
        [tally.fault, tally.broker, tally.skipped and f"skipped: {tally.skipped}"]
        if tally.skipped
        else [
            tally.fault,
            tally.broker,
            tally.rounds - tally.missed,
            f"{tally.polls:,}",
            tally.early,
            tally.lost,
            tally.announced_again,
            tally.duplicated,
            tally.repeated,
            spread(tally.first),
            spread(tally.announced),
        ]
        for tally in tallies
    ]


HEADINGS = [
    "fault",
    "broker",
    "times",
    "polls",
    "early",
    "lost",
    "announced twice",
    "delivered twice",
    "repeated under one key",
    "first 200, s",
    "announced, s",
]


def spread(seconds: list[float]) -> str:
    """The least, the median, the 99th percentile and the greatest."""
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    last = ordered[min(len(ordered) - 1, round(0.99 * (len(ordered) - 1)))]
    middle = statistics.median(ordered)
    return " / ".join(f"{value:.3f}" for value in (ordered[0], middle, last, ordered[-1]))
