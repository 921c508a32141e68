-- Two requests of one holder, one address or one key, or for a doctor who takes only so many visits a
-- day, would both count, or both find nothing, before either has written. Returns the calls that come
-- first of their kind and have their locks.
CREATE FUNCTION bookings_lock_holders(calls bookings_hold_call[], may_wait boolean)
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
CREATE FUNCTION bookings_lock_of_busy_doctor(slot bigint) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT hashtextextended('visits-a-day:' || doctor.id, 0)
    FROM doctors_slot JOIN doctors_doctor AS doctor ON doctor.id = doctors_slot.doctor_id
    WHERE doctors_slot.id = slot AND doctor.most_visits_a_day IS NOT NULL
$$;

-- Takes advisory locks in this order. False if one would have to be waited for and may not.
CREATE FUNCTION bookings_has_locks(keys bigint[], may_wait boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    key bigint;
BEGIN
    FOREACH key IN ARRAY keys LOOP
        IF may_wait THEN
            PERFORM pg_advisory_xact_lock(key);
        ELSIF NOT pg_try_advisory_xact_lock(key) THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;
