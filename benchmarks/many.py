"""Results day: thousands of stories due at one instant. Is one early, is one late, when are all of them out?

A newsroom of that many cleared stories is loaded as `make_newsroom` does it, and armed by the application's
role, with every guard on. Then the public asks, as fast as the web server answers, up to the instant and
past it. Beside it, in the same run, what others do: a Celery task a story with the embargo as its ETA.
"""

import argparse
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Thread
from typing import Any

from benchmarks.stack import ROOT, table
from newsroom.embedded.account import tied_to_us
from tests.faults.brokers import REDIS
from tests.faults.stage import Stage, a_stage
from tests.faults.watching import LISTS, Clock

STORIES, POLLS = 10_000, 100_000
#: Stories that are asked for all the time, each over a connection of its own: the first answer that shows it.
WATCHED = 8
#: With thousands of stories armed, answers are slower than they were found to be before.
MARGIN = 1.5
#: How much of what the public asks for is a list.
LISTS_ASKED = 0.02
#: Statements that arm as many at a time.
ARMED_AT_ONCE = 500
#: Seconds between arming and the instant, at least and at most; and past it until nobody waits any more.
LEAD, LONGEST, PATIENCE = 75, 600, 600
#: How long the public goes on asking after the instant.
PAST = timedelta(seconds=5)


@dataclass
class Asked:
    """What the public got."""

    before: int = 0
    early: int = 0
    after: int = 0
    late: int = 0
    broken: int = 0
    #: Of each watched story, seconds from the instant to the end of the first answer that showed it.
    first: list[float] = field(default_factory=list)


def main(arguments: list[str] | None = None) -> str:
    """Run it with both brokers; the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stories", type=int, default=STORIES, help=f"How many ({STORIES:,})")
    parser.add_argument(
        "--polls", type=int, default=POLLS, help=f"About as many before the instant ({POLLS:,})"
    )
    parser.add_argument("--lead", type=int, default=LONGEST, help=f"Seconds for it at most ({LONGEST})")
    parser.add_argument("--broker", choices=["pgmq", "redis"], help="One of the two; both, left out")
    parser.add_argument("--measure", choices=["pgmq", "redis"], help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        return json.dumps(measure(options))
    brokers = [options.broker] if options.broker else ["pgmq", *(["redis"] if REDIS else [])]
    return written([_apart(broker, options) for broker in brokers])


def _apart(broker: str, options: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.many", f"--measure={broker}"]
    command += [f"--stories={options.stories}", f"--polls={options.polls}", f"--lead={options.lead}"]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def measure(options: Any) -> dict[str, Any]:
    """The figures with one broker."""
    stories, polls = options.stories, options.polls
    with a_stage(redis=options.measure == "redis") as stage:
        with stage.superuser() as connection:
            clock = Clock(connection)
        loaded = timed("load", lambda: load(stories))
        rate = speed(stage.port)
        # Arming takes part of the time that there is; the public needs the rest.
        lead = min(max(LEAD, MARGIN * polls / rate), options.lead) + stories / 150
        moment = clock.now() + timedelta(seconds=lead)
        armed = timed("arm", lambda: arm(stage, moment))
        held, lifted = hold_everything(stage)
        tell(f"{(moment - clock.now()).total_seconds():.0f} s to go, at {rate:.0f} answers a second")
        asked = public(
            stage.port, clock, moment, stage.ask("SELECT string_agg(slug, ' ') FROM newsroom_visibility")
        )
        tell(f"asked: {asked}")
        announced = finish(stage, "newsroom_announcement WHERE true", stories)
        sent = finish(stage, "newsroom_delivery WHERE sent_at IS NOT NULL", stories)
        return {
            "broker": stage.broker.name,
            "stories": stories,
            "loaded": loaded,
            "armed": armed,
            "held": held,
            "lifted": lifted,
            "asked": asked.__dict__,
            "complete": [announced, sent],
            "announced": lateness(stage, "at - due", "newsroom_announcement"),
            "sent": lateness(
                stage, f"sent_at - '{moment.isoformat()}'", "newsroom_delivery WHERE sent_at IS NOT NULL"
            ),
            "mails": len({mail.key for mail in stage.mail.mails}),
            "naive": naive(stage, clock, stories),
        }


def tell(words: str) -> None:
    """Say how far it is."""
    print(f"{datetime.now(UTC):%H:%M:%S} {words}", file=sys.stderr, flush=True)


def timed(what: str, act: Callable[[], object]) -> float:
    """How long something takes, in seconds."""
    begun = time.monotonic()
    act()
    took = time.monotonic() - begun
    tell(f"{what}: {took:.1f} s")
    return took


def load(stories: int) -> None:
    """That many stories, every one of them cleared and none released; one subscriber."""
    from newsroom.bulk import lives, loading
    from newsroom.models import Subscriber

    class Cleared(lives.Historian):
        """Tells of nothing else."""

        def _choose(self, number: int) -> lives.Chosen:
            chosen = super()._choose(number)
            return replace(chosen, stage=lives.Stage.CLEARED, team=None)

        @property
        def under_way(self) -> int:
            # With all its sign-offs, as a story that was released.
            return 0

    loading.Historian = Cleared  # type: ignore[misc]
    loading.make(loading.Wanted(stories, revisions=2, decisions=2), "owner")
    Subscriber.objects.create(email="copy@wire.example")


def arm(stage: Stage, moment: datetime) -> None:
    """Arm them all for one instant, by the application's role: each row is checked by its guard."""
    import psycopg

    newest = (
        "SELECT story_id, max(id) AS id FROM stories_revision WHERE story_id > %s"
        " GROUP BY 1 ORDER BY 1 LIMIT %s"
    )
    statement = (
        "INSERT INTO newsroom_release (story_id, revision_id, by_id, embargo, zone, at)"
        " SELECT story_id, id, (SELECT min(id) FROM stories_user), %s, 'Europe/London', now()"
        f" FROM ({newest}) n RETURNING story_id"
    )
    last = 0
    with psycopg.connect(
        stage.variables["DATABASE_URL"].replace("postgres://", "postgresql://")
    ) as connection:
        while rows := connection.execute(statement.encode(), [moment, last, ARMED_AT_ONCE]).fetchall():
            connection.commit()
            last = max(row[0] for row in rows)


def hold_everything(stage: Stage) -> tuple[float, float]:
    """Hold everything by the application's role, and lift it: the seconds that each took to its commit."""
    import psycopg

    somebody = "(SELECT min(id) FROM stories_user)"
    hold = f"INSERT INTO newsroom_holdall (by_id, reason) SELECT {somebody}, 'Measured'"
    lift = (
        f"INSERT INTO newsroom_holdalllift (by_id, hold_id) SELECT {somebody}, max(id) FROM newsroom_holdall"
    )
    url = stage.variables["DATABASE_URL"].replace("postgres://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        return (
            timed("hold everything", lambda: connection.execute(hold.encode())),
            timed("lift it", lambda: connection.execute(lift.encode())),
        )


def speed(port: int) -> float:
    """How many answers a second the web server gives to those who will watch, before anything is public."""
    counts, seconds = [0] * WATCHED, 4

    def ask(place: int) -> None:
        random = Random(place)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            connection.request("GET", anything(random, f"nothing-{counts[place]}"))
            connection.getresponse().read()
            counts[place] += 1
        connection.close()

    threads = [Thread(target=ask, args=(place,)) for place in range(WATCHED)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def anything(random: Random, slug: str) -> str:
    """The address of a story, or now and then of a list."""
    return random.choice(LISTS) if random.random() < LISTS_ASKED else f"/news/{slug}/"


def public(port: int, clock: Clock, moment: datetime, slugs: str) -> Asked:
    """Ask until `PAST` after the moment: some stories all the time, and any at all in between."""
    names, asked = slugs.split(), Asked()
    threads = [
        Thread(target=_watch, args=(port, clock, moment, name, names, asked)) for name in names[:WATCHED]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return asked


def _watch(port: int, clock: Clock, moment: datetime, mine: str, names: list[str], asked: Asked) -> None:
    """One reader: their story near the moment, before that any story, now and then a list."""
    random, connection, shown = Random(mine), http.client.HTTPConnection("127.0.0.1", port, timeout=60), False
    while (begun := clock.now()) < moment + PAST:
        near = abs(begun - moment) < timedelta(seconds=2) and not shown
        path = f"/news/{mine}/" if near else anything(random, random.choice(names))
        connection.request("GET", path)
        answer = connection.getresponse()
        body, ended = answer.read(), clock.now()
        there = answer.status == 200 and (path not in LISTS or b"/news/" in body)
        asked.broken += answer.status not in {200, 404}
        asked.before += ended < moment
        asked.early += there and ended < moment
        asked.after += begun >= moment
        asked.late += not there and begun >= moment
        if near and there and not shown:
            shown = True
            asked.first.append((ended - moment).total_seconds())
    connection.close()


def finish(stage: Stage, what: str, stories: int) -> int:
    """Wait until as many rows are there; how many are."""
    deadline, count, told = time.monotonic() + PATIENCE, 0, 0.0
    while time.monotonic() < deadline:
        count = stage.ask(f"SELECT count(*) FROM {what}") or 0
        if time.monotonic() - told > 10:
            told = time.monotonic()
            tell(f"{what}: {count:,}")
        if count >= stories:
            break
        time.sleep(0.5)
    return int(count)


def lateness(stage: Stage, late: str, source: str) -> list[float]:
    """The least, the median, the 99th percentile and the greatest, in seconds."""
    asked = (
        "SELECT array_to_json(percentile_cont(ARRAY[0, 0.5, 0.99, 1]) WITHIN GROUP"
        f" (ORDER BY extract(epoch FROM {late})::float8)) FROM {source}"
    )
    found: list[float] = stage.ask(asked) or []
    return found


def naive(stage: Stage, clock: Clock, stories: int) -> list[float]:
    """The same with a task a story and nothing else: how late each was shown."""
    url = stage.database.url("postgres", "newsroom")
    stage.ask("CREATE TABLE naive (id integer PRIMARY KEY, shown_at timestamptz)")
    stage.ask(f"INSERT INTO naive SELECT generate_series(1, {stories})")
    variables = {**stage.variables, "NAIVE_DATABASE": url, "PYTHONWARNINGS": "ignore"}
    command = [
        sys.executable,
        "-m",
        "celery",
        "--app=benchmarks.naive",
        "--quiet",
        "worker",
        "--concurrency=2",
    ]
    command += ["--hostname=naive@newsroom", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    for child in [*stage.workers, stage.beat]:
        child.finish()
    worker = subprocess.Popen(
        tied_to_us(command, death_signal="KILL"), cwd=ROOT, env=variables,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        moment = clock.now() + timedelta(seconds=60 + stories / 150)
        timed("naive: send", lambda: _send(stories, moment))
        late = (moment - clock.now()).total_seconds()
        tell(f"naive: {late:.0f} s to go")
        time.sleep(max(0.0, late))
        finish(stage, "naive WHERE shown_at IS NOT NULL", stories)
        return lateness(stage, f"shown_at - '{moment.isoformat()}'", "naive WHERE shown_at IS NOT NULL")
    finally:
        worker.kill()
        worker.wait()


def _send(stories: int, moment: datetime) -> None:
    from benchmarks import naive as others

    for number in range(1, stories + 1):
        others.release.apply_async((number,), eta=moment.astimezone(UTC))


def written(found: list[dict[str, Any]]) -> str:
    """The tables."""
    rows: list[list[object]] = []
    for one in found:
        broker, asked = one["broker"], one["asked"]
        first = sorted(asked["first"])
        high = first[round(0.99 * (len(first) - 1))] if first else 0
        middle = first[len(first) // 2] if first else 0
        shown = [first[0], middle, high, first[-1]] if first else []
        complete = one["complete"]
        for what, count, seconds in (
            (f"first 200 of {len(first)} that are watched", len(first), shown),
            ("announced", complete[0], one["announced"]),
            ("delivered", complete[1], one["sent"]),
            ("shown by a task a story (ETA)", "", one["naive"]),
        ):
            rows.append([broker, what, count, *(f"{value:.3f}" for value in seconds)])
    headings = [
        f"{found[0]['stories']:,} stories at one instant",
        "",
        "of them",
        "min s",
        "median s",
        "99% s",
        "max s",
    ]
    return "\n\n".join([table(headings, rows), *map(_about, found)])


def _about(one: dict[str, Any]) -> str:
    asked = one["asked"]
    return (
        f"- {one['broker']}: early {asked['early']} of {asked['before']:,} polls; not there after it "
        f"{asked['late']} of {asked['after']:,}; answers that were neither {asked['broken']}. Loaded in "
        f"{one['loaded']:.0f} s, armed in {one['armed']:.0f} s; everything held in "
        f"{one['held'] * 1000:.0f} ms and "
        f"lifted in {one['lifted'] * 1000:.0f} ms, all of them armed. Mails with a key of their own: "
        f"{one['mails']:,}."
    )


if __name__ == "__main__":
    print(main(sys.argv[1:]))
