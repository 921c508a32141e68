"""The horizon of a hold ends with a day, also where midnight comes twice; see 0019_hold.sql."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0018_wrong_codes_by_mailbox'),
    ]

    operations = [
        migrations.RunSQL((SQL / "0019_hold.sql").read_text(), (SQL / "0014_hold.sql").read_text()),
    ]
