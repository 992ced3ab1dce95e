"""The embedded broker's transport, on a real PGMQ."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from kombu import Connection, Consumer, Message, Queue

from newsroom.celery import app
from newsroom.embedded.broker import connection_string, transport_options
from newsroom.embedded.transport import Transport
from tests.newsroom.workers import broker_url

pytestmark = pytest.mark.filterwarnings("ignore:list_queues")


@pytest.fixture
def url() -> str:
    url = broker_url()
    if not url.startswith("pgmq://"):
        pytest.skip("the broker of the tests is not PGMQ")
    return url


@pytest.fixture
def messages(url: str) -> Iterator[tuple[Connection, list[Message]]]:
    """A worker's connection that takes one message at a time, of three that wait, and what it has taken."""
    taken: list[Message] = []
    queue = Queue(f"test_{uuid4().hex[:8]}")
    # One connection to the database, so that it is known which.
    options = transport_options(url) | {"pool_size": 1}
    with Connection(url, transport_options=options) as one:
        channel = one.channel()
        channel.basic_qos(0, 1, False)
        with Consumer(channel, [queue], on_message=taken.append):
            for number in range(3):
                one.Producer().publish({"number": number}, routing_key=queue.name)
            yield one, taken
        queue(channel).delete()


def thrown_out(connection: Connection, url: str) -> None:
    """As by a server that restarts: whoever was connected is not."""
    pool = connection.transport._get_pgmq_client().pool
    with pool.connection() as one:
        pid = one.info.backend_pid
    with psycopg.connect(connection_string(url)) as other:
        assert other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)


def test_celery_uses_it(url):
    assert isinstance(app.connection_for_read(url).transport, Transport)


@pytest.mark.parametrize("how", ["ack", "reject", "requeue"])
def test_what_could_not_be_acknowledged_keeps_no_place(messages, url, how):
    connection, taken = messages
    for number in range(2):
        connection.drain_events(timeout=10)
        assert taken[number].payload == {"number": number}
        thrown_out(connection, url)
        with pytest.raises(psycopg.OperationalError):
            getattr(taken[number], how)()
    connection.drain_events(timeout=10)
    assert taken[2].payload == {"number": 2}
    taken[2].ack()


def test_a_message_is_acknowledged(messages):
    connection, taken = messages
    for number in range(3):
        connection.drain_events(timeout=10)
        taken[number].ack()
    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=0.5)
