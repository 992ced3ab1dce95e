"""Mail into a folder, a file a message: what the demo and a machine without a mail server use."""

import hashlib
import os
from collections.abc import Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage as ParsedMessage
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class FolderBackend(BaseEmailBackend):
    """Writes each message to `MAIL_FOLDER`, named by its Message-ID: sent twice, it is there once."""

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        folder: Path = settings.MAIL_FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for message in messages:
            raw = message.message()
            name = hashlib.sha256(str(raw["Message-ID"]).encode()).hexdigest()[:32]
            part = folder / f".{name}.{os.getpid()}"
            part.write_bytes(raw.as_bytes())
            part.replace(folder / f"{name}.eml")
        return len(messages)


def messages() -> list[Path]:
    """The files of the messages in the folder, newest first."""
    folder: Path = settings.MAIL_FOLDER
    return sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime, reverse=True)


def read(path: Path) -> ParsedMessage:
    """The message in a file."""
    return message_from_bytes(path.read_bytes(), policy=policy.default)
