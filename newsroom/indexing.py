"""The read models by which stories are found, held against the releases from which they follow."""

from collections.abc import Iterator

from django.db import connection, connections, transaction

#: How many releases are looked at in one statement: their words are read anew.
AT_A_TIME = 500


def differences() -> Iterator[str]:
    """A sentence for each release that is found by other words than its own, or under something else."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM newsroom_release")
        newest = cursor.fetchone()[0]
        for first in range(1, newest + 1, AT_A_TIME):
            cursor.execute(
                """
                WITH chosen AS (SELECT ARRAY(SELECT id FROM newsroom_release
                                           WHERE id BETWEEN %s AND %s) AS ids),
                words AS (SELECT n.id, kept, follows FROM chosen, unnest(ids) AS n (id)
                    LEFT JOIN newsroom_indexed kept ON kept.release_id = n.id
                    LEFT JOIN indexed_of((SELECT ids FROM chosen)) follows ON follows.release_id = n.id),
                tags AS (SELECT coalesce(t.release_id, f.release_id) AS id, t.name AS kept, f.name AS follows
                    FROM (SELECT t.* FROM newsroom_tag t, chosen WHERE t.release_id = ANY (ids)) t
                    FULL JOIN tagged_of((SELECT ids FROM chosen)) f USING (release_id, kind, slug))
                SELECT s.uid, n.id FROM newsroom_release n JOIN stories_story s ON s.id = n.story_id
                WHERE n.id IN (SELECT id FROM words WHERE kept IS DISTINCT FROM follows
                               UNION SELECT id FROM tags WHERE kept IS DISTINCT FROM follows)
                ORDER BY n.id
                """,
                [first, first + AT_A_TIME - 1],
            )
            for uid, release in cursor.fetchall():
                yield f"story {uid}: release {release} is not found by its own words"


def rebuild(database: str) -> None:
    """Write every row anew, as the owner, in one transaction; who searches meanwhile finds what there was."""
    with transaction.atomic(using=database), connections[database].cursor() as cursor:
        # Whoever arms waits until this is done.
        cursor.execute("LOCK TABLE newsroom_indexed, newsroom_tag, newsroom_word IN EXCLUSIVE MODE")
        for table in ("indexed", "tag", "word"):
            cursor.execute(f"DELETE FROM newsroom_{table}")  # noqa: S608 - names of ours
        cursor.execute("SELECT index_releases(ARRAY(SELECT id FROM newsroom_release))")
