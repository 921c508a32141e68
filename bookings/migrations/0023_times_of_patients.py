"""Appointments keep the times of their patients; see docs/adr/0022.

From the first statement on, triggers write the new table, also for processes of the release before.
Then what is there already is filled in, and the constraint of each month goes: the new table has one
for all months.
"""

from django.db import migrations

KEEP = """
CREATE TRIGGER bookings_appointment_takes_its_patients_time
    AFTER INSERT ON bookings_appointment FOR EACH ROW
    WHEN (bookings_takes_place(NEW))
    EXECUTE FUNCTION bookings_note_time_of_patient();
CREATE TRIGGER bookings_appointment_follows_its_status
    AFTER UPDATE ON bookings_appointment FOR EACH ROW
    WHEN (bookings_takes_place(OLD) <> bookings_takes_place(NEW))
    EXECUTE FUNCTION bookings_note_time_of_patient();
CREATE TRIGGER bookings_appointment_gives_its_patients_time_back
    AFTER DELETE ON bookings_appointment FOR EACH ROW
    EXECUTE FUNCTION bookings_note_time_of_patient();

INSERT INTO bookings_patientvisit (patient_id, starts_at, ends_at, appointment_id)
SELECT patient_id, starts_at, ends_at, id FROM bookings_appointment AS visit
WHERE bookings_takes_place(visit) AND ends_at > now() - interval '7 days';
"""
KEEP_NO_LONGER = """
DROP TRIGGER bookings_appointment_takes_its_patients_time ON bookings_appointment;
DROP TRIGGER bookings_appointment_follows_its_status ON bookings_appointment;
DROP TRIGGER bookings_appointment_gives_its_patients_time_back ON bookings_appointment;
DELETE FROM bookings_patientvisit;
"""
IN_EACH_MONTH = """
DO $$
DECLARE
    month text;
BEGIN
    FOR month IN SELECT inhrelid::regclass::text FROM pg_inherits
                 WHERE inhparent = 'bookings_appointment'::regclass
    LOOP
        EXECUTE format({statement});
    END LOOP;
END $$;
"""
NAME = "'no_overlapping_visits_of_a_patient_' || right(month, 7)"
DROP_OLD = IN_EACH_MONTH.format(
    statement=f"'ALTER TABLE %s DROP CONSTRAINT %I', month, {NAME}"
)
MAKE_OLD = IN_EACH_MONTH.format(
    statement="'ALTER TABLE %s ADD CONSTRAINT %I EXCLUDE USING gist (patient_id WITH =,"
    " tstzrange(starts_at, ends_at) WITH &&) WHERE (status IN"
    " (''confirmed'', ''arrived'', ''completed'', ''no_show''))',"
    f" month, {NAME}"
)


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0022_functions'),
    ]

    operations = [
        migrations.RunSQL(KEEP, KEEP_NO_LONGER),
        migrations.RunSQL(DROP_OLD, MAKE_OLD),
    ]
