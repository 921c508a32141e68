-- Each call with what it is judged by.
CREATE FUNCTION bookings_hold_facts_of(calls bookings_hold_call[], at_ timestamptz)
RETURNS SETOF bookings_hold_facts LANGUAGE sql STABLE AS $$
    SELECT call, at_, recorded, first_hold, patient, visit_type.as_agreed, doctor, slot, clinic,
           moved, pause, run.ids, run.ends_at, others, live
    FROM unnest(calls) AS call
    LEFT JOIN http_idempotencyrecord AS recorded
        ON recorded.user_id = call.patient_id AND recorded.key = call.key
    LEFT JOIN bookings_hold AS first_hold
        ON first_hold.id = (recorded.facts ->> 'hold_id')::uuid
    LEFT JOIN accounts_user AS patient ON patient.id = call.patient_id AND patient.is_active
    LEFT JOIN bookings_hold AS moved ON moved.id = call.replaces
    LEFT JOIN doctors_visittype AS type ON type.id = call.visit_type_id AND type.is_active
    LEFT JOIN doctors_doctor AS doctor ON doctor.id = type.doctor_id AND doctor.is_active
    LEFT JOIN doctors_slot AS slot ON slot.id = call.slot_id AND slot.doctor_id = doctor.id
    LEFT JOIN doctors_clinic AS clinic ON clinic.id = slot.clinic_id
    LEFT JOIN bookings_bookingpause AS pause ON pause.is_on AND coalesce(pause.until > at_, true)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN call.replaces IS NULL THEN type
                    ELSE bookings_as_agreed(type, doctor, moved) END AS as_agreed) AS visit_type
    CROSS JOIN LATERAL bookings_run_of_slots(
        slot, (visit_type.as_agreed).slots, (visit_type.as_agreed).buffer_slots) AS run
    CROSS JOIN LATERAL bookings_other_visits_of(
        patient => call.patient_id, from_ => slot.starts_at, until_ => run.ends_at,
        apart_from => call.replaces, at_ => at_) AS others
    CROSS JOIN LATERAL bookings_live_holds_of(
        call => call, doctor => doctor.id, from_ => slot.starts_at, until_ => run.ends_at,
        at_ => at_) AS live
    OFFSET 0  -- a fence for the planner: each fact is found once, whatever asks for it
$$;

-- What a visit type is for a visit that moves: its name, mode, price and length as they were agreed.
-- What the visit type has become since is for new visits. As
-- bookings.appointments.selectors.appointments.visit_type_as_agreed.
CREATE FUNCTION bookings_as_agreed(
    type doctors_visittype, doctor doctors_doctor, moved bookings_hold
) RETURNS doctors_visittype LANGUAGE plpgsql STABLE AS $$
DECLARE
    kept bookings_appointment;
BEGIN
    SELECT * INTO kept FROM bookings_appointment AS visit
    WHERE visit.id = moved.id AND visit.starts_at = moved.starts_at;
    IF kept.visit_type_id = type.id THEN
        type.name := kept.visit_name;
        type.mode := kept.mode;
        type.price_cents := kept.price_cents;
        type.currency := kept.currency;
        type.slots := ceil(
            extract(epoch FROM kept.ends_at - kept.starts_at) / 60 / doctor.slot_minutes);
    END IF;
    RETURN type;
END $$;

-- The patient's visits that are still to come, and the first that overlaps [from_, until_). Nothing
-- lasts longer than 48 hours (12 slots of 240 minutes).
CREATE FUNCTION bookings_other_visits_of(
    patient bigint, from_ timestamptz, until_ timestamptz, apart_from uuid, at_ timestamptz
) RETURNS SETOF bookings_other_visits LANGUAGE sql STABLE AS $$
    SELECT (array_agg(visit.appointment_id ORDER BY visit.starts_at)
                FILTER (WHERE visit.starts_at < until_ AND visit.ends_at > from_
                        AND visit.appointment_id IS DISTINCT FROM apart_from))[1],
           min(visit.starts_at)
                FILTER (WHERE visit.starts_at < until_ AND visit.ends_at > from_
                        AND visit.appointment_id IS DISTINCT FROM apart_from),
           count(*) FILTER (WHERE visit.starts_at > at_)
    FROM bookings_patientvisit AS visit
    WHERE visit.patient_id = patient
      AND visit.starts_at > least(from_ - interval '48 hours', at_)
$$;

CREATE FUNCTION bookings_live_holds_of(
    call bookings_hold_call, doctor bigint, from_ timestamptz, until_ timestamptz, at_ timestamptz
) RETURNS SETOF bookings_live_holds LANGUAGE sql STABLE AS $$
    SELECT count(*) FILTER (WHERE hold.waitlist_entry_id IS NULL),
           count(*) FILTER (WHERE hold.waitlist_entry_id IS NULL AND hold.replaces IS NULL),
           (array_agg(hold.id) FILTER (
                WHERE hold.slot_ids[1] = call.slot_id AND hold.visit_type_id = call.visit_type_id
                  AND hold.replaces IS NOT DISTINCT FROM call.replaces
                  AND (hold.code_sent_at IS NOT NULL OR NOT call.with_code)
                  AND hold.waitlist_entry_id IS NULL
                  AND bookings_owns(hold, call.patient_id, call.guest_key)))[1],
           min(hold.starts_at) FILTER (
                WHERE hold.doctor_id = doctor
                  AND hold.starts_at < until_ AND hold.ends_at > from_),
           (SELECT count(*) FROM bookings_hold AS other
            WHERE other.made_from = call.address AND other.state = 'held'
              AND other.expires_at > at_),
           (SELECT min(other.expires_at) FROM bookings_hold AS other
            WHERE other.made_from = call.address AND other.state = 'held'
              AND other.expires_at > at_)
    FROM bookings_hold AS hold
    WHERE hold.state = 'held' AND hold.expires_at > at_
      AND (hold.patient_id = call.patient_id OR hold.guest_key = call.guest_key)
$$;
