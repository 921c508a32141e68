-- Confirmations: rules, claim, write. Takes one call or many, as bookings_hold does. A wrong code is
-- counted, and stays counted: it is an outcome too.
CREATE FUNCTION bookings_confirm(calls jsonb, may_wait boolean)
RETURNS SETOF bookings_confirm_answer LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    asked bookings_confirm_call[] := array(
        SELECT call FROM jsonb_populate_recordset(NULL::bookings_confirm_call, calls) AS call);
    ready bookings_confirm_call[] := bookings_lock_to_confirm(asked, may_wait);
    at_ timestamptz := clock_timestamp();
    judged bookings_judged_confirmation[];
    accepted bookings_confirm_facts[];
    booked bookings_appointment[];
BEGIN
    judged := array(
        SELECT ROW(facts, bookings_refusal_of_confirmation(facts))::bookings_judged_confirmation
        FROM bookings_confirm_facts_of(ready, at_) AS facts);
    accepted := array(SELECT each.facts FROM unnest(judged) AS each WHERE each.refusal IS NULL);
    IF cardinality(accepted) < cardinality(judged) THEN
        PERFORM bookings_count_wrong_code(each.facts)
        FROM unnest(judged) AS each WHERE each.refusal = 'otp-invalid';
    END IF;
    IF cardinality(accepted) > 0 THEN
        PERFORM bookings_give_up_old_visit(facts)
        FROM unnest(accepted) AS facts WHERE (facts.hold).replaces IS NOT NULL;
        booked := bookings_write_visits(accepted);
    END IF;
    RETURN QUERY SELECT answer.* FROM unnest(asked) AS call
        LEFT JOIN unnest(judged) AS each ON ((each.facts).call).number = call.number
        LEFT JOIN unnest(booked) AS visit
            ON visit.id = call.hold_id AND each.refusal IS NULL AND (each.facts).at_ IS NOT NULL
        CROSS JOIN LATERAL bookings_answer_of_confirmation(call, each, visit) AS answer
        ORDER BY call.number;
END $$;
