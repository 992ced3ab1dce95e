"""The read model behind the inbox, held against the facts from which it follows, and rebuilt from them."""

from collections.abc import Iterator

from django.db import connection, connections


def differences() -> Iterator[str]:
    """A sentence for each story whose outstanding sign-offs are not what its facts say."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.uid FROM stories_story s
            WHERE EXISTS (
                (SELECT step_id, desk_id, revision_id, covers::text, covered::text
                 FROM approvals_outstanding WHERE story_id = s.id
                 EXCEPT SELECT step_id, desk_id, revision_id, covers, covered FROM outstanding_of(s.id))
                UNION ALL
                (SELECT step_id, desk_id, revision_id, covers, covered FROM outstanding_of(s.id)
                 EXCEPT SELECT step_id, desk_id, revision_id, covers::text, covered::text
                 FROM approvals_outstanding WHERE story_id = s.id))
            ORDER BY s.id
            """
        )
        for (uid,) in cursor.fetchall():
            yield f"story {uid}: the sign-offs that are listed as missing are not those that are missing"


def rebuild(using: str) -> int:
    """Write the read model anew, as the owner on the connection `using`. Gives the number of stories."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            """
            SELECT count(refresh_outstanding(story_id)::text)
            FROM (SELECT DISTINCT story_id FROM approvals_submission ORDER BY story_id) asked
            """
        )
        count: int = cursor.fetchone()[0]
    return count
