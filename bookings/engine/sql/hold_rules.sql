-- The rules of a hold, in the order in which they are asked: the first that refuses is answered.
CREATE FUNCTION bookings_refusal_of_hold(facts bookings_hold_facts) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN bookings_caller_is_unknown(facts) THEN 'unauthenticated'
        WHEN bookings_is_retry(facts) THEN 'replay'
        WHEN bookings_uses_key_again(facts) THEN 'idempotency-key-reused'
        WHEN (facts.doctor).id IS NULL THEN 'unknown-visit-type'
        WHEN (facts.slot).id IS NULL THEN 'unknown-slot'
        WHEN bookings_lacks_a_number(facts) THEN 'phone-needed'
        WHEN bookings_moves_to_another_visit(facts) THEN 'other-visit'
        WHEN (facts.pause).id IS NOT NULL THEN 'booking-disabled'
        WHEN bookings_is_outside_the_window(facts) THEN 'outside-booking-window'
        WHEN bookings_does_not_fit(facts) THEN 'slot-taken'
        WHEN (facts.doctor).most_visits_a_day IS NOT NULL AND bookings_day_is_full(facts)
            THEN 'slot-taken'
        WHEN bookings_patient_is_busy(facts) THEN 'patient-busy'
        WHEN bookings_counts(facts) AND (facts.live).same_id IS NOT NULL THEN 'held-before'
        WHEN bookings_counts(facts) AND bookings_holds_enough(facts) THEN 'hold-limit'
        WHEN bookings_counts(facts) AND bookings_address_holds_enough(facts) THEN 'address-limit'
        WHEN bookings_counts(facts) AND (facts.live).near_from IS NOT NULL THEN 'held-nearby'
        WHEN bookings_has_enough_visits_ahead(facts) THEN 'appointment-limit'
    END
$$;

CREATE FUNCTION bookings_caller_is_unknown(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).patient_id IS NOT NULL AND (facts.patient).id IS NULL
$$;

CREATE FUNCTION bookings_is_retry(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((facts.recorded).fingerprint = (facts.call).fingerprint, false)
$$;

CREATE FUNCTION bookings_uses_key_again(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((facts.recorded).fingerprint <> (facts.call).fingerprint, false)
$$;

-- A doctor calls for a visit by phone.
CREATE FUNCTION bookings_lacks_a_number(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).with_code AND (facts.visit_type).mode = 'phone'
       AND bookings_phone_of(facts) = ''
$$;

CREATE FUNCTION bookings_phone_of(facts bookings_hold_facts) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(nullif((facts.call).phone, ''), nullif((facts.moved).phone, ''),
                    (facts.patient).phone)
$$;

-- A move keeps doctor and visit type, and goes to another time. An offer may be with another doctor
-- that its patient named.
CREATE FUNCTION bookings_moves_to_another_visit(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).replaces IS NOT NULL AND (facts.call).waitlist_entry_id IS NULL
       AND ((facts.moved).doctor_id IS DISTINCT FROM (facts.doctor).id
            OR (facts.moved).visit_type_id IS DISTINCT FROM (facts.visit_type).id
            OR (facts.moved).starts_at = (facts.slot).starts_at)
$$;

-- The horizon is a day of the clinic. Where clocks go back at one in the morning, as in Havana,
-- midnight comes twice, and an instant of it would let in the hour between.
CREATE FUNCTION bookings_is_outside_the_window(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT (facts.slot).starts_at
               < facts.at_ + make_interval(mins => (facts.doctor).min_notice_minutes)
        OR ((facts.slot).starts_at AT TIME ZONE (facts.clinic).time_zone)::date
               >= (facts.at_ AT TIME ZONE (facts.clinic).time_zone)::date
                  + (facts.doctor).horizon_days
$$;

CREATE FUNCTION bookings_does_not_fit(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT facts.slot_ids IS NULL
        OR (facts.slot).mode NOT IN ((facts.visit_type).mode, 'any')
        OR NOT coalesce((facts.visit_type).id = ANY ((facts.slot).visit_types), true)
$$;

-- With the visits that somebody is booking just now. bookings_lock_holders lets one hold after the
-- other count them.
CREATE FUNCTION bookings_day_is_full(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT ((facts.slot).starts_at AT TIME ZONE (facts.clinic).time_zone)::date IN (
        SELECT full_.day FROM doctors_full_days(
            doctor => (facts.doctor).id, most => (facts.doctor).most_visits_a_day,
            from_ => (facts.slot).starts_at, until_ => (facts.slot).starts_at,
            at_ => facts.at_, apart_from => (facts.call).replaces) AS full_)
$$;

CREATE FUNCTION bookings_patient_is_busy(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).patient_id IS NOT NULL AND (facts.others).busy_id IS NOT NULL
$$;

-- Offers of the waitlist count against no limit of holds.
CREATE FUNCTION bookings_counts(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).waitlist_entry_id IS NULL
$$;

CREATE FUNCTION bookings_holds_enough(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.live).holds >= (facts.call).most_of_holder
$$;

CREATE FUNCTION bookings_address_holds_enough(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.live).of_address >= (facts.call).most_of_address
$$;

-- With the visits that the patient is about to confirm.
CREATE FUNCTION bookings_has_enough_visits_ahead(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).replaces IS NULL
       AND CASE WHEN bookings_counts(facts) THEN (facts.live).new_visits ELSE 0 END
           + (facts.others).ahead >= (facts.call).most_visits
$$;

-- As bookings.actors.holder.Holder.owns.
CREATE FUNCTION bookings_owns(hold bookings_hold, patient bigint, guest uuid) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(
        hold.patient_id = patient
        OR (hold.guest_key = guest
            AND (patient IS NULL OR hold.patient_id IS NULL OR hold.patient_id = patient)),
        false)
$$;
