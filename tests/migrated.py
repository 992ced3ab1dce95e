"""The test database, migrated once in a run: the first process migrates, the others copy what it made."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

import psycopg
from django.db import connections
from psycopg import sql

MIGRATED = "newsroom_migrated"


@dataclass
class Turn:
    """That of one process; while it lasts, no other makes its test database."""

    lock: TextIOWrapper
    first: bool

    def over(self) -> None:
        """The test database is there: the first of all leaves a copy for the others."""
        if self.first:
            # What is connected to cannot be copied.
            connections["owner"].close()
            made = sql.Identifier(connections["owner"].settings_dict["NAME"])
            _as_owner(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(MIGRATED), made))
        fcntl.flock(self.lock, fcntl.LOCK_UN)


@contextmanager
def turn(folder: Path) -> Iterator[Turn]:
    """Wait until no other process is making its test database.

    Args:
        folder: one that the processes of this run share.
    """
    with (folder / "migrated").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        first = not _as_owner(sql.SQL("SELECT FROM pg_database WHERE datname = {}").format(MIGRATED))
        if not first:
            connections["owner"].settings_dict["TEST"]["TEMPLATE"] = MIGRATED
        yield Turn(lock, first)
    if first:
        _as_owner(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(MIGRATED)))


def _as_owner(statement: sql.Composed) -> int:
    """Execute it outside the test databases; how many rows it gave."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as connection:
        return connection.execute(statement).rowcount
