"""Coverage, four eyes and standing sign-offs, in the database."""

from django.db import migrations

FUNCTIONS = """
-- What a step covers; NULL where there is nothing to cover, and nobody has to clear it.
CREATE FUNCTION covered_content(content jsonb, covers text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE covers
        WHEN 'everything' THEN content_parts(content)
        WHEN 'quotes' THEN nullif(content_quotes(content), '[]'::jsonb)
    END
$$;

-- Whether somebody wrote any of a story's words (up to a revision, where one is named).
CREATE FUNCTION contributed(story bigint, person bigint, upto bigint DEFAULT NULL) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (SELECT 1 FROM stories_revision r
                   WHERE r.story_id = story AND r.by_id = person AND (upto IS NULL OR r.id <= upto))
$$;

-- Each step asked of a revision's story, with the digest it has to cover and the sign-off that stands.
CREATE FUNCTION signoffs(wanted bigint)
RETURNS TABLE (step_id bigint, desk_id bigint, covers text, covered text, decision_id bigint)
LANGUAGE sql STABLE AS $$
    SELECT s.id, s.desk_id, s.covers::text, d.covered, newest.id
    FROM stories_revision r
    JOIN approvals_pinnedstep s ON s.submission_id =
        (SELECT max(b.id) FROM approvals_submission b WHERE b.story_id = r.story_id)
    CROSS JOIN LATERAL (SELECT digest_of(covered_content(r.content, s.covers)) AS covered) d
    LEFT JOIN LATERAL (
        SELECT c.id, c.verdict, c.by_id FROM approvals_decision c
        WHERE c.story_id = r.story_id AND c.desk_id = s.desk_id AND c.covers = s.covers
          AND c.covered = d.covered
        ORDER BY c.id DESC LIMIT 1
    ) newest ON newest.verdict = 'cleared' AND NOT contributed(r.story_id, newest.by_id, r.id)
    WHERE r.id = wanted
    ORDER BY s.position, s.id
$$;

-- Every step that has something to cover is cleared, and somebody cleared the whole.
CREATE FUNCTION is_cleared(wanted bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(bool_and(covered IS NULL OR decision_id IS NOT NULL)
                AND bool_or(covers = 'everything' AND decision_id IS NOT NULL), false)
    FROM signoffs(wanted)
$$;

-- The steps without a standing sign-off on the newest words, from the facts: what `Outstanding` has to hold.
CREATE FUNCTION outstanding_of(wanted bigint)
RETURNS TABLE (step_id bigint, story_id bigint, desk_id bigint, revision_id bigint, covers text, covered text)
LANGUAGE sql STABLE AS $$
    SELECT s.step_id, wanted, s.desk_id, r.id, s.covers, s.covered
    FROM (SELECT max(id) AS id FROM stories_revision WHERE stories_revision.story_id = wanted) r
    CROSS JOIN LATERAL signoffs(r.id) s
    WHERE s.covered IS NOT NULL AND s.decision_id IS NULL
$$;

CREATE FUNCTION refresh_outstanding(wanted bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    DELETE FROM approvals_outstanding o WHERE o.story_id = wanted;
    INSERT INTO approvals_outstanding (step_id, story_id, desk_id, revision_id, covers, covered)
        SELECT * FROM outstanding_of(wanted);
END
$$;
REVOKE EXECUTE ON FUNCTION refresh_outstanding FROM PUBLIC;

-- New words can void sign-offs, and bring old ones back.
CREATE FUNCTION outstanding_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    PERFORM refresh_outstanding(NEW.story_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER outstanding_changed AFTER INSERT ON stories_revision
    FOR EACH ROW EXECUTE FUNCTION outstanding_changed();

-- Whoever may execute it could hang it on a table of their own and feed it rows.
REVOKE EXECUTE ON FUNCTION outstanding_changed FROM PUBLIC;
"""

DROP = """
DROP TRIGGER outstanding_changed ON stories_revision; DROP FUNCTION outstanding_changed;
DROP FUNCTION refresh_outstanding; DROP FUNCTION outstanding_of;
DROP FUNCTION is_cleared; DROP FUNCTION signoffs; DROP FUNCTION contributed; DROP FUNCTION covered_content;
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0001_initial"), ("stories", "0002_functions")]
    operations = [migrations.RunSQL(FUNCTIONS, DROP)]
