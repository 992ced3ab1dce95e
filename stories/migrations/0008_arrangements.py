"""Every change of who may do what is a link of the newsroom's record, by whichever way it is made."""

import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
import stories.guards
from django.conf import settings
from django.db import migrations, models

FUNCTIONS = """
-- Names somebody for what is changed from here on in this transaction; who was named until now.
CREATE FUNCTION acting(by_id text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    before text := coalesce(current_setting('newsroom.by', true), '');
BEGIN
    -- The lock of `lock_newsroom`, before any row is locked: whoever has it and waits for a row could else be
    -- waited for.
    PERFORM pg_advisory_xact_lock(hashtextextended('newsroom.record', 0));
    PERFORM set_config('newsroom.by', by_id, true);
    RETURN before;
END
$$;

-- Whom the application names for what is changed in this transaction; nobody, where it was not asked.
CREATE FUNCTION acting_user() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT id FROM stories_user WHERE id::text = current_setting('newsroom.by', true)
$$;

CREATE FUNCTION name_of_user(wanted bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(btrim(first_name || ' ' || last_name), ''), username)
    FROM stories_user WHERE id = wanted
$$;

-- What the row of a table is about, as it is called now. Each table whose changes are recorded has such a function.
CREATE FUNCTION about_stories_user(subject jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('person', coalesce(
        nullif(btrim((subject ->> 'first_name') || ' ' || (subject ->> 'last_name')), ''), subject ->> 'username'))
$$;

CREATE FUNCTION about_auth_group(subject jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('role', subject ->> 'name')
$$;

CREATE FUNCTION about_stories_user_groups(subject jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('person', name_of_user((subject ->> 'user_id')::bigint),
        'role', (SELECT name FROM auth_group WHERE id = (subject ->> 'group_id')::bigint))
$$;

-- The columns of a row that the other one has not, or not so.
CREATE FUNCTION differing(one jsonb, other jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(e.key, e.value), '{}')
    FROM jsonb_each(one) e WHERE other IS NULL OR other -> e.key IS DISTINCT FROM e.value
$$;

-- Writes that a row was made (`was` is NULL), changed or removed (`becomes` is NULL), or was there
-- already when the record began. Nothing that stays as it was is written, and of a password only that it changed.
CREATE FUNCTION arranged(table_name text, was jsonb, becomes jsonb, without text[],
                         already boolean DEFAULT false)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    hidden text[] := without || '{password}';
    row_id bigint := (coalesce(becomes, was) ->> 'id')::bigint;
    secret jsonb := CASE WHEN was -> 'password' <> becomes -> 'password' THEN '{"password": "changed"}'::jsonb
                         ELSE '{}' END;
    about jsonb;
    about_was jsonb;
    happened text := CASE WHEN already THEN 'found' WHEN was IS NULL THEN 'made' WHEN becomes IS NULL THEN 'removed'
                          ELSE 'changed' END;
BEGIN
    -- Another number: the row that was there is gone.
    IF was -> 'id' <> becomes -> 'id' THEN
        PERFORM arranged(table_name, was, NULL, without);
        PERFORM arranged(table_name, NULL, becomes, without);
        RETURN;
    END IF;
    was := was - hidden;
    becomes := becomes - hidden;
    IF was = becomes AND secret = '{}' THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT %I($1)', 'about_' || table_name) INTO about USING coalesce(becomes, was);
    about_was := about;
    IF happened = 'changed' THEN
        EXECUTE format('SELECT %I($1)', 'about_' || table_name) INTO about_was USING was;
    END IF;
    was := was || about_was;
    becomes := becomes || about || secret;
    INSERT INTO stories_arrangement (by_id, table_name, row_id, happened, about, before, after, database_role)
    VALUES (acting_user(), table_name, row_id, happened, about, coalesce(differing(was, becomes), '{}'),
            coalesce(differing(becomes, was), '{}'), session_user);
END
$$;
REVOKE EXECUTE ON FUNCTION arranged FROM PUBLIC;

-- The guards of `guards.arranged`, for tables that no model of ours declares.
CREATE FUNCTION arranged_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    PERFORM arranged(TG_TABLE_NAME::text, to_jsonb(OLD), to_jsonb(NEW), '{}');
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION arranged_row FROM PUBLIC;

CREATE FUNCTION arranged_in_turn() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM lock_newsroom();
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION arranged_in_turn FROM PUBLIC;

CREATE TRIGGER in_turn BEFORE INSERT OR UPDATE OR DELETE ON auth_group
    FOR EACH STATEMENT EXECUTE FUNCTION arranged_in_turn();
CREATE TRIGGER arranged AFTER INSERT OR UPDATE OR DELETE ON auth_group
    FOR EACH ROW EXECUTE FUNCTION arranged_row();
CREATE TRIGGER in_turn BEFORE INSERT OR UPDATE OR DELETE ON stories_user_groups
    FOR EACH STATEMENT EXECUTE FUNCTION arranged_in_turn();
CREATE TRIGGER arranged AFTER INSERT OR UPDATE OR DELETE ON stories_user_groups
    FOR EACH ROW EXECUTE FUNCTION arranged_row();
"""

# What an older newsroom has already is where its record begins.
FOUND = """
SELECT arranged('auth_group', NULL, to_jsonb(r), '{}', true) FROM auth_group r ORDER BY id;
SELECT arranged('stories_user', NULL, to_jsonb(r), '{last_login,date_joined}', true) FROM stories_user r ORDER BY id;
SELECT arranged('stories_user_groups', NULL, to_jsonb(r), '{}', true) FROM stories_user_groups r ORDER BY id;
"""

DROP = """
DROP TRIGGER arranged ON stories_user_groups; DROP TRIGGER in_turn ON stories_user_groups;
DROP TRIGGER arranged ON auth_group; DROP TRIGGER in_turn ON auth_group;
DROP FUNCTION arranged_in_turn; DROP FUNCTION arranged_row; DROP FUNCTION arranged; DROP FUNCTION differing;
DROP FUNCTION about_stories_user_groups; DROP FUNCTION about_auth_group; DROP FUNCTION about_stories_user;
DROP FUNCTION name_of_user; DROP FUNCTION acting_user; DROP FUNCTION acting;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('stories', '0007_functions'),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS, DROP),
        migrations.CreateModel(
            name='Arrangement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('table_name', models.CharField(max_length=63)),
                ('row_id', models.BigIntegerField()),
                ('happened', models.CharField(choices=[('found', 'there when the record began'), ('made', 'made'), ('changed', 'changed'), ('removed', 'removed')], max_length=10)),
                ('about', models.JSONField()),
                ('before', models.JSONField()),
                ('after', models.JSONField()),
                ('database_role', models.CharField(max_length=63)),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='in_turn', sql=stories.guards.GuardSql(func='PERFORM lock_newsroom(); RETURN NULL;', hash='b7997aef99dc9d729642e59acc71c8560f77e64f', level='STATEMENT', operation='INSERT OR UPDATE OF "id", "username", "first_name", "last_name", "email", "password", "is_active", "is_staff", "is_superuser" OR DELETE', pgid='pgtrigger_in_turn_9c995', table='stories_user', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='arranged', sql=stories.guards.GuardSql(func="PERFORM arranged(TG_TABLE_NAME::text, to_jsonb(OLD), to_jsonb(NEW), ARRAY['last_login', 'date_joined']::text[]); RETURN NULL;", hash='c382f0445761f3136e0fd03a7ec4250a1e74b0a9', operation='INSERT OR UPDATE OF "id", "username", "first_name", "last_name", "email", "password", "is_active", "is_staff", "is_superuser" OR DELETE', pgid='pgtrigger_arranged_ffb29', table='stories_user', when='AFTER')),
        ),
        migrations.AddField(
            model_name='arrangement',
            name='by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='arrangement',
            index=models.Index(fields=['table_name', 'row_id'], name='arrangement_of_row'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='arrangement',
            trigger=pgtrigger.compiler.Trigger(name='allowed', sql=stories.guards.GuardSql(func="\nPERFORM lock_newsroom();\nNEW.id := nextval(pg_get_serial_sequence(TG_TABLE_NAME::text, 'id'));\nNEW.at := facts_now();\nRETURN NEW;", hash='b6809d01871d3215c00720b08e2bbefc1b671833', operation='INSERT', pgid='pgtrigger_allowed_0d2c7', table='stories_arrangement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='arrangement',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=stories.guards.GuardSql(func="RAISE EXCEPTION 'A fact is never changed or deleted (% on %).', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation', HINT = 'append_only';", hash='13ec3544fc21065d5dfaec3bd651f72c73653849', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_62559', table='stories_arrangement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='arrangement',
            trigger=pgtrigger.compiler.Trigger(name='recorded', sql=stories.guards.GuardSql(func='PERFORM record_append(NULL, TG_TABLE_NAME::text, NEW.id, NEW.by_id, NEW.at, to_jsonb(NEW)); RETURN NULL;', hash='fd6d09bd424118f97fd03532ac438de311366727', operation='INSERT', pgid='pgtrigger_recorded_7a047', table='stories_arrangement', when='AFTER')),
        ),
        migrations.RunSQL(FOUND, migrations.RunSQL.noop),
    ]
