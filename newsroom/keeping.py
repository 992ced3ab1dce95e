"""Answers that are kept, each with what its drawing asked the database and what it was told.

Nothing kept is given on trust: the database is asked the very same again, by its own clock, and only where
it says the same is the page given once more. So an embargo, a withdrawal and a correction act on what is
kept as on what is drawn, in the same instant, and nothing has to be thrown away at the right moment. What
else a page is made of (code, templates, settings) lasts as long as the process, and so does what it keeps.

It is kept in memory and nowhere else. Into a table or a cache that the application can write, bytes could be
put that nobody cleared.
"""

import gzip
import re
import sys
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import nullcontext
from functools import wraps
from threading import Lock
from typing import Any, NamedTuple

import psycopg
from django.core.signals import setting_changed
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.autoreload import file_changed
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language

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

#: Who can read the short form, and has not said that they would rather not.
_SHORT = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)


class Kept(NamedTuple):
    """The short form of a page as it was drawn, and what has to hold for it to be given again."""

    short: bytes
    headers: dict[str, str]
    questions: tuple[Question, ...]

    @property
    def size(self) -> int:
        told = sum(len(value or b"") for each in self.questions for row in each.told for value in row)
        return OVERHEAD + len(self.short) + told

    @property
    def body(self) -> bytes:
        """The page itself: made longer in far less time than it took to make it short."""
        return zlib.decompress(self.short, GZIPPED)

    def still_holds(self) -> bool:
        """Whether the database says all that it said when the page was drawn."""
        if connection.connection is None:
            return False
        try:
            return all(question.still() for question in self.questions)
        except psycopg.Error:
            # A connection that broke, for one: Django makes another as the page is drawn.
            return False


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
            # Of all pages of a kind it is the same text.
            text = sys.intern(str(sql))
            asking.hear(text, None if params is None else tuple(params), cursor)
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


def kept(draw: View, made_of: Callable[[], Hashable] = lambda: None) -> View:
    """A view that gives what `draw` drew for the same address as long as the database says the same.

    `draw` gets a request that says nothing of who asks, and the arguments of the address. What it answers
    with 200 and an ETag is kept. What it asks the database besides facts (`asking.of_facts`) is asked again.
    `made_of` gives what pages are made of besides, where that can change while the process runs and is not
    asked of the database by each drawing.
    """

    @wraps(draw)
    def view(request: HttpRequest, **arguments: Hashable) -> HttpResponseBase:
        key = (draw, get_language(), made := made_of(), tuple(arguments.items()))
        page = _keeper.get(key)
        if page and page.still_holds():
            return _given(request, page)
        if page:
            _keeper.drop(key)
        listener = _Listener()
        with connection.execute_wrapper(listener), asking.listening(listener.questions):
            response = draw(_nobodys(request), **arguments)
        if response.status_code != OK or not isinstance(response, HttpResponse) or "ETag" not in response:
            return response
        page = _page(response, listener.questions)
        if listener.understood and made == made_of() and _can_be_asked_again(page):
            _keeper.put(key, page)
        return _given(request, page)

    return view


def forget(**signal: Any) -> None:
    """Keep nothing of what is kept: what pages are made of has changed under a running process."""
    _keeper.clear()


def _nobodys(request: HttpRequest) -> HttpRequest:
    """A request for the same address, by nobody in particular."""
    bare = HttpRequest()
    bare.method = "GET"
    bare.path, bare.path_info = request.path, request.path_info
    return bare


def _page(response: HttpResponse, questions: list[Question]) -> Kept:
    """What was drawn, as it is kept."""
    # The same bytes each time: without the hour in them.
    short = gzip.compress(response.content, mtime=0)
    return Kept(short, dict(response.items()), tuple(questions))


def _can_be_asked_again(page: Kept) -> bool:
    """Whether asking for it again, in the way in which that is done, gives the same at all."""
    try:
        # In a transaction, which what is not understood would break, with a savepoint.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return all(question.still() for question in page.questions)
    except psycopg.Error:
        return False


def _given(request: HttpRequest, page: Kept) -> HttpResponseBase:
    """The answer to who asks: in the form that they can read, or that they have it already."""
    short = bool(_SHORT.search(request.headers.get("Accept-Encoding", "")))
    response = HttpResponse(page.short if short else page.body, headers=page.headers)
    response["Vary"] = "Accept-Encoding"
    if short:
        response["Content-Encoding"] = "gzip"
        # Other bytes, so another name.
        response["ETag"] = page.headers["ETag"].removesuffix('"') + '-gzip"'
    return get_conditional_response(request, etag=response["ETag"], response=response) or response


setting_changed.connect(forget)
file_changed.connect(forget)
