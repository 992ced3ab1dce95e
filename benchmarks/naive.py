"""What others do: a Celery task for each story, with the embargo as its ETA. For comparison only."""

import os

import psycopg
from celery import Celery

from newsroom.embedded.broker import transport_options

URL = os.environ.get("CELERY_BROKER_URL", "")
TABLE = "CREATE TABLE naive (id integer PRIMARY KEY, shown_at timestamptz)"

app = Celery("naive", broker=URL)
app.conf.update(
    task_default_queue="naive",
    task_ignore_result=True,
    task_acks_late=True,
    worker_enable_remote_control=False,
    worker_prefetch_multiplier=1,
    broker_transport_options=transport_options(URL),
)

_connection: psycopg.Connection | None = None


@app.task
def release(number: int) -> None:
    """Show one story."""
    global _connection
    if _connection is None:
        _connection = psycopg.connect(os.environ["NAIVE_DATABASE"], autocommit=True)
    _connection.execute("UPDATE naive SET shown_at = clock_timestamp() WHERE id = %s", [number])
