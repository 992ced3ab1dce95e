"""`python -m newsroom.embedded.prepare`: everything that must be true before the first page is served.

One process for the migrations, the static files and the demonstration, because loading Django is most of
the cost of each. What it has nothing to do for, it skips.
"""

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command, get_commands
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from newsroom.embedded.environment import for_the_owner
from newsroom.embedded.folder import BASE, SIGN_INS, data_folder, write_private
from newsroom.embedded.refusal import Refusal


def main() -> None:
    """Prepare the database and the folder that the environment names.

    Raises:
        Refusal: the database lacks migrations, and the owner's way in is not known; or the demonstration
            could not be loaded.
    """
    django.setup()
    folder = data_folder()
    migrate()
    collect_static_files(folder)
    if settings.DEMO:
        load_demonstration(folder)


def migrate() -> None:
    """Bring the database up to the code, if it is behind."""
    alias = "owner" if "owner" in connections else "default"
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        return
    if alias != "owner":
        raise Refusal(
            f"The database lacks {len(plan)} migrations: set DATABASE_OWNER_URL so that they can be "
            "applied, or apply them first ('manage.py migrate --database owner')."
        )
    print(f"Applying {len(plan)} migrations.", flush=True)  # noqa: T201
    call_command("migrate", database=alias, interactive=False, verbosity=0)


def collect_static_files(folder: Path) -> None:
    """Copy, name and compress the static files, if any has changed since the last time."""
    note = folder / "static-files"
    fingerprint = _static_fingerprint()
    collected = Path(settings.STATIC_ROOT)
    if collected.is_dir() and note.exists() and note.read_text() == fingerprint:
        return
    print("Collecting the static files.", flush=True)  # noqa: T201
    call_command("collectstatic", interactive=False, verbosity=0)
    write_private(note, fingerprint)


def load_demonstration(folder: Path) -> None:
    """Load the demonstration's stories into a database that never had them, and note how to sign in.

    The note that they were loaded lies beside the database's files, so that it goes when they go. Who
    deletes the stories does not get them back at the next start.
    """
    if "load_demo" not in get_commands():
        return
    note = _demonstration_note(folder)
    if not note.exists():
        print("Loading the demonstration: this happens once.", flush=True)  # noqa: T201
        # It dates facts back, which only the owner may: a process for which that is the default role.
        command = [sys.executable, str(BASE / "manage.py"), "load_demo"]
        if subprocess.run(command, check=False, env=for_the_owner(os.environ)).returncode != 0:  # noqa: S603
            raise Refusal("The demonstration could not be loaded: NEWSROOM_DEMO=0 starts without it.")
        write_private(note, "")
    write_private(folder / SIGN_INS, _sign_ins())


def _sign_ins() -> str:
    """The list of who can sign in and how; empty when the demonstration has been taken out."""
    lines = io.StringIO()
    try:
        call_command("load_demo", "--list", stdout=lines)
    except CommandError:
        return ""
    return lines.getvalue()


def _demonstration_note(folder: Path) -> Path:
    database = folder / "database"
    return (database if database.is_dir() else folder) / "demonstration-loaded"


def _static_fingerprint() -> str:
    digest = hashlib.sha256(f"{django.__version__} {settings.STORAGES['staticfiles']}".encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = os.stat(storage.path(path))
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    try:
        main()
    except Refusal as refusal:
        raise SystemExit(str(refusal)) from None
