# The table is partitioned and written all day: each month's index is made beside the writers and
# then attached to the one of the whole table, which PostgreSQL cannot make concurrently by itself.

from django.db import migrations, models

from docbook.concurrent_index import build_index

NAME = "appointment_confirmed_by_start"
COLUMNS = "(starts_at) WHERE status = 'confirmed'"
MONTHS = """
SELECT inhrelid::regclass::text FROM pg_inherits
WHERE inhparent = to_regclass('bookings_appointment') ORDER BY 1
"""


def make(apps, schema_editor):
    schema_editor.execute(f"CREATE INDEX IF NOT EXISTS {NAME} ON ONLY bookings_appointment {COLUMNS}")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(MONTHS)
        months = [name for (name,) in cursor.fetchall()]
    for month in months:
        build_index(schema_editor, f"{month}_confirmed", on=f"{month} {COLUMNS}")
        schema_editor.execute(f"ALTER INDEX {NAME} ATTACH PARTITION {month}_confirmed")


def drop(apps, schema_editor):
    schema_editor.execute(f"DROP INDEX {NAME}")


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('bookings', '0006_lines_of_the_waitlist'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(make, drop)],
            state_operations=[
                migrations.AddIndex(
                    model_name='appointment',
                    index=models.Index(condition=models.Q(('status', 'confirmed')), fields=['starts_at'], name='appointment_confirmed_by_start'),
                ),
            ],
        ),
    ]
