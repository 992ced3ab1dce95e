"""A translation is given with its release, by which whoever keeps what was drawn asks whether it is public still."""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION translations_of(wanted bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    mine bigint;
    original bigint;
    own text;
BEGIN
    SELECT n.story_id, t.original_id INTO mine, original
    FROM newsroom_release n LEFT JOIN stories_translation t ON t.story_id = n.story_id
        AND NOT EXISTS (SELECT 1 FROM stories_translationend e WHERE e.translation_id = t.id)
    WHERE n.id = wanted;
    -- As nearly all: nothing was ever said to say the same.
    IF original IS NULL AND NOT EXISTS (SELECT 1 FROM stories_translation t WHERE t.original_id = mine) THEN
        RETURN '[]';
    END IF;
    SELECT filled(r.content) ->> 'language' INTO own
    FROM newsroom_release n JOIN stories_revision r ON r.id = n.revision_id WHERE n.id = wanted;
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('release', found.release_id, 'uid', found.uid, 'slug', found.slug,
            'language', found.language, 'role', found.role) ORDER BY found.place), '[]')
        FROM (SELECT DISTINCT ON (language) v.release_id, s.uid, v.slug, filled(r.content) ->> 'language' AS language, other.place,
                CASE WHEN other.place = 0 THEN 'original' WHEN original IS NULL THEN 'translation' ELSE '' END AS role
            FROM (SELECT original AS id, 0::bigint AS place WHERE original IS NOT NULL
                UNION ALL SELECT t.story_id, t.id FROM stories_translation t
                WHERE t.original_id = coalesce(original, mine) AND t.story_id <> mine
                  AND NOT EXISTS (SELECT 1 FROM stories_translationend e WHERE e.translation_id = t.id)) AS other
            JOIN newsroom_visibility v ON v.story_id = other.id AND is_visible(v, release_clock())
            JOIN newsroom_release n ON n.id = v.release_id JOIN stories_revision r ON r.id = n.revision_id
            JOIN stories_story s ON s.id = other.id
            WHERE filled(r.content) ->> 'language' <> own
            ORDER BY language, other.place) AS found);
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("newsroom", "0019_address")]
    operations = [migrations.RunSQL(FUNCTION)]
