"""Public stories that say the same in another language; and what is related, without the words, which are facts."""

from django.db import migrations

FUNCTIONS = """
-- The public stories that say in other languages what a release says, and what each of them is to it. So nothing tells
-- of a translation that is not public: neither that there is one, nor that a story is one. It is asked for each page:
-- in this language, and without calling `said_alike`, its plan is made once a connection.
CREATE FUNCTION translations_of(wanted bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
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
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('uid', found.uid, 'slug', found.slug,
            'language', found.language, 'role', found.role) ORDER BY found.place), '[]')
        FROM (SELECT DISTINCT ON (language) s.uid, v.slug, filled(r.content) ->> 'language' AS language, other.place,
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

-- The public stories nearest to a release: those about one of its topics first, then those of its organisations; of
-- each the newest among the ten that were armed last. So each topic and organisation costs one look into an index,
-- however many stories are about it. It is asked for each reader, so their words are not in it: those are facts.
CREATE OR REPLACE FUNCTION related_to(wanted bigint, most integer) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('release', nearest.release_id, 'slug', nearest.slug,
        'first_from', nearest.first_from, 'zone', n.zone)
        ORDER BY nearest.organisation, nearest.first_from DESC, nearest.slug), '[]')
    FROM (SELECT v.release_id, v.slug, v.first_from, near.organisation
        FROM (SELECT found.release_id, bool_and(mine.kind = 'organisation') AS organisation
            FROM release_clock() AS clock, newsroom_tag mine CROSS JOIN LATERAL (
                -- Row by row, in the order of the index, until there are ten: as a join it would read all there is.
                SELECT t.release_id FROM newsroom_tag t
                WHERE t.kind = mine.kind AND t.slug = mine.slug AND t.release_id <> wanted AND (
                    SELECT is_visible(v, clock) FROM newsroom_visibility v WHERE v.release_id = t.release_id)
                ORDER BY t.release_id DESC LIMIT 10) AS found
            WHERE mine.release_id = wanted AND mine.kind IN ('topic', 'organisation')
            GROUP BY found.release_id) AS near
        JOIN newsroom_visibility v ON v.release_id = near.release_id
        ORDER BY near.organisation, v.first_from DESC, v.slug LIMIT most) AS nearest
    JOIN newsroom_release n ON n.id = nearest.release_id
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("newsroom", "0017_subscriptions"), ("stories", "0010_languages")]
    operations = [migrations.RunSQL(FUNCTIONS)]
