"""One place says whom a pattern asks in given words: what is pinned and what would be asked are the same."""

from django.db import migrations

FUNCTIONS = """
-- Whether a step asks for each private office, or each partner's desk, that the words name, and not for itself.
CREATE OR REPLACE FUNCTION is_pattern(condition text, value text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT condition = 'private_office' OR (condition = 'partner' AND value = '')
$$;

-- The steps that a pattern comes to in given words: one for each that they name. None for any other step.
CREATE OR REPLACE FUNCTION named_steps(words jsonb, desk bigint, covers text, whom text, condition text, value text)
RETURNS TABLE (desk_id bigint, covers_now text, whom_now text, condition_now text, value_now text)
LANGUAGE sql STABLE AS $$
    SELECT o.desk_id, CASE WHEN covers IN ('speaker', 'role') THEN o.match ELSE covers END,
           CASE WHEN covers IN ('speaker', 'role') THEN o.name ELSE '' END, o.match, o.name
    FROM approvals_privateoffice o
    WHERE condition = 'private_office' AND applies(words, o.match, o.name)
    UNION ALL
    SELECT coalesce(d.id, desk), covers, whom, 'partner', p ->> 'slug'
    FROM jsonb_array_elements(coalesce(words -> 'partners', '[]')) p
    LEFT JOIN stories_organisation g ON g.slug = p ->> 'slug'
    LEFT JOIN approvals_desk d ON d.organisation_id = g.id
    -- An element of the array is called value as well.
    WHERE condition = 'partner' AND named_steps.value = '' AND p ->> 'slug' <> ''
$$;

CREATE OR REPLACE FUNCTION expand_steps(wanted bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    asked bigint := (SELECT max(b.id) FROM approvals_submission b WHERE b.story_id = wanted);
    words jsonb;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM approvals_pinnedstep t
                   WHERE t.submission_id = asked AND is_pattern(t.condition, t.value)) THEN
        RETURN;
    END IF;
    SELECT r.content INTO words FROM stories_revision r WHERE r.story_id = wanted ORDER BY r.id DESC LIMIT 1;
    INSERT INTO approvals_pinnedstep (submission_id, desk_id, covers, whom, condition, value, stage, position,
                                      quorum, before, pattern_id, people)
    SELECT asked, n.desk_id, n.covers_now, n.whom_now, n.condition_now, n.value_now, t.stage, t.position,
           t.quorum, t.before, t.id, quorum_people(n.desk_id, t.quorum)
    FROM approvals_pinnedstep t
    CROSS JOIN LATERAL named_steps(words, t.desk_id, t.covers, t.whom, t.condition, t.value) n
    WHERE t.submission_id = asked
    ORDER BY t.stage, t.position, t.id, n.value_now
    ON CONFLICT DO NOTHING;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0005_functions")]
    operations = [migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop)]
