"""Functions of the database, as `make functions` found them in bookings/engine/sql."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0023_times_of_patients'),
    ]

    operations = [
        migrations.RunSQL(
            (SQL / "0024_functions.sql").read_text(),
            (SQL / "0024_functions_back.sql").read_text(),
        ),
    ]
