"""Fills in what was agreed on before it was kept: what the tables say today is the best that is known.

The trigger of 0014 does the work, also for what is written meanwhile; here its rows are touched, some
thousand at a time, so that nobody who cancels or moves a visit waits for a whole month.
"""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from psycopg import sql

MONTHS = """
SELECT inhrelid::regclass::text FROM pg_inherits
WHERE inhparent = to_regclass('bookings_appointment') ORDER BY 1
"""
SOME_VISITS = sql.SQL("""
UPDATE {month} SET time_zone = '' WHERE id IN (
    SELECT id FROM {month} WHERE time_zone = '' ORDER BY starts_at, id LIMIT 2000)
""")
SOME_HOLDS = """
UPDATE bookings_hold SET time_zone = '' WHERE id IN (
    SELECT id FROM bookings_hold WHERE time_zone = '' ORDER BY id LIMIT 5000)
"""
CONDITION = models.Q(
    models.Q(('visit_name', ''), _negated=True),
    models.Q(('time_zone', ''), _negated=True),
    ('mode__in', ['in_person', 'video', 'phone']),
)


def fill_in(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(MONTHS)
        # In the order of time: a visit that moved says what the one before it says.
        for (month,) in cursor.fetchall():
            cursor.execute(SOME_VISITS.format(month=sql.Identifier(month)))
            while cursor.rowcount > 0:
                cursor.execute(SOME_VISITS.format(month=sql.Identifier(month)))
        cursor.execute("SELECT EXISTS (SELECT FROM bookings_hold WHERE time_zone = '')")
        (is_left,) = cursor.fetchone()
        while is_left:
            cursor.execute(SOME_HOLDS)
            is_left = cursor.rowcount > 0


def constraint(name):
    return models.CheckConstraint(condition=CONDITION, name=name)


class Migration(migrations.Migration):

    atomic = False  # no lock on a row waits for the next

    dependencies = [
        ('bookings', '0014_what_was_agreed'),
    ]

    operations = [
        migrations.RunPython(fill_in, migrations.RunPython.noop),
        AddConstraintNotValid(
            model_name='appointment', constraint=constraint('appointment_says_what_was_agreed')
        ),
        AddConstraintNotValid(
            model_name='hold', constraint=constraint('hold_says_what_is_agreed')
        ),
        ValidateConstraint(model_name='appointment', name='appointment_says_what_was_agreed'),
        ValidateConstraint(model_name='hold', name='hold_says_what_is_agreed'),
    ]
