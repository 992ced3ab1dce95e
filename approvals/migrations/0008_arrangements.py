"""Every change of desks, routes and deputies is a link of the newsroom's record."""

import django.db.models.constraints
import pgtrigger.compiler
import pgtrigger.migrations
import stories.guards
from django.db import migrations, models

FUNCTIONS = """
CREATE FUNCTION name_of_desk(wanted bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT name FROM approvals_desk WHERE id = wanted
$$;

-- What the row of a table is about, as it is called now.
CREATE FUNCTION about_approvals_desk(subject jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('desk', subject ->> 'name',
        'organisation', (SELECT name FROM stories_organisation WHERE id = (subject ->> 'organisation_id')::bigint),
        'escalates_to', name_of_desk((subject ->> 'escalates_to_id')::bigint))
$$;

CREATE FUNCTION about_approvals_desk_members(subject jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('desk', name_of_desk((subject ->> 'desk_id')::bigint),
        'person', name_of_user((subject ->> 'user_id')::bigint))
$$;

CREATE FUNCTION about_approvals_privateoffice(subject jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('desk', name_of_desk((subject ->> 'desk_id')::bigint),
        'name', subject ->> 'name', 'match', subject ->> 'match')
$$;

CREATE FUNCTION about_approvals_route(subject jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('route', subject ->> 'name')
$$;

CREATE FUNCTION about_approvals_step(subject jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'route', (SELECT name FROM approvals_route WHERE id = (subject ->> 'route_id')::bigint),
        'desk', name_of_desk((subject ->> 'desk_id')::bigint),
        'covers', subject ->> 'covers', 'whom', subject ->> 'whom')
$$;

CREATE FUNCTION about_approvals_deputyship(subject jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('desk', name_of_desk((subject ->> 'desk_id')::bigint),
        'person', name_of_user((subject ->> 'person_id')::bigint),
        'deputy', name_of_user((subject ->> 'deputy_id')::bigint))
$$;

CREATE TRIGGER in_turn BEFORE INSERT OR UPDATE OR DELETE ON approvals_desk_members
    FOR EACH STATEMENT EXECUTE FUNCTION arranged_in_turn();
CREATE TRIGGER arranged AFTER INSERT OR UPDATE OR DELETE ON approvals_desk_members
    FOR EACH ROW EXECUTE FUNCTION arranged_row();
"""

# What an older newsroom has already is where its record begins.
FOUND = """
SELECT arranged('approvals_desk', NULL, to_jsonb(r), '{}', true) FROM approvals_desk r ORDER BY id;
SELECT arranged('approvals_desk_members', NULL, to_jsonb(r), '{}', true) FROM approvals_desk_members r ORDER BY id;
SELECT arranged('approvals_privateoffice', NULL, to_jsonb(r), '{}', true) FROM approvals_privateoffice r ORDER BY id;
SELECT arranged('approvals_route', NULL, to_jsonb(r), '{}', true) FROM approvals_route r ORDER BY id;
SELECT arranged('approvals_step', NULL, to_jsonb(r), '{position}', true) FROM approvals_step r ORDER BY id;
SELECT arranged('approvals_deputyship', NULL, to_jsonb(r), '{}', true) FROM approvals_deputyship r ORDER BY id;
"""

DROP = """
DROP TRIGGER arranged ON approvals_desk_members; DROP TRIGGER in_turn ON approvals_desk_members;
DROP FUNCTION about_approvals_deputyship; DROP FUNCTION about_approvals_step; DROP FUNCTION about_approvals_route;
DROP FUNCTION about_approvals_privateoffice; DROP FUNCTION about_approvals_desk_members;
DROP FUNCTION about_approvals_desk; DROP FUNCTION name_of_desk;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('approvals', '0007_no_due_index'),
        ('stories', '0008_arrangements'),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS, DROP),
        migrations.RemoveConstraint(
            model_name='step',
            name='step_once_a_route',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='deputyship',
            trigger=pgtrigger.compiler.Trigger(name='in_turn', sql=stories.guards.GuardSql(func='PERFORM lock_newsroom(); RETURN NULL;', hash='d7adccb84478dfa1eb4f65ee5bbe6574fd2141da', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_in_turn_bd149', table='approvals_deputyship', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='deputyship',
            trigger=pgtrigger.compiler.Trigger(name='arranged', sql=stories.guards.GuardSql(func='PERFORM arranged(TG_TABLE_NAME::text, to_jsonb(OLD), to_jsonb(NEW), ARRAY[]::text[]); RETURN NULL;', hash='7ddca291ce169f1be763b4b1be02343ed3be9c13', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_arranged_370d6', table='approvals_deputyship', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='desk',
            trigger=pgtrigger.compiler.Trigger(name='in_turn', sql=stories.guards.GuardSql(func='PERFORM lock_newsroom(); RETURN NULL;', hash='aaa29d78655b5e8a5b983c7892e94798fba199fa', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_in_turn_4b41c', table='approvals_desk', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='desk',
            trigger=pgtrigger.compiler.Trigger(name='arranged', sql=stories.guards.GuardSql(func='PERFORM arranged(TG_TABLE_NAME::text, to_jsonb(OLD), to_jsonb(NEW), ARRAY[]::text[]); RETURN NULL;', hash='c6d795404ab622dab2ab07073dbfae32498ddabf', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_arranged_bf0e8', table='approvals_desk', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='privateoffice',
            trigger=pgtrigger.compiler.Trigger(name='in_turn', sql=stories.guards.GuardSql(func='PERFORM lock_newsroom(); RETURN NULL;', hash='68a5c10a4b6d124b5b2b08ac7914f802c9e7a07b', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_in_turn_b5b8b', table='approvals_privateoffice', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='privateoffice',
            trigger=pgtrigger.compiler.Trigger(name='arranged', sql=stories.guards.GuardSql(func='PERFORM arranged(TG_TABLE_NAME::text, to_jsonb(OLD), to_jsonb(NEW), ARRAY[]::text[]); RETURN NULL;', hash='76cde837172fa9122e90660613d15fb2711726a0', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_arranged_99e1a', table='approvals_privateoffice', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='route',
            trigger=pgtrigger.compiler.Trigger(name='in_turn', sql=stories.guards.GuardSql(func='PERFORM lock_newsroom(); RETURN NULL;', hash='dd710d0fe5508c731231cb976d1c257417435652', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_in_turn_026cc', table='approvals_route', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='route',
            trigger=pgtrigger.compiler.Trigger(name='arranged', sql=stories.guards.GuardSql(func='PERFORM arranged(TG_TABLE_NAME::text, to_jsonb(OLD), to_jsonb(NEW), ARRAY[]::text[]); RETURN NULL;', hash='0ec14dee571b7f04d6e422b06c740e1414c27072', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_arranged_87743', table='approvals_route', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='step',
            trigger=pgtrigger.compiler.Trigger(name='in_turn', sql=stories.guards.GuardSql(func='PERFORM lock_newsroom(); RETURN NULL;', hash='fad5dba93e88e9a67b9cfc56d1a54deae8f125a6', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_in_turn_54c6f', table='approvals_step', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='step',
            trigger=pgtrigger.compiler.Trigger(name='arranged', sql=stories.guards.GuardSql(func="PERFORM arranged(TG_TABLE_NAME::text, to_jsonb(OLD), to_jsonb(NEW), ARRAY['position']::text[]); RETURN NULL;", hash='fd6a3620e461ea135154566d1218aa5acb70b991', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_arranged_e0b93', table='approvals_step', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='step',
            constraint=models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['IMMEDIATE'], fields=('route', 'desk', 'covers', 'whom', 'condition', 'value', 'stage'), name='step_once_a_route', nulls_distinct=False),
        ),
        migrations.RunSQL(FOUND, migrations.RunSQL.noop),
    ]
