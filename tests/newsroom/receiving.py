"""A receiver for tests: it speaks HTTP on a port of its own, keeps what it is sent, and can misbehave."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any


@dataclass
class Request:
    """What was sent."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiving:
    """What it was sent, and how it answers."""

    port: int = 0
    scheme: str = "http"
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    #: What is done instead of an answer, with the raw connection, until `over` is set.
    instead: Callable[[Any, Event], object] | None = None
    over: Event = field(default_factory=Event)
    #: How many requests were being answered at once, at most.
    busiest: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook?x=1"


def hang(wire: Any, over: Event) -> None:
    """Never answer."""
    over.wait(60)


def trickle(wire: Any, over: Event) -> None:
    """Answer a byte at a time, for ever."""
    wire.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not over.wait(0.05):
        wire.sendall(b"a")


def pour(wire: Any, over: Event, poured: list[int] | None = None) -> None:
    """Answer with ten gigabytes, as fast as they are taken; `poured` gets how many bytes were."""
    wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
    while not over.is_set():
        wire.sendall(b"x" * 65536)
        if poured is not None:
            poured.append(65536)


def continue_for_ever(wire: Any, over: Event) -> None:
    """Say again and again that the answer is about to come."""
    while not over.wait(0.01):
        wire.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def babble(wire: Any, over: Event) -> None:
    """Answer with what is no HTTP."""
    wire.sendall(b"\x16\x03\x01<script>alert(1)</script>\r\n\r\n")


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiving]:
    """A receiver that runs for as long as the block lasts."""
    kept = Receiving(scheme="https" if context else "http")
    lock, at_once = Lock(), [0]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20

        def setup(self) -> None:
            with lock:
                kept.connections += 1
            super().setup()

        def handle(self) -> None:
            with suppress(OSError):
                super().handle()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                kept.requests.append(Request(self.path, dict(self.headers), body))
                at_once[0] += 1
                kept.busiest = max(kept.busiest, at_once[0])
            try:
                self.answer()
            finally:
                with lock:
                    at_once[0] -= 1

        def answer(self) -> None:
            if kept.instead:
                self.close_connection = True
                kept.instead(self.connection, kept.over)
                return
            self.send_response(kept.status)
            for name, value in kept.headers.items():
                self.send_header(name, value)
            if kept.status != 204:
                self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        kept.port = server.server_address[1]
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield kept
        kept.over.set()
        server.shutdown()
