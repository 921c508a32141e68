-- A confirmation in one call, as in 0014_confirm.sql. New here: wrong codes are counted in the rows
-- of accounts.guesses as well, by what they would open and for a day, and a code that comes after
-- too many of them is not looked at. A right code costs one look at an index.

-- For how many seconds a guesser has no guesses left against this target; 0 if all have some.
CREATE FUNCTION bookings_wait_for_guesses(
    target_ text, guessers text[], most integer[], now_ timestamptz
) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT coalesce(max(ceil(extract(
        epoch FROM guesses.since + interval '1 day' - now_))::integer), 0)
    FROM unnest(guessers, most) AS asked (guesser, most)
    JOIN accounts_codeguesses AS guesses
        ON guesses.target = target_ AND guesses.guesser = asked.guesser
    WHERE guesses.count >= asked.most AND guesses.since > now_ - interval '1 day'
$$;

-- As accounts.guesses.count_guess, after the look above. The rows are locked in the order of their
-- guessers, as everywhere.
CREATE FUNCTION bookings_count_guess(
    target_ text, guessers text[], most integer[], now_ timestamptz
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO accounts_codeguesses AS guesses (target, guesser, count, since)
    SELECT target_, asked.guesser, 1, now_
    FROM unnest(guessers, most) AS asked (guesser, most)
    WHERE target_ <> ''
    ORDER BY asked.guesser
    ON CONFLICT (target, guesser) DO UPDATE
    SET count = CASE WHEN guesses.since <= now_ - interval '1 day' THEN 1
                     ELSE guesses.count + 1 END,
        since = CASE WHEN guesses.since <= now_ - interval '1 day' THEN now_
                     ELSE guesses.since END
$$;

CREATE FUNCTION bookings_confirm(
    p_hold uuid, p_patient bigint, p_guest uuid, p_account bigint, p_matching smallint[],
    p_most_attempts integer, p_most_visits integer, p_request_id text, p_body text,
    p_own_target text, p_guessers text[], p_most_guesses integer[], p_is_long boolean
) RETURNS bookings_confirm_result LANGUAGE plpgsql AS $$
DECLARE
    result bookings_confirm_result;
    hold bookings_hold;
    old bookings_hold;
    moved bookings_appointment;
    visit bookings_appointment;
    other record;
    patient bigint;
    kind text;
    target text;
    now_ timestamptz;
    opened_ids bigint[];
BEGIN
    SELECT * INTO hold FROM bookings_hold WHERE id = p_hold;
    IF hold.id IS NULL OR NOT bookings_owns(hold, p_patient, p_guest) THEN
        result.outcome := 'not-found';
        RETURN result;
    END IF;
    IF p_patient IS NOT NULL
       AND NOT EXISTS (SELECT FROM accounts_user WHERE id = p_patient AND is_active) THEN
        result.outcome := 'unauthenticated';
        RETURN result;
    END IF;
    IF hold.replaces IS NOT NULL THEN
        SELECT * INTO old FROM bookings_hold WHERE id = hold.replaces;
    END IF;
    -- Slots first and the hold second, as everybody does. A move locks old and new together, so
    -- that two moves that swap their times wait for each other and never deadlock.
    PERFORM FROM doctors_slot WHERE id = ANY(hold.slot_ids || coalesce(old.slot_ids, '{}'))
    ORDER BY id FOR UPDATE;
    SELECT * INTO hold FROM bookings_hold WHERE id = p_hold FOR UPDATE;
    now_ := clock_timestamp();
    result.starts_at := hold.starts_at;
    result.patient_id := hold.patient_id;
    result.guest_key := hold.guest_key;

    IF hold.state = 'confirmed' THEN
        result.outcome := 'confirmed';
        IF p_body IS NOT NULL THEN
            SELECT * INTO visit FROM bookings_appointment
            WHERE id = hold.id AND starts_at = hold.starts_at;
            result.words := bookings_filled_appointment(p_body, visit);
        END IF;
        RETURN result;
    ELSIF hold.otp_attempts >= p_most_attempts THEN
        result.outcome := 'otp-locked';
        RETURN result;
    ELSIF hold.state <> 'held' OR hold.expires_at <= now_ THEN
        result.outcome := 'hold-expired';
        SELECT * INTO moved FROM bookings_appointment
        WHERE id = hold.replaces AND starts_at = old.starts_at;
        IF moved.status <> 'confirmed' THEN  -- why it has ended, and what there is to know
            result.outcome := 'not-changeable';
            result.words := moved.status;
        END IF;
        RETURN result;
    ELSIF hold.code_sent_at IS NULL THEN
        result.outcome := 'details-missing';
        RETURN result;
    END IF;
    kind := CASE WHEN p_patient IS NULL THEN 'guest' ELSE 'patient' END;

    -- What a guess would open: a guest's code proves the mailbox it went to. Guesses at several
    -- holds of one mailbox wait for each other, so that no more than the limit are looked at.
    target := coalesce(p_own_target, hold.guess_target);
    IF target <> '' THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('guesses-of:' || target, 0));
        now_ := clock_timestamp();
        result.attempts_left := bookings_wait_for_guesses(
            target, p_guessers, p_most_guesses, now_);
        IF result.attempts_left > 0 AND NOT p_is_long THEN
            result.outcome := 'too-many-guesses';
            RETURN result;
        END IF;
    END IF;

    -- Parallel guesses have queued up at the row, and get so many tries in all.
    IF hold.otp_resends <> ALL(p_matching) THEN
        PERFORM bookings_count_guess(target, p_guessers, p_most_guesses, now_);
        result.attempts_left := p_most_attempts - hold.otp_attempts - 1;
        UPDATE bookings_hold SET otp_attempts = otp_attempts + 1,
            state = CASE WHEN result.attempts_left = 0 THEN 'released' ELSE state END
        WHERE id = hold.id;
        IF result.attempts_left > 0 THEN
            result.outcome := 'otp-invalid';
            RETURN result;
        END IF;
        UPDATE doctors_slot SET state = 'open', hold_id = NULL, held_until = NULL
        WHERE id = ANY(hold.slot_ids) AND hold_id = hold.id AND state = 'held';
        PERFORM bookings_note('hold.released', kind, p_patient, 'hold', hold.id,
                              '{"state": "held"}', '{"state": "released"}', p_request_id);
        PERFORM bookings_announce_release(hold.doctor_id, hold.slot_ids);
        result.outcome := 'otp-locked';
        result.slot_ids := hold.slot_ids;
        RETURN result;
    END IF;

    -- A guest may have signed in while the code was on its way: then it is their visit.
    patient := coalesce(hold.patient_id, p_patient, p_account);
    IF patient IS NULL THEN
        result.outcome := 'account-needed';
        result.email := hold.email;
        result.first_name := hold.first_name;
        result.last_name := hold.last_name;
        result.phone := hold.phone;
        RETURN result;
    END IF;
    IF p_patient IS NULL
       AND NOT EXISTS (SELECT FROM accounts_user WHERE id = patient AND is_active) THEN
        result.outcome := 'unauthenticated';
        RETURN result;
    END IF;
    -- Two visits of one patient that overlap across a month's end (UTC) lie in two partitions,
    -- whose constraints do not see each other: the second must look after the first has committed.
    PERFORM pg_advisory_xact_lock(hashtextextended('visits-of:' || patient, 0));
    SELECT * INTO other FROM bookings_busy_with(
        patient, hold.starts_at, hold.ends_at, hold.replaces);
    IF other.id IS NOT NULL THEN
        result.outcome := 'patient-busy';
        result.other_id := other.id;
        result.other_starts_at := other.starts_at;
        RETURN result;
    -- Also of those who were counted when they held it: who was a guest then was not, and an offer
    -- may have been taken since.
    ELSIF hold.replaces IS NULL
        AND bookings_coming_visits(patient, now_) >= p_most_visits THEN
        result.outcome := 'appointment-limit';
        result.attempts_left := p_most_visits;
        RETURN result;
    END IF;

    IF NOT EXISTS (
        SELECT FROM doctors_visittype AS type JOIN doctors_doctor AS doctor
            ON doctor.id = type.doctor_id
        WHERE type.id = hold.visit_type_id AND type.is_active AND doctor.is_active)
    THEN  -- no longer offered
        result.outcome := 'hold-expired';
        RETURN result;
    END IF;
    IF hold.replaces IS NOT NULL THEN
        SELECT * INTO moved FROM bookings_appointment
        WHERE id = hold.replaces AND starts_at = old.starts_at AND patient_id = patient FOR UPDATE;
        IF moved.status IS DISTINCT FROM 'confirmed' THEN
            result.outcome := 'not-changeable';
            result.words := moved.status;
            RETURN result;
        END IF;
    END IF;
    -- The slots were locked above and the hold is live; rows that say otherwise are not ours. Those
    -- of the visit that moves have stayed its own until now.
    IF (SELECT count(*) FROM doctors_slot
        WHERE id = ANY(hold.slot_ids) AND (
            (hold_id = hold.id AND state = 'held' AND held_until > now_)
            OR (hold_id = hold.replaces AND state = 'booked'))) < cardinality(hold.slot_ids) THEN
        result.outcome := 'hold-expired';
        RETURN result;
    END IF;
    IF hold.replaces IS NOT NULL THEN
        UPDATE bookings_appointment
        SET status = 'rescheduled', version = version + 1, replaced_by = hold.id,
            changed_at = now_, changed_by_kind = kind, changed_by = patient
        WHERE id = hold.replaces AND starts_at = old.starts_at;
        WITH opened AS (
            UPDATE doctors_slot SET state = 'open', hold_id = NULL
            WHERE id = ANY(old.slot_ids) AND id <> ALL(hold.slot_ids)
              AND hold_id = hold.replaces AND state = 'booked' AND starts_at > now_
            RETURNING id
        )
        SELECT array_agg(id) INTO opened_ids FROM opened;
        PERFORM bookings_note('appointment.rescheduled', kind, patient, 'appointment',
            hold.replaces,
            jsonb_build_object('status', 'confirmed', 'version', moved.version),
            jsonb_build_object('status', 'rescheduled', 'version', moved.version + 1,
                               'replaced_by', hold.id),
            p_request_id);
        PERFORM bookings_announce_release(old.doctor_id, opened_ids);
    END IF;

    UPDATE doctors_slot SET state = 'booked', hold_id = hold.id, held_until = NULL
    WHERE id = ANY(hold.slot_ids);
    UPDATE bookings_hold SET state = 'confirmed', patient_id = patient WHERE id = hold.id;
    INSERT INTO bookings_appointment (
        id, doctor_id, clinic_id, visit_type_id, patient_id, patient_name, starts_at, ends_at,
        status, reason, version, created_at, replaces, visit_name, mode, price_cents, currency,
        place_name, street, postcode, city, country, directions, time_zone)
    VALUES (
        hold.id, hold.doctor_id, hold.clinic_id, hold.visit_type_id, patient,
        btrim(hold.first_name || ' ' || hold.last_name), hold.starts_at, hold.ends_at,
        'confirmed', hold.reason, 1, now_, hold.replaces,
        hold.visit_name, hold.mode, hold.price_cents, hold.currency,
        hold.place_name, hold.street, hold.postcode, hold.city, hold.country, hold.directions,
        hold.time_zone)
    RETURNING * INTO visit;
    PERFORM bookings_note('appointment.confirmed', kind, patient, 'appointment', hold.id, '{}',
        CASE WHEN hold.replaces IS NULL THEN '{"status": "confirmed", "version": 1}'::jsonb
             ELSE jsonb_build_object('status', 'confirmed', 'version', 1,
                                     'replaces', hold.replaces) END,
        p_request_id);
    INSERT INTO outbox_outboxmessage (topic, aggregate_id, payload, created_at, attempts,
                                      handed_out, next_attempt_at, last_error)
    VALUES (
        CASE WHEN hold.replaces IS NULL THEN 'appointment.confirmed'
             ELSE 'appointment.moved' END,
        hold.id::text,
        CASE WHEN hold.replaces IS NULL
             THEN jsonb_build_object('appointment_id', hold.id::text, 'version', '1')
             ELSE jsonb_build_object('appointment_id', hold.id::text, 'version', '1',
                                     'previous_id', hold.replaces::text) END,
        now_, 0, 0, now_, '');
    result.outcome := 'confirmed';
    result.slot_ids := hold.slot_ids;
    result.other_id := hold.replaces;
    IF p_body IS NOT NULL THEN
        result.words := bookings_filled_appointment(p_body, visit);
    END IF;
    RETURN result;
END $$;
