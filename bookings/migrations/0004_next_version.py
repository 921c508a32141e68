# The state machine as bookings.states.trigger_function() writes it, and two triggers more: a change
# of status is the next version, and an appointment never gets another doctor, patient or time.

from django.db import migrations

NEW = """
CREATE OR REPLACE FUNCTION bookings_check_appointment_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('confirmed', 'arrived'),
        ('confirmed', 'no_show'),
        ('confirmed', 'cancelled'),
        ('confirmed', 'rescheduled'),
        ('arrived', 'completed'),
        ('no_show', 'arrived'),
        ('arrived', 'confirmed'),
        ('completed', 'arrived'),
        ('no_show', 'confirmed')
    ) THEN
        RAISE EXCEPTION 'an appointment cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'appointment_status_follows_the_state_machine';
    END IF;
    RETURN NEW;
END $$;

-- A trigger whose WHEN finds something wrong gives the refusal its name.
CREATE FUNCTION bookings_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refused: %', TG_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER change_of_status_is_the_next_version
    BEFORE UPDATE ON bookings_appointment FOR EACH ROW
    WHEN (NEW.status <> OLD.status AND NEW.version <> OLD.version + 1)
    EXECUTE FUNCTION bookings_refuse_change();
CREATE TRIGGER appointment_keeps_its_doctor_patient_and_time
    BEFORE UPDATE ON bookings_appointment FOR EACH ROW
    WHEN ((NEW.id, NEW.doctor_id, NEW.patient_id, NEW.starts_at, NEW.ends_at)
       <> (OLD.id, OLD.doctor_id, OLD.patient_id, OLD.starts_at, OLD.ends_at))
    EXECUTE FUNCTION bookings_refuse_change();
"""

OLD = """
DROP TRIGGER appointment_keeps_its_doctor_patient_and_time ON bookings_appointment;
DROP TRIGGER change_of_status_is_the_next_version ON bookings_appointment;
DROP FUNCTION bookings_refuse_change();
CREATE OR REPLACE FUNCTION bookings_check_appointment_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('confirmed', 'arrived'), ('confirmed', 'no_show'),
        ('confirmed', 'cancelled'), ('confirmed', 'rescheduled'),
        ('arrived', 'confirmed'), ('arrived', 'completed'),
        ('completed', 'arrived'),
        ('no_show', 'confirmed'), ('no_show', 'arrived')
    ) THEN
        RAISE EXCEPTION 'an appointment cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'appointment_status_follows_the_state_machine';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0003_live_holds'),
    ]

    operations = [migrations.RunSQL(NEW, OLD)]
