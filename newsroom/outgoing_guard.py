"""Connections to hosts that a text names: to public addresses alone, and never for longer than was said."""

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from . import outgoing


class PrivateAddress(OSError):
    """The host is inside a network of ours, or no host of the internet at all."""


def address_of(host: str, port: int) -> str:
    """The address to connect to for a host. All that it has have to be public, or allowed in the settings.

    Raises:
        PrivateAddress: one is not.
        OSError: the host is not known.
    """
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for each in found:
        if not outgoing.is_allowed(each):
            raise PrivateAddress(f"{host} is at a private address")
    return found[0]


class _Plain(http.client.HTTPConnection):
    """A connection to the address that was looked at: a name that changes in between leads nowhere else."""

    def connect(self) -> None:
        self.sock = socket.create_connection((address_of(self.host, self.port), self.port), self.timeout)


class _Secure(http.client.HTTPSConnection):
    """The same by TLS, for the certificate of the host's name."""

    def connect(self) -> None:
        self.sock = socket.create_connection((address_of(self.host, self.port), self.port), self.timeout)
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def guarded(scheme: str, host: str, port: int | None, timeout: float) -> http.client.HTTPConnection:
    """A connection to a host that a text names, which is not open yet."""
    if scheme == "https":
        return _Secure(host, port, timeout=timeout)
    return _Plain(host, port, timeout=timeout)


@contextmanager
def cut_off(connection: http.client.HTTPConnection, seconds: float) -> Iterator[None]:
    """End a connection after so many seconds, however slowly its other end drips; close it at the end.

    Raises:
        TimeoutError: it was ended, whatever had been read until then.
    """
    over, late = Event(), Event()

    def cut() -> None:
        if over.wait(seconds):
            return
        late.set()
        # Again and again: it may be about to be opened.
        while not over.wait(0.05):
            if sock := connection.sock:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    Thread(name="cut off", target=cut, daemon=True).start()
    try:
        yield
    except (OSError, http.client.HTTPException):
        if late.is_set():
            raise TimeoutError("not in time") from None
        raise
    finally:
        over.set()
        connection.close()
    # What was cut off may look as if it had ended.
    if late.is_set():
        raise TimeoutError("not in time")
