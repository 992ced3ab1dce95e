"""Mail into a folder, a file a message: what the demo and a machine without a mail server use."""

import hashlib
import os
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage as ParsedMessage
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

BACKEND = "newsroom.mailbox.FolderBackend"
NAME = re.compile(r"[0-9a-f]{32}")


class FolderBackend(BaseEmailBackend):
    """Writes each message to `MAIL_FOLDER`, named by its Message-ID: sent twice, it is there once."""

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        folder: Path = settings.MAIL_FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for message in messages:
            raw = message.message()
            name = hashlib.sha256(str(raw["Message-ID"]).encode()).hexdigest()[:32]
            # Nobody reads half a message: it gets its name when it is whole.
            part = folder / f".{name}.{os.getpid()}.{threading.get_ident()}"
            part.write_bytes(raw.as_bytes())
            part.replace(folder / f"{name}.eml")
        return len(messages)


@dataclass(frozen=True)
class Message:
    """A message as it lies in the folder."""

    name: str
    at: datetime
    subject: str
    sender: str
    recipient: str
    text: str


def in_use() -> bool:
    """Whether mail goes into the folder, and not to a mail server."""
    return str(settings.EMAIL_BACKEND) == BACKEND


def messages() -> list[Path]:
    """The files of the messages in the folder, newest first."""
    folder: Path = settings.MAIL_FOLDER
    return [
        path for _, path in sorted(((_changed(path), path) for path in folder.glob("*.eml")), reverse=True)
    ]


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    # Somebody tidies the folder up at this moment.
    except FileNotFoundError:
        return 0


def find(name: str) -> Path | None:
    """The file of the message called `name`, or None. A name is never taken for a path."""
    path: Path = settings.MAIL_FOLDER / f"{name}.eml"
    return path if NAME.fullmatch(name) and path.is_file() else None


def read(path: Path) -> ParsedMessage:
    """The message in a file."""
    return message_from_bytes(path.read_bytes(), policy=policy.default)


def shown(path: Path) -> Message:
    """The message in a file, as it is shown."""
    message = read(path)
    body = message.get_body(preferencelist=("plain",))
    return Message(
        name=path.stem,
        at=datetime.fromtimestamp(_changed(path), UTC),
        subject=str(message["Subject"] or ""),
        sender=str(message["From"] or ""),
        recipient=str(message["To"] or ""),
        text=str(body.get_content()) if body else "",
    )
