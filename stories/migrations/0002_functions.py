"""The functions that the guards call, in the database so that nothing gets round them."""

from django.db import migrations

FUNCTIONS = """
-- The instant of a fact: the clock of the database. The owner alone may set another, to load history.
CREATE FUNCTION facts_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT CASE
        WHEN pg_has_role(session_user, current_user, 'MEMBER')
             AND coalesce(current_setting('newsroom.at', true), '') <> ''
        THEN current_setting('newsroom.at')::timestamptz
        ELSE clock_timestamp() END
$$;

-- One digest for equal values: jsonb prints equal values as the same text.
CREATE FUNCTION digest_of(document jsonb) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT encode(sha256(convert_to(document::text, 'UTF8')), 'hex')
$$;

CREATE FUNCTION content_quotes(content jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_agg(block ORDER BY place) FILTER (WHERE block ->> 'kind' = 'quote'), '[]')
    FROM jsonb_array_elements(content -> 'body') WITH ORDINALITY AS blocks (block, place)
$$;

CREATE FUNCTION content_parts(content jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT jsonb_object_agg(key, digest_of(value)) || jsonb_build_object('quotes',
        (SELECT coalesce(jsonb_agg(digest_of(quote) ORDER BY place), '[]')
         FROM jsonb_array_elements(content_quotes(content)) WITH ORDINALITY AS quotes (quote, place)))
    FROM jsonb_each(content)
$$;

-- Whether content has exactly its parts, each of its shape: what the pages and the digests are made for.
CREATE FUNCTION is_flat(value jsonb, needed text[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(value) = 'object' THEN value ?& needed AND NOT EXISTS (
        SELECT 1 FROM jsonb_each(value) e WHERE NOT (jsonb_typeof(e.value) = 'string'
            OR (jsonb_typeof(e.value) = 'number' AND e.value::text ~ '^[0-9]+$'
                AND e.key IN ('width', 'height'))))
        ELSE false END
$$;

CREATE FUNCTION is_content(content jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(content) <> 'object'
            OR jsonb_typeof(content -> 'body') IS DISTINCT FROM 'array'
            OR jsonb_typeof(content -> 'topics') IS DISTINCT FROM 'array' THEN false
        ELSE (SELECT array_agg(key ORDER BY key) FROM jsonb_object_keys(content) key)
                = ARRAY['body', 'contacts', 'headline', 'notes', 'organisation', 'picture', 'slug', 'summary',
                        'topics', 'type']
            AND NOT EXISTS (SELECT 1 FROM jsonb_each(content) e
                WHERE e.key IN ('contacts', 'headline', 'notes', 'slug', 'summary', 'type')
                  AND jsonb_typeof(e.value) <> 'string')
            AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(content -> 'body') b
                WHERE NOT is_flat(b, CASE WHEN b ->> 'kind' = 'quote'
                    THEN ARRAY['kind', 'html', 'speaker', 'role'] ELSE ARRAY['kind', 'html'] END))
            AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(content -> 'topics') t
                WHERE NOT is_flat(t, ARRAY['slug', 'name']))
            AND (content -> 'organisation' = 'null' OR is_flat(content -> 'organisation', ARRAY['slug', 'name']))
            AND (content -> 'picture' = 'null' OR is_flat(content -> 'picture',
                ARRAY['sha256', 'name', 'width', 'height', 'alt', 'caption', 'credit']))
        END
$$;

-- A moment that pages can show: an instant of the calendar, in a zone that there is.
CREATE FUNCTION check_moment(instant timestamptz, zone text) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT isfinite(instant) OR instant >= '9999-12-30' OR instant < '0001-01-03'
       OR zone !~ '^(UTC|[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)+)$' THEN
        RAISE EXCEPTION 'This is no moment: % in %.', instant, zone
            USING ERRCODE = 'restrict_violation', HINT = 'moment';
    END IF;
    -- Refuses a zone that PostgreSQL does not know.
    PERFORM instant AT TIME ZONE zone;
END
$$;

-- Every fact about a story waits for the one before it: the chain has one order, and checks see all.
CREATE FUNCTION lock_story(wanted bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    -- With an older snapshot the checks that follow would not see what was committed while they waited.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'Facts are inserted at the isolation level READ COMMITTED.'
            USING ERRCODE = 'restrict_violation', HINT = 'isolation';
    END IF;
    PERFORM 1 FROM stories_story WHERE id = wanted FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no story %.', wanted USING ERRCODE = 'foreign_key_violation';
    END IF;
END
$$;

CREATE FUNCTION entry_hash(entry stories_entry) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT digest_of(jsonb_build_object('story', entry.story_id, 'number', entry.number,
        'source', entry.source, 'fact', entry.fact, 'by', entry.by_id, 'at', to_jsonb(entry.at),
        'payload', entry.payload, 'previous', entry.previous))
$$;

CREATE FUNCTION record_append(story bigint, source text, fact bigint, by_id bigint, at timestamptz, payload jsonb)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    newest stories_entry;
    entry stories_entry;
BEGIN
    PERFORM lock_story(story);
    SELECT * INTO newest FROM stories_entry e WHERE e.story_id = story ORDER BY e.number DESC LIMIT 1;
    entry.story_id := story;
    entry.number := coalesce(newest.number, 0) + 1;
    entry.source := source;
    entry.fact := fact;
    entry.by_id := by_id;
    entry.at := at;
    entry.payload := payload;
    entry.previous := coalesce(newest.hash, repeat('0', 64));
    INSERT INTO stories_entry (story_id, number, source, fact, by_id, at, payload, previous, hash)
    VALUES (entry.story_id, entry.number, entry.source, entry.fact, entry.by_id, entry.at, entry.payload,
            entry.previous, entry_hash(entry));
END
$$;

-- Called by guards alone, which run as the owner.
REVOKE EXECUTE ON FUNCTION record_append FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION lock_story FROM PUBLIC;
"""

DROP = """
DROP FUNCTION record_append; DROP FUNCTION entry_hash; DROP FUNCTION lock_story; DROP FUNCTION content_parts;
DROP FUNCTION content_quotes; DROP FUNCTION is_content; DROP FUNCTION is_flat; DROP FUNCTION check_moment; DROP FUNCTION digest_of; DROP FUNCTION facts_now;
"""


class Migration(migrations.Migration):
    dependencies = [("stories", "0001_initial")]
    operations = [migrations.RunSQL(FUNCTIONS, DROP)]
