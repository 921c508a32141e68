SET LOCAL check_function_bodies = off;

DROP FUNCTION IF EXISTS bookings_reason_that_moves(reason text, from_clinic bigint, to_clinic bigint);

-- What was written to one clinic is not for another.
CREATE OR REPLACE FUNCTION bookings_reason_of(facts bookings_hold_facts) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN (facts.call).reason <> '' OR NOT bookings_knows_who_comes(facts)
                     OR (facts.moved).clinic_id IS DISTINCT FROM (facts.slot).clinic_id
                THEN (facts.call).reason ELSE (facts.moved).reason END
$$;
