-- Holds: rules, claim, write. Takes one call or many; a refusal is an outcome and not an error.
--
-- Everything is looked at before anything is written, so that nothing has to be undone. The clock
-- is clock_timestamp(): a call that waited for a lock must judge by the moment at which it looks.
-- Locks are taken in one order everywhere; it is in docs/concurrency.md. Among many calls nobody
-- waits for a lock: a call that would have to wait comes back with `wait`, to be made alone.
CREATE FUNCTION bookings_hold(calls jsonb, may_wait boolean) RETURNS SETOF bookings_hold_answer
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    asked bookings_hold_call[] := array(
        SELECT call FROM jsonb_populate_recordset(NULL::bookings_hold_call, calls) AS call);
    ready bookings_hold_call[] := bookings_lock_holders(asked, may_wait);
    at_ timestamptz := clock_timestamp();
    judged bookings_judged_hold[];
    claims bookings_claim[];
    won bookings_hold_facts[];
    held bookings_hold[];
BEGIN
    judged := array(
        SELECT ROW(facts, bookings_refusal_of_hold(facts))::bookings_judged_hold
        FROM bookings_hold_facts_of(ready, at_) AS facts);
    claims := bookings_claim_slots(judged);
    won := array(
        SELECT each.facts FROM unnest(judged) AS each
        JOIN unnest(claims) AS claim ON claim.hold_id = ((each.facts).call).hold_id
        WHERE claim.slots = cardinality((each.facts).slot_ids)
          AND (claim.lapsed_holds IS NULL OR bookings_lapse_as_a_whole(claim.lapsed_holds)));
    IF cardinality(won) > 0 THEN
        PERFORM bookings_expire_lapsed(claims, won);
        held := bookings_write_holds(won);
    END IF;
    RETURN QUERY SELECT answer.* FROM unnest(asked) AS call
        LEFT JOIN unnest(judged) AS each ON ((each.facts).call).number = call.number
        LEFT JOIN unnest(claims) AS claim ON claim.hold_id = call.hold_id
        LEFT JOIN unnest(held) AS hold ON hold.id = call.hold_id
        CROSS JOIN LATERAL bookings_answer_of_hold(call, each, claim, hold) AS answer
        ORDER BY call.number;
END $$;
