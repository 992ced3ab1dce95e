"""A copy of what goes out with a bundle is under embargo until the bundle goes out, and who has one is told."""

import pgtrigger.compiler
import pgtrigger.migrations
import stories.guards
from django.db import migrations


FUNCTIONS = """
-- What is done to another story of its bundle changes when a story goes out, by no fact of its own.
CREATE FUNCTION bundle_holders_told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM newsroom_bundledrelease x WHERE x.release_id = NEW.release_id)
       AND (OLD.visible_from IS NULL OR OLD.visible_from > release_clock()) THEN
        PERFORM tell_holders(
            ARRAY(SELECT g.id FROM newsroom_embargogrant g
                  JOIN newsroom_release given ON given.id = g.release_id
                  JOIN newsroom_release n ON n.id = NEW.release_id
                  WHERE g.story_id = NEW.story_id AND given.id <= n.id
                    AND given.follows_id IS NOT DISTINCT FROM n.follows_id
                    AND NOT EXISTS (SELECT 1 FROM newsroom_embargorevocation x WHERE x.grant_id = g.id)),
            CASE WHEN NEW.visible_from IS NULL THEN 'held' WHEN OLD.visible_from IS NULL THEN 'lifted' ELSE 'moved' END,
            'bundle:' || NEW.release_id || ':' || extract(epoch FROM clock_timestamp()), OLD.visible_from, OLD.zone);
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION bundle_holders_told FROM PUBLIC;
CREATE TRIGGER bundle_holders_told AFTER UPDATE OF visible_from ON newsroom_visibility
    FOR EACH ROW WHEN (OLD.visible_from IS DISTINCT FROM NEW.visible_from) EXECUTE FUNCTION bundle_holders_told();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('newsroom', '0011_copies_functions'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='acknowledgement',
            name='allowed',
        ),
        migrations.RemoveConstraint(
            model_name='acknowledgement',
            name='acknowledged_once',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='acknowledgement',
            trigger=pgtrigger.compiler.Trigger(name='allowed', sql=stories.guards.GuardSql(func="\nPERFORM lock_story(NEW.story_id);\nNEW.id := nextval(pg_get_serial_sequence(TG_TABLE_NAME::text, 'id'));\nNEW.at := facts_now();\n\n                NEW.by_id := NULL;\n                NEW.move_id := (SELECT max(m.id) FROM newsroom_move m WHERE m.release_id = NEW.release_id);\n                IF NOT EXISTS (SELECT 1 FROM newsroom_embargogrant\n                               WHERE id = NEW.grant_id AND story_id = NEW.story_id)\n                   OR copied_release(NEW.grant_id) IS DISTINCT FROM NEW.release_id THEN\n                    RAISE EXCEPTION 'This is no copy that can be read now.'\n                        USING ERRCODE = 'restrict_violation', HINT = 'not_now';\n                END IF;\n                IF standing_acknowledgement(NEW.grant_id) IS NOT NULL THEN\n                    RAISE EXCEPTION 'It is acknowledged already.'\n                        USING ERRCODE = 'restrict_violation', HINT = 'acknowledged';\n                END IF;\n                SELECT v.zone INTO NEW.zone FROM newsroom_visibility v\n                    WHERE v.release_id = NEW.release_id AND v.visible_from = NEW.moment;\n                IF NOT FOUND THEN\n                    RAISE EXCEPTION 'It is not armed for that moment.'\n                        USING ERRCODE = 'restrict_violation', HINT = 'moved';\n                END IF;\n                RETURN NEW;\n                ", hash='f602295692142ec0c3d8076c4016586fb82221ea', operation='INSERT', pgid='pgtrigger_allowed_8c30b', table='newsroom_acknowledgement', when='BEFORE')),
        ),
        migrations.RunSQL(FUNCTIONS, "DROP FUNCTION bundle_holders_told CASCADE"),
    ]
