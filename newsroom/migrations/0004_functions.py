"""Any decision against the words of an armed story disarms it; a public story's sign-offs stay."""

from django.db import migrations

FUNCTIONS = """
-- Anything but a sign-off, by any desk before the story is public, disarms it at the same commit, whichever revision it
-- is about: whoever says "not these words" must not see older ones go out. Where the
-- story becomes public in between, the decision stands and the release too.
CREATE OR REPLACE FUNCTION disarm_uncleared() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    hint text;
BEGIN
    BEGIN
        INSERT INTO newsroom_disarm (story_id, release_id, by_id, reason)
            SELECT n.story_id, n.id, NEW.by_id, CASE NEW.verdict WHEN 'changes' THEN 'Changes asked: '
                WHEN 'refused' THEN 'Refused: ' ELSE 'A decision was taken back. ' END || NEW.reason
            FROM newsroom_visibility v JOIN newsroom_release n ON n.id = v.release_id
            WHERE v.story_id = NEW.story_id AND (v.visible_from IS NULL OR v.visible_from > facts_now());
    EXCEPTION WHEN restrict_violation THEN
        GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
        IF hint IS DISTINCT FROM 'not_armed' THEN
            RAISE;
        END IF;
    END;
    -- It may have become public since the row was looked at: at the very instant, or in a statement that took long.
    IF NEW.verdict = 'taken_back' THEN
        PERFORM check_not_public_on(NEW.story_id, NEW.takes_back_id);
    END IF;
    RETURN NULL;
END
$$;
DROP TRIGGER disarm_uncleared ON approvals_decision;
CREATE TRIGGER disarm_uncleared AFTER INSERT ON approvals_decision
    FOR EACH ROW WHEN (NEW.verdict <> 'cleared') EXECUTE FUNCTION disarm_uncleared();

-- A sign-off can be taken back until the story is public; after that it is what the public reads.
CREATE FUNCTION check_not_public_on(story bigint, decision bigint) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM newsroom_visibility v JOIN newsroom_releasesignoff s ON s.release_id = v.release_id
               WHERE v.story_id = story AND s.decision_id = decision AND v.visible_from <= facts_now()) THEN
        PERFORM refuse('The story is public on this sign-off.', 'public');
    END IF;
END
$$;
CREATE FUNCTION keep_public_signoffs() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    PERFORM lock_story(NEW.story_id);
    PERFORM check_not_public_on(NEW.story_id, NEW.takes_back_id);
    RETURN NEW;
END
$$;
REVOKE EXECUTE ON FUNCTION keep_public_signoffs FROM PUBLIC;
CREATE TRIGGER keep_public_signoffs BEFORE INSERT ON approvals_decision
    FOR EACH ROW WHEN (NEW.verdict = 'taken_back') EXECUTE FUNCTION keep_public_signoffs();

-- What follows from a fact (whose desk is asked, the sign-offs of a release, the visibility) is written when its statement
-- is over. A check in the same statement would not know of it, so a decision or a release is the first fact of its own.
CREATE FUNCTION one_at_a_time() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    PERFORM lock_story(NEW.story_id);
    IF EXISTS (SELECT 1 FROM approvals_standing s WHERE s.story_id = NEW.story_id AND s.revision_id <>
               (SELECT max(r.id) FROM stories_revision r WHERE r.story_id = NEW.story_id))
       OR EXISTS ((SELECT v.story_id, v.release_id, v.visible_from FROM newsroom_visibility v
                   WHERE v.story_id = NEW.story_id)
                  EXCEPT SELECT f.story_id, f.release_id, f.visible_from FROM visibility_of(NEW.story_id) f)
       OR EXISTS (SELECT f.story_id, f.release_id, f.visible_from FROM visibility_of(NEW.story_id) f
                  EXCEPT SELECT v.story_id, v.release_id, v.visible_from FROM newsroom_visibility v
                  WHERE v.story_id = NEW.story_id) THEN
        PERFORM refuse('What follows from the fact before is not written yet: one statement, one fact.', 'at_once');
    END IF;
    RETURN NEW;
END
$$;
REVOKE EXECUTE ON FUNCTION one_at_a_time FROM PUBLIC;
-- Named so that they come before the guards. A hold is never kept waiting for anything.
CREATE TRIGGER one_at_a_time BEFORE INSERT ON approvals_decision FOR EACH ROW EXECUTE FUNCTION one_at_a_time();
CREATE TRIGGER one_at_a_time BEFORE INSERT ON newsroom_release FOR EACH ROW EXECUTE FUNCTION one_at_a_time();
CREATE TRIGGER one_at_a_time BEFORE INSERT ON newsroom_announcement FOR EACH ROW EXECUTE FUNCTION one_at_a_time();

-- Two stories that take each other's address at once would wait for each other: whoever changes an address waits for it
-- first, in one order for all.
CREATE OR REPLACE FUNCTION refresh_visibility(wanted bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    old_slug text := (SELECT v.slug FROM newsroom_visibility v WHERE v.story_id = wanted);
    new_slug text := (SELECT f.slug FROM visibility_of(wanted) f);
BEGIN
    IF new_slug IS DISTINCT FROM old_slug AND new_slug IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(address) FROM (
            SELECT DISTINCT hashtextextended(slug, 0) AS address FROM unnest(ARRAY[old_slug, new_slug]) slug
            WHERE slug IS NOT NULL ORDER BY 1) addresses;
    END IF;
    DELETE FROM newsroom_visibility v WHERE v.story_id = wanted
        AND NOT EXISTS (SELECT 1 FROM visibility_of(wanted));
    INSERT INTO newsroom_visibility (story_id, release_id, slug, visible_from, announced)
        SELECT * FROM visibility_of(wanted)
    ON CONFLICT (story_id) DO UPDATE SET release_id = excluded.release_id, slug = excluded.slug,
        visible_from = excluded.visible_from, announced = excluded.announced;
END
$$;

-- The sign-offs of a release from before they were links of the record.
SELECT record_append(n.story_id, 'newsroom_releasesignoff', s.id, NULL, facts_now(), to_jsonb(s))
FROM newsroom_releasesignoff s JOIN newsroom_release n ON n.id = s.release_id ORDER BY s.id;
"""

DROP = """
DROP TRIGGER one_at_a_time ON newsroom_announcement; DROP TRIGGER one_at_a_time ON newsroom_release;
DROP TRIGGER one_at_a_time ON approvals_decision; DROP FUNCTION one_at_a_time;
DROP TRIGGER keep_public_signoffs ON approvals_decision; DROP FUNCTION keep_public_signoffs;
"""


class Migration(migrations.Migration):
    dependencies = [("newsroom", "0003_signoffs"), ("approvals", "0005_functions")]
    operations = [migrations.RunSQL(FUNCTIONS, DROP)]
