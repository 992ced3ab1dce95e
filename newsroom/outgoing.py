"""Requests to other people's machines, which may be slow, broken or hostile.

An address is resolved once, every address that comes back is checked, and the connection goes to exactly
that one: a name that points elsewhere a moment later changes nothing. No redirect is followed, no proxy of
the environment is used, no more of an answer is read than it takes to use the connection again, and all of
it has to happen within `TOTAL` seconds, however slowly it trickles.
"""

import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http.client import HTTPException
from ipaddress import IPv6Address, ip_address, ip_network
from queue import Empty, SimpleQueue
from threading import Thread, Timer
from time import monotonic
from typing import Any, Self
from urllib.parse import urlsplit

from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

#: How long a connection may take to be made, and all of a request, in seconds.
CONNECT, TOTAL = 5.0, 10.0
#: Of an answer no more than this is read; a longer one costs its connection, and that is all.
ANSWER_BYTES = 16 * 1024
URL_LENGTH = 500
DEFAULT_PORTS = {"http": 80, "https": 443}

_NOT_IN_URLS = re.compile(r"[\s\x00-\x20\x7f\\]")
#: What is_global says nothing of: machines' own services at public addresses, and forms of IPv6 in which an
#: address of IPv4 is hidden.
_NEVER = tuple(
    ip_network(network)
    for network in (
        "168.63.129.16/32",
        "192.88.99.0/24",
        "::/96",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "fec0::/10",
    )
)


class Unreached(Exception):
    """There was no answer. The message says why, in words of ours."""


class Refused(Unreached):
    """We do not send there. The message says why, and what would have to change."""


@dataclass(frozen=True)
class Target:
    """Where a request goes, once its URL was found fit."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True)
class Answer:
    """What came back: the status, and for how many seconds the other side asks us to wait."""

    status: int
    retry_after: float | None


def target(url: str) -> Target:
    """The parts of a URL that we would send to.

    Raises:
        Refused: it is no address of http or https, carries a password, or names a port that is not allowed.
    """
    if len(url) > URL_LENGTH or _NOT_IN_URLS.search(url):
        raise Refused("That is not an address: it is too long, or has spaces in it.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").rstrip(".").encode("idna").decode()
    except (ValueError, UnicodeError):
        raise Refused("That is not an address that can be read.") from None
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise Refused("Only addresses that begin with https:// or http:// and name a host can be sent to.")
    if "@" in parts.netloc:
        raise Refused("An address with a name or a password in it is not sent to: take that out.")
    if parts.fragment:
        raise Refused("An address is sent to without what follows a #: take that out.")
    port = DEFAULT_PORTS[parts.scheme] if port is None else port
    if not any(port in ports for ports in settings.OUTGOING_PORTS):
        raise Refused(f"Port {port} is not sent to. NEWSROOM_OUTGOING_PORTS names those that are.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise Refused("The part of an address behind the host has to be written in ASCII.")
    return Target(parts.scheme, host, port, path)


def is_allowed(address: str) -> bool:
    """Whether we may connect to an IP address: anybody can reach it, or the settings allow its network."""
    ip = ip_address(address.partition("%")[0])
    if any(ip in network for network in settings.OUTGOING_ALLOW if network.version == ip.version):
        return True
    if any(ip in network for network in _NEVER if network.version == ip.version):
        return False
    hidden = isinstance(ip, IPv6Address) and (ip.ipv4_mapped or ip.sixtofour or ip.teredo)
    special = ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback or ip.is_link_local
    return ip.is_global and not ip.is_private and not special and not hidden


class Line:
    """A connection to one URL, which is used for one request after another while the other side lets us."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection: HTTPConnection | None = None
        self._wire: socket.socket | None = None
        self._late = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        for held in (self._connection, self._wire):
            if held is not None:
                with suppress(OSError):
                    held.close()
        self._connection = self._wire = None

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a request and give the status of its answer.

        Raises:
            Refused: we do not send to this URL, or to an address that its host has.
            Unreached: there was no answer in time.
        """
        aim, until = target(self.url), monotonic() + TOTAL
        used = self._connection is not None
        try:
            return self._try(aim, until, body, headers)
        except Unreached:
            # The other side may close a connection at any time between two requests.
            if not used or self._late or monotonic() >= until:
                raise
            return self._try(aim, until, body, headers)

    def _try(self, aim: Target, until: float, body: bytes, headers: Mapping[str, str]) -> Answer:
        self._late = False
        try:
            connection = self._connection or self._connect(aim, until)
            with self._cut_off(until):
                connection.request("POST", aim.path, body, _headers(headers), preload_content=False)
                response = connection.getresponse()
                # Headers that were cut off look like headers that are over.
                if self._late:
                    raise TimeoutError
                answer = Answer(response.status, retry_after(response.headers.get("Retry-After", "")))
                self._finish(response)
        except Unreached:
            self.close()
            raise
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            self.close()
            raise Unreached(self._words(error)) from error
        return answer

    def _connect(self, aim: Target, until: float) -> HTTPConnection:
        made = _socket(aim, until)
        # A second handle on the same connection: whatever stage it is in, it can be cut off from outside.
        self._wire = made.dup()
        options: dict[str, Any] = {"port": aim.port, "timeout": max(0.1, until - monotonic())}
        try:
            self._connection = (
                _Secure(aim.host, made=made, ssl_context=_tls(), **options)
                if aim.scheme == "https"
                else _Plain(aim.host, made=made, **options)
            )
            with self._cut_off(until):
                self._connection.connect()
        except BaseException:
            made.close()
            raise
        return self._connection

    @contextmanager
    def _cut_off(self, until: float) -> Iterator[None]:
        """Cut the connection when the time is up: a limit on each read alone lets it trickle for ever."""
        timer = Timer(max(0.0, until - monotonic()), self._cut, args=(self._wire,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self, wire: socket.socket) -> None:
        self._late = True
        with suppress(OSError):
            wire.shutdown(socket.SHUT_RDWR)

    def _finish(self, response: BaseHTTPResponse) -> None:
        """Read a short answer to its end, so that the connection can be used again; else let go of it."""
        length = response.length_remaining
        short = length is not None and length <= ANSWER_BYTES
        try:
            if short:
                response.read(decode_content=False)
        # The status has come: what goes wrong after it is no matter of ours.
        except (HTTPError, HTTPException, OSError, ValueError):
            short = False
        response.close()
        if not short or self._connection is None or self._connection.is_closed:
            self.close()

    def _words(self, error: Exception) -> str:
        """What went wrong, without a word of the other side's."""
        if self._late or isinstance(error, TimeoutError) or isinstance(error.__cause__, TimeoutError):
            return f"It took longer than {TOTAL:g} seconds."
        certificate = next((e for e in _causes(error) if isinstance(e, ssl.SSLCertVerificationError)), None)
        if certificate is not None:
            return f"Its certificate is not accepted: {certificate.verify_message.rstrip('.')}."
        if any(isinstance(e, ssl.SSLError) for e in _causes(error)):
            return "It does not speak TLS as we do."
        if isinstance(error, ConnectionRefusedError):
            return "Nobody listens there: the connection was refused."
        return f"The connection broke ({type(error).__name__})."


def retry_after(value: str) -> float | None:
    """For how many seconds an answer's Retry-After asks to wait; None where it says nothing of use."""
    value = value.strip()
    if value.isascii() and value.isdecimal() and len(value) < 10:
        return float(value)
    try:
        instant = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return max(0.0, (instant - datetime.now(UTC)).total_seconds())


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    ours = {"User-Agent": f"Newsroom ({settings.SITE_URL})", "Accept-Encoding": "identity", "Accept": "*/*"}
    return {**ours, **headers}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class _Plain(HTTPConnection):
    """A connection on a socket that is made already."""

    def __init__(self, host: str, *, made: socket.socket, **options: Any) -> None:
        self._made = made
        super().__init__(host, **options)

    def _new_conn(self) -> socket.socket:
        return self._made


class _Secure(HTTPSConnection):
    """The same with TLS: the certificate is checked against the host's name, not the address's."""

    def __init__(self, host: str, *, made: socket.socket, **options: Any) -> None:
        self._made = made
        super().__init__(host, **options)

    def _new_conn(self) -> socket.socket:
        return self._made


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """What the system trusts, or the file that SSL_CERT_FILE names."""
    context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _socket(aim: Target, until: float) -> socket.socket:
    """A connection to the host's first address that answers, all of which have to be allowed."""
    failed: OSError | None = None
    for family, address in _addresses(aim, until):
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            made.settimeout(max(0.1, min(CONNECT, until - monotonic())))
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.connect(address)
        except OSError as error:
            made.close()
            failed = error
        else:
            return made
    raise failed or OSError("no address")


def _addresses(aim: Target, until: float) -> list[tuple[int, tuple[Any, ...]]]:
    """The host's addresses, asked for once.

    Raises:
        Refused: one of them is not allowed. What has both kinds is up to no good.
        Unreached: the name was not found in time.
    """
    found: list[tuple[int, tuple[Any, ...]]] = []
    for family, _, _, _, address in _resolve(aim, until):
        if not is_allowed(str(address[0])):
            raise Refused(
                f"{aim.host} is an address of a private or special network, which nothing is sent to."
                " NEWSROOM_OUTGOING_ALLOW names those that are allowed."
            )
        if (family, address) not in found:
            found.append((family, address))
    return found


def _resolve(aim: Target, until: float) -> list[tuple[Any, ...]]:
    """What the resolver says, which has no time limit of its own: it is asked beside us and left behind."""
    said: SimpleQueue[list[tuple[Any, ...]] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            said.put(list(socket.getaddrinfo(aim.host, aim.port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError) as error:
            said.put(error)

    Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = said.get(timeout=max(0.1, min(CONNECT, until - monotonic())))
    except Empty:
        raise Unreached(f"The address of {aim.host} was not found in {CONNECT:g} seconds.") from None
    if isinstance(answer, Exception) or not answer:
        raise Unreached(f"There is no host called {aim.host}.")
    return answer
