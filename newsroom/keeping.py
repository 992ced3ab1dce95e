"""Answers that are kept, each with what its drawing asked the database and what it was told.

Nothing kept is given on trust: the database is asked again, by its own clock, and only where it says what it
said is the page given once more. So an embargo, a withdrawal and a correction act on what is kept as on what
is drawn, in the same instant, and nothing has to be thrown away at the right moment. What else a page is made
of (code, templates, settings) lasts as long as the process, and so does what it keeps.

It is kept in memory and nowhere else. Into a table or a cache that the application can write, bytes could be
put that nobody cleared.
"""

import gzip
import re
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple

import django.db
import psycopg
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import setting_changed
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.autoreload import file_changed
from django.utils.cache import get_conditional_response

from . import asking
from .asking import Question

OK = 200
#: Bytes that a process keeps at most; what was not asked for for the longest time goes first.
ROOM = 12 * 1024 * 1024
#: What zlib calls the format of gzip.
GZIPPED = 31
#: What an entry takes besides its bytes, roughly.
OVERHEAD = 2048

View = Callable[..., HttpResponseBase]
Headers = list[tuple[str, str]]
Environ = dict[str, Any]
#: The other side of WSGI (PEP 3333).
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]

#: Who can read the short form, and has not said that they would rather not.
_SHORT = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)
#: What makes an answer to a question on a condition (RFC 9110, section 13).
_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE")

#: Headers of an answer that is for who asked, or for who asks in the same way.
_OF_ONE = {"Set-Cookie", "Vary"}


@dataclass
class Grounds:
    """What has to hold for a page to be given again."""

    questions: tuple[Question, ...]
    #: What pages are made of besides: how to find it, and what it was.
    made_of: Callable[[], Hashable]
    made: Hashable
    #: For how many seconds the brief form of a question does.
    seconds: float
    #: When they were asked in full, by this process's clock that only goes on.
    asked: float

    def still_hold(self) -> bool:
        """Whether the database says all that it said when the page was drawn."""
        now = monotonic()
        # Django looks after its connections as it begins to answer.
        if connection.connection is None or (connection.close_at and now >= connection.close_at):
            return False
        in_full = now >= self.asked + self.seconds
        try:
            if self.made_of() != self.made or not all(
                (question if in_full else question.brief or question).still() for question in self.questions
            ):
                return False
        except (psycopg.Error, django.db.Error):
            # A connection that broke, for one: Django makes another as the page is drawn.
            return False
        if in_full:
            self.asked = now
        return True

    def can_be_asked(self) -> bool:
        """Whether asking again, in the way in which that is done, gives the same at all."""
        try:
            # In a transaction, which what is not understood would break, with a savepoint.
            with transaction.atomic() if connection.in_atomic_block else nullcontext():
                return all((question.brief or question).still() for question in self.questions)
        except psycopg.Error:
            return False


class Kept(NamedTuple):
    """The short form of a page as it was drawn, and the grounds on which it is given again."""

    short: bytes
    #: Those that both forms have, and those of each.
    headers: Headers
    of_short: Headers
    of_whole: Headers
    grounds: Grounds

    @classmethod
    def of(cls, response: HttpResponse, headers: Headers, grounds: Grounds) -> "Kept":
        """A page as it was drawn, with the headers that it was to be sent with."""
        # The same bytes each time: without the hour in them.
        short = gzip.compress(response.content, mtime=0)
        etag = response["ETag"]
        # Other bytes, so another name.
        of_short = [("ETag", etag.removesuffix('"') + '-gzip"'), ("Content-Encoding", "gzip")]
        shared = [each for each in headers if each[0] not in {"ETag", "Content-Length"}]
        return cls(
            short,
            [*shared, ("Vary", "Accept-Encoding")],
            [*of_short, ("Content-Length", str(len(short)))],
            [("ETag", etag), ("Content-Length", str(len(response.content)))],
            grounds,
        )

    @property
    def size(self) -> int:
        questions = self.grounds.questions
        told = sum(len(value or b"") for each in questions for row in each.told for value in row)
        return OVERHEAD + len(self.short) + told

    @property
    def body(self) -> bytes:
        """The page itself: made longer in far less time than it took to make it short."""
        return zlib.decompress(self.short, GZIPPED)


class _Listener:
    """Hears what is asked over the connection in Django's way, and what is told."""

    def __init__(self) -> None:
        self.questions: list[Question] = []
        #: Whether all of it can be asked again.
        self.understood = True

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        result = execute(sql, params, many, context)
        if asking.about_facts():
            return result
        cursor = context["cursor"].cursor
        if many or isinstance(cursor, psycopg.ServerCursor) or not sql.lstrip("(").startswith("SELECT "):
            self.understood = False
        else:
            asking.hear(str(sql), params, cursor.pgresult)
        return result


class _Keeper:
    """The pages that this process keeps."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pages: OrderedDict[Hashable, Kept] = OrderedDict()
        self._size = 0

    def get(self, key: Hashable) -> Kept | None:
        with self._lock:
            found = self._pages.get(key)
            if found:
                self._pages.move_to_end(key)
            return found

    def put(self, key: Hashable, page: Kept) -> None:
        with self._lock:
            self._drop(key)
            self._pages[key] = page
            self._size += page.size
            while self._size > ROOM:
                self._drop(next(iter(self._pages)))

    def drop(self, key: Hashable) -> None:
        with self._lock:
            self._drop(key)

    def clear(self) -> None:
        with self._lock:
            self._pages.clear()
            self._size = 0

    def _drop(self, key: Hashable) -> None:
        if page := self._pages.pop(key, None):
            self._size -= page.size


_keeper = _Keeper()


def kept(draw: View, made_of: Callable[[], Hashable] = lambda: None, *, seconds: float) -> View:
    """A view of what `draw` draws, that the `Door` may keep.

    `draw` gets a request that says nothing of who asks, and the arguments of the address. What it answers
    with 200 and an ETag can be kept. What it asks the database besides facts (`asking.of_facts`) is asked
    again; in full, where there is a brief form, once in so many `seconds`. `made_of` gives what pages are
    made of besides, where that can change while the process runs and is not asked of the database by each
    drawing.
    """

    @wraps(draw)
    def view(request: HttpRequest, **arguments: Hashable) -> HttpResponseBase:
        made, asked, listener = made_of(), monotonic(), _Listener()
        with connection.execute_wrapper(listener), asking.listening(listener.questions):
            response = draw(_nobodys(request), **arguments)
        if response.status_code != OK or not isinstance(response, HttpResponse) or "ETag" not in response:
            return response
        grounds = Grounds(tuple(listener.questions), made_of, made, seconds, asked)
        if listener.understood and made == made_of() and grounds.can_be_asked():
            response.grounds = grounds  # type: ignore[attr-defined]
        return response

    return view


class Door:
    """Stands before an application: keeps what a `kept` view drew, and gives it as long as its grounds hold.

    Before Django, which takes several times as long to find out whom to ask as the database takes to answer.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """As PEP 3333 has it."""
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return self._application(environ, start)
        key = _asked_for(environ)
        page = _keeper.get(key)
        if page:
            if page.grounds.still_hold():
                return _given(environ, page, start)
            _keeper.drop(key)
        return self._drawn(environ, key, start)

    def _drawn(self, environ: Environ, key: Hashable, start: Start) -> Iterable[bytes]:
        """What the application answers, which is kept if it can be."""
        said: list[tuple[Any, ...]] = []
        response = self._application(environ, lambda *how: said.append(how))
        grounds: Grounds | None = getattr(response, "grounds", None)
        # What is for one reader alone is no page of everybody's, whatever put that in on the way.
        own = any(name in _OF_ONE for name, _ in said[-1][1])
        if own or not grounds or not isinstance(response, HttpResponse):
            start(*said[-1])
            return response
        page = Kept.of(response, said[-1][1], grounds)
        response.close()
        _keeper.put(key, page)
        return _given(environ, page, start)


def _asked_for(environ: Environ) -> Hashable:
    """The address; with what Django goes by when it refuses one, or leads to another."""
    ways = ("wsgi.url_scheme", "HTTP_X_FORWARDED_PROTO", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO")
    return tuple(environ.get(way) for way in ways)


def forget(**signal: Any) -> None:
    """Keep nothing of what is kept: what pages are made of has changed under a running process."""
    _keeper.clear()


def _nobodys(request: HttpRequest) -> HttpRequest:
    """A request for the same address, by nobody in particular."""
    bare = HttpRequest()
    bare.method = "GET"
    bare.path, bare.path_info = request.path, request.path_info
    return bare


def _given(environ: Environ, page: Kept, start: Start) -> Iterable[bytes]:
    """The answer to who asks: in the form that they can read, or that they have it already."""
    short = bool(_SHORT.search(environ.get("HTTP_ACCEPT_ENCODING", "")))
    form = page.of_short if short else page.of_whole
    if any(condition in environ for condition in _CONDITIONS):
        answer = HttpResponse(headers=dict(form))
        found = get_conditional_response(WSGIRequest(environ), etag=answer["ETag"], response=answer)
        if found and found.status_code != OK:
            about = [each for each in page.headers if each[0] != "Content-Type"]
            start(f"{found.status_code} {found.reason_phrase}", [*about, ("ETag", answer["ETag"])])
            return []
    start("200 OK", [*page.headers, *form])
    if environ["REQUEST_METHOD"] == "HEAD":
        return []
    return [page.short if short else page.body]


setting_changed.connect(forget)
file_changed.connect(forget)
