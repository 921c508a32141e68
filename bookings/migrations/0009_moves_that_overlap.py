"""A visit of several slots can move by one of them, and takes with it who comes; see docs/adr/0009.

`bookings_hold` gets a parameter more. The one of 0008 stays for the processes that still run; the
next migration of these functions drops it.
"""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql"
DROP_HOLD = """
DROP FUNCTION bookings_hold(
    uuid, bigint, bigint, bigint, uuid, text, text, bigint, interval, interval, integer, integer,
    integer, uuid, uuid, boolean, boolean, text, text, text, text, text, text, integer, text, text)
"""


def confirm_before() -> str:
    """The function as 0008 has made it: the last one of its file."""
    text = (SQL / "0008_confirm.sql").read_text()
    return text[text.index("CREATE FUNCTION bookings_confirm(") :].replace(
        "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1
    )


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0008_hold_and_confirm'),
    ]

    operations = [
        migrations.RunSQL(
            [(SQL / "0009_hold.sql").read_text(), (SQL / "0009_confirm.sql").read_text()],
            [DROP_HOLD, confirm_before(), "DROP FUNCTION bookings_owns"],
        ),
        migrations.AlterField(
            model_name='waitlistentry',
            name='state',
            field=models.CharField(choices=[('waiting', 'waiting'), ('offered', 'has an offer'), ('fulfilled', 'has a visit'), ('withdrawn', 'withdrawn'), ('ended', 'nothing left to wait for')], default='waiting', max_length=10, verbose_name='state'),
        ),
    ]
