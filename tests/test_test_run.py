"""What the tests stand on: an empty database before each, and every test in somebody's share."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections

from tests import emptying, shares
from tests.people import furnish


def rows() -> dict[str, int]:
    """How many rows each table has that has any."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [name for (name,) in cursor.fetchall()]
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in names))
        return {name: count for name, count in cursor.fetchall() if count}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_was_emptied_has_nothing_but_what_migrating_wrote(live_newsroom, django_db_setup):
    if django_db_setup is None:
        pytest.skip("DATABASE_SUPERUSER_URL is not set: Django empties the database")
    live_newsroom.public()
    before = rows()
    assert before.keys() > {"stories_user", "stories_entry", "newsroom_release", "newsroom_visibility"}
    django_db_setup.empty()
    assert rows() == {table: before[table] for table in emptying.KEPT}
    assert furnish().public().revision.number == 1


def item(nodeid: str, group: str | None = None) -> Any:
    return SimpleNamespace(nodeid=nodeid, get_closest_marker=lambda name: group)


@pytest.mark.parametrize("processes", [1, 2, 3, 5])
def test_every_test_is_in_one_share_and_what_takes_long_begins_one(processes):
    waiting = [item(f"tests/newsroom/test_worker.py::{n}", "worker") for n in range(6)]
    long = [item(f"tests/newsroom/test_canary.py::{shares.LONG[1]}[{n}]") for n in range(4)]
    rest = [item(f"tests/test_more.py::{n}") for n in range(41)]
    found = shares.dealt([*rest, *long, *waiting], processes)
    assert sorted(one.nodeid for one in found) == sorted(one.nodeid for one in [*waiting, *long, *rest])
    assert found[: len(waiting)] == waiting
    # As the plugin cuts them.
    starts, left = [0], len(found)
    for others in range(processes, 1, -1):
        left -= left // others
        starts.append(len(found) - left)
    begun = [found[start] for start in starts[1:]]
    assert begun == long[: len(begun)]
