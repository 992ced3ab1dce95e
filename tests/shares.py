"""In which order tests run, so that the processes of a run end together.

`--dist=worksteal` gives each process an equal share, in order; whoever is done takes from the end of
another's. So what takes long stands at the beginnings. What starts real workers and servers waits more than
it works, and two workers would take each other's messages: all of that is at the beginning of one share.
"""

import pytest

#: What takes longest of the rest, longest first.
LONG = (
    "test_whatever_people_do",
    "test_no_trace_and_no_difference_at_any_url",
    "test_every_url_answers_every_role_as_the_table_says",
    "test_never_a_story_that_was_not_cleared_and_never_a_deadlock",
    "test_whatever_happens_the_list_is_what_the_facts_say",
)


def dealt(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """The tests in the order in which so many processes should get them; otherwise as they were."""
    waiting = [item for item in items if _waits(item)]
    long = sorted((item for item in items if _length(item) and not _waits(item)), key=_length, reverse=True)
    rest = [item for item in items if not _length(item) and not _waits(item)]
    # Cards dealt around a table, whose first player has enough in hand.
    others = max(processes - 1, 1)
    heads = [waiting, *(long[player::others] for player in range(others))]
    if processes == 1:
        return [item for head in heads for item in head] + rest
    found: list[pytest.Item] = []
    for player, head in enumerate(heads):
        share = (len(items) - len(found)) // (processes - player)
        filled = max(share - len(head), 0)
        found += head + rest[:filled]
        del rest[:filled]
    return found


def _waits(item: pytest.Item) -> bool:
    starts_servers = "/faults/" in item.nodeid or "/operations/" in item.nodeid
    return starts_servers or item.get_closest_marker("xdist_group") is not None


def _length(item: pytest.Item) -> int:
    return next((len(LONG) - place for place, name in enumerate(LONG) if name in item.nodeid), 0)
