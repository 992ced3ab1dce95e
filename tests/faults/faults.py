"""The faults. Each is what happens around the moment of a story, and what is different for a while before.

Several that have one moment are announced in one transaction, without waiting for a story that somebody is
busy with: that one is left, and announced by itself.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from .brokers import Pgmq
from .rounds import Round
from .sink import TAKEN
from .stage import Stage, children_of, pid_of, shifted

#: How long before its moment a story is armed, in seconds.
AHEAD = 1.4
#: The same, where a worker's clock runs ahead: further than it waits for a moment that it thinks has come.
FURTHER_AHEAD = 3.0
#: A worker has the task by then: it takes it up half a second before the moment, and waits.
TAKEN_UP = -0.25
#: For how long a worker that is to be stopped at a step may take to come to it.
TO_THE_STEP = 20.0


@dataclass(frozen=True)
class Fault:
    """What happens, and what it needs. `around` is set up once for all its rounds."""

    name: str
    act: Callable[[Stage, Round, int], None]
    around: Callable[[Stage], AbstractContextManager[Any]] = lambda stage: nullcontext()
    #: So many stories have the same moment, and are announced by one message.
    together: int = 1
    #: Only with a broker that can do it: the reason why not, for the others.
    only_pgmq: str = ""


# A worker that is killed at a step


@contextmanager
def locked(stage: Stage, statement: str, *values: object) -> Iterator[Callable[[], bool]]:
    """Keep a lock for as long as the block lasts; yields whether somebody waits for it."""
    with stage.superuser() as holder, holder.transaction():
        holder.execute(statement.encode(), values or None)
        number = holder.info.backend_pid
        asked = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
        yield lambda: bool(stage.ask(asked, number))


@contextmanager
def before_the_claim(stage: Stage, one: Round) -> Iterator[Callable[[], bool]]:
    one.arm(AHEAD)
    with locked(stage, "SELECT 1 FROM stories_story WHERE id = %s FOR UPDATE", one.story_id) as waits:
        yield waits


@contextmanager
def before_the_commit(stage: Stage, one: Round) -> Iterator[Callable[[], bool]]:
    """The receipt is written, and the deliveries are not."""
    one.arm(AHEAD)
    with locked(stage, "LOCK TABLE newsroom_delivery IN SHARE MODE") as waits:
        yield waits


@contextmanager
def in_the_commit(stage: Stage, one: Round) -> Iterator[Callable[[], bool]]:
    """PostgreSQL has it on disk, and waits for a standby before it tells the worker."""
    asked = (
        "SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE a.wait_event = 'SyncRep'"
        " AND l.mode = 'RowExclusiveLock' AND l.relation = 'newsroom_announcement'::regclass"
    )
    one.arm(AHEAD)
    one.await_moment(TAKEN_UP)
    _standby(stage, "nobody")
    try:
        yield lambda: bool(stage.ask(asked))
    finally:
        _standby(stage, "")


def _standby(stage: Stage, name: str) -> None:
    stage.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
    stage.ask("SELECT pg_reload_conf()")
    stage.until(
        lambda: stage.ask("SELECT current_setting('synchronous_standby_names') = %s", name), "setting", 10
    )


@contextmanager
def before_sending(stage: Stage, one: Round) -> Iterator[Callable[[], bool]]:
    """Announced and committed; the task that sends is not in the broker yet."""
    one.arm(AHEAD)
    one.await_moment(TAKEN_UP)
    with stage.broker.frozen():
        yield one.announced


def while_sending(place: str) -> Callable[[Stage, Round], AbstractContextManager[Callable[[], bool]]]:
    """The mail server does not answer at `place`."""

    @contextmanager
    def step(stage: Stage, one: Round) -> Iterator[Callable[[], bool]]:
        one.arm(AHEAD)
        with stage.mail.hanging(place):
            yield stage.mail.reached.is_set

    return step


@contextmanager
def before_the_acknowledgement(stage: Stage, one: Round) -> Iterator[Callable[[], bool]]:
    """All is done, and the broker does not know: it will give the task to somebody else."""
    assert isinstance(stage.broker, Pgmq)
    one.arm(AHEAD)
    one.await_moment(TAKEN_UP)
    with stage.broker.unacknowledged("newsroom.tasks.announce") as waits:
        yield lambda: waits() and one.announced()


Step = Callable[[Stage, Round], AbstractContextManager[Callable[[], bool]]]


def killed(step: Step, *, turn: int = 0, whole: bool = False) -> Callable[[Stage, Round, int], None]:
    """`kill -9` at a step: for those processes of a worker in which tasks run, or for all of it, in turns."""

    def act(stage: Stage, one: Round, number: int) -> None:
        worker = stage.workers[0]
        with step(stage, one) as reached:
            stage.until(reached, f"worker at the step of {one.slug}", TO_THE_STEP)
            if whole or (number + turn) % 2:
                worker.finish()
            else:
                stage.kill_pool(worker)
        if worker.exit_code() is not None:
            worker.start()
        stage.time_passes()

    return act


# Beat


def beat_killed(stage: Stage, one: Round, number: int) -> None:
    """While it is dead, the moment comes: of a story that is expected, or of one that only beat sees."""
    stage.beat.finish()
    one.arm(AHEAD, expected=bool(number % 2))
    one.await_moment(0.2)
    stage.beat.start()


@contextmanager
def two_beats(stage: Stage) -> Iterator[None]:
    second = stage.another_beat()
    # It says nothing of itself: by then it is at work.
    time.sleep(3)
    yield
    second.finish()


def nothing(stage: Stage, one: Round, number: int) -> None:
    """Nothing is broken at the moment itself."""
    one.arm(AHEAD)
    one.await_moment()


def far_ahead(stage: Stage, one: Round, number: int) -> None:
    """The same, armed earlier."""
    one.arm(FURTHER_AHEAD)
    one.await_moment()


# Servers


def broker_dead(stage: Stage, one: Round, number: int) -> None:
    """Killed and emptied before the moment, when it knows of the story; back after it."""
    one.arm(AHEAD)
    one.await_moment(-0.8)
    with stage.broker.dead():
        one.await_moment(0.3)


def database_restarted(stage: Stage, one: Round, number: int) -> None:
    one.arm(AHEAD)
    one.await_moment(-0.15)
    stage.restart_database()


def web_restarted(stage: Stage, one: Round, number: int) -> None:
    one.arm(AHEAD)
    one.await_moment(-0.3)
    stage.restart(stage.web)


# Workers


@contextmanager
def three_workers(stage: Stage) -> Iterator[None]:
    more = [stage.worker(), stage.worker()]
    _await_pools(stage)
    yield
    for worker in more:
        stage.dismiss(worker)


def clock_wrong(seconds: float) -> Callable[[Stage], AbstractContextManager[None]]:
    """Every worker's clock is wrong; those of the web, of beat and of the database are right."""

    @contextmanager
    def around(stage: Stage) -> Iterator[None]:
        told = shifted(seconds)
        stage.dismiss(stage.workers[0])
        worker = stage.worker(**told)
        _await_pools(stage)
        yield
        stage.dismiss(worker)
        stage.worker()

    return around


def _await_pools(stage: Stage) -> None:
    """Until every worker has the processes in which its tasks run."""
    for worker in stage.workers:
        stage.until(lambda worker=worker: len(children_of(pid_of(worker))) >= 2, "worker", 60)


FAULTS = (
    Fault("worker killed before the claim", killed(before_the_claim)),
    Fault("worker killed between claim and commit", killed(before_the_commit, turn=1)),
    Fault("worker killed while it commits", killed(in_the_commit)),
    Fault("worker killed after the commit, before sending", killed(before_sending, turn=1)),
    Fault("worker killed while sending, before the words", killed(while_sending("DATA"))),
    Fault("worker killed while sending, after the words", killed(while_sending(TAKEN), turn=1)),
    Fault(
        "worker killed before it acknowledges",
        killed(before_the_acknowledgement, whole=True),
        only_pgmq="a message of Redis cannot be held by itself",
    ),
    Fault("several at once: worker killed with one left", killed(before_the_claim), together=3),
    Fault("several at once: worker killed before it commits", killed(before_the_commit, turn=1), together=3),
    Fault("several at once: worker killed in the commit", killed(in_the_commit), together=3),
    Fault("beat killed", beat_killed),
    Fault("two beats", nothing, two_beats),
    Fault("broker killed, emptied, restarted", broker_dead),
    Fault("PostgreSQL restarted (immediate)", database_restarted),
    Fault("web server killed and restarted", web_restarted),
    Fault("three workers race", nothing, three_workers),
    Fault("worker's clock 5 s ahead", far_ahead, clock_wrong(5)),
    Fault("worker's clock 5 s behind", nothing, clock_wrong(-5)),
)
