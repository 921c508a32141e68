-- A confirmation in one call: state, expiry, code, the slots, the appointment, the visit that it
-- replaces, audit and message. A wrong code is counted, and stays counted: also an outcome.

CREATE TYPE bookings_confirm_result AS (
    outcome text,             -- confirmed, account-needed, or the code of a refusal
    attempts_left integer,
    starts_at timestamptz,    -- of the appointment: its key, with the hold's id
    slot_ids bigint[],        -- whose gate may be opened now; NULL when nothing has ended
    patient_id bigint,        -- who made the hold: a patient,
    guest_key uuid,           -- or a guest
    email text,
    first_name text,
    last_name text,
    phone text,
    other_id uuid,            -- the visit that keeps the patient busy
    other_starts_at timestamptz,
    words text                -- the answer, filled in; what became of the visit to be moved
);

-- Tells the waitlist that slots are free again, where somebody waits for them. One message after
-- the other for each doctor, so that the first in line gets the first time.
CREATE FUNCTION bookings_announce_release(doctor bigint, slots bigint[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO outbox_outboxmessage (topic, aggregate_id, payload, created_at, attempts,
                                      handed_out, next_attempt_at, last_error)
    SELECT 'slot.released', 'times-of-' || doctor, jsonb_build_object(
               'doctor_id', doctor::text,
               'slot_ids', (SELECT string_agg(slot::text, ',' ORDER BY slot)
                            FROM unnest(slots) AS slot)),
           clock_timestamp(), 0, 0, clock_timestamp(), ''
    WHERE cardinality(slots) > 0 AND (
        EXISTS (
            SELECT FROM bookings_waitlistentry WHERE state = 'waiting' AND doctor_id = doctor)
        OR EXISTS (
            SELECT FROM bookings_waitlistentry AS entry
            JOIN doctors_doctor AS who ON who.id = doctor
            WHERE entry.state = 'waiting' AND entry.specialty_id = who.specialty_id
              AND entry.city IN (
                SELECT place.city FROM doctors_slot AS slot
                JOIN doctors_clinic AS place ON place.id = slot.clinic_id
                WHERE slot.id = ANY(slots))))
$$;

CREATE FUNCTION bookings_note(
    action text, kind text, actor bigint, type text, object uuid, before jsonb, after jsonb,
    request_id text
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO audit_auditevent (at, action, actor_kind, actor_id, object_type, object_id,
                                  before, after, request_id)
    VALUES (clock_timestamp(), action, kind, actor, type, object::text, before, after, request_id)
$$;

-- The appointment as an answer to its patient.
CREATE FUNCTION bookings_filled_appointment(answer text, visit bookings_appointment) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT bookings_fill_in(answer, jsonb_build_object(
        'status', visit.status,
        'version', visit.version,
        'doctor_id', doctor.id,
        'doctor_slug', doctor.slug,
        'doctor_name', doctor.name,
        'visit_type_id', type.id,
        'visit_type_name', type.name,
        'mode', type.mode,
        'minutes', type.slots * doctor.slot_minutes,
        'price_cents', type.price_cents,
        'currency', type.currency,
        'starts_at', bookings_local_iso(visit.starts_at, clinic.time_zone),
        'ends_at', bookings_local_iso(visit.ends_at, clinic.time_zone),
        'time_zone', clinic.time_zone,
        'address', clinic.street || ', '
            || CASE WHEN clinic.postcode = '' THEN '' ELSE clinic.postcode || ' ' END
            || clinic.city,
        'patient_name', visit.patient_name,
        'reason', visit.reason,
        'changeable_until', bookings_local_iso(
            visit.starts_at - make_interval(mins => doctor.change_notice_minutes),
            clinic.time_zone),
        'cancel_reason', CASE visit.status WHEN 'cancelled' THEN visit.change_reason ELSE '' END,
        'replaces', visit.replaces,
        'replaced_by', visit.replaced_by
    ))
    FROM doctors_doctor AS doctor, doctors_clinic AS clinic, doctors_visittype AS type
    WHERE doctor.id = visit.doctor_id AND clinic.id = visit.clinic_id
      AND type.id = visit.visit_type_id
$$;

CREATE FUNCTION bookings_confirm(
    p_hold uuid, p_patient bigint, p_guest uuid, p_account bigint, p_matching smallint[],
    p_most_attempts integer, p_most_visits integer, p_request_id text, p_body text
) RETURNS bookings_confirm_result LANGUAGE plpgsql AS $$
DECLARE
    result bookings_confirm_result;
    hold bookings_hold;
    old bookings_hold;
    visit bookings_appointment;
    type doctors_visittype;
    other record;
    patient bigint;
    kind text;
    now_ timestamptz;
    opened_ids bigint[];
BEGIN
    SELECT * INTO hold FROM bookings_hold WHERE id = p_hold;
    -- As bookings.actors.holder.Holder.owns.
    IF hold.id IS NULL OR NOT coalesce(
        hold.patient_id = p_patient
        OR (hold.guest_key = p_guest
            AND (p_patient IS NULL OR hold.patient_id IS NULL OR hold.patient_id = p_patient)),
        false)
    THEN
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
        RETURN result;
    ELSIF hold.code_sent_at IS NULL THEN
        result.outcome := 'details-missing';
        RETURN result;
    END IF;
    kind := CASE WHEN p_patient IS NULL THEN 'guest' ELSE 'patient' END;

    -- Parallel guesses have queued up at the row, and get so many tries in all.
    IF hold.otp_resends <> ALL(p_matching) THEN
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
    -- Who held it themselves was counted then; a guest is known only now, an offer was made before.
    ELSIF (hold.patient_id IS NULL OR hold.waitlist_entry_id IS NOT NULL)
        AND hold.replaces IS NULL
        AND bookings_coming_visits(patient, now_, NULL) >= p_most_visits
    THEN
        result.outcome := 'appointment-limit';
        result.attempts_left := p_most_visits;
        RETURN result;
    END IF;

    SELECT visit_type.* INTO type FROM doctors_visittype AS visit_type
    JOIN doctors_doctor AS doctor ON doctor.id = visit_type.doctor_id
    WHERE visit_type.id = hold.visit_type_id AND visit_type.is_active AND doctor.is_active;
    IF NOT FOUND THEN  -- no longer offered
        result.outcome := 'hold-expired';
        RETURN result;
    END IF;
    -- The slots were locked above and the hold is live; rows that say otherwise are not ours.
    IF (SELECT count(*) FROM doctors_slot
        WHERE id = ANY(hold.slot_ids) AND hold_id = hold.id
          AND state = 'held' AND held_until > now_) < cardinality(hold.slot_ids) THEN
        result.outcome := 'hold-expired';
        RETURN result;
    END IF;
    IF hold.replaces IS NOT NULL THEN
        UPDATE bookings_appointment
        SET status = 'rescheduled', version = version + 1, replaced_by = hold.id,
            changed_at = now_, changed_by_kind = kind, changed_by = patient
        WHERE id = hold.replaces AND starts_at = old.starts_at AND patient_id = patient
          AND status = 'confirmed'
        RETURNING * INTO visit;
        IF visit.id IS NULL THEN
            result.outcome := 'not-changeable';
            SELECT status INTO result.words FROM bookings_appointment
            WHERE id = hold.replaces AND starts_at = old.starts_at;
            RETURN result;
        END IF;
        WITH opened AS (
            UPDATE doctors_slot SET state = 'open', hold_id = NULL
            WHERE id = ANY(old.slot_ids) AND hold_id = hold.replaces AND state = 'booked'
              AND starts_at > now_
            RETURNING id
        )
        SELECT array_agg(id) INTO opened_ids FROM opened;
        PERFORM bookings_note('appointment.rescheduled', kind, patient, 'appointment',
            hold.replaces,
            jsonb_build_object('status', 'confirmed', 'version', visit.version - 1),
            jsonb_build_object('status', 'rescheduled', 'version', visit.version,
                               'replaced_by', hold.id),
            p_request_id);
        PERFORM bookings_announce_release(old.doctor_id, opened_ids);
    END IF;

    UPDATE doctors_slot SET state = 'booked', held_until = NULL WHERE id = ANY(hold.slot_ids);
    UPDATE bookings_hold SET state = 'confirmed', patient_id = patient WHERE id = hold.id;
    INSERT INTO bookings_appointment (
        id, doctor_id, clinic_id, visit_type_id, patient_id, patient_name, starts_at, ends_at,
        status, reason, price_cents, currency, version, created_at, replaces)
    VALUES (
        hold.id, hold.doctor_id, hold.clinic_id, hold.visit_type_id, patient,
        btrim(hold.first_name || ' ' || hold.last_name), hold.starts_at, hold.ends_at,
        'confirmed', hold.reason, type.price_cents, type.currency, 1, now_, hold.replaces)
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
        CASE WHEN hold.replaces IS NULL THEN jsonb_build_object('appointment_id', hold.id::text)
             ELSE jsonb_build_object('appointment_id', hold.id::text,
                                     'previous_id', hold.replaces::text) END,
        now_, 0, 0, now_, '');
    result.outcome := 'confirmed';
    result.slot_ids := hold.slot_ids;
    IF p_body IS NOT NULL THEN
        result.words := bookings_filled_appointment(p_body, visit);
    END IF;
    RETURN result;
END $$;
