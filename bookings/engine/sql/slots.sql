-- The slots that a visit starting with this one takes: `wanted` adjacent ones of one clinic for the
-- same visits, and after them up to `kept_free` that exist, follow without a gap and are not blocked.
-- NULL where there are not `wanted` of them.
CREATE FUNCTION bookings_run_of_slots(
    first doctors_slot, wanted integer, kept_free integer, OUT ids bigint[], OUT ends_at timestamptz
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    following doctors_slot;
    last_end timestamptz := first.ends_at;
BEGIN
    ids := ARRAY[first.id];
    ends_at := first.ends_at;
    IF wanted + kept_free = 1 THEN
        RETURN;
    END IF;
    FOR following IN
        SELECT * FROM doctors_slot AS slot
        WHERE slot.doctor_id = first.doctor_id AND slot.starts_at > first.starts_at
        ORDER BY slot.starts_at LIMIT wanted + kept_free - 1
    LOOP
        EXIT WHEN following.starts_at <> last_end;
        IF cardinality(ids) < wanted THEN
            EXIT WHEN (following.clinic_id, following.mode, following.visit_types)
                IS DISTINCT FROM (first.clinic_id, first.mode, first.visit_types);
            ends_at := following.ends_at;
        ELSE
            EXIT WHEN following.state = 'blocked';
        END IF;
        ids := ids || following.id;
        last_end := following.ends_at;
    END LOOP;
    IF cardinality(ids) < wanted THEN
        ids := NULL;
    END IF;
END $$;

-- Tells the waitlist that slots are free again, where somebody waits for them. One message after
-- the other for each doctor, so that the first in line gets the first time.
CREATE FUNCTION bookings_announce_release(doctor bigint, slots bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF bookings_somebody_waits_for(doctor, slots) THEN
        PERFORM outbox_publish(ARRAY[ROW(
            'slot.released', 'times-of-' || doctor, jsonb_build_object(
                'doctor_id', doctor::text, 'slot_ids',
                (SELECT string_agg(slot::text, ',' ORDER BY slot) FROM unnest(slots) AS slot))
        )::outbox_fact]);
    END IF;
END $$;

CREATE FUNCTION bookings_somebody_waits_for(doctor bigint, slots bigint[]) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT cardinality(slots) > 0 AND (
        EXISTS (
            SELECT FROM bookings_waitlistentry WHERE state = 'waiting' AND doctor_id = doctor)
        OR EXISTS (
            SELECT FROM bookings_waitlistentry AS entry
            JOIN doctors_doctor AS who ON who.id = doctor
            WHERE entry.state = 'waiting' AND entry.specialty_id = who.specialty_id
              AND entry.city IN (
                SELECT place.city FROM doctors_slot AS slot
                JOIN doctors_clinic AS place ON place.id = slot.clinic_id
                WHERE slot.id = ANY(slots))))
$$;
