"""Kombu's transport for PGMQ, with which a worker goes on after an acknowledgement that could not be made."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from kombu.transport import pgmq


class Channel(pgmq.Channel):
    """Counts a message as dealt with when the database cannot be told so.

    Else it stays in what this worker may have at a time. Celery only logs that it could not be acknowledged,
    and once that has happened as often as the worker has processes, it takes nothing any more, asks nothing
    of the database, meets no error and so never connects anew. The message itself comes again when its time
    to be invisible is over, as that of a worker that was killed.
    """

    def basic_ack(self, delivery_tag: Any, multiple: bool = False) -> None:
        """Acknowledge a message.

        Raises:
            psycopg.Error: the database did not take it.
        """
        with self._dealt_with(delivery_tag):
            super().basic_ack(delivery_tag, multiple)  # type: ignore[no-untyped-call]

    def basic_reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        """Give a message back, or throw it away.

        Raises:
            psycopg.Error: the database did not take it.
        """
        with self._dealt_with(delivery_tag):
            super().basic_reject(delivery_tag, requeue)  # type: ignore[no-untyped-call]

    @contextmanager
    def _dealt_with(self, delivery_tag: Any) -> Iterator[None]:
        try:
            yield
        except psycopg.Error:
            self.qos.ack(delivery_tag)
            raise


class Transport(pgmq.Transport):
    """Kombu's, with channels that lose no place."""

    Channel = Channel
