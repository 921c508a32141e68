SET LOCAL check_function_bodies = off;

CREATE OR REPLACE FUNCTION bookings_reason_of(facts bookings_hold_facts) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN (facts.call).reason <> '' OR NOT bookings_knows_who_comes(facts)
                THEN (facts.call).reason
                ELSE bookings_reason_that_moves(reason => (facts.moved).reason,
                    from_clinic => (facts.moved).clinic_id, to_clinic => (facts.slot).clinic_id)
           END
$$;

-- What was written to one clinic is not for another.
CREATE OR REPLACE FUNCTION bookings_reason_that_moves(reason text, from_clinic bigint, to_clinic bigint)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN from_clinic = to_clinic THEN reason ELSE '' END
$$;
