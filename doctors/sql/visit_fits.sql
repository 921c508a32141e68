-- Whether a visit of `wanted` slots can start with the slot of this doctor that starts then, with
-- `kept_free` slots after it. The same times as doctors.rules.visit_times calls free, and as
-- bookings_run_of_slots takes: a test compares the three.
CREATE FUNCTION doctors_visit_fits(
    doctor bigint, first_start timestamptz, wanted integer, kept_free integer, at_ timestamptz
) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    slot record;
    first record;
    last_end timestamptz;
    found_ integer := 0;
BEGIN
    FOR slot IN
        SELECT clinic_id, mode, visit_types, starts_at, ends_at, state, held_until FROM doctors_slot
        WHERE doctor_id = doctor AND starts_at >= first_start
        ORDER BY starts_at LIMIT wanted + kept_free
    LOOP
        IF found_ = 0 THEN
            first := slot;
        ELSE
            EXIT WHEN slot.starts_at <> last_end;
        END IF;
        IF found_ < wanted THEN
            EXIT WHEN (slot.clinic_id, slot.mode, slot.visit_types)
                IS DISTINCT FROM (first.clinic_id, first.mode, first.visit_types);
        ELSE
            EXIT WHEN slot.state = 'blocked';
        END IF;
        IF slot.state <> 'open' AND (slot.state <> 'held' OR slot.held_until > at_) THEN
            RETURN false;
        END IF;
        found_ := found_ + 1;
        last_end := slot.ends_at;
    END LOOP;
    RETURN found_ >= wanted;
END $$;
