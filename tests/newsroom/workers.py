"""A real worker and a real beat on the test database, as the supervisor starts them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connections

BASE = Path(__file__).resolve().parents[2]
# As `newsroom.embedded.supervisor` has it.
WORKER = ["--concurrency=2", "--loglevel=INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"]


def broker_url() -> str:
    """The broker of the tests, which has to be a real one."""
    url = os.environ.get("CELERY_BROKER_URL", "")
    if not url or url.startswith("memory:"):
        pytest.fail(
            "CELERY_BROKER_URL names no real broker: run the tests with script/test, which brings one, or "
            "set it to the URL of a Redis, a RabbitMQ or a PostgreSQL with PGMQ.",
            pytrace=False,
        )
    return url


def environment(folder: Path) -> dict[str, str]:
    """What the processes are told: the application's role on the test database, and a folder of their own."""
    name = connections["default"].settings_dict["NAME"]
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    not_for_them = {"DATABASE_OWNER_URL", "DATABASE_SUPERUSER_URL"}
    kept = {key: value for key, value in os.environ.items() if key not in not_for_them}
    return {
        # Nobody looks at a page of whatever else runs on this machine.
        "NEWSROOM_PROBE_URL": "http://127.0.0.1:1",
        **kept,
        "CELERY_BROKER_URL": broker_url(),
        "DATABASE_URL": database,
        "NEWSROOM_VAR": str(folder),
        "SECRET_KEY": settings.SECRET_KEY,
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
    }


@contextmanager
def process(name: str, arguments: list[str], folder: Path) -> Iterator[None]:
    """`celery` with some arguments, for as long as the block lasts. Its output is in `folder`."""
    with (folder / f"{name}.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "celery", "--app=newsroom", "--quiet", *arguments],
            env=environment(folder),
            cwd=BASE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait(10)


@contextmanager
def worker_and_beat(folder: Path) -> Iterator[None]:
    """Both, for as long as the block lasts. Mail goes into `folder`/mail."""
    with ExitStack() as stack:
        stack.enter_context(process("worker", ["worker", "--hostname=test@newsroom", *WORKER], folder))
        beat = ["beat", f"--schedule={folder / 'beat-schedule'}", "--pidfile="]
        stack.enter_context(process("beat", beat, folder))
        yield
