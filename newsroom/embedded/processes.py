"""Children of the supervisor: started, read line by line, stopped, and found again after a crash."""

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from newsroom.embedded.account import Account, tied_to_us

# In the environment of every child: by it the next supervisor finds what a killed one left behind.
MARK = "NEWSROOM_SUPERVISED"

PR_SET_CHILD_SUBREAPER = 36

Say = Callable[[str, str], None]

_output = threading.Lock()


def say(name: str, line: str) -> None:
    """Print one line of the child called `name`, whole, at once.

    A reader that has gone away (`script/server | head`) or a full disk must not stop the press
    office: the line is lost, nothing else.
    """
    with _output, suppress(OSError):
        print(f"{name:<4} | {line}" if name else line, flush=True)  # noqa: T201


class Child:
    """A process of its own session that dies with us; its output is said line by line.

    Args:
        name: what its lines are prefixed with.
        command: what is run; the first word is a path or is found on PATH.
        environment: its whole environment, apart from the mark.
        owner: the folder whose supervisor this is; it goes into the mark.
        folder: where it runs.
        death_signal: what the kernel sends it when we are killed ("INT", "QUIT", ...).
        account: who it runs as, when that is somebody else.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        owner: Path,
        folder: Path,
        death_signal: str,
        account: Account | None = None,
        tell: Say = say,
    ) -> None:
        self.name = name
        self._command = tied_to_us(command, death_signal=death_signal, account=account)
        self._environment = {**environment, MARK: str(owner)}
        self._folder = folder
        self._tell = tell
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self.started_at = 0.0

    def start(self) -> None:
        """Start it; it must not be running.

        A session of its own keeps a Ctrl-C in the terminal to the supervisor, which then stops its
        children in order. Called from the main thread only: the kernel ties a child to the thread.
        """
        self._process = subprocess.Popen(  # noqa: S603  the commands are the supervisor's own
            self._command,
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.started_at = time.monotonic()
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def exit_code(self) -> int | None:
        """Its exit code when it has ended, None while it runs or when it never did."""
        return None if self._process is None else self._process.poll()

    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def ask(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        if self._process is not None:
            self._process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Whether it has ended, or does within `seconds`."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(seconds, 0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def finish(self) -> None:
        """Leave nothing of it: kill what still runs in its session, and say its last lines."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        _bury_group(self._process.pid)
        if self._reader is not None:
            self._reader.join(timeout=1)

    def _read(self, process: subprocess.Popen[str]) -> None:
        if process.stdout is None:
            return
        with process.stdout as lines:
            for line in lines:
                if text := line.rstrip():
                    self._tell(self.name, text)


def adopt_orphans() -> None:
    """Become the parent of what our children leave behind, so that we can bury it.

    In a container nobody else does: the first process there is often one that does not know of such duties.
    """
    with suppress(OSError, AttributeError):  # not a Linux machine
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def bury_orphans() -> None:
    """Collect the ended processes that `adopt_orphans` has given us; only when all of our own have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def stop_together(children: Sequence[Child], number: signal.Signals, *, seconds: float) -> None:
    """Ask all `children` to end, give them `seconds` together, and kill what is left."""
    for child in children:
        child.ask(number)
    deadline = time.monotonic() + seconds
    for child in children:
        child.wait(deadline - time.monotonic())
    for child in children:
        child.finish()


def end_orphans(owner: Path, *, seconds: float) -> int:
    """End what a killed supervisor of the folder `owner` left running; how many there were.

    The kernel has told them to end already (`tied_to_us`): they get `seconds` for it.
    """
    orphans = supervised(owner)
    for pid in _until_gone(orphans, owner, seconds=seconds):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    # The port and the files are free when they are gone, not when they have been told.
    _until_gone(orphans, owner, seconds=seconds)
    return len(orphans)


def supervised(owner: Path) -> set[int]:
    """The processes that a supervisor of the folder `owner` has started, and theirs."""
    mark = f"{MARK}={owner}".encode()
    found = set()
    for pid, entry in _processes():
        with suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.add(pid)
    return found - {os.getpid()}


def processes_in(folder: Path) -> list[int]:
    """The processes whose working directory is `folder`, as far as this account may see.

    All processes of a PostgreSQL server run in its data folder, so these are the ones that would
    make a second server on the same files a disaster.
    """
    return [pid for pid, entry in _processes() if _link(entry / "cwd") == str(folder)]


def _bury_group(group: int) -> None:
    """Collect the members of a killed process group as they end and become ours."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        with suppress(ChildProcessError):
            os.waitpid(-group, os.WNOHANG)
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)


def _until_gone(pids: set[int], owner: Path, *, seconds: float) -> set[int]:
    """Which of the processes `pids` of `owner` still run when all are gone, or the time is up."""
    deadline = time.monotonic() + seconds
    while (left := pids & supervised(owner)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _processes() -> Iterator[tuple[int, Path]]:
    for entry in Path("/proc").glob("[0-9]*"):
        yield int(entry.name), entry


def _link(path: Path) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None
