-- Locks slots first and the hold second, as everybody does. A move locks old and new together, so
-- that two moves that swap their times wait for each other and never deadlock. Then the guesses at a
-- mailbox, so that no more than the limit are looked at, and the patient's visits, so that two
-- confirmations see each other. Only holds of the caller are locked. A move is made alone. Returns
-- the calls that have their locks and share none with a call before them, and those that need none.
CREATE FUNCTION bookings_lock_to_confirm(calls bookings_confirm_call[], may_wait boolean)
RETURNS bookings_confirm_call[] LANGUAGE plpgsql AS $$
DECLARE
    call bookings_confirm_call;
    hold bookings_hold;
    keys bigint[];
    taken bigint[] := '{}';
    taken_keys bigint[] := '{}';
    ready bookings_confirm_call[] := '{}';
BEGIN
    FOREACH call IN ARRAY calls LOOP
        SELECT * INTO hold FROM bookings_hold WHERE id = call.hold_id;
        IF bookings_owns(hold, call.patient_id, call.guest_key) THEN
            CONTINUE WHEN hold.slot_ids && taken OR (hold.replaces IS NOT NULL AND NOT may_wait);
            hold := bookings_locked_hold(hold, may_wait);
            keys := bookings_keys_of_confirmation(hold, call);
            CONTINUE WHEN hold.id IS NULL OR keys && taken_keys
                OR NOT bookings_has_locks(keys, may_wait);
            PERFORM bookings_lock_visit(hold.replaces);
            taken := taken || hold.slot_ids;
            taken_keys := taken_keys || keys;
        END IF;
        ready := ready || call;
    END LOOP;
    RETURN ready;
END $$;

-- The advisory locks of a confirmation, in their order; "guesses-of:" and "visits-of:" are explained
-- in docbook/lock_keys.py.
CREATE FUNCTION bookings_keys_of_confirmation(hold bookings_hold, call bookings_confirm_call)
RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    target text := coalesce(call.own_target, hold.guess_target);
    patient bigint := coalesce(hold.patient_id, call.patient_id, call.account_id);
BEGIN
    RETURN array_remove(ARRAY[
        hashtextextended('guesses-of:' || nullif(target, ''), 0),
        hashtextextended('visits-of:' || patient, 0)], NULL);
END $$;

-- The hold once its slots and it are locked, as it is then. NULL if somebody else has one of them and
-- nobody may wait.
CREATE FUNCTION bookings_locked_hold(hold bookings_hold, may_wait boolean) RETURNS bookings_hold
LANGUAGE plpgsql AS $$
DECLARE
    old bigint[] := '{}';
    locked bookings_hold;
BEGIN
    IF may_wait THEN
        IF hold.replaces IS NOT NULL THEN
            SELECT slot_ids INTO old FROM bookings_hold WHERE id = hold.replaces;
        END IF;
        PERFORM FROM doctors_slot WHERE id = ANY(hold.slot_ids || old) ORDER BY id FOR UPDATE;
        SELECT * INTO locked FROM bookings_hold WHERE id = hold.id FOR UPDATE;
    ELSIF (SELECT count(*) FROM doctors_slot WHERE id = ANY(hold.slot_ids))
          = (SELECT count(*) FROM (
                SELECT FROM doctors_slot WHERE id = ANY(hold.slot_ids)
                ORDER BY id FOR UPDATE SKIP LOCKED) AS free) THEN
        SELECT * INTO locked FROM bookings_hold WHERE id = hold.id FOR UPDATE SKIP LOCKED;
    END IF;
    RETURN locked;
END $$;

-- The visit that moves, after everything else.
CREATE FUNCTION bookings_lock_visit(hold uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF hold IS NOT NULL THEN
        PERFORM FROM bookings_appointment AS visit JOIN bookings_hold AS old
            ON old.id = visit.id AND old.starts_at = visit.starts_at
        WHERE old.id = hold FOR UPDATE OF visit;
    END IF;
END $$;
