"""The PostgreSQL of our own: where it can live, who may do what, and what does not keep it from starting."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from newsroom.embedded import broker, postgres, processes
from newsroom.embedded.folder import BASE


def hush(name: str, line: str) -> None:
    """The server's own lines are of no interest here."""


def roles(server: postgres.Postgres) -> list[tuple[str, bool, bool]]:
    with psycopg.connect(server.url("postgres", "postgres")) as connection:
        return connection.execute(
            "SELECT rolname, rolsuper, rolcreatedb FROM pg_roles WHERE rolname LIKE 'newsroom%' ORDER BY 1"
        ).fetchall()


def test_roles_and_databases(tmp_path: Path) -> None:
    for _ in ("made", "found"):
        with postgres.running(tmp_path / "database", durable=False, tell=hush) as server:
            assert roles(server) == [
                ("newsroom_app", False, False),
                ("newsroom_broker", False, False),
                ("newsroom_owner", False, True),
            ]
            with psycopg.connect(server.urls()["DATABASE_OWNER_URL"]) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS of_the_owner (number integer)")
            with (
                psycopg.connect(server.urls()["DATABASE_URL"]) as connection,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                connection.execute("SELECT * FROM of_the_owner")
            # The broker's tables are there, and are not installed again.
            queues = broker.connection_string(server.urls()["CELERY_BROKER_URL"])
            assert broker.install(queues) is False


@pytest.mark.parametrize("name", ["with a space, and more", "long" * 30])
def test_folders_that_no_socket_could_be_in(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    with postgres.running(folder / "database", durable=False, tell=hush) as server:
        assert roles(server)
        assert server.socket_folder.parent != folder / "database"
        assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700
    assert not server.socket_folder.exists()


def test_a_private_folder_stays_private(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with postgres.running(private / "database", durable=False, tell=hush) as server:
        assert roles(server)
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


def test_a_pid_file_that_names_a_stranger(tmp_path: Path) -> None:
    """As after the restart of a container, when the number belongs to somebody else."""
    with postgres.running(tmp_path / "database", durable=False, tell=hush):
        pass
    (tmp_path / "database" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    with postgres.running(tmp_path / "database", durable=False, tell=hush) as server:
        assert roles(server)


def test_a_server_that_outlived_its_supervisor(tmp_path: Path) -> None:
    left = postgres.Postgres(tmp_path / "database", durable=False, tell=hush)
    left.initialise()
    left.child.start()
    left.await_ready()
    with postgres.running(tmp_path / "database", durable=False, tell=hush) as server:
        assert roles(server) != []
        assert not left.child.running()
    assert processes.processes_in(tmp_path / "database" / "data") == []


def test_an_unfinished_first_start(tmp_path: Path) -> None:
    (tmp_path / "database" / "data.unfinished").mkdir(parents=True)
    (tmp_path / "database" / "data.unfinished" / "PG_VERSION").write_text("18\n")
    with postgres.running(tmp_path / "database", durable=False, tell=hush) as server:
        assert roles(server)


def test_no_words_of_a_statement_in_the_log(tmp_path: Path) -> None:
    lines: list[str] = []
    with (
        postgres.running(
            tmp_path / "database", durable=False, tell=lambda name, line: lines.append(line)
        ) as server,
        psycopg.connect(server.urls()["DATABASE_OWNER_URL"]) as connection,
        pytest.raises(psycopg.errors.UndefinedTable),
    ):
        connection.execute("SELECT 'the budget' FROM nowhere")
    assert lines
    assert [line for line in lines if "budget" in line or "nowhere" in line] == []


def test_throwaway() -> None:
    code = (
        "import os, psycopg; c = psycopg.connect(os.environ['DATABASE_URL']); "
        "print(c.info.host, c.info.user, os.environ['NEWSROOM_VAR']); raise SystemExit(7)"
    )
    command = [sys.executable, "-m", "newsroom.embedded.throwaway", sys.executable, "-c", code]
    result = subprocess.run(command, check=False, capture_output=True, text=True, cwd=BASE)
    assert result.returncode == 7, result.stderr
    socket_folder, user, var = result.stdout.split()
    assert user == "newsroom_app"
    assert (Path(socket_folder).exists(), Path(var).exists()) == (False, False)
