"""Web servers of tests: one that answers what it is told, and one between a reader and the newsroom."""

import http.client
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep
from urllib.parse import urlsplit

#: What a server answers to a method and a path: status, headers, body.
Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Web:
    """A server: where it is, and what it was asked."""

    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def serving(answer: Callable[[str, str], Reply], date: str = "") -> Iterator[Web]:
    """A server on 127.0.0.1 that answers as `answer` says; `date` is what its clock says."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append((self.command, self.path))
            web.headers.append(dict(self.headers.items()))
            status, headers, body = answer(self.command, self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815

        def date_time_string(self, timestamp: float | None = None) -> str:
            return date or super().date_time_string(timestamp)  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        web.url = f"http://127.0.0.1:{server.server_address[1]}"
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield web
        server.shutdown()


@contextmanager
def between(behind: str, alter: Callable[[str, bytes], bytes]) -> Iterator[Web]:
    """A proxy before the server at `behind`, which alters the body of each answer."""

    def answer(method: str, path: str) -> Reply:
        connection = http.client.HTTPConnection(urlsplit(behind).netloc, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = alter(path, response.read())
        finally:
            connection.close()
        return response.status, {"Content-Type": response.headers["Content-Type"]}, body

    with serving(answer) as web:
        yield web


@contextmanager
def dripping() -> Iterator[Web]:
    """A server that begins to answer and goes on, a header now and then, without an end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        web = Web(f"http://127.0.0.1:{server.getsockname()[1]}")
        Thread(target=_accept, args=(server, web), daemon=True).start()
        yield web


def _accept(server: socket.socket, web: Web) -> None:
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            web.asked.append(("CONNECT", ""))
            Thread(target=_drip, args=(connection,), daemon=True).start()


def _drip(connection: socket.socket) -> None:
    with suppress(OSError), connection:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-Drip: 1\r\n")
            sleep(0.1)
