"""The two brokers that are broken: the embedded one in PostgreSQL, and Redis where there is one."""

import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from newsroom.embedded.account import tied_to_us
from newsroom.embedded.postgres import BROKER_DATABASE

#: A message of PGMQ's default queue is a row of this table.
QUEUE = "pgmq.q_celery"
REDIS = next(filter(None, map(shutil.which, ("redis-server", "valkey-server"))), "")


class Broker(ABC):
    """What a broker can be made to suffer."""

    name: str

    @abstractmethod
    def start(self) -> None:
        """Start it, if it is not there yet."""

    @abstractmethod
    def stop(self) -> None:
        """End it for good."""

    def urls(self) -> dict[str, str]:
        """Where it is, as the environment says it, if it is not the newsroom's own."""
        return {}

    @contextmanager
    @abstractmethod
    def frozen(self) -> Iterator[None]:
        """It keeps everybody waiting for an answer."""
        yield

    @contextmanager
    @abstractmethod
    def dead(self) -> Iterator[None]:
        """It throws everybody out, forgets everything, and is not there for as long as the block lasts."""
        yield


class Pgmq(Broker):
    """Queues that are tables of a database of their own, in the newsroom's PostgreSQL."""

    name = "PGMQ"

    def __init__(self, connect: Callable[[str], psycopg.Connection]) -> None:
        self.connect = connect

    def start(self) -> None:
        """The database's server has started it."""

    def stop(self) -> None:
        """It ends with the database's server."""

    @contextmanager
    def frozen(self) -> Iterator[None]:
        with self.connect(BROKER_DATABASE) as connection, connection.transaction():
            connection.execute(f"LOCK TABLE {QUEUE} IN SHARE MODE".encode())
            yield

    @contextmanager
    def dead(self) -> Iterator[None]:
        with self.connect("postgres") as server:
            with self.connect(BROKER_DATABASE) as queues:
                server.execute(f"ALTER DATABASE {BROKER_DATABASE} ALLOW_CONNECTIONS false".encode())
                server.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s",
                    [BROKER_DATABASE, queues.info.backend_pid],
                )
                queues.execute(f"DELETE FROM {QUEUE}".encode())
            try:
                yield
            finally:
                server.execute(f"ALTER DATABASE {BROKER_DATABASE} ALLOW_CONNECTIONS true".encode())

    @contextmanager
    def unacknowledged(self, task: str) -> Iterator[Callable[[], bool]]:
        """Who has taken the messages of a task cannot acknowledge them; yields whether somebody waits.

        At the end they are given to somebody else at once, as they would be after the visibility timeout.
        """
        like = f"%{task}%"
        with self.connect(BROKER_DATABASE) as holder, self.connect(BROKER_DATABASE) as other:
            with holder.transaction():
                holder.execute(
                    f"SELECT 1 FROM {QUEUE} WHERE message::text LIKE %s FOR UPDATE".encode(), [like]
                )

                def waits() -> bool:
                    blocked = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
                    row = other.execute(blocked.encode(), [holder.info.backend_pid]).fetchone()
                    return bool(row and row[0])

                yield waits
            other.execute(
                f"UPDATE {QUEUE} SET vt = clock_timestamp() WHERE message::text LIKE %s".encode(), [like]
            )


class Redis(Broker):
    """A Redis, or a Valkey, that keeps nothing on disk: killed, it has forgotten everything."""

    name = "Redis"

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.process: subprocess.Popen[bytes] | None = None

    def urls(self) -> dict[str, str]:
        return {"CELERY_BROKER_URL": f"redis://127.0.0.1:{self.port}/0"}

    def start(self) -> None:
        command = [REDIS, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(
            tied_to_us(command, death_signal="KILL"), cwd=self.folder, stdout=subprocess.DEVNULL
        )
        time.sleep(0.2)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        assert self.process
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGCONT)

    @contextmanager
    def dead(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()
