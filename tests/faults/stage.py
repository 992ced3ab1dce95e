"""A newsroom of real processes, as the supervisor starts them, whose parts can be killed one by one."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from newsroom.embedded import environment, supervisor
from newsroom.embedded.postgres import DATABASE, SUPERUSER, Postgres
from newsroom.embedded.processes import Child

from .brokers import Broker, Pgmq, Redis
from .sink import Sink, sink

#: What whoever runs us tells its own processes must not reach a newsroom of another database.
NOT_OURS = (
    "DATABASE_",
    "CELERY_",
    "NEWSROOM_",
    "DJANGO_",
    "EMAIL_",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "SITE_URL",
)
CLOCK = Path(__file__).parent / "clock"
SUBSCRIBERS = ("copy@wire.example", "desk@radio.example", "editor@paper.example")


class Stuck(Exception):
    """Something that had to come did not. The message says what, with the last lines of the processes."""


class Stage:
    """Where the newsroom is, and its parts."""

    def __init__(self, folder: Path, mail: Sink, *, redis: bool = False) -> None:
        self.folder, self.mail = folder, mail
        self.lines: list[str] = []
        self.port = free_port()
        self.database = Postgres(folder / "database", tell=self.note)
        self.broker: Broker = Redis(folder, free_port()) if redis else Pgmq(self.superuser)
        self.variables: dict[str, str] = {}
        self.children: list[Child] = []
        self.workers: list[Child] = []

    def note(self, name: str, line: str) -> None:
        """Keep a line that a process said."""
        self.lines.append(f"{name} | {line}")

    # Starting

    def open(self) -> None:
        """Start PostgreSQL, make the tables, and set Django up in this process as the application."""
        self.database.initialise()
        self.database.child.start()
        self.database.await_ready()
        self.database.furnish()
        self.broker.start()
        self.variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)},
            **self.database.urls(),
            **self.broker.urls(),
            "NEWSROOM_VAR": str(self.folder),
            "NEWSROOM_DEMO": "0",
            "DEBUG": "0",
            "LOG_LEVEL": "INFO",
            "PORT": str(self.port),
            "ALLOWED_HOSTS": "127.0.0.1",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(self.mail.port),
            "DJANGO_SETTINGS_MODULE": "newsroom.settings",
            "PYTHONUNBUFFERED": "1",
        }
        os.environ.update(self.variables)
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", database="owner", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        connections["owner"].close()

    def start(self) -> None:
        """Start the web server, a worker and beat, and wait until all of them are at work."""
        self.web, worker, *_, self.beat = self._parts()
        self.workers = [worker]
        for child in (self.web, worker, self.beat):
            child.start()
        self.until(self.answers, "the first page", 60)
        self.until(self.beats, "a sweep", 60)

    def _parts(self, **more: str) -> list[Child]:
        """The supervisor's own web server, workers (the one that announces first) and beat; not started."""
        variables = environment.for_the_application({**self.variables, **more})
        parts = supervisor._children(self.folder, variables)
        for part in parts:
            part._tell = self.note
        self.children += parts
        return parts

    def worker(self, **more: str) -> Child:
        """One more worker, started, which is told `more`."""
        child = self._parts(**more)[1]
        child.start()
        self.workers.append(child)
        return child

    def another_beat(self) -> Child:
        """One more beat, started."""
        child = self._parts()[-1]
        child.start()
        return child

    def dismiss(self, worker: Child) -> None:
        """End a worker for good."""
        worker.finish()
        self.workers.remove(worker)

    def close(self) -> None:
        """End everything."""
        for child in self.children:
            child.finish()
        self.broker.stop()
        self.database.stop(seconds=2)

    # Asking

    def superuser(self, database: str = DATABASE) -> psycopg.Connection:
        """A connection that nothing is kept from, and that waits for no standby."""
        url = self.database.url(SUPERUSER, database)
        return psycopg.connect(url, autocommit=True, options="-c synchronous_commit=local")

    def ask(self, statement: str, *values: object, database: str = DATABASE) -> Any:
        """The first value that a statement gives; None while the database does not answer."""
        with suppress(psycopg.OperationalError), self.superuser(database) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None
        return None

    def answers(self) -> bool:
        """Whether the web server listens."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def beats(self) -> bool:
        """Whether beat's sweep has reached a worker in the last six seconds."""
        return bool(
            self.ask("SELECT count(*) FROM newsroom_heartbeat WHERE at > now() - interval '6 seconds'")
        )

    def until(self, found: Callable[[], Any], what: str, seconds: float) -> Any:
        """What `found` gives, once it gives anything.

        Raises:
            Stuck: it does not in time.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._revive()
            if result := found():
                return result
            time.sleep(0.02)
        said = "\n".join(self.lines[-40:])
        raise Stuck(f"No {what} within {seconds:.0f} s:\n{said}")

    def _revive(self) -> None:
        """Start a worker again that has ended by itself, as the supervisor does."""
        for worker in self.workers:
            if worker.exit_code() is not None:
                worker.finish()
                worker.start()

    # Breaking

    def kill_pool(self, worker: Child) -> None:
        """`kill -9` for the processes in which a worker's tasks run; the worker itself goes on."""
        for pid in children_of(pid_of(worker)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def restart(self, child: Child) -> None:
        """`kill -9`, and another in its place."""
        child.finish()
        child.start()

    def restart_database(self) -> None:
        """As `pg_ctl restart -m immediate`: nobody is waited for, and what was committed is recovered."""
        from django.db import connections

        child = self.database.child
        child.ask(signal.SIGQUIT)
        child.wait(10)
        child.finish()
        child.start()
        # Ours is gone too.
        connections.close_all()
        self.until(lambda: self.ask("SELECT 1"), "PostgreSQL", 60)

    def time_passes(self) -> None:
        """What a dead sender has claimed is anybody's again, as it would be after its minutes."""
        from django.core.cache import cache

        from newsroom.models import Delivery
        from newsroom.tasks import TURN

        cache.delete(TURN)
        self.ask(
            f"UPDATE {Delivery._meta.db_table} SET lease = now(), next_attempt = now()"
            " WHERE sent_at IS NULL AND attempts > 0"
        )

    def tick(self) -> None:
        """Send what beat sends every few seconds, now: whoever has no time need not wait for it."""
        from newsroom import tasks

        # Each broker has exceptions of its own for not being there yet.
        with suppress(Exception):
            tasks.sweep.apply_async(expires=15, retry=False)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def pid_of(child: Child) -> int:
    """The number of a running child's process."""
    assert child._process is not None
    return child._process.pid


def children_of(pid: int) -> list[int]:
    """The processes that a process has started, as far as they still run."""
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


@contextmanager
def a_stage(*, redis: bool = False) -> Iterator[Stage]:
    """A newsroom that runs for as long as the block lasts; for the main thread of a process of its own."""
    folder = Path(tempfile.mkdtemp(prefix="newsroom-faults-"))
    # PostgreSQL's account passes through.
    folder.chmod(0o755)
    with sink() as mail:
        stage = Stage(folder, mail, redis=redis)
        try:
            stage.open()
            stage.start()
            yield stage
        finally:
            stage.close()
            shutil.rmtree(folder, ignore_errors=True)


def shifted(seconds: float) -> dict[str, str]:
    """What a process is told so that its clock is wrong by `seconds`.

    Raises:
        Stuck: Python's clock does not follow.
    """
    told = {"PYTHONPATH": str(CLOCK), "NEWSROOM_CLOCK_SHIFT": str(seconds)}
    asked = [
        sys.executable,
        "-c",
        "import time, datetime; print(time.time(), datetime.datetime.now().timestamp())",
    ]
    clocks = subprocess.check_output(asked, env={**os.environ, **told}, text=True).split()
    off = [float(clock) - time.time() - seconds for clock in clocks]
    if not all(-2 < each <= 0 for each in off):
        raise Stuck(f"The clock did not follow: it is {off} s from where it was set to.")
    return told
