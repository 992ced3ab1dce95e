"""Content with partners and attachments, and the answers to suggestions."""

from django.db import migrations

FUNCTIONS = """
-- Whether content has exactly its parts, each of its shape: what the pages and the digests are made for.
CREATE OR REPLACE FUNCTION is_flat(value jsonb, needed text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(value) = 'object' THEN value ?& needed AND NOT EXISTS (
        SELECT 1 FROM jsonb_each(value) e WHERE NOT (jsonb_typeof(e.value) = 'string'
            OR (jsonb_typeof(e.value) = 'number' AND e.value::text ~ '^[0-9]+$'
                AND e.key IN ('width', 'height', 'size'))))
        ELSE false END
$$;

CREATE OR REPLACE FUNCTION is_content(content jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(content) <> 'object'
            OR jsonb_typeof(content -> 'body') IS DISTINCT FROM 'array'
            OR jsonb_typeof(content -> 'topics') IS DISTINCT FROM 'array'
            OR jsonb_typeof(content -> 'partners') IS DISTINCT FROM 'array'
            OR jsonb_typeof(content -> 'attachments') IS DISTINCT FROM 'array' THEN false
        ELSE (SELECT array_agg(key ORDER BY key COLLATE "C") FROM jsonb_object_keys(content) key)
                = ARRAY['attachments', 'body', 'contacts', 'headline', 'notes', 'organisation', 'partners',
                        'picture', 'slug', 'summary', 'topics', 'type']
            AND NOT EXISTS (SELECT 1 FROM jsonb_each(content) e
                WHERE e.key IN ('contacts', 'headline', 'notes', 'slug', 'summary', 'type')
                  AND jsonb_typeof(e.value) <> 'string')
            AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(content -> 'body') b
                WHERE NOT is_flat(b, CASE WHEN b ->> 'kind' = 'quote'
                    THEN ARRAY['kind', 'html', 'speaker', 'role'] ELSE ARRAY['kind', 'html'] END))
            AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements((content -> 'topics') || (content -> 'partners')) t
                WHERE NOT is_flat(t, ARRAY['slug', 'name']))
            AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(content -> 'attachments') a
                WHERE NOT is_flat(a, ARRAY['sha256', 'name', 'title', 'media_type', 'size']))
            AND (content -> 'organisation' = 'null' OR is_flat(content -> 'organisation', ARRAY['slug', 'name']))
            AND (content -> 'picture' = 'null' OR is_flat(content -> 'picture',
                ARRAY['sha256', 'name', 'width', 'height', 'alt', 'caption', 'credit']))
        END
$$;

-- A stored content with every part there: those from before a part was known lack it.
CREATE FUNCTION filled(content jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT '{"partners": [], "attachments": []}'::jsonb || content
$$;

-- Whether a suggestion of the story was neither taken nor declined.
CREATE FUNCTION suggestion_is_open(wanted bigint, story bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM stories_suggestion g WHERE g.id = wanted AND g.story_id = story)
       AND NOT EXISTS (SELECT 1 FROM stories_revision r WHERE r.takes_id = wanted)
       AND NOT EXISTS (SELECT 1 FROM stories_suggestiondecline d WHERE d.suggestion_id = wanted)
$$;
"""

# The functions before this migration refuse what was stored since: going back is for an empty database.
DROP = "DROP FUNCTION suggestion_is_open; DROP FUNCTION filled;"


class Migration(migrations.Migration):
    dependencies = [("stories", "0003_remarks")]
    operations = [migrations.RunSQL(FUNCTIONS, DROP)]
