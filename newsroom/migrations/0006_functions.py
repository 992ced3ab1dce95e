"""What is public, from the facts: chains of releases, moves, withdrawals, and the hold of everything."""

from django.db import migrations

FUNCTIONS = """
DROP FUNCTION visibility_of;

-- The instant up to which stories are released: now, unless everything is held.
CREATE FUNCTION release_clock() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT least(facts_now(), (SELECT min(h.at) FROM newsroom_holdall h
                               WHERE NOT EXISTS (SELECT 1 FROM newsroom_holdalllift l WHERE l.hold_id = h.id)))
$$;

-- The release of a story that anybody can read now, and the one that is armed; NULL where there is none.
CREATE FUNCTION public_release(wanted bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT v.release_id FROM newsroom_visibility v, release_clock() clock
    WHERE v.story_id = wanted AND v.visible_from <= clock AND v.withdrawn_at IS NULL
      AND (v.visible_until IS NULL OR v.visible_until > clock)
$$;
CREATE FUNCTION armed_release(wanted bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT v.release_id FROM newsroom_visibility v
    WHERE v.story_id = wanted AND (v.visible_from IS NULL OR v.visible_from > release_clock())
      AND v.visible_until IS NULL AND v.withdrawn_at IS NULL
$$;

-- An instant that passed while everything was held counts as that of the lifting.
CREATE FUNCTION past_stops(instant timestamptz) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    stop record;
BEGIN
    FOR stop IN SELECT h.at AS since, l.at AS until FROM newsroom_holdall h
            JOIN newsroom_holdalllift l ON l.hold_id = h.id WHERE l.at >= instant ORDER BY h.id LOOP
        IF instant > stop.since AND instant <= stop.until THEN
            instant := stop.until;
        END IF;
    END LOOP;
    RETURN instant;
END
$$;

-- When something goes out that is meant for an instant: then, or NULL where that falls into a freeze. Who is exempted goes
-- out from the exemption on. A correction is never frozen.
CREATE FUNCTION thawed(story bigint, organisation text, kind text, instant timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    frozen record;
BEGIN
    IF kind = 'correction' OR instant IS NULL THEN
        RETURN instant;
    END IF;
    FOR frozen IN SELECT f.since, least(f.until, e.at) AS until, x.at AS exempt FROM newsroom_freeze f
            LEFT JOIN newsroom_freezeend e ON e.freeze_id = f.id
            LEFT JOIN newsroom_freezeexemption x ON x.freeze_id = f.id AND x.story_id = story
            LEFT JOIN stories_organisation o ON o.id = f.organisation_id
            WHERE f.organisation_id IS NULL OR o.slug = organisation ORDER BY f.since, f.id LOOP
        IF instant >= frozen.since AND instant < frozen.until THEN
            IF frozen.exempt IS NULL THEN
                RETURN NULL;
            END IF;
            instant := greatest(instant, frozen.exempt);
        END IF;
    END LOOP;
    RETURN instant;
END
$$;
CREATE FUNCTION is_frozen(story bigint, revision bigint, kind text, instant timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT thawed(story, r.content #>> '{organisation,slug}', kind, instant) IS NULL
    FROM stories_revision r WHERE r.id = revision
$$;

-- Each release of a story that is armed or ever was public, and when the public reads it.
--
-- Which were public is on the record: whatever followed one, or withdrew it, names it. Of the others only the newest
-- can be on its way, unless it was called off or what it belongs to was withdrawn. What happened after one was
-- followed or withdrawn (a hold of its correction, say) is no matter of its own any more: `settled`.
CREATE FUNCTION visibility_of(wanted bigint) RETURNS SETOF newsroom_visibility LANGUAGE sql STABLE AS $$
    WITH RECURSIVE newest AS (
        SELECT n.* FROM newsroom_release n WHERE n.story_id = wanted ORDER BY n.id DESC LIMIT 1),
    there AS (
        SELECT n.follows_id AS id FROM newsroom_release n WHERE n.story_id = wanted AND n.follows_id IS NOT NULL
        UNION SELECT w.release_id FROM newsroom_withdrawal w WHERE w.story_id = wanted
        UNION SELECT n.id FROM newest n
            WHERE NOT EXISTS (SELECT 1 FROM newsroom_disarm d WHERE d.release_id = n.id)
              AND NOT EXISTS (SELECT 1 FROM newsroom_withdrawal w WHERE w.story_id = wanted AND w.at >= n.at)),
    settled AS (
        SELECT n.*, coalesce(m.embargo, n.embargo) AS meant, coalesce(m.zone, n.zone) AS meant_in, w.at AS withdrawn_at,
            coalesce(least((SELECT min(f.at) FROM newsroom_release f WHERE f.follows_id = n.id), w.at),
                     'infinity') AS settled
        FROM newsroom_release n JOIN there t ON t.id = n.id
        LEFT JOIN LATERAL (SELECT * FROM newsroom_move m WHERE m.release_id = n.id ORDER BY m.id DESC LIMIT 1) m ON true
        LEFT JOIN LATERAL (SELECT min(w.at) AS at FROM newsroom_withdrawal w WHERE w.release_id = n.id) w ON true),
    timed AS (
        SELECT s.*, CASE WHEN NOT EXISTS (
                SELECT 1 FROM newsroom_hold h WHERE h.story_id = wanted AND h.at < s.settled
                AND NOT EXISTS (SELECT 1 FROM newsroom_holdlift l WHERE l.hold_id = h.id AND l.at < s.settled))
            THEN past_stops(thawed(wanted, r.content #>> '{organisation,slug}', s.kind,
                past_stops(greatest(s.meant, (SELECT max(l.at) FROM newsroom_holdlift l
                WHERE l.story_id = wanted AND l.at > s.at AND l.at < s.settled))))) END AS visible_from
        FROM settled s JOIN stories_revision r ON r.id = s.revision_id),
    chained AS (
        SELECT t.*, t.id AS first_id, t.visible_from AS first_from, t.visible_from AS updated_at FROM timed t
        WHERE t.follows_id IS NULL
        UNION ALL
        SELECT t.*, c.first_id, c.first_from, CASE WHEN t.kind = 'minor' THEN c.updated_at ELSE t.visible_from END
        FROM timed t JOIN chained c ON c.id = t.follows_id)
    SELECT c.id, r.content ->> 'slug', c.meant, c.meant_in, c.visible_from,
           (SELECT f.visible_from FROM timed f WHERE f.follows_id = c.id),
           -- The whole publication is withdrawn: nothing of it is announced any more.
           min(c.withdrawn_at) OVER (PARTITION BY c.first_id), c.first_from, c.updated_at,
           EXISTS (SELECT 1 FROM newsroom_announcement a WHERE a.release_id = c.id), c.story_id
    FROM chained c JOIN stories_revision r ON r.id = c.revision_id
$$;

CREATE OR REPLACE FUNCTION refresh_visibility(wanted bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    now_so newsroom_visibility[];
BEGIN
    -- Whoever lifts the hold of everything changes rows of any story: nobody computes one meanwhile.
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('newsroom.visibility', 0));
    now_so := ARRAY(SELECT f FROM visibility_of(wanted) f);
    -- Two stories that take each other's address at once would wait for each other: whoever changes an address waits
    -- for it first, in one order for all.
    PERFORM pg_advisory_xact_lock(address) FROM (
        SELECT hashtextextended(slug, 0) AS address FROM (
            SELECT DISTINCT v.slug FROM newsroom_visibility v WHERE v.story_id = wanted
            UNION ALL SELECT DISTINCT f.slug FROM unnest(now_so) f) both_of
        GROUP BY slug HAVING count(*) = 1 ORDER BY 1) addresses;
    DELETE FROM newsroom_visibility v WHERE v.story_id = wanted
        AND v.release_id NOT IN (SELECT f.release_id FROM unnest(now_so) f);
    INSERT INTO newsroom_visibility AS v SELECT * FROM unnest(now_so)
    ON CONFLICT (release_id) DO UPDATE SET embargo = excluded.embargo, zone = excluded.zone,
        visible_from = excluded.visible_from, visible_until = excluded.visible_until,
        withdrawn_at = excluded.withdrawn_at, first_from = excluded.first_from, updated_at = excluded.updated_at,
        announced = excluded.announced
    WHERE (v.embargo, v.zone, v.visible_from, v.visible_until, v.withdrawn_at, v.first_from, v.updated_at, v.announced)
        IS DISTINCT FROM (excluded.embargo, excluded.zone, excluded.visible_from, excluded.visible_until,
                          excluded.withdrawn_at, excluded.first_from, excluded.updated_at, excluded.announced);
END
$$;

-- What would have become public while everything was held does so now.
CREATE FUNCTION refresh_stopped(hold bigint, until timestamptz) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    since timestamptz := (SELECT h.at FROM newsroom_holdall h WHERE h.id = hold);
    stopped bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('newsroom.visibility', 0));
    FOR stopped IN SELECT DISTINCT v.story_id FROM newsroom_visibility v
            WHERE v.visible_from > since AND v.visible_from <= until ORDER BY 1 LOOP
        PERFORM refresh_visibility(stopped);
    END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION refresh_stopped FROM PUBLIC;

-- A freeze begins or ends, and with it the moments change of what is meant for a time in it.
CREATE FUNCTION refresh_frozen(wanted bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    changed bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('newsroom.visibility', 0));
    FOR changed IN SELECT DISTINCT v.story_id FROM newsroom_freeze f
            JOIN newsroom_visibility v ON (v.visible_from >= f.since AND v.visible_from < f.until)
                OR (v.visible_from IS NULL AND v.visible_until IS NULL AND v.withdrawn_at IS NULL)
            WHERE f.id = wanted ORDER BY 1 LOOP
        PERFORM refresh_visibility(changed);
    END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION refresh_frozen FROM PUBLIC;

CREATE OR REPLACE FUNCTION disarm_uncleared() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    hint text;
BEGIN
    BEGIN
        INSERT INTO newsroom_disarm (story_id, release_id, by_id, reason)
            SELECT NEW.story_id, armed, NEW.by_id, CASE NEW.verdict WHEN 'changes' THEN 'Changes asked: '
                WHEN 'refused' THEN 'Refused: ' ELSE 'A decision was taken back. ' END || NEW.reason
            FROM armed_release(NEW.story_id) armed WHERE armed IS NOT NULL;
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

CREATE OR REPLACE FUNCTION check_not_public_on(story bigint, decision bigint) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM newsroom_releasesignoff s
               WHERE s.release_id = public_release(story) AND s.decision_id = decision) THEN
        PERFORM refuse('The story is public on this sign-off.', 'public');
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION one_at_a_time() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    PERFORM lock_story(NEW.story_id);
    IF EXISTS (SELECT 1 FROM approvals_standing s WHERE s.story_id = NEW.story_id AND s.revision_id <>
               (SELECT max(r.id) FROM stories_revision r WHERE r.story_id = NEW.story_id))
       OR ARRAY(SELECT v FROM newsroom_visibility v WHERE v.story_id = NEW.story_id ORDER BY v.release_id)
          IS DISTINCT FROM ARRAY(SELECT f FROM visibility_of(NEW.story_id) f ORDER BY f.release_id) THEN
        PERFORM refuse('What follows from the fact before is not written yet: one statement, one fact.', 'at_once');
    END IF;
    RETURN NEW;
END
$$;

INSERT INTO newsroom_visibility SELECT v.* FROM (SELECT DISTINCT story_id FROM newsroom_release) n
CROSS JOIN LATERAL visibility_of(n.story_id) v;
"""


class Migration(migrations.Migration):
    dependencies = [("newsroom", "0005_after_release"), ("approvals", "0007_no_due_index")]
    # Facts of the new kinds have no place in what was there before.
    operations = [migrations.RunSQL(FUNCTIONS)]
