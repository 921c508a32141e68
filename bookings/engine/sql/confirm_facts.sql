-- Each call with what it is judged by, once its rows are locked.
CREATE FUNCTION bookings_confirm_facts_of(calls bookings_confirm_call[], at_ timestamptz)
RETURNS SETOF bookings_confirm_facts LANGUAGE sql STABLE AS $$
    SELECT call, at_, hold, old, moved, patient.id, caller.is_active, patient.is_active,
           doctor, type.is_active AND doctor.is_active, has_its_slots, guesses_wait, others
    FROM unnest(calls) AS call
    LEFT JOIN bookings_hold AS hold
        ON hold.id = call.hold_id AND bookings_owns(hold, call.patient_id, call.guest_key)
    LEFT JOIN bookings_hold AS old ON old.id = hold.replaces
    LEFT JOIN bookings_appointment AS moved
        ON moved.id = old.id AND moved.starts_at = old.starts_at
    LEFT JOIN accounts_user AS caller ON caller.id = call.patient_id
    LEFT JOIN accounts_user AS patient
        ON patient.id = coalesce(hold.patient_id, call.patient_id, call.account_id)
    LEFT JOIN doctors_visittype AS type ON type.id = hold.visit_type_id
    LEFT JOIN doctors_doctor AS doctor ON doctor.id = type.doctor_id
    CROSS JOIN LATERAL bookings_other_visits_of(
        patient => patient.id, from_ => hold.starts_at, until_ => hold.ends_at,
        apart_from => hold.replaces, at_ => at_) AS others
    CROSS JOIN LATERAL bookings_has_its_slots(hold, at_) AS has_its_slots
    CROSS JOIN LATERAL bookings_guesses_wait(
        target_ => coalesce(call.own_target, hold.guess_target),
        guessers => call.guessers, most => call.most_guesses, at_ => at_) AS guesses_wait
    OFFSET 0  -- as in bookings_hold_facts_of
$$;

-- The slots are locked and the hold is live: rows that say otherwise are not ours. Those of the visit
-- that moves have stayed its own until now.
CREATE FUNCTION bookings_has_its_slots(hold bookings_hold, at_ timestamptz)
RETURNS SETOF boolean LANGUAGE sql STABLE AS $$
    SELECT count(*) = cardinality(hold.slot_ids) FROM doctors_slot AS slot
    WHERE slot.id = ANY(hold.slot_ids) AND (
        (slot.hold_id = hold.id AND slot.state = 'held' AND slot.held_until > at_)
        OR (slot.hold_id = hold.replaces AND slot.state = 'booked'))
$$;

-- For how many seconds a guesser has no guesses left against this target; 0 if all have some.
CREATE FUNCTION bookings_guesses_wait(
    target_ text, guessers text[], most integer[], at_ timestamptz
) RETURNS SETOF integer LANGUAGE sql STABLE AS $$
    SELECT coalesce(max(ceil(extract(
        epoch FROM guesses.since + interval '1 day' - at_))::integer), 0)
    FROM unnest(guessers, most) AS asked (guesser, most)
    JOIN accounts_codeguesses AS guesses
        ON guesses.target = target_ AND guesses.guesser = asked.guesser
    WHERE guesses.count >= asked.most AND guesses.since > at_ - interval '1 day'
$$;
