-- Two requests of one holder, one address or one key would both count, or both find nothing, before
-- either has written. Returns the calls that come first of their kind and have their locks.
CREATE FUNCTION bookings_lock_holders(calls bookings_hold_call[], may_wait boolean)
RETURNS bookings_hold_call[] LANGUAGE plpgsql AS $$
DECLARE
    call bookings_hold_call;
    wanted bigint[];
    taken bigint[] := '{}';
    ready bookings_hold_call[] := '{}';
BEGIN
    FOREACH call IN ARRAY calls LOOP
        -- Offers of the waitlist count against no limit.
        wanted := CASE WHEN call.waitlist_entry_id IS NULL THEN array_remove(
            ARRAY[hashtextextended(call.holder_key, 0), call.address], NULL) ELSE '{}' END;
        CONTINUE WHEN wanted && taken OR hashtextextended(call.key, call.patient_id) = ANY(taken);
        CONTINUE WHEN call.key IS NOT NULL
            AND NOT http_has_its_key(call.patient_id, call.key, may_wait);
        CONTINUE WHEN NOT bookings_has_locks(wanted, may_wait);
        taken := taken || wanted || hashtextextended(call.key, call.patient_id);
        ready := ready || call;
    END LOOP;
    RETURN ready;
END $$;

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
