"""The two hot statements, as functions with plans that are kept; see docs/adr/0009."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"

DROP = """
DROP FUNCTION bookings_confirm;
DROP FUNCTION bookings_filled_appointment;
DROP FUNCTION bookings_note;
DROP FUNCTION bookings_announce_release;
DROP TYPE bookings_confirm_result;
DROP FUNCTION bookings_hold;
DROP FUNCTION bookings_fill_in;
DROP FUNCTION bookings_coming_visits;
DROP FUNCTION bookings_busy_with;
DROP FUNCTION bookings_run_of_slots;
DROP FUNCTION bookings_number_for_sms;
DROP FUNCTION bookings_masked_email;
DROP FUNCTION bookings_local_iso;
DROP TYPE bookings_hold_result;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0007_confirmed_by_start'),
        ('audit', '0003_by_transaction'),
        ('http', '0001_initial'),
        ('outbox', '0003_told_once'),
    ]

    operations = [
        migrations.RunSQL(
            [(SQL / "0008_hold.sql").read_text(), (SQL / "0008_confirm.sql").read_text()], DROP
        ),
    ]
