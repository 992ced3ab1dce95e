"""The broker of the embedded set-up: PGMQ's queues in a PostgreSQL database of their own.

PGMQ is plain SQL here, not an extension, so any PostgreSQL will do. Losing all of its messages loses
nothing: the rows of the application say what is due, and the sweep finds what was not done.
"""

from importlib.metadata import version
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import conninfo, sql

# Any number: it keeps two installations of the same moment apart.
INSTALLATION_LOCK = 5_092_611


def transport_options(url: str) -> dict[str, Any]:
    """What Celery must know about the broker at `url`, for `CELERY_BROKER_TRANSPORT_OPTIONS`.

    The visibility timeout is longer than any task may take and than any ETA that is ever set: a
    message that is out for longer is delivered to somebody else.
    """
    options: dict[str, Any] = {"visibility_timeout": 300}
    if url.startswith("pgmq://"):
        # A connection string, because a URL would lose its place to DATABASE_URL (the pgmq client reads
        # that by itself) and because a socket's folder does not survive being read as a host name.
        options |= {
            "conn_string": connection_string(url),
            "init_extension": False,
            "pool_size": 4,
            "pool_timeout": 10,
            # Asking ten times a second is cheaper than a long poll, which would keep a worker from
            # stopping and one queue's poll from letting another queue's tasks through.
            "wait_time_seconds": 0,
            "polling_interval": 0.1,
        }
    elif url.startswith(("redis", "valkey")):
        # Else messages of a killed worker are looked for about every 100 seconds only.
        options |= {"unacked_restore_interval": 10, "unacked_restore_throttle": 1}
    return options


def connection_string(url: str) -> str:
    """The libpq form of pgmq://ROLE[:PASSWORD]@HOST[:PORT]/DATABASE; HOST may be a quoted socket folder."""
    parts = urlsplit(url)
    # Not parts.hostname: that is lower-cased, and a socket's folder may have capitals.
    host = parts.netloc.rpartition("@")[2]
    name, _, port = host.partition(":")
    values = {
        "host": unquote(name),
        "port": port or "5432",
        "dbname": unquote(parts.path.lstrip("/")),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    return conninfo.make_conninfo("", **{key: value for key, value in values.items() if value})


def install(database: str) -> bool:
    """Put PGMQ's tables and functions into `database` (a URL), unless this version is there; whether it did.

    Another version is replaced as a whole, with its messages: there is no upgrade path for the plain SQL.
    Where PGMQ is installed as an extension it is left alone.
    """
    from pgmq.install import get_embedded_install_sql

    wanted = f"pgmq {version('pgmq')}"
    with psycopg.connect(database) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [INSTALLATION_LOCK])
        row = connection.execute("SELECT obj_description(to_regnamespace('pgmq'), 'pg_namespace')").fetchone()
        extension = connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'pgmq'").fetchone()
        if extension or (row is not None and row[0] == wanted):
            return False
        connection.execute("DROP SCHEMA IF EXISTS pgmq CASCADE")
        connection.execute(get_embedded_install_sql().encode())
        connection.execute(sql.SQL("COMMENT ON SCHEMA pgmq IS {}").format(sql.Literal(wanted)))
    return True
