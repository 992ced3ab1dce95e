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
    INSERT INTO newsroom_disarm (story_id, release_id, by_id, reason)
        SELECT n.story_id, n.id, NEW.by_id, CASE NEW.verdict WHEN 'changes' THEN 'Changes asked: '
            WHEN 'refused' THEN 'Refused: ' ELSE 'A decision was taken back. ' END || NEW.reason
        FROM newsroom_visibility v JOIN newsroom_release n ON n.id = v.release_id
        WHERE v.story_id = NEW.story_id AND (v.visible_from IS NULL OR v.visible_from > facts_now());
    RETURN NULL;
EXCEPTION WHEN restrict_violation THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    IF hint IS DISTINCT FROM 'not_armed' THEN
        RAISE;
    END IF;
    RETURN NULL;
END
$$;
DROP TRIGGER disarm_uncleared ON approvals_decision;
CREATE TRIGGER disarm_uncleared AFTER INSERT ON approvals_decision
    FOR EACH ROW WHEN (NEW.verdict <> 'cleared') EXECUTE FUNCTION disarm_uncleared();

-- A sign-off can be taken back until the story is public; after that it is what the public reads.
CREATE FUNCTION keep_public_signoffs() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    PERFORM lock_story(NEW.story_id);
    IF EXISTS (SELECT 1 FROM newsroom_visibility v JOIN newsroom_releasesignoff s ON s.release_id = v.release_id
               WHERE v.story_id = NEW.story_id AND s.decision_id = NEW.takes_back_id
                 AND v.visible_from <= facts_now()) THEN
        RAISE EXCEPTION 'The story is public on this sign-off.'
            USING ERRCODE = 'restrict_violation', HINT = 'public';
    END IF;
    RETURN NEW;
END
$$;
REVOKE EXECUTE ON FUNCTION keep_public_signoffs FROM PUBLIC;
CREATE TRIGGER keep_public_signoffs BEFORE INSERT ON approvals_decision
    FOR EACH ROW WHEN (NEW.verdict = 'taken_back') EXECUTE FUNCTION keep_public_signoffs();
"""

DROP = "DROP TRIGGER keep_public_signoffs ON approvals_decision; DROP FUNCTION keep_public_signoffs;"


class Migration(migrations.Migration):
    dependencies = [("newsroom", "0003_signoffs"), ("approvals", "0005_functions")]
    operations = [migrations.RunSQL(FUNCTIONS, DROP)]
