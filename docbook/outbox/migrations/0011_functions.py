"""Functions of the database, as `make functions` found them in docbook/outbox/sql."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ('outbox', '0010_refused_is_done'),
    ]

    operations = [
        migrations.RunSQL(
            (SQL / "0011_functions.sql").read_text(),
            (SQL / "0011_functions_back.sql").read_text(),
        ),
    ]
