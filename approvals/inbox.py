"""What waits for a person to clear."""

from typing import Any

from django.db import connection


def waiting_count(user: Any) -> int:
    """How many steps of the person's desks have no standing sign-off on the newest words."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM (
                SELECT DISTINCT b.story_id FROM approvals_pinnedstep s
                JOIN approvals_desk_members m ON m.desk_id = s.desk_id AND m.user_id = %s
                JOIN approvals_submission b ON b.id = s.submission_id) asked
            CROSS JOIN LATERAL (SELECT max(id) AS id FROM stories_revision WHERE story_id = asked.story_id) r
            CROSS JOIN LATERAL signoffs(r.id) g
            JOIN approvals_desk_members m ON m.desk_id = g.desk_id AND m.user_id = %s
            WHERE g.covered IS NOT NULL AND g.decision_id IS NULL
            """,
            [user.pk, user.pk],
        )
        count: int = cursor.fetchone()[0]
    return count
