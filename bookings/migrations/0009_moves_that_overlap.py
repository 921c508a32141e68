"""A visit of several slots can move by one of them; see docs/adr/0009."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


def before(name: str) -> str:
    """The function as 0008 has made it: the last one of its file."""
    text = (SQL / f"0008_{name}.sql").read_text()
    return text[text.index(f"CREATE FUNCTION bookings_{name}(") :].replace(
        "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1
    )


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0008_hold_and_confirm'),
    ]

    operations = [
        migrations.RunSQL(
            [(SQL / "0009_hold.sql").read_text(), (SQL / "0009_confirm.sql").read_text()],
            [before("hold"), before("confirm"), "DROP FUNCTION bookings_owns"],
        ),
    ]
