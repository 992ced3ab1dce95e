"""A mail server of our own: keeps what it is sent, and can stop answering at a chosen place."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Event, Lock, Thread
from typing import NamedTuple

#: The place after the whole message: it was taken, and whoever sent it does not know yet.
TAKEN = "TAKEN"
ADDRESS = re.compile(r"/news/([-\w]+)/")


class Mail(NamedTuple):
    """What came: about which story, to whom, and the key by which a repeat is known."""

    slug: str
    recipient: str
    key: str


class Sink:
    """What came, and the place (`MAIL`, `RCPT`, `DATA`, `TAKEN`) at which nobody gets an answer."""

    def __init__(self) -> None:
        self.port = 0
        self.mails: list[Mail] = []
        self.hangs_at = ""
        #: Somebody waits for an answer.
        self.reached = Event()
        self._go, self._lock = Event(), Lock()

    @contextmanager
    def hanging(self, place: str) -> Iterator[None]:
        """Answer nobody at `place`; who waits there gets no answer at the end either, but is hung up on."""
        self.reached.clear()
        self._go.clear()
        self.hangs_at = place
        try:
            yield
        finally:
            self.hangs_at = ""
            self._go.set()

    def stops(self, place: str) -> bool:
        """Wait here, if this is the place; whether it was."""
        if place != self.hangs_at:
            return False
        self.reached.set()
        self._go.wait(timeout=120)
        return True

    def keep(self, recipients: list[str], data: bytes) -> None:
        """Note a message that has come."""
        message = message_from_bytes(data, policy=policy.default)
        body = message.get_body(preferencelist=("plain",))
        found = ADDRESS.search(body.get_content() if body else "")
        key = str(message["Message-ID"]).strip()
        with self._lock:
            self.mails += [Mail(found[1] if found else "", recipient, key) for recipient in recipients]

    def about(self, slug: str) -> list[Mail]:
        """What came about one story."""
        with self._lock:
            return [mail for mail in self.mails if mail.slug == slug]


@contextmanager
def sink() -> Iterator[Sink]:
    """A mail server for as long as the block lasts."""
    kept = Sink()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self.recipients: list[str] = []
            self.say("220 sink")
            for line in self.rfile:
                verb = line[:4].decode("ascii", "replace").upper().strip()
                if kept.stops(verb) or not self.answer(verb, line):
                    return

        def say(self, words: str) -> None:
            self.wfile.write(f"{words}\r\n".encode())

        def answer(self, verb: str, line: bytes) -> bool:
            if verb == "RCPT":
                self.recipients.append(line.decode().partition("<")[2].partition(">")[0])
            if verb == "DATA":
                self.say("354 go on")
                return self.take()
            self.say("221 bye" if verb == "QUIT" else "250 ok")
            return verb != "QUIT"

        def take(self) -> bool:
            lines = []
            for line in self.rfile:
                if line == b".\r\n":
                    break
                lines.append(line[1:] if line.startswith(b"..") else line)
            else:
                return False
            kept.keep(self.recipients, b"".join(lines))
            self.recipients = []
            if kept.stops(TAKEN):
                return False
            self.say("250 kept")
            return True

    class Server(ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever sent was killed: that is what we are here for."""

    with Server(("127.0.0.1", 0), Handler) as server:
        kept.port = server.server_address[1]
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield kept
        server.shutdown()
