# The database's own clock and transaction number come into each event, and seals into the house.

import django.contrib.postgres.fields
from django.db import migrations, models

CURRENT_TRANSACTION = models.Func(
    output_field=models.BigIntegerField(), template="(pg_current_xact_id()::text::bigint)"
)

# Both tables refuse changes in the name of their trigger.
APPEND_ONLY = """
CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER audit_seals_are_append_only
    BEFORE UPDATE OR DELETE ON audit_auditseal
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
"""

DROP = "DROP TRIGGER audit_seals_are_append_only ON audit_auditseal"


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditevent',
            name='at',
            field=models.DateTimeField(db_default=models.Func(function='clock_timestamp', output_field=models.DateTimeField()), editable=False, verbose_name='at'),
        ),
        # A constant first: PostgreSQL would write the whole table anew for a default that differs
        # from row to row. Events that are there already count as of transaction 0.
        migrations.AddField(
            model_name='auditevent',
            name='xact',
            field=models.BigIntegerField(db_default=0, editable=False, verbose_name='transaction'),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='xact',
            field=models.BigIntegerField(db_default=CURRENT_TRANSACTION, editable=False, verbose_name='transaction'),
        ),
        migrations.CreateModel(
            name='AuditSeal',
            fields=[
                ('number', models.PositiveBigIntegerField(primary_key=True, serialize=False, verbose_name='number')),
                ('since', models.BigIntegerField(verbose_name='from transaction')),
                ('until', models.BigIntegerField(verbose_name='before transaction')),
                ('event_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None, verbose_name='events')),
                ('events_digest', models.CharField(max_length=64, verbose_name='digest of the events')),
                ('previous_digest', models.CharField(max_length=64, verbose_name='digest of the seal before')),
                ('digest', models.CharField(max_length=64, verbose_name='digest')),
                ('sealed_at', models.DateTimeField(verbose_name='sealed at')),
            ],
            options={
                'verbose_name': 'audit seal',
                'verbose_name_plural': 'audit seals',
                'ordering': ['-number'],
                'constraints': [models.UniqueConstraint(fields=('previous_digest',), name='one_seal_follows_another'), models.CheckConstraint(condition=models.Q(('until__gt', models.F('since'))), name='seal_covers_at_least_a_transaction')],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, DROP),
    ]
