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
"""

DROP = """
DROP FUNCTION is_cleared; DROP FUNCTION signoffs; DROP FUNCTION contributed; DROP FUNCTION covered_content;
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0002_initial"), ("stories", "0002_functions")]
    operations = [migrations.RunSQL(FUNCTIONS, DROP)]
