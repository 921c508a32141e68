-- Keeps bookings_patientvisit: the times of the visits that take place, in one table for all months.
-- So one look at an index finds what a patient does at a time, and one constraint refuses two visits
-- that overlap, also across the end of a month.
CREATE FUNCTION bookings_note_time_of_patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF bookings_takes_place(NEW) THEN
        INSERT INTO bookings_patientvisit (patient_id, starts_at, ends_at, appointment_id)
        VALUES (NEW.patient_id, NEW.starts_at, NEW.ends_at, NEW.id);
    ELSE
        DELETE FROM bookings_patientvisit AS visit
        WHERE visit.patient_id = OLD.patient_id AND visit.starts_at = OLD.starts_at
          AND visit.appointment_id = OLD.id;
    END IF;
    RETURN NULL;
END $$;

-- For a visit that goes to another account of its patient.
CREATE FUNCTION bookings_move_time_of_patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE bookings_patientvisit AS visit SET patient_id = NEW.patient_id
    WHERE visit.patient_id = OLD.patient_id AND visit.starts_at = OLD.starts_at
      AND visit.appointment_id = OLD.id;
    RETURN NULL;
END $$;

CREATE FUNCTION bookings_takes_place(visit bookings_appointment) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(visit.status IN ('confirmed', 'arrived', 'completed', 'no_show'), false)
$$;
