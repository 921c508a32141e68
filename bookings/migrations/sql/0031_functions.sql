SET LOCAL check_function_bodies = off;

-- A visit goes to another account of the same person while a merge of the two says so, and back
-- once that is undone.
CREATE OR REPLACE FUNCTION bookings_check_change_of_patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM accounts_patientmerge
        WHERE (merged_id = OLD.patient_id AND kept_id = NEW.patient_id AND undone_at IS NULL)
           OR (kept_id = OLD.patient_id AND merged_id = NEW.patient_id AND undone_at IS NOT NULL))
    THEN
        RAISE EXCEPTION 'refused: %', TG_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

-- For a visit that goes to another account of its patient.
CREATE OR REPLACE FUNCTION bookings_move_time_of_patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE bookings_patientvisit AS visit SET patient_id = NEW.patient_id
    WHERE visit.patient_id = OLD.patient_id AND visit.starts_at = OLD.starts_at
      AND visit.appointment_id = OLD.id;
    RETURN NULL;
END $$;
