"""A whole newsroom to measure: database, broker, worker, beat and web server, in a folder of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Stack:
    """Where the newsroom under measurement answers, and the folder that it keeps its things in."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running() -> Iterator[Stack]:
    """Start a newsroom with the demo in it, as the application's role, and stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="newsroom-benchmark-"))
    folder.chmod(0o755)
    stack = Stack(free_port(), folder)
    log = (folder / "server.log").open("wb")
    server = subprocess.Popen(
        [ROOT / "script" / "server"],
        env={
            **os.environ,
            "PORT": str(stack.port),
            "NEWSROOM_VAR": str(folder / "var"),
            "LOG_LEVEL": "WARNING",
        },
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_until_ready(server, folder / "server.log")
        _connect(folder / "var" / "environment")
        yield stack
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(server: subprocess.Popen[bytes], log: Path) -> None:
    import time

    while b"READY" not in log.read_bytes():
        if server.poll() is not None:
            sys.exit(f"The newsroom did not start:\n{log.read_text()}")
        time.sleep(0.1)


def _connect(environment: Path) -> None:
    """Set Django up in this process on the database of the stack."""
    import shlex

    for line in environment.read_text().splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        if name.isidentifier():
            os.environ[name] = shlex.split(value)[0] if value else ""
    os.environ["DJANGO_SETTINGS_MODULE"] = "newsroom.settings"
    import django

    django.setup()


def table(headings: list[str], rows: list[list[object]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
