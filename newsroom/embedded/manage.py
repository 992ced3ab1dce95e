"""`python -m newsroom.embedded.manage COMMAND...`: a Django command on the data of the embedded set-up.

It uses the server that `script/server` runs on the same folder; when none runs, it starts the database
for as long as the command takes. With DATABASE_URL set, it is `manage.py` and nothing else.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping

from newsroom.embedded import environment, postgres
from newsroom.embedded.account import tied_to_us
from newsroom.embedded.folder import BASE, Held, data_folder, held, make_usable
from newsroom.embedded.refusal import Refusal


def main() -> int:
    """Run the command line's words as a Django command; its exit code, or 1 when it has no database."""
    # The command gets Ctrl-C from the terminal as well; we wait for it, then stop what we have started.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        return run(sys.argv[1:])
    except Refusal as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201
        return 1


def run(words: list[str]) -> int:
    """Run `manage.py` with `words`; its exit code.

    Raises:
        Refusal: the database cannot be had.
    """
    if os.environ.get("DATABASE_URL"):
        return _manage(words, os.environ)
    folder = data_folder()
    make_usable(folder)
    try:
        with held(folder), postgres.running(folder / "database", tell=_keep_quiet) as server:
            return _manage(words, {**environment.common(folder), **server.urls()})
    except Held:
        # A server runs: it has written down where its databases are.
        variables = environment.kept(folder)
        if not variables:
            raise
        return _manage(words, {**os.environ, **variables})


def _manage(words: list[str], variables: Mapping[str, str]) -> int:
    command = tied_to_us([sys.executable, str(BASE / "manage.py"), *words], death_signal="TERM")
    return subprocess.run(command, check=False, env=variables).returncode  # noqa: S603


def _keep_quiet(name: str, line: str) -> None:
    """The command's own output is what the caller wants to read, or to parse."""


if __name__ == "__main__":
    sys.exit(main())
