"""What Celery is told about its broker."""

import pytest

from newsroom.embedded.broker import connection_string, transport_options


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "pgmq://newsroom_broker@%2FVar%2FNews%2Fsocket/broker",
            "host=/Var/News/socket port=5432 dbname=broker user=newsroom_broker",
        ),
        (
            "pgmq://someone:se%40cret@db.example:6432/queues",
            "host=db.example port=6432 dbname=queues user=someone password=se@cret",
        ),
    ],
)
def test_connection_string(url: str, expected: str) -> None:
    assert connection_string(url) == expected


def test_pgmq_never_looks_at_database_url() -> None:
    options = transport_options("pgmq://newsroom_broker@%2Frun%2Fsocket/broker")
    assert options["conn_string"] == "host=/run/socket port=5432 dbname=broker user=newsroom_broker"
    assert options["init_extension"] is False


@pytest.mark.parametrize("url", ["pgmq://r@h/d", "redis://localhost:6379/0", "amqp://localhost//", ""])
def test_nothing_is_delivered_twice_while_it_waits(url: str) -> None:
    assert transport_options(url)["visibility_timeout"] == 300
