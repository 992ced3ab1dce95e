"""The read model behind "public", held against the facts from which it follows."""

from collections.abc import Iterator

from django.db import connection

from .models import Release


def is_public(story_id: int) -> bool:
    """Whether anybody can read the story now."""
    return Release.objects.public().filter(story=story_id).exists()


def differences() -> Iterator[str]:
    """A sentence for each story whose visibility is not what its facts say."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.uid, v.visible_from, f.visible_from FROM stories_story s
            LEFT JOIN newsroom_visibility v ON v.story_id = s.id
            LEFT JOIN LATERAL visibility_of(s.id) f ON true
            WHERE (v.release_id, v.slug, v.visible_from, v.announced)
                  IS DISTINCT FROM (f.release_id, f.slug::varchar, f.visible_from, f.announced)
            ORDER BY s.id
            """
        )
        for uid, kept, from_facts in cursor.fetchall():
            yield f"story {uid}: its visibility is {kept or 'none'}, its facts say {from_facts or 'none'}"
