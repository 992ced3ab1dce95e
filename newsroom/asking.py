"""What the public pages ask the database again and again, in the same words.

Django puts a query together anew each time, and has it planned anew, which for one of ours costs several
times what finding the row does. A `Prepared` one is put together once in a process and planned once on a
connection. It is Django's own query all the same: there is one public predicate, and it is in the models.

Whoever keeps what was drawn from answers (`keeping`) hears the questions, to ask them again.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256
from itertools import count
from threading import local
from time import monotonic
from typing import Any, NamedTuple

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

_PLACE = re.compile("%[%s]")
#: The rows of an answer as the database wrote them.
Told = tuple[tuple[bytes | None, ...], ...]

_thread = local()
_heard: ContextVar["list[Question] | None"] = ContextVar("heard", default=None)
_facts: ContextVar[bool] = ContextVar("facts", default=False)


class Params(NamedTuple):
    """Values as they are sent, and the numbers of their types."""

    values: tuple[Any, ...]
    types: tuple[int, ...]


class Question(NamedTuple):
    """What was asked, and what the database said."""

    sql: str
    params: Params
    told: Told
    #: What is asked again in its stead, where it need not be asked each time, with the answer that is wanted.
    brief: "Question | None" = None

    @classmethod
    def of(cls, sql: str, params: Iterable[object] | None, told: Told) -> "Question":
        """One that was asked with these values; None where the text has no places for any."""
        # Of all pages of a kind it is the same text.
        numbered = sql if params is None else _numbered(sql)
        return cls(sys.intern(numbered), _params(params or ()), told)

    def still(self) -> bool:
        """Whether it is told the same now.

        Raises:
            psycopg.Error: the database did not answer, or does not understand it as a prepared statement.
        """
        return told(_executed(self.sql, self.params)) == self.told


class Prepared:
    """A query about some values. `build` makes it of any such values, as `values_list()`."""

    def __init__(self, build: Callable[..., "QuerySet[Any, tuple[Any, ...]]"], *any_values: object) -> None:
        self._build, self._any = build, any_values
        self._made: tuple[SQLCompiler, str, tuple[object, ...]] | None = None

    def __call__(self, *values: object) -> list[tuple[Any, ...]]:
        """The rows.

        Raises:
            django.db.Error: the database did not answer.
        """
        compiler, sql, _ = self.make()
        params = self._params(values)
        begun = monotonic()
        with connection.wrap_database_errors:
            result = _ask(sql, params)
        if connection.queries_logged:
            connection.queries_log.append({"sql": sql, "time": f"{monotonic() - begun:.3f}"})
        heard(Question(sql, params, told(result)))
        rows = Transformer.from_context(connection.connection)
        rows.set_pgresult(result)
        loaded: list[Sequence[Any]] = [*rows.load_rows(0, result.ntuples, tuple)]
        return [tuple(row) for row in compiler.results_iter(results=[loaded])]

    def question(self, *values: object, told: Told) -> Question:
        """It, unasked, with the answer that is wanted."""
        return Question(self.make()[1], self._params(values), told)

    def make(self) -> tuple[SQLCompiler, str, tuple[object, ...]]:
        """How its answers are read, its words and the values in them: put together when first wanted."""
        if self._made is None:
            compiler = self._build(*self._any).query.get_compiler(DEFAULT_DB_ALIAS)
            sql, values = compiler.as_sql()
            self._made = compiler, _numbered(sql), tuple(values)
        return self._made

    def _params(self, values: tuple[object, ...]) -> Params:
        given = dict(zip(self._any, values, strict=True))
        return _params(given.get(each, each) for each in self.make()[2])


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


def hear(sql: str, params: Iterable[object] | None, result: PGresult) -> None:
    """Let whoever listens know what was asked in Django's way, and what the answer was."""
    if _heard.get() is not None:
        heard(Question.of(sql, params, told(result)))


def heard(question: Question) -> None:
    """Let whoever listens know what was asked, unless it was of facts."""
    questions = _heard.get()
    if questions is not None and not about_facts():
        questions.append(question)


def told(result: PGresult) -> Told:
    """What the database answered, as it stands in the answer."""
    columns = range(result.nfields)
    return tuple(tuple(result.get_value(row, column) for column in columns) for row in range(result.ntuples))


def _numbered(sql: str) -> str:
    """With the places for values as PostgreSQL counts them, where Django has `%s`, and `%%` for a percent."""
    numbers = count(1)
    return _PLACE.sub(lambda found: "%" if found[0] == "%%" else f"${next(numbers)}", sql)


def _params(values: Iterable[object]) -> Params:
    """The values as they are sent, with the types that go with them."""
    listed = list(values)
    how = Transformer.from_context(connection.connection)
    sent = how.dump_sequence(listed, [PyFormat.TEXT] * len(listed))
    return Params(tuple(each if each is None else bytes(each) for each in sent), tuple(how.types or ()))


def _ask(sql: str, params: Params) -> PGresult:
    """Ask; where that fails once more, over a new connection if the one that there was has broken.

    What was prepared is forgotten by a pooler that knows nothing of it, and of no use once a column was
    altered.
    """
    connection.ensure_connection()
    try:
        return _executed(sql, params)
    except psycopg.Error:
        if connection.in_atomic_block:
            raise
    if connection.connection.closed:
        connection.close()
        connection.connect()
    pgconn: PGconn = connection.connection.pgconn
    return _sound(pgconn.exec_params(sql.encode(), params.values, params.types))


def _executed(sql: str, params: Params) -> PGresult:
    """The answer to a statement that is prepared once on a connection.

    By libpq itself, which takes a fraction of what a cursor does: it is asked for each reader.
    """
    now = connection.connection
    if getattr(_thread, "connection", None) is not now:
        _thread.connection, _thread.names = now, {}
    pgconn: PGconn = now.pgconn
    names: dict[tuple[str, tuple[int, ...]], bytes] = _thread.names
    # A number has another type where it is larger.
    asked = (sql, params.types)
    if asked not in names:
        name = _name(*asked)
        _sound(pgconn.prepare(name, sql.encode(), params.types))
        names[asked] = name
    return _sound(pgconn.exec_prepared(names[asked], params.values))


def _name(sql: str, types: tuple[int, ...]) -> bytes:
    """What a statement is called, the same wherever it is prepared.

    Behind a pooler that knows nothing of statements it may meet those of others: no other question has it.
    """
    return f"asked_{sha256(f'{sql} {types}'.encode()).hexdigest()[:32]}".encode()


def _sound(result: PGresult) -> PGresult:
    """The same answer.

    Raises:
        psycopg.Error: it says that something is wrong.
    """
    if result.status not in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}:
        raise psycopg.errors.error_from_result(result, encoding="utf-8")
    return result
