-- The rules of a confirmation, in the order in which they are asked: the first that refuses is
-- answered. `confirmed` is a repeat of what has been confirmed before.
CREATE FUNCTION bookings_refusal_of_confirmation(facts bookings_confirm_facts) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN (facts.hold).id IS NULL THEN 'not-found'
        WHEN bookings_caller_is_switched_off(facts) THEN 'unauthenticated'
        WHEN (facts.hold).state = 'confirmed' THEN 'confirmed'
        WHEN (facts.hold).otp_attempts >= (facts.call).most_attempts THEN 'otp-locked'
        WHEN bookings_has_ended(facts) THEN bookings_why_it_has_ended(facts)
        WHEN (facts.hold).code_sent_at IS NULL THEN 'details-missing'
        WHEN facts.guesses_wait > 0 AND NOT (facts.call).is_long THEN 'too-many-guesses'
        WHEN (facts.hold).otp_resends <> ALL((facts.call).matching) THEN 'otp-invalid'
        WHEN bookings_belongs_to_nobody(facts) THEN 'account-needed'
        WHEN facts.patient_is_active IS NOT TRUE THEN 'unauthenticated'
        WHEN (facts.others).busy_id IS NOT NULL THEN 'patient-busy'
        WHEN bookings_has_enough_visits(facts) THEN 'appointment-limit'
        WHEN facts.is_offered IS NOT TRUE THEN 'hold-expired'
        WHEN bookings_cannot_move(facts) THEN 'not-changeable'
        WHEN NOT facts.has_its_slots THEN 'hold-expired'
    END
$$;

CREATE FUNCTION bookings_caller_is_switched_off(facts bookings_confirm_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).patient_id IS NOT NULL AND facts.caller_is_active IS NOT TRUE
$$;

CREATE FUNCTION bookings_has_ended(facts bookings_confirm_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.hold).state <> 'held' OR (facts.hold).expires_at <= facts.at_
$$;

-- A move may have ended because its visit has changed.
CREATE FUNCTION bookings_why_it_has_ended(facts bookings_confirm_facts) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN (facts.moved).status <> 'confirmed' THEN 'not-changeable'
                ELSE 'hold-expired' END
$$;

-- A guest may have signed in while the code was on its way: then it is their visit.
CREATE FUNCTION bookings_belongs_to_nobody(facts bookings_confirm_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((facts.hold).patient_id, (facts.call).patient_id, (facts.call).account_id)
           IS NULL
$$;

-- Also of those who were counted when they held it: who was a guest then was not, and an offer may
-- have been taken since.
CREATE FUNCTION bookings_has_enough_visits(facts bookings_confirm_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.hold).replaces IS NULL
       AND (facts.others).ahead >= (facts.call).most_visits
$$;

CREATE FUNCTION bookings_cannot_move(facts bookings_confirm_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.hold).replaces IS NOT NULL
       AND ((facts.moved).status IS DISTINCT FROM 'confirmed'
            OR (facts.moved).patient_id IS DISTINCT FROM facts.patient_id)
$$;

CREATE FUNCTION bookings_actor_of(call bookings_confirm_call) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN call.patient_id IS NULL THEN 'guest' ELSE 'patient' END
$$;
