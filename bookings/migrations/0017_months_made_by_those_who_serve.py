"""The role that serves makes the months ahead, and may make no other table; see docs/adr/0019."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0016_drafts_of_their_own'),
    ]

    operations = [
        migrations.RunSQL(
            [
                (SQL / "0017_make_month.sql").read_text(),
                "REVOKE EXECUTE ON FUNCTION bookings_make_appointment_month(date) FROM PUBLIC",
            ],
            [
                "GRANT EXECUTE ON FUNCTION bookings_make_appointment_month(date) TO PUBLIC",
                (SQL / "0001_make_month.sql").read_text(),
            ],
        ),
    ]
