"""What the public pages ask the database again and again, in the same words.

Django puts a query together anew each time, and has it planned anew, which for one of ours costs several
times what finding the row does. A `Prepared` one is put together once in a process and planned once on a
connection. It is Django's own query all the same: there is one public predicate, and it is in the models.

Whoever keeps what was drawn from answers (`keeping`) hears the questions, to ask them again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import local
from typing import Any, NamedTuple

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler

Params = tuple[Any, ...]
#: The rows of an answer as the database wrote them.
Told = tuple[tuple[bytes | None, ...], ...]

_thread = local()
_heard: ContextVar["list[Question] | None"] = ContextVar("heard", default=None)
_facts: ContextVar[bool] = ContextVar("facts", default=False)


class Question(NamedTuple):
    """What was asked, and what the database said."""

    sql: str
    params: Params | None
    told: Told

    def still(self) -> bool:
        """Whether it is told the same now.

        Raises:
            psycopg.Error: the database did not answer, or does not understand it as a prepared statement.
        """
        # As Django asks, each time would be parsed and planned anew, at several times the price.
        cursor = _cursor()
        cursor.execute(self.sql, self.params, prepare=True)
        return told(cursor) == self.told


class Prepared:
    """A query about one value. `build` makes it of any such value, as `values_list()`."""

    def __init__(self, build: Callable[[Any], "QuerySet[Any, tuple[Any, ...]]"], any_value: object) -> None:
        self._build, self._any = build, any_value
        self._made: tuple[SQLCompiler, str, Params] | None = None

    def __call__(self, value: object) -> list[tuple[Any, ...]]:
        """The rows.

        Raises:
            django.db.Error: the database did not answer.
        """
        compiler, sql, params = self._made = self._made or self._make()
        asked = tuple(value if param == self._any else param for param in params)
        with connection.wrap_database_errors:
            cursor = _ask(sql, asked)
            rows = cursor.fetchall()
        if connection.queries_logged:
            connection.queries_log.append({"sql": sql, "time": ""})
        hear(sql, asked, cursor)
        return [tuple(row) for row in compiler.results_iter(results=[rows])]

    def _make(self) -> tuple[SQLCompiler, str, Params]:
        compiler = self._build(self._any).query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        return compiler, sql, tuple(params)


@contextmanager
def listening(questions: "list[Question]") -> Iterator[None]:
    """Add to `questions` what is asked within, if it is `Prepared` and not of facts."""
    before = _heard.set(questions)
    try:
        yield
    finally:
        _heard.reset(before)


@contextmanager
def of_facts() -> Iterator[None]:
    """What is asked within is of facts that are named already. They never change: nothing to ask again."""
    before = _facts.set(True)
    try:
        yield
    finally:
        _facts.reset(before)


def about_facts() -> bool:
    """Whether what is asked now is of facts."""
    return _facts.get()


def hear(sql: str, params: Params | None, cursor: psycopg.Cursor[Any]) -> None:
    """Let whoever listens know what was asked, and what the answer was."""
    questions = _heard.get()
    if questions is not None and not about_facts():
        questions.append(Question(sql, params, told(cursor)))


def told(cursor: psycopg.Cursor[Any]) -> Told:
    """What the database answered, as it stands in the answer."""
    result = cursor.pgresult
    assert result
    columns = range(result.nfields)
    return tuple(tuple(result.get_value(row, column) for column in columns) for row in range(result.ntuples))


def _ask(sql: str, params: Params) -> psycopg.Cursor[Any]:
    """Ask; where that fails once more, over a new connection if the one that there was has broken.

    What was prepared is forgotten by a pooler that knows nothing of it, and of no use once a column was
    altered.
    """
    connection.ensure_connection()
    cursor = _cursor()
    try:
        return cursor.execute(sql, params, prepare=True)
    except psycopg.Error:
        if connection.in_atomic_block:
            raise
    if cursor.connection.closed:
        connection.close()
        connection.connect()
    return _cursor().execute(sql, params, prepare=False)


def _cursor() -> psycopg.Cursor[Any]:
    """The one that this thread asks with, on the connection that Django has for it now."""
    cursor: psycopg.Cursor[Any] | None = getattr(_thread, "cursor", None)
    if cursor is None or cursor.connection is not connection.connection:
        cursor = _thread.cursor = psycopg.Cursor(connection.connection)
    return cursor
