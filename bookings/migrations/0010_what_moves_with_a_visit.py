"""Who comes to a visit, why and for what price moves with it; see docs/adr/0009.

`bookings_hold` gets a parameter more. The one of 0009 stays for the processes that still run; the
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


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0009_moves_that_overlap'),
    ]

    operations = [
        migrations.RunSQL(
            [(SQL / "0010_hold.sql").read_text(), (SQL / "0010_confirm.sql").read_text()],
            [DROP_HOLD, (SQL / "0009_confirm.sql").read_text()],
        ),
        migrations.AlterField(
            model_name='waitlistentry',
            name='state',
            field=models.CharField(choices=[('waiting', 'waiting'), ('offered', 'has an offer'), ('fulfilled', 'has a visit'), ('withdrawn', 'withdrawn'), ('ended', 'nothing left to wait for')], default='waiting', max_length=10, verbose_name='state'),
        ),
    ]
