"""Routes with stages, conditions, quorums and deputies, and four eyes since the last full clearance."""

from django.db import migrations

# What these replace. The old read model went with its table.
DROP_OLD = """
DROP TRIGGER outstanding_changed ON stories_revision; DROP FUNCTION outstanding_changed;
DROP FUNCTION refresh_outstanding; DROP FUNCTION outstanding_of;
DROP FUNCTION is_cleared; DROP FUNCTION signoffs; DROP FUNCTION contributed;
DROP FUNCTION covered_content(jsonb, text);
"""

FUNCTIONS = """
-- Who has to sign where everybody has to: the people of the desk who can sign in, as they are now.
CREATE FUNCTION quorum_people(desk bigint, quorum integer) RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(m.user_id ORDER BY m.user_id), '{}') FROM approvals_desk_members m
    JOIN stories_user u ON u.id = m.user_id AND u.is_active
    WHERE m.desk_id = desk AND quorum = 0
$$;

-- Steps that ask each speaker's private office, or each partner's desk, are patterns: a step of its own is pinned for
-- each that the words name. It stays; where the words name them no more, it has nothing to cover.
CREATE FUNCTION expand_steps(wanted bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    asked bigint := (SELECT max(b.id) FROM approvals_submission b WHERE b.story_id = wanted);
    words jsonb;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM approvals_pinnedstep t WHERE t.submission_id = asked
                   AND (t.condition = 'private_office' OR (t.condition = 'partner' AND t.value = ''))) THEN
        RETURN;
    END IF;
    SELECT r.content INTO words FROM stories_revision r WHERE r.story_id = wanted ORDER BY r.id DESC LIMIT 1;
    INSERT INTO approvals_pinnedstep (submission_id, desk_id, covers, whom, condition, value, stage, position,
                                      quorum, before, pattern_id, people)
    SELECT asked, n.desk_id, n.covers, n.whom, n.condition, n.value, t.stage, t.position, t.quorum, t.before, t.id,
           quorum_people(n.desk_id, t.quorum)
    FROM approvals_pinnedstep t CROSS JOIN LATERAL (
        SELECT o.desk_id, CASE WHEN t.covers IN ('speaker', 'role') THEN o.match ELSE t.covers END AS covers,
               CASE WHEN t.covers IN ('speaker', 'role') THEN o.name ELSE '' END AS whom,
               o.match AS condition, o.name AS value
        FROM approvals_privateoffice o
        WHERE t.condition = 'private_office' AND applies(words, o.match, o.name)
        UNION ALL
        SELECT coalesce(d.id, t.desk_id), t.covers, t.whom, 'partner', p ->> 'slug'
        FROM jsonb_array_elements(coalesce(words -> 'partners', '[]')) p
        LEFT JOIN stories_organisation g ON g.slug = p ->> 'slug'
        LEFT JOIN approvals_desk d ON d.organisation_id = g.id
        WHERE t.condition = 'partner' AND t.value = '' AND p ->> 'slug' <> ''
    ) n
    WHERE t.submission_id = asked AND (t.condition = 'private_office' OR (t.condition = 'partner' AND t.value = ''))
    ORDER BY t.stage, t.position, t.id, n.value
    ON CONFLICT DO NOTHING;
END
$$;
REVOKE EXECUTE ON FUNCTION expand_steps FROM PUBLIC;

-- The latest word of each person who decides for a desk, by digest. Who acts on behalf of somebody speaks for them.
CREATE FUNCTION latest_decisions(story bigint, step approvals_pinnedstep)
RETURNS TABLE (covered text, authority bigint, id bigint, by_id bigint, verdict text, revision_id bigint)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (d.covered, coalesce(d.on_behalf_id, d.by_id))
           d.covered, coalesce(d.on_behalf_id, d.by_id), d.id, d.by_id, d.verdict, d.revision_id
    FROM approvals_decision d
    WHERE d.story_id = story AND d.desk_id = step.desk_id AND d.covers = step.covers AND d.whom = step.whom
    ORDER BY d.covered, coalesce(d.on_behalf_id, d.by_id), d.id DESC
$$;

-- Enough people, none of them counted twice: neither as a signer nor as somebody signed for.
CREATE FUNCTION quorum_met(quorum integer, people bigint[], barred bigint[], authorities bigint[], signers bigint[])
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN quorum > 0 THEN (SELECT least(count(DISTINCT a), count(DISTINCT s)) >= quorum
                                      FROM unnest(authorities, signers) AS both_of (a, s))
        ELSE (SELECT count(*) > 0 AND bool_and(p = ANY (authorities))
                     AND count(*) <= (SELECT count(DISTINCT s) FROM unnest(signers) s)
              FROM unnest(people) p WHERE p <> ALL (barred)) END
$$;

-- For each digest that a desk decided on: the sign-offs that count, and what speaks against it.
--   * A request for changes stands until its author says otherwise; a later sign-off of the desk overrides it.
--   * A refusal stands until its author says otherwise, and nobody else of the desk overrides it.
CREATE FUNCTION tally(story bigint, step approvals_pinnedstep, barred bigint[])
RETURNS TABLE (covered text, decisions bigint[], met boolean, refused boolean, asked boolean, upto bigint)
LANGUAGE sql STABLE AS $$
    WITH latest AS (SELECT * FROM latest_decisions(story, step)),
    against AS (
        SELECT l.covered, bool_or(l.verdict = 'refused') AS refused,
               max(l.id) FILTER (WHERE l.verdict = 'changes') AS changes
        FROM latest l GROUP BY l.covered),
    counted AS (
        SELECT l.* FROM latest l JOIN against a USING (covered)
        WHERE l.verdict = 'cleared' AND NOT a.refused AND l.id > coalesce(a.changes, 0))
    SELECT a.covered, coalesce(array_agg(c.id ORDER BY c.id) FILTER (WHERE c.id IS NOT NULL), '{}'),
           coalesce(quorum_met(step.quorum, step.people, barred, array_agg(c.authority), array_agg(c.by_id))
                    AND count(c.id) > 0, false),
           a.refused, a.changes IS NOT NULL, max(c.revision_id)
    FROM against a LEFT JOIN counted c USING (covered)
    GROUP BY a.covered, a.refused, a.changes
$$;

-- Whether a desk objects to a revision: somebody's last word to it was a refusal, or a request for changes that no later
-- sign-off of the desk answered; or there are such words against exactly what the step covers now.
CREATE FUNCTION objects(revision stories_revision, step approvals_pinnedstep) RETURNS boolean
LANGUAGE sql STABLE AS $$
    WITH said AS (
        SELECT DISTINCT ON (coalesce(d.on_behalf_id, d.by_id)) d.id, d.verdict FROM approvals_decision d
        WHERE d.story_id = revision.story_id AND d.desk_id = step.desk_id AND d.covers = step.covers
          AND d.whom = step.whom
        ORDER BY coalesce(d.on_behalf_id, d.by_id), d.id DESC)
    SELECT EXISTS (SELECT 1 FROM said l WHERE l.verdict = 'refused')
        OR EXISTS (SELECT 1 FROM said l WHERE l.verdict = 'changes'
                   AND NOT EXISTS (SELECT 1 FROM said c WHERE c.verdict = 'cleared' AND c.id > l.id))
        OR (EXISTS (SELECT 1 FROM said) AND EXISTS (
            SELECT 1 FROM tally(revision.story_id, step, '{}') t
            WHERE (t.refused OR t.asked) AND NOT t.met
              AND t.covered = covered_digest(revision.content, step.covers, step.whom)))
$$;

-- The digest that a step's decision has to name; NULL where the step is not asked, or has nothing to cover. A desk that
-- objects stays asked: nobody gets rid of it by taking out the topic, or changing the type, for which it was.
CREATE FUNCTION step_digest(revision stories_revision, step approvals_pinnedstep) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN NOT applies(revision.content, step.condition, step.value)
                     AND (step.condition = 'always' OR NOT objects(revision, step)) THEN NULL
                -- That of the whole was computed when the revision was stored.
                WHEN step.covers = 'everything' THEN revision.digest
                ELSE covered_digest(revision.content, step.covers, step.whom) END
$$;

-- The newest revision before one on which a step was fully cleared, with other words, by sign-offs that were not taken
-- back. That these very words were signed frees nobody: else their author could sign as well, and be left as the only one.
-- Where all of a desk have to sign, all means all: it is the safe reading while it is not known who wrote what.
CREATE FUNCTION cleared_before(wanted stories_revision, step approvals_pinnedstep, digest text) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT max(t.upto) FROM tally(wanted.story_id, step, '{}') t
    WHERE t.met AND t.upto < wanted.id AND t.covered <> digest
$$;

-- The texts that a step covers, sentence by sentence, so that words are found again in another paragraph or part.
CREATE FUNCTION covered_texts(content jsonb, covers text, whom text) RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    SELECT btrim(s) FROM (
        SELECT b ->> 'html' FROM jsonb_array_elements(content -> 'body') b WHERE covers = 'everything'
        UNION ALL
        SELECT content ->> 'notes' WHERE covers IN ('everything', 'notes')
        UNION ALL
        SELECT html_of(v) FROM unnest(ARRAY[content ->> 'headline', content ->> 'summary', content ->> 'contacts',
            content #>> '{picture,alt}', content #>> '{picture,caption}', content #>> '{picture,credit}']) v
        WHERE covers = 'everything'
        UNION ALL
        SELECT html_of(f ->> 'title') FROM jsonb_array_elements(content -> 'attachments') f WHERE covers = 'everything'
        UNION ALL
        SELECT html_of(v) FROM jsonb_array_elements(content_quotes(content)) q, unnest(ARRAY[q ->> 'speaker', q ->> 'role']) v
        WHERE covers = 'everything'
        UNION ALL
        SELECT v FROM jsonb_array_elements(covered_content(content, covers, whom)) b,
            unnest(ARRAY[b ->> 'html', html_of(b ->> 'speaker'), html_of(b ->> 'role')]) v
        WHERE covers IN ('quotes', 'speaker', 'role')
        UNION ALL
        SELECT t #>> '{}' FROM jsonb_path_query(covered_content(content, covers, whom), '$[*].sentences[*]') t
        WHERE covers = 'figures'
        UNION ALL
        SELECT html_of(v) FROM jsonb_array_elements(covered_content(content, covers, whom)) p,
            unnest(ARRAY[p ->> 'alt', p ->> 'caption', p ->> 'credit', p ->> 'title']) v
        WHERE covers IN ('pictures', 'attachments')
    ) AS texts (t) CROSS JOIN LATERAL sentences(t) AS found (s) WHERE btrim(s) <> ''
$$;

-- A text as its words are compared: in HTML or not, without emphasis, links and spaces of other kinds.
CREATE FUNCTION bare(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT replace(replace(replace(regexp_replace(translate(words, chr(160) || chr(8239), '  '),
        '</?(?:strong|em|a)(?: [^<>]*)?>', '', 'g'), '&lt;', '<'), '&gt;', '>'), '&amp;', '&')
$$;

-- The files that a content shows, by the digest of their bytes.
CREATE FUNCTION files_of(content jsonb) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT content #>> '{picture,sha256}' WHERE content #>> '{picture,sha256}' IS NOT NULL
    UNION ALL SELECT f ->> 'sha256' FROM jsonb_array_elements(content -> 'attachments') f
$$;

-- Nobody clears their own words. Who may not clear a step of a revision: whoever contributed since it was last
-- fully cleared (typed, had a wording taken, uploaded what is shown, restored, brought the text it began from), and
-- whoever first wrote words that it covers now and did not cover then, however they came back.
CREATE FUNCTION barred(wanted stories_revision, step approvals_pinnedstep, digest text) RETURNS bigint[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    since bigint := coalesce(cleared_before(wanted, step, digest), 0);
    earlier stories_revision;
    past record;
    fresh text[];
    found boolean[];
    before boolean[] := '{}';
    writers bigint[] := '{}';
BEGIN
    SELECT * INTO earlier FROM stories_revision r WHERE r.id = since;
    -- Each time that words came in which are fresh now. A revision is based on the one before it.
    IF since > 0 THEN
        fresh := ARRAY(SELECT DISTINCT trim(BOTH '"' FROM to_jsonb(bare(c))::text) FROM (
            SELECT covered_texts(wanted.content, step.covers, step.whom)
            EXCEPT SELECT covered_texts(earlier.content, step.covers, step.whom)) AS texts (c)
            WHERE bare(c) NOT IN ('', '"'));
    END IF;
    IF cardinality(fresh) > 0 THEN
        FOR past IN SELECT r.by_id, r.takes_id, bare(r.content::text) AS words FROM stories_revision r
                WHERE r.story_id = wanted.story_id AND r.id <= since ORDER BY r.id LOOP
            found := ARRAY(SELECT position(t IN past.words) > 0 FROM unnest(fresh) WITH ORDINALITY AS f (t, place)
                           ORDER BY place);
            IF EXISTS (SELECT 1 FROM unnest(found, before) AS was (here, there) WHERE was.here AND was.there IS NOT TRUE) THEN
                writers := writers || past.by_id || ARRAY(SELECT g.by_id FROM stories_suggestion g WHERE g.id = past.takes_id);
            END IF;
            before := found;
        END LOOP;
    END IF;
    RETURN ARRAY(SELECT DISTINCT p FROM (
        SELECT w.person FROM stories_revision r CROSS JOIN LATERAL (
            SELECT r.by_id
            UNION ALL SELECT g.by_id FROM stories_suggestion g WHERE g.id = r.takes_id
            UNION ALL SELECT o.by_id FROM stories_revision o WHERE o.id = r.restores_id
            UNION ALL SELECT a.by_id FROM stories_asset a WHERE a.sha256 IN (
                SELECT files_of(r.content) EXCEPT SELECT files_of(earlier.content))
        ) w (person)
        WHERE r.story_id = wanted.story_id AND r.id > since AND r.id <= wanted.id
        UNION ALL
        SELECT i.by_id FROM stories_intake i WHERE i.story_id = wanted.story_id AND since = 0
        UNION ALL SELECT unnest(writers)
    ) AS people (p) ORDER BY p);
END
$$;

-- Each step asked of a revision's story, by stage: what it has to cover, the sign-offs that count, how it stands, who may not
-- clear it, whether the stages before are met, and its deadline.
CREATE FUNCTION signoffs(wanted bigint)
RETURNS TABLE (step_id bigint, story_id bigint, revision_id bigint, desk_id bigint, covered text,
               decisions bigint[], state text, barred bigint[], is_open boolean, due timestamptz)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    revision stories_revision;
    step approvals_pinnedstep;
    counts record;
    last record;
    embargo timestamptz;
    stage integer;
    missing boolean := false;
    missing_before boolean := false;
BEGIN
    SELECT * INTO revision FROM stories_revision r WHERE r.id = wanted;
    SELECT e.instant INTO embargo FROM stories_embargo e WHERE e.story_id = revision.story_id
        ORDER BY e.id DESC LIMIT 1;
    FOR step IN SELECT s.* FROM approvals_pinnedstep s WHERE s.submission_id =
            (SELECT max(b.id) FROM approvals_submission b WHERE b.story_id = revision.story_id)
            AND s.condition <> 'private_office' AND NOT (s.condition = 'partner' AND s.value = '')
            ORDER BY s.stage, s.position, s.id LOOP
        IF step.stage IS DISTINCT FROM stage THEN
            missing_before := missing_before OR missing;
            stage := step.stage;
        END IF;
        step_id := step.id;
        story_id := revision.story_id;
        revision_id := wanted;
        desk_id := step.desk_id;
        covered := step_digest(revision, step);
        is_open := NOT missing_before;
        due := embargo - step.before;
        decisions := '{}';
        barred := '{}';
        state := 'none';
        IF covered IS NOT NULL THEN
            barred := barred(revision, step, covered);
            SELECT * INTO counts FROM tally(revision.story_id, step, barred) t WHERE t.covered = signoffs.covered;
            decisions := coalesce(counts.decisions, '{}');
            SELECT d.verdict, d.covered INTO last FROM approvals_decision d
                WHERE d.story_id = revision.story_id AND d.desk_id = step.desk_id AND d.covers = step.covers
                  AND d.whom = step.whom ORDER BY d.id DESC LIMIT 1;
            state := CASE WHEN counts.met THEN 'cleared'
                          WHEN counts.refused THEN 'refused'
                          WHEN counts.asked THEN 'asked'
                          WHEN last.verdict = 'cleared' AND last.covered <> signoffs.covered THEN 'again'
                          ELSE 'waiting' END;
            missing := missing OR state <> 'cleared';
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;

-- Every step that has something to cover is cleared, and somebody cleared the whole.
CREATE FUNCTION is_cleared(wanted bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(bool_and(s.state IN ('none', 'cleared'))
                AND bool_or(s.state = 'cleared' AND p.covers = 'everything'), false)
    FROM signoffs(wanted) s JOIN approvals_pinnedstep p ON p.id = s.step_id
$$;

-- Whether somebody decides for a desk now: as one of its people, or for one of them.
CREATE FUNCTION stands_in(deputy bigint, person bigint, desk bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM approvals_deputyship d
        JOIN approvals_desk_members m ON m.user_id = d.person_id AND m.desk_id = desk
        JOIN stories_user p ON p.id = d.person_id AND p.is_active
        JOIN stories_user u ON u.id = d.deputy_id AND u.is_active
        WHERE d.deputy_id = deputy AND d.person_id = person AND (d.desk_id IS NULL OR d.desk_id = desk)
          AND d.since <= facts_now() AND facts_now() < d.until)
$$;

CREATE FUNCTION on_desk(person bigint, desk bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM approvals_desk_members m JOIN stories_user u ON u.id = m.user_id AND u.is_active
                   WHERE m.desk_id = desk AND m.user_id = person)
$$;

CREATE FUNCTION acts_for_desk(person bigint, desk bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT on_desk(person, desk) OR EXISTS (SELECT 1 FROM approvals_deputyship d
        WHERE d.deputy_id = person AND stands_in(person, d.person_id, desk))
$$;

-- Since when the words that a step covers are these: from the newest revision back, as far as they are the same.
CREATE FUNCTION written_at(decision approvals_decision, step approvals_pinnedstep) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    revision stories_revision;
    since timestamptz;
BEGIN
    FOR revision IN SELECT r.* FROM stories_revision r WHERE r.story_id = decision.story_id ORDER BY r.id DESC LOOP
        EXIT WHEN step_digest(revision, step) IS DISTINCT FROM decision.covered;
        since := revision.at;
    END LOOP;
    RETURN since;
END
$$;

-- How long the words had been laid before the desk: since clearance was requested, the words became these, and the stage
-- before was met, whichever came last.
CREATE FUNCTION waited(decision approvals_decision, step approvals_pinnedstep) RETURNS interval
LANGUAGE sql STABLE AS $$
    SELECT greatest(interval '0', decision.at - greatest(
        (SELECT b.at FROM approvals_submission b WHERE b.id = step.submission_id),
        written_at(decision, step),
        (SELECT max(d.at) FROM approvals_decision d JOIN approvals_pinnedstep s ON s.id = d.step_id
         WHERE s.submission_id = step.submission_id AND s.stage < step.stage AND d.verdict = 'cleared')))
$$;

CREATE FUNCTION refuse(words text, hint text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', words USING ERRCODE = 'restrict_violation', HINT = hint;
END
$$;

-- What a decision has to be. Gives the row as it is stored; called by its guard, under the lock on the story.
CREATE FUNCTION decision_allowed(decision approvals_decision) RETURNS approvals_decision
LANGUAGE plpgsql STABLE AS $$
DECLARE
    step approvals_pinnedstep;
    revision stories_revision;
    back approvals_decision;
    writers bigint[];
BEGIN
    IF decision.verdict = 'taken_back' THEN
        SELECT * INTO back FROM approvals_decision d WHERE d.id = decision.takes_back_id;
        IF back.id IS NULL OR back.story_id <> decision.story_id OR back.verdict = 'taken_back'
           OR decision.by_id NOT IN (back.by_id, coalesce(back.on_behalf_id, back.by_id))
           OR NOT EXISTS (SELECT 1 FROM stories_user u WHERE u.id = decision.by_id AND u.is_active) THEN
            PERFORM refuse('Only who decided, or the person it was decided for, can take a decision back.', 'not_yours');
        END IF;
        decision.step_id := back.step_id;
        decision.revision_id := back.revision_id;
        decision.desk_id := back.desk_id;
        decision.covers := back.covers;
        decision.whom := back.whom;
        decision.covered := back.covered;
        decision.on_behalf_id := CASE WHEN decision.by_id = coalesce(back.on_behalf_id, back.by_id) THEN NULL
                                      ELSE back.on_behalf_id END;
        IF back.id <> (SELECT max(d.id) FROM approvals_decision d WHERE d.story_id = back.story_id
                AND d.desk_id = back.desk_id AND d.covers = back.covers AND d.whom = back.whom
                AND d.covered = back.covered
                AND coalesce(d.on_behalf_id, d.by_id) = coalesce(back.on_behalf_id, back.by_id)) THEN
            PERFORM refuse('This decision does not stand any more.', 'not_standing');
        END IF;
        RETURN decision;
    END IF;
    SELECT * INTO step FROM approvals_pinnedstep s WHERE s.id = decision.step_id AND s.desk_id IS NOT NULL
        AND s.condition <> 'private_office' AND NOT (s.condition = 'partner' AND s.value = '')
        AND s.submission_id = (SELECT max(b.id) FROM approvals_submission b WHERE b.story_id = decision.story_id);
    IF step.id IS NULL THEN
        PERFORM refuse('This step is not asked of the story any more.', 'not_asked');
    END IF;
    decision.desk_id := step.desk_id;
    decision.covers := step.covers;
    decision.whom := step.whom;
    SELECT * INTO revision FROM stories_revision r WHERE r.story_id = decision.story_id ORDER BY r.id DESC LIMIT 1;
    IF decision.revision_id IS DISTINCT FROM revision.id THEN
        PERFORM refuse('The words have changed: this is not the newest revision.', 'stale');
    END IF;
    IF decision.covered IS DISTINCT FROM step_digest(revision, step) THEN
        PERFORM refuse('The digest is not that of the words which the step covers.', 'digest');
    END IF;
    IF decision.on_behalf_id IS NULL AND NOT on_desk(decision.by_id, step.desk_id) THEN
        PERFORM refuse('Only somebody on the desk can decide for it.', 'not_on_desk');
    END IF;
    IF decision.on_behalf_id IS NOT NULL
       AND NOT stands_in(decision.by_id, decision.on_behalf_id, step.desk_id) THEN
        PERFORM refuse('Only a deputy can decide on behalf of somebody, and only in the time agreed.', 'not_deputy');
    END IF;
    IF decision.verdict = 'cleared' THEN
        -- To object is free: else whose wording was taken could not say a word against the rest.
        writers := barred(revision, step, decision.covered);
        IF decision.by_id = ANY (writers) OR decision.on_behalf_id = ANY (writers) THEN
            PERFORM refuse('Four eyes: nobody clears words that they wrote.', 'four_eyes');
        END IF;
        IF EXISTS (SELECT 1 FROM signoffs(revision.id) f WHERE f.step_id = step.id AND NOT f.is_open) THEN
            PERFORM refuse('A stage before this one is not met yet.', 'not_open');
        END IF;
        IF EXISTS (SELECT 1 FROM latest_decisions(decision.story_id, step) l
                   WHERE l.covered = decision.covered AND l.verdict = 'refused'
                     AND l.authority <> coalesce(decision.on_behalf_id, decision.by_id)) THEN
            PERFORM refuse('Somebody of the desk refused these words, and has not taken that back.', 'refused');
        END IF;
    END IF;
    decision.waited := waited(decision, step);
    RETURN decision;
END
$$;

-- How each step stands on the newest words, from the facts: what `Standing` has to hold.
CREATE FUNCTION standings_of(wanted bigint)
RETURNS TABLE (step_id bigint, story_id bigint, revision_id bigint, desk_id bigint, covered text,
               decisions bigint[], state text, barred bigint[], is_open boolean, due timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT s.step_id, s.story_id, s.revision_id, s.desk_id, coalesce(s.covered, ''), s.decisions, s.state,
           s.barred, s.is_open, s.due
    FROM (SELECT max(id) AS id FROM stories_revision WHERE stories_revision.story_id = wanted) r
    CROSS JOIN LATERAL signoffs(r.id) s
$$;

CREATE FUNCTION refresh_standings(wanted bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    DELETE FROM approvals_standing o WHERE o.story_id = wanted;
    INSERT INTO approvals_standing (step_id, story_id, revision_id, desk_id, covered, decisions, state, barred,
                                    is_open, due)
        SELECT * FROM standings_of(wanted);
END
$$;
REVOKE EXECUTE ON FUNCTION refresh_standings FROM PUBLIC;

-- New words can void sign-offs, bring old ones back, and name somebody whose desk has to be asked.
CREATE FUNCTION standings_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    PERFORM expand_steps(NEW.story_id);
    PERFORM refresh_standings(NEW.story_id);
    RETURN NULL;
END
$$;
-- Whoever may execute it could hang it on a table of their own and feed it rows.
REVOKE EXECUTE ON FUNCTION standings_changed FROM PUBLIC;
CREATE TRIGGER standings_changed AFTER INSERT ON stories_revision
    FOR EACH ROW EXECUTE FUNCTION standings_changed();
-- A planned embargo moves the deadlines.
CREATE TRIGGER standings_changed AFTER INSERT ON stories_embargo
    FOR EACH ROW EXECUTE FUNCTION standings_changed();

-- Nobody gets rid of an objection by asking again without the desk that made it.
CREATE FUNCTION route_keeps_objections() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    revision stories_revision;
BEGIN
    SELECT * INTO revision FROM stories_revision r WHERE r.story_id = NEW.story_id ORDER BY r.id DESC LIMIT 1;
    IF EXISTS (
        SELECT 1 FROM approvals_pinnedstep o
        WHERE o.id IN (SELECT max(d.step_id) FROM approvals_decision d
                       WHERE d.story_id = NEW.story_id GROUP BY d.desk_id, d.covers, d.whom)
          AND objects(revision, o)
          AND NOT EXISTS (
            SELECT 1 FROM approvals_pinnedstep s WHERE s.submission_id = NEW.id AND s.desk_id = o.desk_id
              AND ((s.covers = o.covers AND s.whom = o.whom) OR s.covers = 'everything')
              AND applies(revision.content, s.condition, s.value))) THEN
        PERFORM refuse('A desk objected that this route does not ask.', 'objection');
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION route_keeps_objections FROM PUBLIC;
-- Named so that it comes after the trigger that pins the steps.
CREATE TRIGGER route_keeps_objections AFTER INSERT ON approvals_submission
    FOR EACH ROW EXECUTE FUNCTION route_keeps_objections();

SELECT refresh_standings(b.story_id) FROM (SELECT DISTINCT story_id FROM approvals_submission) b;

-- What was asked before it was a link of the record.
SELECT record_append(b.story_id, 'approvals_pinnedstep', s.id, NULL, facts_now(), to_jsonb(s))
FROM approvals_pinnedstep s JOIN approvals_submission b ON b.id = s.submission_id ORDER BY s.id;
"""

DROP = """
DROP TRIGGER route_keeps_objections ON approvals_submission; DROP FUNCTION route_keeps_objections;
DROP TRIGGER standings_changed ON stories_revision; DROP TRIGGER standings_changed ON stories_embargo;
DROP FUNCTION standings_changed; DROP FUNCTION refresh_standings; DROP FUNCTION standings_of;
DROP FUNCTION decision_allowed; DROP FUNCTION refuse; DROP FUNCTION waited; DROP FUNCTION written_at; DROP FUNCTION acts_for_desk;
DROP FUNCTION on_desk; DROP FUNCTION stands_in; DROP FUNCTION is_cleared; DROP FUNCTION signoffs;
DROP FUNCTION barred; DROP FUNCTION files_of; DROP FUNCTION bare; DROP FUNCTION covered_texts; DROP FUNCTION cleared_before; DROP FUNCTION tally;
DROP FUNCTION quorum_met; DROP FUNCTION step_digest; DROP FUNCTION objects; DROP FUNCTION latest_decisions;
DROP FUNCTION expand_steps; DROP FUNCTION quorum_people;
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0004_coverage"), ("stories", "0004_functions")]
    operations = [migrations.RunSQL(DROP_OLD, migrations.RunSQL.noop), migrations.RunSQL(FUNCTIONS, DROP)]
