"""`python -m newsroom.embedded.throwaway COMMAND...`: run a command with a PostgreSQL of its own.

The server has the roles and the databases of the real one, lives in a temporary folder, is told not to
care about crashes, and is gone when the command ends; so is the data folder that the command is given.
The command's exit code is ours.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

from newsroom.embedded import postgres
from newsroom.embedded.account import tied_to_us
from newsroom.embedded.processes import say
from newsroom.embedded.refusal import Refusal


def main() -> int:
    """Run the command line's words as a command; its exit code, or 1 when there is no server for it."""
    # The command gets Ctrl-C from the terminal as well; we wait for it, then clean up.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    signal.signal(signal.SIGTERM, _leave)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="newsroom-") as folder,
            postgres.running(
                Path(folder).resolve() / "database", durable=False, tell=_say_failures
            ) as server,
        ):
            command = tied_to_us(sys.argv[1:], death_signal="TERM")
            var = Path(folder) / "var"
            var.mkdir()
            superuser = server.url(postgres.SUPERUSER, postgres.DATABASE)
            environment = {
                **os.environ,
                "NEWSROOM_VAR": str(var),
                **server.urls(),
                "DATABASE_SUPERUSER_URL": superuser,
            }
            return subprocess.run(command, check=False, env=environment).returncode  # noqa: S603
    except Refusal as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201
        return 1


def _leave(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _say_failures(name: str, line: str) -> None:
    if line.startswith(("FATAL", "PANIC")):
        say(name, line)


if __name__ == "__main__":
    sys.exit(main())
