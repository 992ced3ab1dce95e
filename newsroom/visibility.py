"""The read model behind "public", held against the facts from which it follows."""

from collections.abc import Iterator

from django.db import connection

from .models import Release


def is_settled(story_id: int) -> bool:
    """Whether anybody can read the newest words of a story now, so that nobody has to clear them."""
    public = Release.objects.public().filter(story=story_id).select_related("story").first()
    return public is not None and public.revision_id == public.story.latest.pk


def differences() -> Iterator[str]:
    """A sentence for each release whose visibility, or bundle whose moment, is not what the facts say."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.uid, coalesce((kept).release_id, (facts).release_id),
                   (kept).visible_from, (facts).visible_from,
                   (kept).release_id IS NULL, (facts).release_id IS NULL
            FROM stories_story s CROSS JOIN LATERAL (
                SELECT v, f FROM (SELECT * FROM newsroom_visibility WHERE story_id = s.id) v
                FULL JOIN visibility_of(s.id) f ON f.release_id = v.release_id) AS both_of (kept, facts)
            WHERE kept IS DISTINCT FROM facts
            ORDER BY s.id, 2
            """
        )
        for uid, release, kept, from_facts, missing, extra in cursor.fetchall():
            there = "no visibility" if missing else f"visible from {kept or 'no moment'}"
            facts = "nothing is to be seen" if extra else f"visible from {from_facts or 'no moment'}"
            yield f"story {uid}: the visibility of release {release} is: {there}; its facts say: {facts}"
        cursor.execute(
            """
            SELECT b.id, m.moment, bundle_moment_of(b.id) FROM newsroom_bundle b
            LEFT JOIN newsroom_bundlemoment m ON m.bundle_id = b.id
            WHERE m.moment IS DISTINCT FROM bundle_moment_of(b.id) ORDER BY b.id
            """
        )
        for bundle, kept, from_facts in cursor.fetchall():
            yield (
                f"bundle {bundle}: it goes out at {kept or 'no moment'}; "
                f"its facts say: {from_facts or 'no moment'}"
            )
