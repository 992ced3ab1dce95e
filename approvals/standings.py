"""The read model of the inbox and the lists, held against the facts from which it follows, and rebuilt."""

from collections.abc import Iterator

from django.db import connection, connections

COLUMNS = "step_id, revision_id, desk_id, covered::text, decisions, state::text, barred, is_open, due"


def differences() -> Iterator[str]:
    """A sentence for each story whose steps are not listed as its facts say that they stand."""
    kept = f"SELECT {COLUMNS} FROM approvals_standing WHERE story_id = s.id"  # noqa: S608 - a constant
    facts = f"SELECT {COLUMNS} FROM standings_of(s.id)"  # noqa: S608 - a constant
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.uid FROM stories_story s "  # noqa: S608 - constants
            f"WHERE EXISTS (({kept} EXCEPT {facts}) UNION ALL ({facts} EXCEPT {kept})) ORDER BY s.id"
        )
        for (uid,) in cursor.fetchall():
            yield f"story {uid}: its sign-offs are not listed as its facts say that they stand"


def rebuild(using: str) -> int:
    """Write the read model anew, as the owner on the connection `using`. Gives the number of stories."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            """
            SELECT count(refresh_standings(story_id)::text)
            FROM (SELECT DISTINCT story_id FROM approvals_submission ORDER BY story_id) asked
            """
        )
        count: int = cursor.fetchone()[0]
    return count
