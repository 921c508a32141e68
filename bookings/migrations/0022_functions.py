"""Functions of the database, as `make functions` found them in bookings/engine/sql: from now on, a
person reads and changes them there.

`bookings_hold` and `bookings_confirm` have other parameters than before. The old ones, and what they
call, stay for the processes that still run; a later migration drops them.
"""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0006_functions'),
        ('outbox', '0011_functions'),
        ('http', '0003_functions'),
        ('bookings', '0021_patient_visits'),
    ]

    operations = [
        migrations.RunSQL(
            (SQL / "0022_functions.sql").read_text(),
            (SQL / "0022_functions_back.sql").read_text(),
        ),
    ]
