SET LOCAL check_function_bodies = off;

-- Two requests of one holder, one address or one key, or for a doctor who takes only so many visits a
-- day, would both count, or both find nothing, before either has written. Returns the calls that come
-- first of their kind and have their locks.
CREATE OR REPLACE FUNCTION bookings_lock_holders(calls bookings_hold_call[], may_wait boolean)
RETURNS bookings_hold_call[] LANGUAGE plpgsql AS $$
DECLARE
    call bookings_hold_call;
    wanted bigint[];
    taken bigint[] := '{}';
    ready bookings_hold_call[] := '{}';
BEGIN
    FOREACH call IN ARRAY calls LOOP
        -- Offers of the waitlist count against no limit of holder and address.
        wanted := CASE WHEN call.waitlist_entry_id IS NULL
            THEN ARRAY[hashtextextended(call.holder_key, 0), call.address] ELSE '{}' END;
        wanted := array_remove(wanted || bookings_lock_of_busy_doctor(call.slot_id), NULL);
        CONTINUE WHEN wanted && taken OR hashtextextended(call.key, call.patient_id) = ANY(taken);
        CONTINUE WHEN call.key IS NOT NULL
            AND NOT http_has_its_key(call.patient_id, call.key, may_wait);
        CONTINUE WHEN NOT bookings_has_locks(wanted, may_wait);
        taken := taken || wanted || hashtextextended(call.key, call.patient_id);
        ready := ready || call;
    END LOOP;
    RETURN ready;
END $$;

-- NULL for a doctor who takes as many visits a day as there are times.
CREATE OR REPLACE FUNCTION bookings_lock_of_busy_doctor(slot bigint) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT hashtextextended('visits-a-day:' || doctor.id, 0)
    FROM doctors_slot JOIN doctors_doctor AS doctor ON doctor.id = doctors_slot.doctor_id
    WHERE doctors_slot.id = slot AND doctor.most_visits_a_day IS NOT NULL
$$;

-- The rules of a hold, in the order in which they are asked: the first that refuses is answered.
CREATE OR REPLACE FUNCTION bookings_refusal_of_hold(facts bookings_hold_facts) RETURNS text
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

CREATE OR REPLACE FUNCTION bookings_does_not_fit(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT facts.slot_ids IS NULL
        OR (facts.slot).mode NOT IN ((facts.visit_type).mode, 'any')
        OR NOT coalesce((facts.visit_type).id = ANY ((facts.slot).visit_types), true)
$$;

-- With the visits that somebody is booking just now. bookings_lock_holders lets one hold after the
-- other count them.
CREATE OR REPLACE FUNCTION bookings_day_is_full(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT ((facts.slot).starts_at AT TIME ZONE (facts.clinic).time_zone)::date IN (
        SELECT full_.day FROM doctors_full_days(
            doctor => (facts.doctor).id, most => (facts.doctor).most_visits_a_day,
            from_ => (facts.slot).starts_at, until_ => (facts.slot).starts_at,
            at_ => facts.at_, apart_from => (facts.call).replaces) AS full_)
$$;

-- The slots that a visit starting with this one takes: `wanted` adjacent ones of one clinic for the
-- same visits, and after them up to `kept_free` that exist, follow without a gap and are not blocked.
-- NULL where there are not `wanted` of them.
CREATE OR REPLACE FUNCTION bookings_run_of_slots(
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
