"""`script/server`: the promise that one command starts everything, keeps it, and stops it."""

import os
import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from newsroom.embedded.folder import BASE, held

from .conftest import FirstRun, Server, environment_for, free_port, left_over

Start = Callable[..., Server]


def write(server: Server) -> None:
    with psycopg.connect(server.database()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS number")


def read(server: Server) -> list[tuple[int]]:
    with psycopg.connect(server.database()) as connection:
        return connection.execute("SELECT number FROM kept").fetchall()


def test_first_start(first_run: FirstRun) -> None:
    address = f"http://127.0.0.1:{first_run.port}"
    ready = first_run.lines.index(f"READY {address}")
    told = first_run.lines[:ready]
    assert f"Public pages  {address}/" in told
    assert f"Staff desk    {address}/desk/" in told
    assert f"Mail          {address}/desk/mail/" in told
    assert first_run.lines[-1] == "Newsroom has stopped."
    assert left_over(first_run.folder) == []


def test_the_folder_is_nobody_elses(first_run: FirstRun) -> None:
    def mode(name: str) -> int:
        return stat.S_IMODE((first_run.folder / name).stat().st_mode)

    assert (mode("secret-key"), mode("database"), mode("database/data")) == (0o600, 0o700, 0o700)
    # Not even a name in it can be listed by others.
    assert mode(".") & 0o066 == 0


def test_second_start_keeps_everything(
    folder: Path, start: Start, record_property: Callable[[str, object], None]
) -> None:
    secret = (folder / "secret-key").read_text()
    one = start(folder)
    one.until_ready()
    write(one)
    assert one.stop(signal.SIGTERM) == 0
    assert left_over(folder) == []
    two = start(folder)
    record_property("seconds to the second READY", two.until_ready())
    assert two.get("/") == 200
    assert read(two) == [(1,)]
    assert (folder / "secret-key").read_text() == secret
    assert not [line for line in two.lines if line.startswith(("Applying", "Collecting", "Loading"))]


def test_kill_9_of_the_supervisor(folder: Path, start: Start) -> None:
    killed = start(folder)
    killed.until_ready()
    write(killed)
    killed.process.kill()
    again = start(folder)
    again.until_ready()
    assert read(again) == [(1,)]
    assert again.stop() == 0
    assert left_over(folder) == []


def test_kill_9_of_everything(folder: Path, start: Start) -> None:
    """As when the machine's power fails: nothing was stopped, PostgreSQL recovers."""
    killed = start(folder)
    killed.until_ready()
    write(killed)
    killed.kill()
    again = start(folder)
    again.until_ready()
    assert read(again) == [(1,)]


def test_what_dies_is_started_again(folder: Path, start: Start) -> None:
    server = start(folder)
    server.until_ready()
    server.until(lambda: len(server.children()) == 5)
    before = server.children()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    def all_new() -> bool:
        now = server.children()
        return now.keys() == before.keys() and not set(now.values()) & set(before.values())

    server.until(all_new)
    server.until(lambda: server.get("/") == 200)


def test_the_application_cannot_become_the_owner(running: Server) -> None:
    web = Path(f"/proc/{running.children()['web']}/environ").read_text().split("\0")
    assert [word for word in web if word.startswith("DATABASE_OWNER_URL=")] == []
    database = next(word.removeprefix("DATABASE_URL=") for word in web if word.startswith("DATABASE_URL="))
    with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE not_ours (number integer)")


def manage(environment: dict[str, str], code: str) -> str:
    command = [BASE / "script" / "manage", "shell", "--no-imports", "-c", code]
    return subprocess.check_output(command, env=environment, text=True, cwd="/")


WHO = "from django.db import connection as c; c.ensure_connection(); print(c.settings_dict['USER'])"


def test_a_command_beside_a_running_server(running: Server) -> None:
    assert manage(running.environment, WHO) == "newsroom_app\n"


def test_a_command_while_nothing_runs(folder: Path) -> None:
    assert manage(environment_for(folder, free_port()), WHO) == "newsroom_app\n"
    assert left_over(folder) == []


def test_busy_port(tmp_path: Path, start: Start) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert start(tmp_path / "var", port=port).refusal() == (
            f"Port {port} cannot be used (Address already in use): "
            "stop what listens there, or set PORT to another."
        )


def test_port_that_is_none(tmp_path: Path, start: Start) -> None:
    refusal = start(tmp_path / "var", PORT="eighty").refusal()
    assert refusal == "PORT is 'eighty': set it to a number from 1 to 65535."


def test_two_on_one_folder(tmp_path: Path, start: Start) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    with held(folder):
        assert start(folder).refusal() == (
            f"Newsroom already runs on {folder} (process {os.getpid()}): stop that one, or set NEWSROOM_VAR "
            "to another folder."
        )


def test_database_without_broker(tmp_path: Path, start: Start) -> None:
    refusal = start(tmp_path / "var", DATABASE_URL="postgres://somewhere/newsroom").refusal()
    assert refusal.startswith("DATABASE_URL is set and CELERY_BROKER_URL is not: set both")


def test_a_file_in_the_folders_place(tmp_path: Path, start: Start) -> None:
    (tmp_path / "var").write_text("")
    assert start(tmp_path / "var").refusal() == (
        f"Newsroom cannot keep its data in {tmp_path / 'var'}: a file stands in its place; "
        "set NEWSROOM_VAR to a folder it may write to."
    )


def test_a_folder_that_is_read_only(tmp_path: Path, start: Start) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    # Root may write whatever the modes say, unless the whole file system is read-only.
    root = os.geteuid() == 0
    if root and subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", folder], check=False).returncode:
        pytest.skip("this machine does not let us mount a read-only file system")
    folder.chmod(0o500) if not root else None
    try:
        reason = (
            "it is on a read-only file system"
            if root
            else "files in it belong to another account, or this one may not write there"
        )
        assert f"Newsroom cannot keep its data in {folder}: {reason};" in start(folder).refusal()
    finally:
        if root:
            subprocess.run(["umount", folder], check=True)


def test_a_disk_without_room(tmp_path: Path, start: Start) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False).returncode:
        pytest.skip("this machine does not let us mount a small file system")
    try:
        refusal = start(folder).refusal()
    finally:
        subprocess.run(["umount", folder], check=True)
    assert refusal.startswith(f"Newsroom needs 200 MB to keep its data in {folder}, and 1 MB are free:")
