-- Writes what was decided, and returns the holds.
CREATE FUNCTION bookings_write_holds(won bookings_hold_facts[]) RETURNS bookings_hold[]
LANGUAGE plpgsql AS $$
DECLARE
    written_at timestamptz := clock_timestamp();
    held bookings_hold[];
BEGIN
    UPDATE doctors_slot SET state = 'held', hold_id = (facts.call).hold_id,
        held_until = bookings_held_until(facts, written_at)
    FROM unnest(won) AS facts, unnest(facts.slot_ids) AS slot_id
    WHERE doctors_slot.id = slot_id AND state <> 'booked';
    held := bookings_insert_holds(won, written_at);
    PERFORM audit_write(array(
        SELECT ROW('hold.created', (facts.call).actor_kind, (facts.call).patient_id, 'hold',
                   (facts.call).hold_id, '{}',
                   jsonb_build_object('state', 'held', 'slots', facts.slot_ids),
                   (facts.call).request_id)::audit_fact
        FROM unnest(won) AS facts
        UNION ALL
        SELECT ROW('hold.code_requested', (facts.call).actor_kind, (facts.call).patient_id, 'hold',
                   (facts.call).hold_id, '{}', '{"resends": 0}',
                   (facts.call).request_id)::audit_fact
        FROM unnest(won) AS facts WHERE (facts.call).with_code));
    PERFORM outbox_publish(array(
        SELECT ROW('otp.requested', (facts.call).hold_id::text, jsonb_build_object(
                   'hold_id', (facts.call).hold_id::text, 'resend', '0'))::outbox_fact
        FROM unnest(won) AS facts WHERE (facts.call).with_code));
    PERFORM http_keep_outcomes(array(
        SELECT ROW((facts.call).patient_id, (facts.call).key, (facts.call).route,
                   (facts.call).fingerprint, (facts.call).status, jsonb_build_object(
                   'hold_id', (facts.call).hold_id,
                   'expires_at', bookings_held_until(facts, written_at)))::http_outcome
        FROM unnest(won) AS facts WHERE (facts.call).key IS NOT NULL));
    RETURN held;
END $$;

-- Nobody confirms a visit that has begun.
CREATE FUNCTION bookings_held_until(facts bookings_hold_facts, at_ timestamptz)
RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT least(at_ + make_interval(secs => (facts.call).seconds), (facts.slot).starts_at)
$$;

-- Who comes is known, from the visit that moves or the account: when the API asks for the code at
-- once, and in an offer, whose link proves the address as well as a code would.
CREATE FUNCTION bookings_knows_who_comes(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).with_code OR (facts.call).waitlist_entry_id IS NOT NULL
$$;

CREATE FUNCTION bookings_reason_of(facts bookings_hold_facts) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN (facts.call).reason <> '' OR NOT bookings_knows_who_comes(facts)
                THEN (facts.call).reason
                ELSE bookings_reason_that_moves(reason => (facts.moved).reason,
                    from_clinic => (facts.moved).clinic_id, to_clinic => (facts.slot).clinic_id)
           END
$$;

-- What was written to one clinic is not for another.
CREATE FUNCTION bookings_reason_that_moves(reason text, from_clinic bigint, to_clinic bigint)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN from_clinic = to_clinic THEN reason ELSE '' END
$$;

CREATE FUNCTION bookings_insert_holds(won bookings_hold_facts[], written_at timestamptz)
RETURNS bookings_hold[] LANGUAGE plpgsql AS $$
DECLARE
    held bookings_hold[];
BEGIN
    WITH written AS (
        INSERT INTO bookings_hold (
            id, doctor_id, clinic_id, visit_type_id, slot_ids, starts_at, ends_at, patient_id,
            guest_key, first_name, last_name, email, phone, reason, state, expires_at, code_sent_at,
            otp_attempts, otp_resends, created_at, replaces, waitlist_entry_id, made_from,
            visit_name, mode, price_cents, currency,
            place_name, street, postcode, city, country, directions, time_zone)
        SELECT
            (call).hold_id, (doctor).id, (slot).clinic_id, (visit_type).id, slot_ids,
            (slot).starts_at, ends_at, (call).patient_id,
            CASE WHEN (call).patient_id IS NULL THEN (call).guest_key END,
            CASE WHEN is_known THEN coalesce(nullif((moved).first_name, ''), (patient).first_name)
                 ELSE '' END,
            CASE WHEN is_known THEN coalesce(nullif((moved).last_name, ''), (patient).last_name)
                 ELSE '' END,
            CASE WHEN is_known THEN (patient).email ELSE '' END,
            CASE WHEN is_known THEN bookings_phone_of(facts) ELSE '' END,
            bookings_reason_of(facts), 'held', bookings_held_until(facts, written_at),
            CASE WHEN is_known THEN written_at END, 0, 0, written_at,
            (call).replaces, (call).waitlist_entry_id, (call).address,
            (visit_type).name, (visit_type).mode, (visit_type).price_cents, (visit_type).currency,
            (clinic).name, (clinic).street, (clinic).postcode, (clinic).city, (clinic).country,
            (clinic).directions, (clinic).time_zone
        FROM unnest(won) AS facts, bookings_knows_who_comes(facts) AS is_known
        RETURNING bookings_hold.*)
    SELECT array_agg(written::bookings_hold) INTO held FROM written;
    RETURN held;
END $$;

CREATE FUNCTION bookings_answer_of_hold(
    call bookings_hold_call, judged bookings_judged_hold, claim bookings_claim, hold bookings_hold
) RETURNS bookings_hold_answer LANGUAGE plpgsql STABLE AS $$
DECLARE
    facts bookings_hold_facts := judged.facts;
    answer bookings_hold_answer;
BEGIN
    answer.number := call.number;
    answer.hold := hold;
    answer.outcome := CASE
        WHEN hold.id IS NOT NULL THEN 'held'
        WHEN (facts.call).hold_id IS NULL THEN 'wait'
        ELSE coalesce(judged.refusal, bookings_why_not_claimed(facts, claim)) END;
    CASE answer.outcome
        WHEN 'replay' THEN
            answer.recorded := facts.recorded;
            answer.hold := facts.first_hold;
        WHEN 'patient-busy' THEN
            answer.other_id := (facts.others).busy_id;
            answer.other_starts_at := (facts.others).busy_from;
        WHEN 'held-before' THEN
            answer.other_id := (facts.live).same_id;
        WHEN 'hold-limit' THEN
            answer.amount := call.most_of_holder;
        WHEN 'address-limit' THEN
            answer.amount := call.most_of_address;
            answer.until := (facts.live).address_until;
        WHEN 'appointment-limit' THEN
            answer.amount := call.most_visits;
        WHEN 'booking-disabled' THEN
            answer.until := (facts.pause).until;
            answer.message := (facts.pause).message;
        ELSE NULL;
    END CASE;
    RETURN answer;
END $$;
