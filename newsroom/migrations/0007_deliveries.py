"""Deliveries are about an event of a release, and go to mail addresses and to receivers."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.db import migrations, models


# What was written before is about the release that was announced. The keys are checked before the columns change.
FROM_ANNOUNCEMENTS = """
UPDATE newsroom_delivery d SET release_id = a.release_id, story_id = a.story_id, at = a.at,
    given_up_at = CASE WHEN d.sent_at IS NULL AND d.next_attempt IS NULL THEN now() END
FROM newsroom_announcement a WHERE a.id = d.announcement_id;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('newsroom', '0006_functions'),
        ('stories', '0007_functions'),
    ]

    operations = [
        migrations.CreateModel(
            name='Receiver',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('kind', models.CharField(choices=[('webhook', 'signed webhook'), ('ninjs', 'ninjs 3.1 push'), ('websub', 'WebSub hub')], max_length=10)),
                ('url', models.CharField(max_length=500)),
                ('active', models.BooleanField(default=True)),
                ('secret', models.CharField(blank=True, editable=False, max_length=80)),
                ('previous_secret', models.CharField(blank=True, editable=False, max_length=80)),
                ('previous_until', models.DateTimeField(editable=False, null=True)),
                ('rotation', models.PositiveIntegerField(default=0, editable=False)),
                ('failures', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('rests_until', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='SubscriptionRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('error', models.TextField(blank=True)),
                ('email', models.EmailField(max_length=254)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('source', models.CharField(max_length=64)),
            ],
        ),
        migrations.RemoveIndex(
            model_name='delivery',
            name='delivery_outstanding',
        ),
        migrations.AddField(
            model_name='delivery',
            name='at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AddField(
            model_name='delivery',
            name='claim',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='delivery',
            name='event',
            field=models.CharField(choices=[('release', 'release'), ('correction', 'correction'), ('update', 'update'), ('withdrawal', 'withdrawal'), ('kill', 'kill')], default='release', max_length=10),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='delivery',
            name='given_up_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='delivery',
            name='lease',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='delivery',
            name='release',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='newsroom.release'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='story',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='stories.story'),
        ),
        migrations.RunSQL(FROM_ANNOUNCEMENTS, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='delivery',
            name='release',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='newsroom.release'),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='story',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='stories.story'),
        ),
        migrations.RemoveField(
            model_name='delivery',
            name='announcement',
        ),
        migrations.AddField(
            model_name='subscriber',
            name='confirmed_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='recipient',
            field=models.EmailField(blank=True, max_length=254),
        ),
        migrations.AddConstraint(
            model_name='receiver',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('name'), name='receiver_named_once'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='receiver',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='newsroom.receiver'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('next_attempt__isnull', False), ('sent_at', None)), fields=['receiver', 'next_attempt', 'id'], name='delivery_outstanding'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('next_attempt__isnull', False), ('sent_at', None)), fields=['story', 'recipient', 'id'], name='delivery_in_order'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('lease__isnull', False)), fields=['receiver'], name='delivery_in_hand'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['story', 'recipient'], name='delivery_of_story'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('given_up_at__isnull', False)), fields=['receiver', 'given_up_at'], name='delivery_given_up'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('sent_at__isnull', False)), fields=['receiver', 'sent_at'], name='delivery_sent'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('receiver__isnull', False), ('recipient', '')), models.Q(models.Q(('recipient', ''), _negated=True), ('receiver', None)), _connector='OR'), name='delivery_to_one'),
        ),
        migrations.AddIndex(
            model_name='subscriptionrequest',
            index=models.Index(django.db.models.functions.text.Lower('email'), models.F('at'), name='request_by_email'),
        ),
        migrations.AddIndex(
            model_name='subscriptionrequest',
            index=models.Index(fields=['source', 'at'], name='request_by_source'),
        ),
        migrations.AddIndex(
            model_name='subscriptionrequest',
            index=models.Index(fields=['at'], name='request_by_age'),
        ),
        migrations.AddIndex(
            model_name='subscriptionrequest',
            index=models.Index(condition=models.Q(('sent_at', None)), fields=['next_attempt'], name='request_outstanding'),
        ),
    ]
