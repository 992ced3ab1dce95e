"""The parent of everything: PostgreSQL, the web server, the Celery workers and beat.

It starts them in order, says READY when the first page answers, starts again what dies, and stops
everything within five seconds when it is asked to. When it is killed, the kernel tells its children.
"""

import http.client
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import psycopg

from newsroom.embedded import broker, environment, postgres
from newsroom.embedded.folder import BASE, SIGN_INS, data_folder, held, make_usable
from newsroom.embedded.processes import (
    Child,
    Say,
    adopt_orphans,
    bury_orphans,
    end_orphans,
    say,
    stop_together,
)
from newsroom.embedded.refusal import Refusal

HOST = "127.0.0.1"
# Together under five seconds. A worker in the middle of a task is cut off after that: its message was
# not acknowledged, and the sweep finds what is due.
SECONDS_TO_STOP = 2.8
SECONDS_TO_READY = 120.0
SECONDS_FOR_ORPHANS = 2.0
LONGEST_PAUSE = 30.0
# Who has run for that long is well: the next death is a new one.
SECONDS_TO_BE_WELL = 60.0
DEATHS_BEFORE_READY = 3
# By how much others go before them when everybody wants a processor (the niceness of Unix): at the moment of
# a release whoever reads before whoever announces, and both before what only watches.
WORK_BEHIND, WATCH_BEHIND = 5, 10


class Stopped(BaseException):
    """We have been asked to stop; raised wherever the supervisor is, like KeyboardInterrupt."""


class Restarts:
    """How often a child has died of late, and when it may be started again."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.deaths = 0
        self._due: float | None = None

    def look(self) -> None:
        """Start the child again if it has died, after a pause that doubles from death to death."""
        now = time.monotonic()
        if self.child.running():
            return
        if self._due is None:
            if now - self.child.started_at > SECONDS_TO_BE_WELL:
                self.deaths = 0
            self.deaths += 1
            pause = min(2.0 ** (self.deaths - 1), LONGEST_PAUSE)
            say(
                self.child.name, f"ended with code {self.child.exit_code()}; starting again in {pause:.0f} s."
            )
            self.child.finish()
            self._due = now + pause
        elif now >= self._due:
            self._due = None
            self.child.start()


def main() -> int:
    """Run until told to stop; the exit code: 0, or 1 after a sentence on why it cannot run."""
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, _stop)
    # What the children write is nobody else's business: mail, pictures, stories before their time.
    os.umask(0o077)
    try:
        run()
    except Stopped:
        say("", "Newsroom has stopped.")
    except Refusal as refusal:
        print(refusal, file=sys.stderr, flush=True)  # noqa: T201
        return 1
    return 0


def run() -> None:
    """Start everything and keep it running; returns only by an exception.

    Raises:
        Refusal: something is in the way; the words say what to do.
        Stopped: we were asked to stop, and everything has been stopped.
    """
    external = environment.is_external()
    folder = data_folder()
    make_usable(folder)
    adopt_orphans()
    with ExitStack() as stack:
        stack.enter_context(held(folder))
        stack.callback(bury_orphans)
        if orphans := end_orphans(folder, seconds=SECONDS_FOR_ORPHANS):
            say("", f"Ended {orphans} processes that a killed supervisor had left.")
        _refuse_busy_port(environment.port())
        if os.geteuid() == 0:
            say("", "Running as root: good for a trial. Real work deserves an account of its own.")
        variables = environment.common(folder)
        watched: list[Child] = []
        if not external:
            server = stack.enter_context(postgres.running(folder / "database"))
            variables |= server.urls()
            watched.append(server.child)
        elif variables["CELERY_BROKER_URL"].startswith("pgmq://"):
            _install_broker(variables["CELERY_BROKER_URL"])
        environment.keep(folder, variables)
        stack.callback(environment.forget, folder)
        _prepare(folder, variables)
        children = _children(folder, environment.for_the_application(variables))
        stack.callback(stop_together, children, signal.SIGTERM, seconds=SECONDS_TO_STOP)
        for child in children:
            child.start()
        _keep_running([Restarts(child) for child in [*watched, *children]], folder, _as_a_reader(variables))


def _stop(number: int, frame: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C must not cut the stopping short.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped


def _refuse_busy_port(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the web server does it: the remains of closed connections are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Refusal(
                f"Port {port} cannot be used ({error.strerror}): "
                "stop what listens there, or set PORT to another."
            ) from error


def _install_broker(url: str) -> None:
    try:
        broker.install(broker.connection_string(url))
    except psycopg.Error as error:
        reason = str(error).splitlines()[0]
        raise Refusal(f"The broker that CELERY_BROKER_URL names cannot be set up: {reason}") from error


def _prepare(folder: Path, variables: Mapping[str, str]) -> None:
    """Run `newsroom.embedded.prepare`.

    Raises:
        Refusal: it failed.
    """
    preparing = _python("", ["newsroom.embedded.prepare"], variables, folder, death_signal="TERM")
    preparing.start()
    try:
        while preparing.running():
            preparing.wait(1)
    finally:
        preparing.finish()
    if preparing.exit_code() != 0:
        raise Refusal("Newsroom could not be prepared: the lines above say why.")


def _children(folder: Path, variables: Mapping[str, str]) -> list[Child]:
    """The web server, the workers and beat, in the order in which they are started."""
    celery = ["celery", "--app=newsroom", "--quiet"]
    web = ["gunicorn", "newsroom.wsgi:application", f"--bind={HOST}:{environment.port()}"]
    web += [
        "--workers=2",
        "--threads=4",
        "--graceful-timeout=2",
        "--no-control-socket",
        "--log-level=warning",
    ]
    # A fixed name, and no talk between workers: with PGMQ each such thing would leave tables behind.
    work = [*celery, "worker", "--hostname=worker@newsroom", "--concurrency=2", "--loglevel=INFO"]
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    work += ["--queues=celery", *alone]
    # What watches (pre-flights, links, the look from outside) has processes of its own: announcing never
    # waits for it.
    watch = [*celery, "worker", "--hostname=watch@newsroom", "--queues=watching", "--concurrency=2"]
    watch += ["--loglevel=INFO", *alone]
    quiet = _without_root_warning(variables)
    beat = [*celery, "beat", "--pidfile=", "--loglevel=WARNING"]
    return [
        _python("web", web, variables, folder, death_signal="QUIT"),
        _python("work", work, quiet, folder, death_signal="QUIT", behind=WORK_BEHIND),
        _python("watch", watch, quiet, folder, death_signal="QUIT", behind=WATCH_BEHIND),
        _python("beat", beat, variables, folder, death_signal="TERM"),
    ]


def _without_root_warning(variables: Mapping[str, str]) -> dict[str, str]:
    """Celery's ten lines about running as root say no more than the one that has been said already."""
    return {**variables, "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"}


def _python(
    name: str,
    arguments: Sequence[str],
    variables: Mapping[str, str],
    folder: Path,
    *,
    death_signal: str,
    tell: Say = say,
    behind: int = 0,
) -> Child:
    return Child(
        name,
        [*_nice(behind), sys.executable, "-m", *arguments],
        environment=variables,
        owner=folder,
        folder=BASE,
        death_signal=death_signal,
        tell=tell,
    )


def _nice(behind: int) -> list[str]:
    """What is put before a command so that it lets others go first."""
    nice = shutil.which("nice") if behind else None
    return [nice, "-n", str(behind)] if nice else []


def _as_a_reader(variables: Mapping[str, str]) -> dict[str, str]:
    """The headers by which we get the answer that a reader behind the proxy would get."""
    names = [name for name in variables.get("ALLOWED_HOSTS", "").split(",") if name]
    host = HOST if not names or {HOST, "*"} & set(names) else names[0].lstrip(".")
    https = variables.get("SITE_URL", "").startswith("https://")
    return {"Host": host, "X-Forwarded-Proto": "https" if https else "http"}


def _keep_running(restarts: Sequence[Restarts], folder: Path, headers: Mapping[str, str]) -> None:
    """Start again whatever dies; say READY once, when the first page answers.

    Raises:
        Refusal: it did not come to that.
    """
    deadline = time.monotonic() + SECONDS_TO_READY
    ready = False
    while True:
        for each in restarts:
            each.look()
        if not ready:
            if ready := _first_page_answers(headers):
                _welcome(folder)
            elif time.monotonic() > deadline:
                raise Refusal(
                    f"The first page did not answer in {SECONDS_TO_READY:.0f} seconds: see the lines above."
                )
            elif any(each.deaths >= DEATHS_BEFORE_READY for each in restarts):
                raise Refusal("A part of Newsroom ends as soon as it is started: its lines above say why.")
        time.sleep(0.2 if ready else 0.05)


def _first_page_answers(headers: Mapping[str, str]) -> bool:
    """Whether the public home page answers 200."""
    connection = http.client.HTTPConnection(HOST, environment.port(), timeout=10)
    try:
        connection.request("GET", "/", headers=dict(headers))
        if connection.getresponse().status == 200:
            return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    # It answers, with an error: asking twenty times a second would only repeat that in the log.
    time.sleep(1)
    return False


def _welcome(folder: Path) -> None:
    address = f"http://{HOST}:{environment.port()}"
    say("", "")
    say("", f"Public pages  {address}/")
    say("", f"Staff desk    {address}/desk/")
    say("", f"Mail          {address}/desk/mail/")
    try:
        sign_ins = (folder / SIGN_INS).read_text().splitlines()
    except FileNotFoundError:
        sign_ins = []
    for line in sign_ins:
        say("", line)
    say("", "")
    say("", f"READY {address}")
