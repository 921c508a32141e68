"""Functions of the database, as `make functions` found them in bookings/engine/sql."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0030_refused_times'),
    ]

    operations = [
        migrations.RunSQL(
            (SQL / "0031_functions.sql").read_text(),
            (SQL / "0031_functions_back.sql").read_text(),
        ),
    ]
