"""Asking for our own public pages over HTTP, as a stranger would: no cookies, bounded in time and size."""

import http.client
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from django.conf import settings

from .outgoing_guard import cut_off

#: For each step of a connection, and for the whole of an answer, in seconds.
STEP, WHOLE = 5.0, 8.0
#: No page of ours is larger, by far.
LARGEST = 8 * 1024 * 1024
AGENT = "Newsroom probe"


class Unanswered(OSError):
    """There was no whole answer. The message says in a few words why."""


@dataclass(frozen=True)
class Answer:
    """What came back, and the clock of whoever answered, to the second, where it said."""

    status: int
    body: bytes
    clock: datetime | None


def fetch(path: str) -> Answer:
    """The answer for `path` at `PROBE_URL`, under the name of the public address. No redirect is followed.

    Raises:
        Unanswered: nobody answered, or not to the end in time, or with more than any page has.
    """
    connection = _connection(settings.PROBE_URL)
    try:
        with cut_off(connection, WHOLE):
            connection.request("GET", path, headers=_headers())
            response = connection.getresponse()
            return Answer(response.status, _read(response), _clock(response.headers.get("Date", "")))
    except (OSError, http.client.HTTPException) as error:
        raise Unanswered(_brief(error)) from error


def _headers() -> dict[str, str]:
    """What makes an internal address answer as the public one does: what a proxy in front would say."""
    headers = {"Accept-Encoding": "identity", "User-Agent": AGENT}
    public = urlsplit(settings.SITE_URL)
    if settings.PROBE_URL != settings.SITE_URL:
        headers |= {"Host": public.netloc, "X-Forwarded-Proto": public.scheme}
    return headers


def _connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=STEP, context=context)
    return http.client.HTTPConnection(host, parts.port, timeout=STEP)


def _read(response: http.client.HTTPResponse) -> bytes:
    """The body, if it is whole and no larger than a page."""
    body = response.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise Unanswered(f"more than {LARGEST // 1024 // 1024} MB")
    if response.length:
        raise Unanswered("the answer broke off")
    return body


def _brief(error: Exception) -> str:
    """An error in a few words, without addresses that change from try to try."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(error, Unanswered):
        return str(error)
    words = f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}"[:120]
    # Whoever answers chooses what some errors say: no column takes every character.
    return "".join(sign if sign.isprintable() else "?" for sign in words)


def _clock(said: str) -> datetime | None:
    try:
        clock = parsedate_to_datetime(said)
    except ValueError:
        return None
    return clock if clock.tzinfo else clock.replace(tzinfo=UTC)
