"""The rows of the inbox, found over indexes alone: as cheap with a hundred thousand stories as with ten.

The list is never sorted as a whole. Each group is a query of its own that stops at its limit in each of the
person's desks, and counts go no further than `CAP`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db import connection

from stories.clocks import midnight
from stories.models import User

PAGE_SIZE = 25
#: How far is counted: from there on it is "99+".
CAP = 100
#: What has no deadline is sorted by its embargo among so many, the oldest first.
CHUNK = 10 * PAGE_SIZE
#: Among how many of somebody's last claims those are looked for that are still theirs.
LAST_CLAIMS = 1000
#: Among how many of a desk's most urgent sign-offs those are looked for that nobody can give now.
MOST_URGENT = 2000

LATE, TODAY, LATER, UNDATED, ASKED, AHEAD, FOREIGN = (
    "late",
    "today",
    "later",
    "undated",
    "asked",
    "ahead",
    "foreign",
)
#: The groups in the order of the page.
TITLES = {
    LATE: "Late",
    TODAY: "Today",
    LATER: "Later",
    UNDATED: "No deadline",
    ASKED: "Changes asked or refused: waits for the drafter",
    AHEAD: "Opens after an earlier stage",
    FOREIGN: "Not yours to clear: four eyes",
}
#: What can be decided now.
ACTIONABLE = (LATE, TODAY, LATER, UNDATED)

# The desks for which somebody decides, each with those for whom they speak there. `who` is 0 for all desks
# at once; each person for whom they stand in has rows of their own.
_MINE = """
WITH stood AS MATERIALIZED (
    SELECT DISTINCT m.desk_id, d.person_id
    FROM approvals_deputyship d
    JOIN approvals_desk_members m ON m.user_id = d.person_id AND (d.desk_id IS NULL OR d.desk_id = m.desk_id)
    JOIN stories_user p ON p.id = d.person_id AND p.is_active
    WHERE d.deputy_id = %(user)s AND d.since <= (SELECT facts_now()) AND d.until > (SELECT facts_now())),
own AS MATERIALIZED (SELECT desk_id FROM approvals_desk_members WHERE user_id = %(user)s),
mine (desk_id, who, speaks_for) AS MATERIALIZED (
    SELECT desk_id, 0, ARRAY[%(user)s::bigint] FROM own
    UNION ALL
    SELECT desk_id, 0, array_agg(person_id) FROM stood WHERE desk_id NOT IN (SELECT desk_id FROM own)
    GROUP BY desk_id
    UNION ALL
    SELECT desk_id, person_id, ARRAY[person_id] FROM stood),
taken AS (
    SELECT c.step_id FROM (SELECT id, step_id, at FROM approvals_claim WHERE by_id = %(user)s
                           ORDER BY id DESC LIMIT %(last_claims)s) c
    WHERE NOT EXISTS (SELECT 1 FROM approvals_claimrelease r WHERE r.claim_id = c.id)
      AND NOT EXISTS (SELECT 1 FROM approvals_decision d WHERE d.step_id = c.step_id AND d.at > c.at))
"""
_DESK = "FROM approvals_standing s WHERE s.desk_id = m.desk_id"
# What nobody can act on now is looked for among the most urgent, so that no rows are gone through in vain.
_URGENT = """FROM (SELECT s.* FROM approvals_standing s
    WHERE s.desk_id = m.desk_id AND NOT (s.state IN ('none', 'cleared'))
    ORDER BY s.due, s.step_id LIMIT %(urgent)s) s WHERE true"""
_TAKEN = "FROM taken t JOIN approvals_standing s ON s.step_id = t.step_id WHERE s.desk_id = m.desk_id"
# As the partial index has it.
_MISSING = "NOT (s.state IN ('none', 'cleared'))"
_YOURS = "NOT (s.barred @> ARRAY[%(user)s::bigint] OR s.barred @> m.speaks_for)"
_OPEN = f"{_YOURS} AND s.state IN ('waiting', 'again') AND s.is_open"
_CONDITIONS = {
    LATE: f"{_OPEN} AND s.due <= %(now)s",
    TODAY: f"{_OPEN} AND s.due > %(now)s AND s.due < %(midnight)s",
    LATER: f"{_OPEN} AND s.due >= %(midnight)s",
    UNDATED: f"{_OPEN} AND s.due IS NULL",
    ASKED: f"{_YOURS} AND s.state IN ('asked', 'refused')",
    AHEAD: f"{_YOURS} AND s.state IN ('waiting', 'again') AND NOT s.is_open",
    FOREIGN: "(s.barred @> ARRAY[%(user)s::bigint] OR s.barred @> m.speaks_for)",
}


@dataclass(frozen=True)
class Wanted:
    """Which part of the inbox is looked at: one desk, one person, what one has taken; a group, a page."""

    desk: int = 0
    person: int = 0
    mine: bool = False
    group: str = ""
    number: int = 1

    @property
    def query(self) -> str:
        """The same as the query of an address."""
        parts = {
            "desk": self.desk,
            "for": self.person,
            "mine": int(self.mine),
            "group": self.group,
            "page": self.number if self.number > 1 else 0,
        }
        return urlencode({key: value for key, value in parts.items() if value})


class Found(NamedTuple):
    """A row of the list before anything of its story is looked up."""

    group: str
    step_id: int
    story_id: int
    revision_id: int
    due: datetime | None


def run(sql: str, user: Any, **more: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"{_MINE} {sql}", {"user": user.pk, "last_claims": LAST_CLAIMS, **more})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def waiting_count(user: Any) -> int:
    """How many sign-offs a person can give now, for their desks and as a deputy; `CAP` stands for more."""
    rows = run(
        f"""
        SELECT count(*) FROM (SELECT 1 FROM mine m CROSS JOIN LATERAL (
            SELECT 1 {_DESK} AND {_MISSING} AND {_OPEN} LIMIT %(cap)s) f
        WHERE m.who = 0 LIMIT %(cap)s) f
        """,  # noqa: S608 - constants
        user,
        cap=CAP,
    )
    return int(rows[0][0])


def counts(user: User) -> tuple[dict[int, dict[int, int]], int]:
    """How many can be decided now, by whom it is for (0: anybody) and by desk; and how many one has taken."""
    of_desk = f"SELECT 1 {_DESK} AND {_MISSING} AND {_OPEN} LIMIT %(cap)s"
    of_mine = f"FROM mine m CROSS JOIN LATERAL (SELECT 1 {_TAKEN} AND {_MISSING} AND {_OPEN}) f"
    rows = run(
        f"""
        SELECT m.who, m.desk_id, (SELECT count(*) FROM ({of_desk}) f) FROM mine m
        UNION ALL SELECT -1, 0, (SELECT count(*) FROM (SELECT 1 {of_mine} WHERE m.who = 0 LIMIT %(cap)s) f)
        """,  # noqa: S608 - constants
        user,
        cap=CAP,
    )
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for who, desk, count in rows:
        found[who][desk] = count
    return found, found.pop(-1)[0]


def find(user: User, wanted: Wanted, groups: Iterable[str], now: datetime, skip: int = 0) -> list[Found]:
    """The first rows of each group after `skip`: one query, which stops in each desk at the limit."""
    parts = []
    for group in groups:
        limit = CHUNK + 1 if group == UNDATED else CAP
        source = _TAKEN if wanted.mine else _DESK if group in ACTIONABLE else _URGENT
        # All that goes into it is a constant of this module or a number.
        of_desk = f"SELECT s.step_id, s.story_id, s.revision_id, s.due {source}"
        parts.append(
            f"""
            (SELECT '{group}', f.* FROM mine m CROSS JOIN LATERAL (
                {of_desk} AND {_MISSING} AND {_CONDITIONS[group]}
                ORDER BY s.due, s.step_id LIMIT {skip + limit}) f
             WHERE m.who = %(who)s AND (%(desk)s = 0 OR m.desk_id = %(desk)s)
             ORDER BY f.due, f.step_id LIMIT {limit} OFFSET {skip})
            """  # noqa: S608
        )
    more = {"now": now, "midnight": midnight(now), "urgent": MOST_URGENT}
    rows = run(" UNION ALL ".join(parts), user, who=wanted.person, desk=wanted.desk, **more)
    return [Found(*row) for row in rows]
