"""The test database after a test that committed: empty again, for little.

Django would truncate every table and write content types and permissions anew; after that PostgreSQL has to
plan every guard again. Together that takes as long as many a test. Here rows are deleted, and only where
there are any, by the superuser of the tests' own server, whom no trigger stops; nobody else may do that.
"""

import os
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.db import connections
from django.test import TransactionTestCase
from psycopg import sql

#: What migrating wrote and no test changes.
KEPT = ("django_migrations", "django_content_type", "auth_permission")
#: Rows of tests that were rolled back, or deleted, still take room, and time to step over.
TESTS_UNTIL_SWEPT = 200

Composed = sql.SQL | sql.Composed


class Emptying:
    """Empties the test database of this process, through one connection of its own."""

    def __init__(self, superuser: str) -> None:
        name = connections["default"].settings_dict["NAME"]
        url = urlsplit(superuser)._replace(path=f"/{name}").geturl()
        self._connection = psycopg.connect(url, autocommit=True, application_name="emptying the tests")
        rows = self._connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [sql.Identifier(name) for (name,) in rows if name not in KEPT]
        self._empty = sql.SQL("DO {}").format(sql.Literal(self._body(tables).as_string(self._connection)))
        self._kept = self._count_kept()
        self._tests = 0

    def empty(self, *_: Any) -> None:
        """Delete all that a test wrote, once nobody writes any more."""
        self._connection.execute(self._empty)
        kept = self._count_kept()
        assert kept == self._kept, f"a test changed what is in {KEPT}: {self._kept} rows, now {kept}"

    def sweep_now_and_then(self) -> None:
        """After some tests, give back the room of rows that are gone."""
        self._tests += 1
        if self._tests % TESTS_UNTIL_SWEPT == 0:
            self._connection.execute("VACUUM")

    def close(self) -> None:
        self._connection.close()

    @staticmethod
    def _body(tables: list[sql.Identifier]) -> Composed:
        # The lock waits for whoever is still writing, as that of TRUNCATE does.
        parts: list[Composed] = [
            sql.SQL("BEGIN LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE;").format(sql.SQL(", ").join(tables)),
            sql.SQL("SET LOCAL session_replication_role = replica;"),
        ]
        delete = sql.SQL("IF EXISTS (SELECT FROM {table}) THEN DELETE FROM {table}; END IF;")
        parts += [delete.format(table=table) for table in tables]
        return sql.SQL(" ").join([*parts, sql.SQL("END")])

    def _count_kept(self) -> list[int]:
        counts = sql.SQL(", ").join(
            sql.SQL("(SELECT count(*) FROM {})").format(sql.Identifier(table)) for table in KEPT
        )
        row = self._connection.execute(sql.SQL("SELECT {}").format(counts)).fetchone()
        assert row
        return list(row)


def emptying() -> Emptying | None:
    """What empties the test database, put in the place of Django's flush; None on a server that is not ours.

    There it is left to Django, which takes longer and comes to the same.
    """
    superuser = os.environ.get("DATABASE_SUPERUSER_URL")
    if not superuser:
        return None
    found = Emptying(superuser)
    TransactionTestCase._fixture_teardown = lambda case: found.empty()  # type: ignore[method-assign]
    return found
