"""Who is quoted is among what stories are gathered by; corrections are found among all releases."""

from django.db import migrations, models

FUNCTIONS = r"""
-- The name of somebody as it stands in an address; its twin is `newsroom/people.py`.
CREATE FUNCTION person_slug(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN length(slug) <= 200 THEN slug ELSE '' END FROM (
        SELECT concat_ws('-', nullif(btrim(regexp_replace(spelt, '[^a-z0-9]+', '-', 'g'), '-'), ''),
            CASE WHEN spelt ~ '[^\u0001-\u00bf\u2000-\u206f]'
                THEN left(encode(sha256(convert_to(same, 'UTF8')), 'hex'), 12) END) AS slug
        FROM (SELECT same, replace(replace(replace(replace(translate(
                regexp_replace(same, '[\u0300-\u036f'']+', '', 'g'), 'øłđðħŋŧı', 'olddhnti'),
                'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th') AS spelt
            FROM same_name(name) AS same) AS whole) AS found
$$;

-- The quotes of a content with their numbers, of which those of one person.
CREATE FUNCTION quotes_of(content jsonb, person text) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('number', number, 'html', text_in(block, 'html'),
        'role', text_in(block, 'role')) ORDER BY number), '[]')
    FROM (SELECT block, row_number() OVER (ORDER BY place) AS number
        FROM jsonb_array_elements(list_in(content, 'body')) WITH ORDINALITY AS blocks (block, place)
        WHERE text_in(block, 'kind') = 'quote') AS quotes
    WHERE person_slug(text_in(block, 'speaker')) = person
$$;

-- What a content is of, about and from, and who is quoted in it. Of two of one name the first counts.
CREATE OR REPLACE FUNCTION tags_of(content jsonb) RETURNS TABLE (kind text, slug text, name text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT DISTINCT ON (k, s) k, s, coalesce(nullif(n, ''), s) FROM (
        SELECT 'type' AS k, text_in(content, 'type') AS s, text_in(content, 'type') AS n, 0::bigint AS place
        UNION ALL SELECT 'topic', text_in(item, 'slug'), text_in(item, 'name'), place
            FROM jsonb_array_elements(list_in(content, 'topics')) WITH ORDINALITY AS topics (item, place)
        UNION ALL SELECT 'organisation', text_in(content -> 'organisation', 'slug'),
            text_in(content -> 'organisation', 'name'), 0
        UNION ALL SELECT 'organisation', text_in(item, 'slug'), text_in(item, 'name'), place
            FROM jsonb_array_elements(list_in(content, 'partners')) WITH ORDINALITY AS partners (item, place)
        UNION ALL SELECT 'person', person_slug(text_in(block, 'speaker')), text_in(block, 'speaker'), place
            FROM jsonb_array_elements(list_in(content, 'body')) WITH ORDINALITY AS blocks (block, place)
            WHERE text_in(block, 'kind') = 'quote'
    ) found WHERE length(s) BETWEEN 1 AND 200 ORDER BY k, s, place
$$;

-- Whoever is quoted is found by their name in the body already.
CREATE OR REPLACE FUNCTION words_in(content jsonb) RETURNS tsvector LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector('english', left(text_in(content, 'headline'), 2000)), 'A')
        || setweight(to_tsvector('english', left(text_in(content, 'summary'), 10000)), 'B')
        || setweight(to_tsvector('english', body_words(content)), 'C')
        || setweight(to_tsvector('english', left(words_of_html(text_in(content, 'notes')), 10000)), 'D')
        || setweight(to_tsvector('english', coalesce(
            (SELECT left(string_agg(t.name, '. ' ORDER BY t.kind, t.slug), 10000) FROM tags_of(content) t
             WHERE t.kind IN ('topic', 'organisation')), '')), 'D')
$$;

-- The predicate of `models.visible()`, for the functions that follow.
CREATE FUNCTION is_visible(seen newsroom_visibility, clock timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT seen.visible_from <= clock AND seen.withdrawn_at IS NULL
        AND (seen.visible_until IS NULL OR seen.visible_until > clock)
$$;

-- Those who are quoted in public, in the order of their addresses from after one of them on, as a story that was
-- armed lately calls them. One look for each: all that somebody said is not gone through.
CREATE FUNCTION people_after(place text, most integer) RETURNS TABLE (slug text, name text) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE walk AS (
        (SELECT t.slug FROM newsroom_tag t WHERE t.kind = 'person' AND t.slug > place ORDER BY t.slug LIMIT 1)
        UNION ALL
        SELECT (SELECT t.slug FROM newsroom_tag t WHERE t.kind = 'person' AND t.slug > walk.slug
                ORDER BY t.slug LIMIT 1)
        FROM walk WHERE walk.slug IS NOT NULL)
    SELECT walk.slug, found.name FROM release_clock() AS clock, walk CROSS JOIN LATERAL (
        SELECT t.name FROM newsroom_tag t JOIN newsroom_visibility v ON v.release_id = t.release_id
        WHERE t.kind = 'person' AND t.slug = walk.slug AND is_visible(v, clock)
        ORDER BY t.release_id DESC LIMIT 1) AS found
    LIMIT most
$$;

-- The public stories nearest to a release: those about one of its topics first, then those of its organisations; of
-- each the newest among the ten that were armed last. So each topic and organisation costs one look into an index,
-- however many stories are about it.
CREATE FUNCTION related_to(wanted bigint, most integer) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('slug', nearest.slug, 'headline', text_in(r.content, 'headline'),
        'type', text_in(r.content, 'type'), 'first_from', nearest.first_from, 'zone', n.zone)
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
    -- The words of no more than are shown.
    JOIN newsroom_release n ON n.id = nearest.release_id JOIN stories_revision r ON r.id = n.revision_id
$$;

INSERT INTO newsroom_tag (release_id, kind, slug, name)
    SELECT t.* FROM tagged_of(ARRAY(SELECT id FROM newsroom_release)) t WHERE t.kind = 'person';
"""


class Migration(migrations.Migration):

    dependencies = [
        ('newsroom', '0014_announced'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='release',
            index=models.Index(condition=models.Q(('kind', 'correction')), fields=['story'], name='release_corrections'),
        ),
        migrations.AlterField(
            model_name='tag',
            name='kind',
            field=models.CharField(choices=[('type', 'Type'), ('topic', 'Topic'), ('organisation', 'Organisation'), ('person', 'Person')], max_length=20),
        ),
        migrations.RunSQL(FUNCTIONS),
    ]
