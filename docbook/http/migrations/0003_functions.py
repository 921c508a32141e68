"""Functions of the database, as `make functions` found them in docbook/http/sql."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ('http', '0002_facts_of_an_answer'),
    ]

    operations = [
        migrations.RunSQL(
            (SQL / "0003_functions.sql").read_text(),
            (SQL / "0003_functions_back.sql").read_text(),
        ),
    ]
