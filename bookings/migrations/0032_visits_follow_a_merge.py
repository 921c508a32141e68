"""A visit may go to another account of its patient, but only as a merge of the two says. Its time
goes with it. Rows that are there stay as they are.
"""

from django.db import migrations

FOLLOW = """
DROP TRIGGER appointment_keeps_its_doctor_patient_and_time ON bookings_appointment;
CREATE TRIGGER appointment_keeps_its_doctor_and_time
    BEFORE UPDATE ON bookings_appointment FOR EACH ROW
    WHEN ((NEW.id, NEW.doctor_id, NEW.starts_at, NEW.ends_at)
       <> (OLD.id, OLD.doctor_id, OLD.starts_at, OLD.ends_at))
    EXECUTE FUNCTION bookings_refuse_change();
CREATE TRIGGER appointment_changes_its_patient_by_a_merge_only
    BEFORE UPDATE ON bookings_appointment FOR EACH ROW
    WHEN (NEW.patient_id <> OLD.patient_id)
    EXECUTE FUNCTION bookings_check_change_of_patient();
CREATE TRIGGER bookings_appointment_follows_its_patient
    AFTER UPDATE ON bookings_appointment FOR EACH ROW
    WHEN (NEW.patient_id <> OLD.patient_id)
    EXECUTE FUNCTION bookings_move_time_of_patient();
"""
STAY = """
DROP TRIGGER bookings_appointment_follows_its_patient ON bookings_appointment;
DROP TRIGGER appointment_changes_its_patient_by_a_merge_only ON bookings_appointment;
DROP TRIGGER appointment_keeps_its_doctor_and_time ON bookings_appointment;
CREATE TRIGGER appointment_keeps_its_doctor_patient_and_time
    BEFORE UPDATE ON bookings_appointment FOR EACH ROW
    WHEN ((NEW.id, NEW.doctor_id, NEW.patient_id, NEW.starts_at, NEW.ends_at)
       <> (OLD.id, OLD.doctor_id, OLD.patient_id, OLD.starts_at, OLD.ends_at))
    EXECUTE FUNCTION bookings_refuse_change();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0031_functions'),
        ('accounts', '0006_patient_merges'),
    ]

    operations = [
        migrations.RunSQL(FOLLOW, STAY),
    ]
