"""The one predicate's read model, kept by the database from the facts."""

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION is_held(wanted bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM newsroom_hold h WHERE h.story_id = wanted
                   AND NOT EXISTS (SELECT 1 FROM newsroom_holdlift l WHERE l.hold_id = h.id))
$$;

-- What the visibility of a story follows from: its newest release, if it is armed still.
CREATE FUNCTION visibility_of(wanted bigint)
RETURNS TABLE (story_id bigint, release_id bigint, slug text, visible_from timestamptz, announced boolean)
LANGUAGE sql STABLE AS $$
    SELECT n.story_id, n.id, r.content ->> 'slug',
           CASE WHEN NOT is_held(wanted) THEN greatest(n.embargo,
               (SELECT max(l.at) FROM newsroom_holdlift l WHERE l.story_id = wanted AND l.at > n.at)) END,
           EXISTS (SELECT 1 FROM newsroom_announcement a WHERE a.release_id = n.id)
    FROM (SELECT * FROM newsroom_release WHERE newsroom_release.story_id = wanted
          ORDER BY id DESC LIMIT 1) n
    JOIN stories_revision r ON r.id = n.revision_id
    WHERE NOT EXISTS (SELECT 1 FROM newsroom_disarm d WHERE d.release_id = n.id)
$$;

CREATE FUNCTION refresh_visibility(wanted bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    DELETE FROM newsroom_visibility v WHERE v.story_id = wanted
        AND NOT EXISTS (SELECT 1 FROM visibility_of(wanted));
    INSERT INTO newsroom_visibility (story_id, release_id, slug, visible_from, announced)
        SELECT * FROM visibility_of(wanted)
    ON CONFLICT (story_id) DO UPDATE SET release_id = excluded.release_id, slug = excluded.slug,
        visible_from = excluded.visible_from, announced = excluded.announced;
END
$$;
REVOKE EXECUTE ON FUNCTION refresh_visibility FROM PUBLIC;

-- Changes asked by any desk before the story is public disarm it at the same commit, whichever revision they
-- are about: whoever says "not these words" must not see older ones go out. Where the
-- story becomes public in between, the decision stands and the release too.
CREATE FUNCTION disarm_uncleared() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    hint text;
BEGIN
    INSERT INTO newsroom_disarm (story_id, release_id, by_id, reason)
        SELECT n.story_id, n.id, NEW.by_id, 'Changes asked: ' || NEW.reason
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
REVOKE EXECUTE ON FUNCTION disarm_uncleared FROM PUBLIC;
CREATE TRIGGER disarm_uncleared AFTER INSERT ON approvals_decision
    FOR EACH ROW WHEN (NEW.verdict = 'changes') EXECUTE FUNCTION disarm_uncleared();
"""

DROP = """
DROP TRIGGER disarm_uncleared ON approvals_decision; DROP FUNCTION disarm_uncleared;
DROP FUNCTION refresh_visibility; DROP FUNCTION visibility_of; DROP FUNCTION is_held;
"""


class Migration(migrations.Migration):
    dependencies = [("newsroom", "0001_initial"), ("approvals", "0002_functions")]
    operations = [migrations.RunSQL(FUNCTIONS, DROP)]
