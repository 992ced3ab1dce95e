"""Content with a language, and stories that say the same in different ones."""

import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
import stories.guards
from django.conf import settings
from django.db import migrations, models

FUNCTIONS = """
-- Whether content has exactly its parts, each of its shape: what the pages and the digests are made for.
CREATE OR REPLACE FUNCTION is_content(content jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(content) <> 'object'
            OR jsonb_typeof(content -> 'body') IS DISTINCT FROM 'array'
            OR jsonb_typeof(content -> 'topics') IS DISTINCT FROM 'array'
            OR jsonb_typeof(content -> 'partners') IS DISTINCT FROM 'array'
            OR jsonb_typeof(content -> 'attachments') IS DISTINCT FROM 'array' THEN false
        ELSE (SELECT array_agg(key ORDER BY key COLLATE "C") FROM jsonb_object_keys(content) key)
                = ARRAY['attachments', 'body', 'contacts', 'headline', 'language', 'notes', 'organisation',
                        'partners', 'picture', 'slug', 'summary', 'topics', 'type']
            AND NOT EXISTS (SELECT 1 FROM jsonb_each(content) e
                WHERE e.key IN ('contacts', 'headline', 'notes', 'slug', 'summary', 'type')
                  AND jsonb_typeof(e.value) <> 'string')
            -- Those that pages can be in: see `stories/languages.py`.
            AND content -> 'language' IN ('"en-GB"', '"cy"')
            AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(content -> 'body') b
                WHERE NOT is_flat(b, CASE WHEN b ->> 'kind' = 'quote'
                    THEN ARRAY['kind', 'html', 'speaker', 'role'] ELSE ARRAY['kind', 'html'] END))
            AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements((content -> 'topics') || (content -> 'partners')) t
                WHERE NOT is_flat(t, ARRAY['slug', 'name']))
            AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(content -> 'attachments') a
                WHERE NOT is_flat(a, ARRAY['sha256', 'name', 'title', 'media_type', 'size']))
            AND (content -> 'organisation' = 'null' OR is_flat(content -> 'organisation', ARRAY['slug', 'name']))
            AND (content -> 'picture' = 'null' OR is_flat(content -> 'picture',
                ARRAY['sha256', 'name', 'width', 'height', 'alt', 'caption', 'credit']))
        END
$$;

-- A stored content with every part there: those from before a part was known lack it.
CREATE OR REPLACE FUNCTION filled(content jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT '{"partners": [], "attachments": [], "language": "en-GB"}'::jsonb || content
$$;

-- The newest words of a story.
CREATE FUNCTION newest_content(story bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT filled(r.content) FROM stories_revision r WHERE r.story_id = story ORDER BY r.number DESC LIMIT 1
$$;

-- Of which story a story is the translation; NULL where of none.
CREATE FUNCTION original_of(wanted bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT t.original_id FROM stories_translation t WHERE t.story_id = wanted
       AND NOT EXISTS (SELECT 1 FROM stories_translationend e WHERE e.translation_id = t.id)
$$;

-- The stories that say the same in different languages, a story itself among them: the original first.
CREATE FUNCTION said_alike(wanted bigint) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    WITH original AS MATERIALIZED (SELECT coalesce(original_of(wanted), wanted) AS id),
    translations AS (SELECT t.story_id FROM stories_translation t, original WHERE t.original_id = original.id
        AND NOT EXISTS (SELECT 1 FROM stories_translationend e WHERE e.translation_id = t.id) ORDER BY t.id)
    SELECT id FROM original UNION ALL SELECT story_id FROM translations
$$;
"""

# The functions before this migration refuse what was stored since: going back is for an empty database.
DROP = "DROP FUNCTION said_alike; DROP FUNCTION original_of; DROP FUNCTION newest_content;"


class Migration(migrations.Migration):

    dependencies = [
        ('stories', '0009_renditions'),
    ]

    operations = [
        migrations.CreateModel(
            name='Translation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('by', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('original', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='translated_by', to='stories.story')),
                ('story', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='stories.story')),
            ],
        ),
        migrations.CreateModel(
            name='TranslationEnd',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('by', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('story', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='stories.story')),
                ('translation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='end', to='stories.translation')),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='translation',
            trigger=pgtrigger.compiler.Trigger(name='allowed', sql=stories.guards.GuardSql(func="\n                -- The other story too, and always in one order: else two who link the same stories wait for\n                -- each other, or do not see the other's link.\n                PERFORM lock_story(least(NEW.story_id, NEW.original_id));\n                PERFORM lock_story(greatest(NEW.story_id, NEW.original_id));\n                \nPERFORM lock_story(NEW.story_id);\nNEW.id := nextval(pg_get_serial_sequence(TG_TABLE_NAME::text, 'id'));\nNEW.at := facts_now();\n\n                IF NEW.story_id = NEW.original_id THEN\n                    RAISE EXCEPTION 'A story is no translation of itself.'\n                        USING ERRCODE = 'restrict_violation', HINT = 'itself';\n                END IF;\n                IF (SELECT count(*) FROM said_alike(NEW.story_id)) > 1 THEN\n                    RAISE EXCEPTION 'The story is linked with others already.'\n                        USING ERRCODE = 'restrict_violation', HINT = 'linked';\n                END IF;\n                IF original_of(NEW.original_id) IS NOT NULL THEN\n                    RAISE EXCEPTION 'What is translated is a translation itself.'\n                        USING ERRCODE = 'restrict_violation', HINT = 'not_original';\n                END IF;\n                IF newest_content(NEW.story_id) #> '{organisation,slug}'\n                        IS DISTINCT FROM newest_content(NEW.original_id) #> '{organisation,slug}' THEN\n                    RAISE EXCEPTION 'The two stories are not of one organisation.'\n                        USING ERRCODE = 'restrict_violation', HINT = 'organisation';\n                END IF;\n                IF EXISTS (SELECT 1 FROM said_alike(NEW.original_id) other\n                           WHERE newest_content(other) -> 'language'\n                                 = newest_content(NEW.story_id) -> 'language') THEN\n                    RAISE EXCEPTION 'There is a story in this language already.'\n                        USING ERRCODE = 'restrict_violation', HINT = 'language';\n                END IF;\n                RETURN NEW;\n                ", hash='f9ab56672e58445c95a326b5674d516afab5a04e', operation='INSERT', pgid='pgtrigger_allowed_d70ab', table='stories_translation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='translation',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=stories.guards.GuardSql(func="RAISE EXCEPTION 'A fact is never changed or deleted (% on %).', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation', HINT = 'append_only';", hash='01517049621e3c809e03cd43a00c33c8d15e2b2f', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_e4580', table='stories_translation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='translation',
            trigger=pgtrigger.compiler.Trigger(name='recorded', sql=stories.guards.GuardSql(func='PERFORM record_append(NEW.story_id, TG_TABLE_NAME::text, NEW.id, NEW.by_id, NEW.at, to_jsonb(NEW)); RETURN NULL;', hash='4c8163152a5485535189683779d8cceed9f333c1', operation='INSERT', pgid='pgtrigger_recorded_2ced9', table='stories_translation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='translationend',
            trigger=pgtrigger.compiler.Trigger(name='allowed', sql=stories.guards.GuardSql(func="\nPERFORM lock_story(NEW.story_id);\nNEW.id := nextval(pg_get_serial_sequence(TG_TABLE_NAME::text, 'id'));\nNEW.at := facts_now();\n\n                IF NOT EXISTS (SELECT 1 FROM stories_translation t\n                               WHERE t.id = NEW.translation_id AND t.story_id = NEW.story_id) THEN\n                    RAISE EXCEPTION 'The story was never linked by this.'\n                        USING ERRCODE = 'restrict_violation', HINT = 'not_linked';\n                END IF;\n                RETURN NEW;\n                ", hash='57d32c62f012e2070e030c60d8b31fada18574b4', operation='INSERT', pgid='pgtrigger_allowed_d8dc6', table='stories_translationend', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='translationend',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=stories.guards.GuardSql(func="RAISE EXCEPTION 'A fact is never changed or deleted (% on %).', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation', HINT = 'append_only';", hash='c2b26574b2ec94b98ede77bea5a043ba0713b806', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_bf988', table='stories_translationend', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='translationend',
            trigger=pgtrigger.compiler.Trigger(name='recorded', sql=stories.guards.GuardSql(func='PERFORM record_append(NEW.story_id, TG_TABLE_NAME::text, NEW.id, NEW.by_id, NEW.at, to_jsonb(NEW)); RETURN NULL;', hash='971223c05b3030d832481ac34e7be558391ce436', operation='INSERT', pgid='pgtrigger_recorded_8f48f', table='stories_translationend', when='AFTER')),
        ),
        migrations.RunSQL(FUNCTIONS, DROP),
    ]
