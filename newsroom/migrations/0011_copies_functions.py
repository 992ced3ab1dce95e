"""Copies under embargo: what a holder may read at this moment, and what holders are told with each fact."""

from django.db import migrations

FUNCTIONS = """
-- The armed release of a story, where nothing stops it: no hold, no freeze, no hold of everything. Else NULL.
CREATE FUNCTION release_on_its_way(wanted bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT v.release_id FROM newsroom_visibility v
    WHERE v.release_id = armed_release(wanted) AND v.visible_from IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM newsroom_holdall h
                      WHERE NOT EXISTS (SELECT 1 FROM newsroom_holdalllift l WHERE l.hold_id = h.id))
$$;

-- Whether a copy is nobody's any more: it was revoked, or the public has come to read what it was given of.
CREATE FUNCTION copy_has_ended(wanted bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM newsroom_embargorevocation r WHERE r.grant_id = wanted)
        OR EXISTS (SELECT 1 FROM newsroom_embargogrant g
                   JOIN newsroom_visibility v ON v.story_id = g.story_id AND v.release_id >= g.release_id
                   WHERE g.id = wanted AND v.visible_from <= release_clock())
$$;

-- The armed release that a copy is for, stopped or not: of the same publication as the one of which it was given. So a
-- later correction of a story is not shown to those who once had a copy of it.
CREATE FUNCTION covered_release(wanted bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT armed.id FROM newsroom_embargogrant g
    JOIN newsroom_release given ON given.id = g.release_id
    JOIN newsroom_release armed ON armed.id = armed_release(g.story_id)
    WHERE g.id = wanted AND armed.id >= given.id AND armed.follows_id IS NOT DISTINCT FROM given.follows_id
      AND NOT copy_has_ended(g.id)
$$;

-- The same where it may be read now, by whoever has acknowledged it.
CREATE FUNCTION copied_release(wanted bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT release_on_its_way(g.story_id) FROM newsroom_embargogrant g
    WHERE g.id = wanted AND covered_release(g.id) = release_on_its_way(g.story_id)
$$;

-- The acknowledgement that opens a copy, the newest: of what is armed now, for its moment, since it was moved last.
CREATE FUNCTION standing_acknowledgement(wanted bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT a.id FROM (SELECT * FROM newsroom_acknowledgement WHERE grant_id = wanted ORDER BY id DESC LIMIT 1) a
    JOIN newsroom_visibility v ON v.release_id = a.release_id AND v.visible_from = a.moment
    WHERE a.release_id = copied_release(wanted)
      AND a.move_id IS NOT DISTINCT FROM (SELECT max(m.id) FROM newsroom_move m WHERE m.release_id = a.release_id)
$$;

-- A mail to each holder, written with the fact that it is about. Those of an ended copy are left alone.
CREATE FUNCTION tell_holders(grants bigint[], kind text, cause text, was timestamptz, was_zone text) RETURNS void
LANGUAGE sql VOLATILE AS $$
    INSERT INTO newsroom_copynotice (grant_id, kind, cause, was, was_zone, attempts, next_attempt, error, at)
    SELECT told, kind, cause, was, coalesce(was_zone, ''), 0, statement_timestamp(), '', facts_now()
    FROM unnest(grants) told ORDER BY told
    ON CONFLICT DO NOTHING
$$;
REVOKE EXECUTE ON FUNCTION tell_holders FROM PUBLIC;

-- Named so that it comes before the guards that refresh the visibility: what held until now is asked.
CREATE FUNCTION holders_told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    cause text := replace(TG_TABLE_NAME, 'newsroom_', '') || ':' || NEW.id;
    holders bigint[] := ARRAY(SELECT g.id FROM newsroom_embargogrant g WHERE g.story_id = NEW.story_id
                              AND covered_release(g.id) IS NOT NULL);
    earlier record;
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'newsroom_move' THEN
        SELECT m.embargo, m.zone INTO earlier FROM newsroom_move m
            WHERE m.release_id = NEW.release_id AND m.id < NEW.id ORDER BY m.id DESC LIMIT 1;
        IF NOT FOUND THEN
            SELECT n.embargo, n.zone INTO earlier FROM newsroom_release n WHERE n.id = NEW.release_id;
        END IF;
        PERFORM tell_holders(holders, 'moved', cause, earlier.embargo, earlier.zone);
    WHEN 'newsroom_release' THEN
        -- What was armed may have been called off meanwhile.
        SELECT coalesce(m.embargo, n.embargo) AS embargo, coalesce(m.zone, n.zone) AS zone INTO earlier
            FROM newsroom_release n LEFT JOIN newsroom_move m ON m.release_id = n.id
            WHERE n.story_id = NEW.story_id AND n.id < NEW.id ORDER BY n.id DESC, m.id DESC NULLS LAST LIMIT 1;
        IF FOUND THEN
            holders := ARRAY(SELECT g.id FROM newsroom_embargogrant g JOIN newsroom_release n ON n.id = g.release_id
                             WHERE g.story_id = NEW.story_id AND n.follows_id IS NOT DISTINCT FROM NEW.follows_id
                               AND NOT copy_has_ended(g.id));
            PERFORM tell_holders(holders, 'armed', cause, earlier.embargo, earlier.zone);
        END IF;
    WHEN 'newsroom_disarm' THEN PERFORM tell_holders(holders, 'off', cause, NULL, NULL);
    WHEN 'newsroom_hold' THEN PERFORM tell_holders(holders, 'held', cause, NULL, NULL);
    WHEN 'newsroom_holdlift' THEN PERFORM tell_holders(holders, 'lifted', cause, NULL, NULL);
    WHEN 'newsroom_freezeexemption' THEN PERFORM tell_holders(holders, 'lifted', cause, NULL, NULL);
    WHEN 'newsroom_embargogrant' THEN PERFORM tell_holders(ARRAY[NEW.id], 'given', cause, NULL, NULL);
    WHEN 'newsroom_withdrawal' THEN
        -- What waits is not sent any more. Whoever was sent something is, of each address once.
        UPDATE newsroom_copynotice t SET next_attempt = NULL, error = 'Not sent: the story was taken back.'
            FROM newsroom_embargogrant g WHERE g.id = t.grant_id AND g.story_id = NEW.story_id
            AND t.sent_at IS NULL AND t.next_attempt IS NOT NULL;
        holders := ARRAY(SELECT max(g.id) FROM newsroom_embargogrant g WHERE g.story_id = NEW.story_id
            AND (EXISTS (SELECT 1 FROM newsroom_copynotice t WHERE t.grant_id = g.id AND t.attempts > 0)
                 OR EXISTS (SELECT 1 FROM newsroom_acknowledgement a WHERE a.grant_id = g.id))
            GROUP BY lower(g.email));
        PERFORM tell_holders(holders, CASE WHEN NEW.kill THEN 'killed' ELSE 'withdrawn' END, cause, NULL, NULL);
    END CASE;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION holders_told FROM PUBLIC;
CREATE TRIGGER holders_told AFTER INSERT ON newsroom_move FOR EACH ROW EXECUTE FUNCTION holders_told();
CREATE TRIGGER holders_told AFTER INSERT ON newsroom_release FOR EACH ROW EXECUTE FUNCTION holders_told();
CREATE TRIGGER holders_told AFTER INSERT ON newsroom_disarm FOR EACH ROW EXECUTE FUNCTION holders_told();
CREATE TRIGGER holders_told AFTER INSERT ON newsroom_hold FOR EACH ROW EXECUTE FUNCTION holders_told();
CREATE TRIGGER holders_told AFTER INSERT ON newsroom_holdlift FOR EACH ROW EXECUTE FUNCTION holders_told();
CREATE TRIGGER holders_told AFTER INSERT ON newsroom_freezeexemption FOR EACH ROW EXECUTE FUNCTION holders_told();
CREATE TRIGGER holders_told AFTER INSERT ON newsroom_embargogrant FOR EACH ROW EXECUTE FUNCTION holders_told();
CREATE TRIGGER holders_told AFTER INSERT ON newsroom_withdrawal FOR EACH ROW EXECUTE FUNCTION holders_told();

-- The same for what stops many stories, or lets them go on.
CREATE FUNCTION all_holders_told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    cause text := replace(TG_TABLE_NAME, 'newsroom_', '') || ':' || NEW.id;
    holders bigint[];
BEGIN
    -- Only stories of which somebody has a copy: few, however many are armed.
    IF TG_TABLE_NAME = 'newsroom_freeze' THEN
        holders := ARRAY(
            SELECT g.id FROM newsroom_visibility v
            JOIN newsroom_release n ON n.id = v.release_id JOIN stories_revision r ON r.id = n.revision_id
            JOIN newsroom_embargogrant g ON g.story_id = v.story_id
            WHERE v.visible_from >= NEW.since AND v.visible_from < NEW.until AND v.visible_from > release_clock()
              AND n.kind <> 'correction' AND (NEW.organisation_id IS NULL OR r.content #>> '{organisation,slug}' =
                  (SELECT o.slug FROM stories_organisation o WHERE o.id = NEW.organisation_id))
              AND covered_release(g.id) = v.release_id);
    ELSIF TG_TABLE_NAME = 'newsroom_holdall' THEN
        holders := ARRAY(
            SELECT g.id FROM newsroom_visibility v JOIN newsroom_embargogrant g ON g.story_id = v.story_id
            WHERE v.visible_from > NEW.at AND covered_release(g.id) = v.release_id);
    ELSE
        -- Those as well whose moment passed meanwhile: they are public from now on.
        holders := ARRAY(
            SELECT g.id FROM newsroom_holdall h JOIN newsroom_visibility v ON v.visible_from > h.at
            JOIN newsroom_release n ON n.id = v.release_id
            JOIN newsroom_embargogrant g ON g.story_id = v.story_id AND g.release_id <= n.id
            JOIN newsroom_release given ON given.id = g.release_id
            WHERE h.id = NEW.hold_id AND v.visible_until IS NULL AND v.withdrawn_at IS NULL
              AND given.follows_id IS NOT DISTINCT FROM n.follows_id
              AND NOT EXISTS (SELECT 1 FROM newsroom_embargorevocation x WHERE x.grant_id = g.id));
    END IF;
    PERFORM tell_holders(holders, CASE WHEN TG_TABLE_NAME = 'newsroom_holdalllift' THEN 'lifted' ELSE 'held' END,
                         cause, NULL, NULL);
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION all_holders_told FROM PUBLIC;
CREATE TRIGGER holders_told AFTER INSERT ON newsroom_holdall FOR EACH ROW EXECUTE FUNCTION all_holders_told();
CREATE TRIGGER holders_told AFTER INSERT ON newsroom_holdalllift FOR EACH ROW EXECUTE FUNCTION all_holders_told();
CREATE TRIGGER holders_told AFTER INSERT ON newsroom_freeze FOR EACH ROW EXECUTE FUNCTION all_holders_told();
"""

DROP = """
DROP FUNCTION all_holders_told CASCADE; DROP FUNCTION holders_told CASCADE; DROP FUNCTION tell_holders;
DROP FUNCTION standing_acknowledgement; DROP FUNCTION copied_release; DROP FUNCTION covered_release;
DROP FUNCTION copy_has_ended; DROP FUNCTION release_on_its_way;
"""


class Migration(migrations.Migration):
    dependencies = [("newsroom", "0010_copies")]
    operations = [migrations.RunSQL(FUNCTIONS, DROP)]
