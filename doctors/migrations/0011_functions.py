"""Functions of the database, as `make functions` found them in doctors/sql.

`doctors_first_start_at` with seven parameters stays for processes of the last release, which call
it while this runs. A later release drops it.
"""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ('doctors', '0010_limits_of_hours'),
    ]

    operations = [
        migrations.RunSQL(
            (SQL / "0011_functions.sql").read_text(),
            (SQL / "0011_functions_back.sql").read_text(),
        ),
    ]
