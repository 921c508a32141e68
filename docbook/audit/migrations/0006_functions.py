"""Functions of the database, as `make functions` found them in docbook/audit/sql."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0005_read_and_add_only'),
    ]

    operations = [
        migrations.RunSQL(
            (SQL / "0006_functions.sql").read_text(),
            (SQL / "0006_functions_back.sql").read_text(),
        ),
    ]
