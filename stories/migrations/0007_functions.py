"""The newsroom as a whole has a record of its own: its links have no story."""

from django.db import migrations

FUNCTIONS = """
-- Facts about the newsroom as a whole wait for one another, and for nothing else.
CREATE OR REPLACE FUNCTION lock_newsroom() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'Facts are inserted at the isolation level READ COMMITTED.'
            USING ERRCODE = 'restrict_violation', HINT = 'isolation';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('newsroom.record', 0));
END
$$;
REVOKE EXECUTE ON FUNCTION lock_newsroom FROM PUBLIC;

CREATE OR REPLACE FUNCTION record_append(story bigint, source text, fact bigint, by_id bigint, at timestamptz,
                                         payload jsonb)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    newest stories_entry;
    entry stories_entry;
BEGIN
    IF story IS NULL THEN
        PERFORM lock_newsroom();
        SELECT * INTO newest FROM stories_entry e WHERE e.story_id IS NULL ORDER BY e.number DESC LIMIT 1;
    ELSE
        PERFORM lock_story(story);
        SELECT * INTO newest FROM stories_entry e WHERE e.story_id = story ORDER BY e.number DESC LIMIT 1;
    END IF;
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
"""


class Migration(migrations.Migration):
    dependencies = [("stories", "0006_newsroom_record")]
    operations = [migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop)]
