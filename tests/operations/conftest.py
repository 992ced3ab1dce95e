"""`script/server` as a real process, in a folder and on a port of its own."""

import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from newsroom.embedded import environment, processes
from newsroom.embedded.folder import BASE

SECONDS_TO_START = 180
# What `script/test` tells its own tests must not reach a server that makes its own database.
NOT_OURS = (
    "DATABASE_",
    "CELERY_",
    "NEWSROOM_",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "DEBUG",
    "PORT",
    "SITE_URL",
    "DJANGO_",
)


class FirstRun(NamedTuple):
    """What the first start in a new folder said, and the folder after it was stopped."""

    folder: Path
    port: int
    lines: list[str]


class Server:
    """One run of `script/server`; what it says is in `lines`."""

    def __init__(self, folder: Path, port: int | None = None, **variables: str) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.environment = environment_for(folder, self.port) | variables
        self.lines: list[str] = []
        self._started = time.monotonic()
        self.process = subprocess.Popen(
            [BASE / "script" / "server"],
            env=self.environment,
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line.rstrip("\n"))

    @property
    def ready_line(self) -> str:
        return f"READY http://127.0.0.1:{self.port}"

    def until_ready(self) -> float:
        """How long it took until it was ready."""
        self.until(lambda: self.ready_line in self.lines)
        return time.monotonic() - self._started

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail("script/server did not get there:\n" + "\n".join(self.lines))
            time.sleep(0.05)

    def get(self, path: str) -> int | None:
        """The status that `path` answers with, None when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def database(self) -> str:
        """Where the owner finds the database."""
        return environment.kept(self.folder)["DATABASE_OWNER_URL"]

    def children(self) -> dict[str, int]:
        """The process that leads each part, by its name."""
        parts = {"gunicorn": "web", "worker": "work", "beat": "beat", "postgres": "data"}
        found = {}
        supervisor = self.process.pid
        for pid in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split():
            try:
                words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            except FileNotFoundError:
                # It has ended since it was named.
                continue
            for word, name in parts.items():
                if word in {Path(each).name for each in words}:
                    found["watch" if "--queues=watching" in words else name] = int(pid)
        return found

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Its exit code after the signal."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=20)
        self._reader.join(timeout=5)
        return code

    def kill(self) -> None:
        """End it and all its children at once: quicker than to stop it."""
        self.process.kill()
        self.process.wait()
        for pid in left_over(self.folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until_gone(self.folder)
        self._reader.join(timeout=5)

    def refusal(self) -> str:
        """What it says when it does not start; it must be one line, and a failure."""
        assert self.process.wait(timeout=SECONDS_TO_START) != 0
        self._reader.join(timeout=5)
        assert len(self.lines) == 1, self.lines
        return self.lines[0]


def environment_for(folder: Path, port: int) -> dict[str, str]:
    """What a person would type `script/server` with."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    return {**inherited, "NEWSROOM_VAR": str(folder), "PORT": str(port)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def left_over(folder: Path) -> list[int]:
    """What still runs for the data folder `folder`."""
    marked = processes.supervised(folder) | processes.supervised(folder / "database")
    return [*marked, *processes.processes_in(folder / "database" / "data")]


def until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 20
    while left := left_over(folder):
        assert time.monotonic() < deadline, f"{left} still run"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> FirstRun:
    """A folder after its first start, which Ctrl-C stopped; made once for all processes of the test run."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "first-run"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = shared / "said.json"
        if not said.exists():
            said.write_text(json.dumps(_start_and_stop(shared / "var")))
        port, lines = json.loads(said.read_text())
    return FirstRun(shared / "var", port, lines)


def _start_and_stop(folder: Path) -> tuple[int, list[str]]:
    server = Server(folder)
    try:
        server.until_ready()
        assert server.stop() == 0
        assert left_over(folder) == []
    finally:
        server.kill()
    return server.port, server.lines


@pytest.fixture
def folder(first_run: FirstRun, tmp_path: Path) -> Path:
    """A copy of that folder, for a test of its own."""
    return shutil.copytree(first_run.folder, tmp_path / "var")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts `script/server`; whatever the test leaves running is stopped after it."""
    servers: list[Server] = []

    def start_one(folder: Path, **options: str) -> Server:
        servers.append(Server(folder, **options))
        return servers[-1]

    yield start_one
    for server in servers:
        server.kill()


@pytest.fixture(scope="session")
def running(first_run: FirstRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that runs, for tests that only look."""
    server = Server(shutil.copytree(first_run.folder, tmp_path_factory.mktemp("running") / "var"))
    server.until_ready()
    yield server
    server.kill()
