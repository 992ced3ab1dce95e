"""A mail server for tests: it speaks SMTP on a port of its own, keeps what it is sent, and can refuse."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread


@dataclass
class MailServer:
    """What it was sent, by recipient, and whom it refuses."""

    port: int = 0
    messages: list[tuple[str, Message]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    connections: int = 0
    #: Hang up in the middle of every message.
    hangs_up: bool = False

    @property
    def recipients(self) -> list[str]:
        return sorted(recipient for recipient, _ in self.messages)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A server that runs for as long as the block lasts."""
    kept = MailServer()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self.recipients: list[str] = []
            kept.connections += 1
            self.say("220 test")
            for line in self.rfile:
                verb = line[:4].upper().strip()
                if not self.answer(verb, line.decode().strip()):
                    return

        def say(self, words: str) -> None:
            self.wfile.write(f"{words}\r\n".encode())

        def answer(self, verb: bytes, line: str) -> bool:
            if verb == b"RCPT":
                recipient = line.partition("<")[2].partition(">")[0]
                if recipient in kept.refused:
                    self.say("550 no such person")
                else:
                    self.say("250 ok")
                    self.recipients.append(recipient)
            elif verb in {b"MAIL", b"RSET"}:
                self.recipients = []
                self.say("250 ok")
            elif verb == b"DATA":
                self.say("354 go on")
                return self.take()
            elif verb == b"QUIT":
                self.say("221 bye")
                return False
            else:
                self.say("250 ok")
            return True

        def take(self) -> bool:
            lines = []
            for line in self.rfile:
                if kept.hangs_up:
                    return False
                if line == b".\r\n":
                    break
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            message = message_from_bytes(b"".join(lines))
            kept.messages += [(recipient, message) for recipient in self.recipients]
            self.recipients = []
            self.say("250 kept")
            return True

    class Server(ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server:
        kept.port = server.server_address[1]
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield kept
        server.shutdown()
