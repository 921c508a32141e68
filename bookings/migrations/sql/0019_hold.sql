-- A hold in one call, as in 0014_hold.sql; the order of locks and the types are explained in
-- 0008_hold.sql. New here: the horizon compares days. Where clocks go back at one in the morning,
-- as in Havana, midnight comes twice, and an instant of it would let in the hour between.

CREATE OR REPLACE FUNCTION bookings_hold(
    p_id uuid, p_slot bigint, p_visit_type bigint,
    p_patient bigint, p_guest uuid, p_holder text, p_actor text, p_address bigint,
    p_term interval, p_resend interval,
    p_most_of_holder integer, p_most_of_address integer, p_most_visits integer,
    p_replaces uuid, p_entry uuid, p_with_code boolean, p_by_sms boolean, p_reason text,
    p_phone text, p_request_id text,
    p_key text, p_route text, p_fingerprint text, p_status integer, p_body text, p_location text
) RETURNS bookings_hold_result LANGUAGE plpgsql AS $$
DECLARE
    result bookings_hold_result;
    moved bookings_hold;
    kept bookings_appointment;
    record_ http_idempotencyrecord;
    pause bookings_bookingpause;
    first doctors_slot;
    place doctors_clinic;
    visit record;
    patient accounts_user;
    run record;
    claimed record;
    other record;
    now_ timestamptz;
    states text[];
    live bigint;
    further bigint := 0;
    same uuid;
    near timestamptz;
    number text;
    -- Who comes is known, from the visit that moves or the account: when the API asks for the code
    -- at once, and in an offer,
    -- whose link proves the address as well as a code would.
    known boolean := p_with_code OR p_entry IS NOT NULL;
BEGIN
    IF p_patient IS NOT NULL THEN
        SELECT * INTO patient FROM accounts_user WHERE id = p_patient AND is_active;
        IF NOT FOUND THEN
            result.outcome := 'unauthenticated';
            RETURN result;
        END IF;
    END IF;
    -- A retry waits for the first request with its key, then finds what that one was answered.
    IF p_key IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(p_key, p_patient));
        SELECT * INTO record_ FROM http_idempotencyrecord WHERE user_id = p_patient AND key = p_key;
        IF FOUND THEN
            result.outcome := CASE WHEN record_.fingerprint = p_fingerprint THEN 'replay'
                                   ELSE 'idempotency-key-reused' END;
            result.amount := record_.status;
            result.words := record_.body;
            result.location := record_.location;
            RETURN result;
        END IF;
    END IF;
    -- Two requests of one holder would both count before either has inserted.
    IF p_entry IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(p_holder, 0));
    END IF;
    now_ := clock_timestamp();

    SELECT type.name, type.slots, type.buffer_slots, type.mode, type.price_cents, type.currency,
           doctor.id AS doctor_id, doctor.slot_minutes, doctor.min_notice_minutes,
           doctor.horizon_days
    INTO visit FROM doctors_visittype AS type JOIN doctors_doctor AS doctor
        ON doctor.id = type.doctor_id
    WHERE type.id = p_visit_type AND type.is_active AND doctor.is_active;
    IF NOT FOUND THEN
        result.outcome := 'unknown-visit-type';
        RETURN result;
    END IF;
    result.doctor_id := visit.doctor_id;
    SELECT * INTO first FROM doctors_slot WHERE id = p_slot AND doctor_id = visit.doctor_id;
    IF NOT FOUND THEN
        result.outcome := 'unknown-slot';
        RETURN result;
    END IF;
    result.starts_at := first.starts_at;
    result.clinic_id := first.clinic_id;
    SELECT * INTO place FROM doctors_clinic WHERE id = first.clinic_id;

    IF p_replaces IS NOT NULL THEN
        SELECT * INTO moved FROM bookings_hold WHERE id = p_replaces;
        SELECT * INTO kept FROM bookings_appointment
        WHERE id = moved.id AND starts_at = moved.starts_at;
        -- As bookings.appointments.selectors.appointments.reason_as_agreed: what the reason has become since is
        -- for new visits.
        IF kept.visit_type_id = p_visit_type THEN
            visit.name := kept.visit_name;
            visit.mode := kept.mode;
            visit.price_cents := kept.price_cents;
            visit.currency := kept.currency;
            visit.slots := ceil(
                extract(epoch FROM kept.ends_at - kept.starts_at) / 60 / visit.slot_minutes);
        END IF;
    END IF;
    patient.first_name := coalesce(nullif(moved.first_name, ''), patient.first_name);
    patient.last_name := coalesce(nullif(moved.last_name, ''), patient.last_name);
    patient.phone := coalesce(nullif(p_phone, ''), nullif(moved.phone, ''), patient.phone);
    IF p_with_code AND visit.mode = 'phone' AND patient.phone = '' THEN
        result.outcome := 'phone-needed';
        RETURN result;
    END IF;
    -- A move keeps doctor and reason; an offer may be with another doctor whom its patient named.
    IF p_replaces IS NOT NULL AND p_entry IS NULL THEN
        IF (moved.doctor_id, moved.visit_type_id)
           IS DISTINCT FROM (visit.doctor_id, p_visit_type)
           OR moved.starts_at = first.starts_at THEN
            result.outcome := 'other-visit';
            RETURN result;
        END IF;
    END IF;

    SELECT * INTO pause FROM bookings_bookingpause WHERE is_on AND coalesce(until > now_, true);
    IF FOUND THEN
        result.outcome := 'booking-disabled';
        result.until := pause.until;
        result.words := pause.message;
        RETURN result;
    END IF;
    IF first.starts_at < now_ + make_interval(mins => visit.min_notice_minutes)
       OR (first.starts_at AT TIME ZONE place.time_zone)::date
          >= (now_ AT TIME ZONE place.time_zone)::date + visit.horizon_days THEN
        result.outcome := 'outside-booking-window';
        RETURN result;
    END IF;

    SELECT * INTO run FROM bookings_run_of_slots(first, visit.slots, visit.buffer_slots);
    IF run.ids IS NULL OR first.mode NOT IN (visit.mode, 'any') THEN
        result.outcome := 'slot-taken';
        RETURN result;
    END IF;
    result.slot_ids := run.ids;
    result.ends_at := run.ends_at;

    IF p_patient IS NOT NULL THEN
        SELECT * INTO other
        FROM bookings_busy_with(p_patient, first.starts_at, run.ends_at, p_replaces);
        IF other.id IS NOT NULL THEN
            result.outcome := 'patient-busy';
            result.other_id := other.id;
            result.other_starts_at := other.starts_at;
            RETURN result;
        END IF;
    END IF;

    IF p_entry IS NULL THEN
        -- Offers of the waitlist count against no limit.
        SELECT count(*) FILTER (WHERE waitlist_entry_id IS NULL),
               count(*) FILTER (WHERE waitlist_entry_id IS NULL AND replaces IS NULL),
               (array_agg(id) FILTER (
                    WHERE slot_ids[1] = p_slot AND visit_type_id = p_visit_type
                      AND replaces IS NOT DISTINCT FROM p_replaces
                      AND (code_sent_at IS NOT NULL OR NOT p_with_code)
                      AND waitlist_entry_id IS NULL
                      AND bookings_owns(bookings_hold, p_patient, p_guest)))[1],
               min(starts_at) FILTER (
                    WHERE doctor_id = visit.doctor_id
                      AND starts_at < run.ends_at AND ends_at > first.starts_at)
        INTO live, further, same, near FROM bookings_hold
        WHERE state = 'held' AND expires_at > now_
          AND (patient_id = p_patient OR guest_key = p_guest);
        -- The same once more, whose page or answer was lost: they go on with that one.
        IF same IS NOT NULL THEN
            result.outcome := 'slot-held';
            result.other_id := same;
            RETURN result;
        END IF;
        IF live >= p_most_of_holder THEN
            result.outcome := 'hold-limit';
            result.amount := p_most_of_holder;
            RETURN result;
        END IF;
        IF p_address IS NOT NULL THEN
            PERFORM pg_advisory_xact_lock(p_address);
            IF (SELECT count(*) FROM bookings_hold
                WHERE state = 'held' AND expires_at > now_ AND made_from = p_address)
               >= p_most_of_address THEN
                result.outcome := 'hold-limit';
                result.amount := p_most_of_address;
                SELECT min(expires_at) INTO result.until FROM bookings_hold
                WHERE state = 'held' AND expires_at > now_ AND made_from = p_address;
                RETURN result;
            END IF;
        END IF;
        -- Of a visit that moves, slots may seem free that an attempt to move it will take.
        IF near IS NOT NULL THEN
            result.outcome := 'slot-held';
            result.other_starts_at := near;
            RETURN result;
        END IF;
    END IF;

    IF p_replaces IS NULL
       AND further + bookings_coming_visits(p_patient, now_) >= p_most_visits THEN
        result.outcome := 'appointment-limit';
        result.amount := p_most_visits;
        RETURN result;
    END IF;

    -- Nobody waits here: a row that somebody works on just now counts as held, so that a rush turns
    -- away at once instead of queueing in front of the winner's next statement. What the visit has
    -- that would move stays booked, so that nothing is lost if nobody confirms.
    SELECT count(*) AS slots, array_agg(DISTINCT hold_id) FILTER (WHERE state = 'held') AS holds
    INTO claimed FROM (
        SELECT hold_id, state FROM doctors_slot
        WHERE id = ANY(run.ids)
          AND (state = 'open' OR (state = 'held' AND held_until <= clock_timestamp())
               OR (state = 'booked' AND hold_id = p_replaces))
        ORDER BY id FOR UPDATE SKIP LOCKED) AS free;
    IF claimed.slots < cardinality(run.ids) THEN
        -- Booked by the visit that moves: somebody works on it just now.
        SELECT array_agg(CASE WHEN hold_id = p_replaces THEN 'held' ELSE state END) INTO states
        FROM doctors_slot WHERE id = ANY(run.ids);
        result.outcome := CASE WHEN states <@ ARRAY['open', 'held'] THEN 'slot-held'
                               ELSE 'slot-taken' END;
        RETURN result;
    END IF;

    IF claimed.holds IS NOT NULL THEN
        WITH ended AS (
            UPDATE bookings_hold SET state = 'expired'
            WHERE id = ANY(claimed.holds) AND state = 'held' RETURNING id, slot_ids
        ), noted AS (
            INSERT INTO audit_auditevent (at, action, actor_kind, object_type, object_id,
                                          before, after, request_id)
            SELECT clock_timestamp(), 'hold.expired', 'system', 'hold', id::text,
                   '{"state": "held"}', '{"state": "expired"}', p_request_id FROM ended
        )
        SELECT array_agg(slot_id) INTO result.lapsed
        FROM ended, unnest(slot_ids) AS slot_id WHERE slot_id <> ALL(run.ids);
    END IF;

    now_ := clock_timestamp();
    -- Nobody confirms a visit that has begun.
    result.expires_at := least(now_ + p_term, first.starts_at);
    UPDATE doctors_slot SET state = 'held', hold_id = p_id, held_until = result.expires_at
    WHERE id = ANY(run.ids) AND state <> 'booked';
    INSERT INTO bookings_hold (
        id, doctor_id, clinic_id, visit_type_id, slot_ids, starts_at, ends_at, patient_id,
        guest_key, first_name, last_name, email, phone, reason, state, expires_at, code_sent_at,
        otp_attempts, otp_resends, created_at, replaces, waitlist_entry_id, made_from,
        visit_name, mode, price_cents, currency,
        place_name, street, postcode, city, country, directions, time_zone)
    VALUES (
        p_id, first.doctor_id, first.clinic_id, p_visit_type, run.ids, first.starts_at,
        run.ends_at, p_patient, CASE WHEN p_patient IS NULL THEN p_guest END,
        CASE WHEN known THEN patient.first_name ELSE '' END,
        CASE WHEN known THEN patient.last_name ELSE '' END,
        CASE WHEN known THEN patient.email ELSE '' END,
        CASE WHEN known THEN patient.phone ELSE '' END,
        -- What was written to one clinic is not for another.
        CASE WHEN p_reason <> '' OR NOT known OR moved.clinic_id IS DISTINCT FROM first.clinic_id
             THEN p_reason ELSE moved.reason END,
        'held', result.expires_at, CASE WHEN known THEN now_ END,
        0, 0, now_, p_replaces, p_entry, p_address,
        visit.name, visit.mode, visit.price_cents, visit.currency,
        place.name, place.street, place.postcode, place.city, place.country, place.directions,
        place.time_zone);
    INSERT INTO audit_auditevent (at, action, actor_kind, actor_id, object_type, object_id,
                                  before, after, request_id)
    VALUES (now_, 'hold.created', p_actor, p_patient, 'hold', p_id::text, '{}',
            jsonb_build_object('state', 'held', 'slots', run.ids), p_request_id);
    IF p_with_code THEN
        INSERT INTO audit_auditevent (at, action, actor_kind, actor_id, object_type, object_id,
                                      before, after, request_id)
        VALUES (now_, 'hold.code_requested', p_actor, p_patient, 'hold', p_id::text, '{}',
                '{"resends": 0}', p_request_id);
        INSERT INTO outbox_outboxmessage (topic, aggregate_id, payload, created_at, attempts,
                                          handed_out, next_attempt_at, last_error)
        VALUES ('otp.requested', p_id::text,
                jsonb_build_object('hold_id', p_id::text, 'resend', '0'), now_, 0, 0, now_, '');
    END IF;
    result.outcome := 'held';
    IF p_body IS NOT NULL THEN
        number := CASE WHEN p_by_sms THEN bookings_number_for_sms(patient.phone) ELSE '' END;
        result.words := bookings_fill_in(p_body, jsonb_build_object(
            'expires_at', bookings_local_iso(result.expires_at, place.time_zone),
            'doctor_id', first.doctor_id,
            'starts_at', bookings_local_iso(first.starts_at, place.time_zone),
            'ends_at', bookings_local_iso(run.ends_at, place.time_zone),
            'resend_at', bookings_local_iso(now_ + p_resend, place.time_zone),
            'channel', CASE number WHEN '' THEN 'email' ELSE 'sms' END,
            'sent_to', CASE number WHEN '' THEN bookings_masked_email(patient.email)
                                   ELSE '•••• ' || right(number, 2) END
        ));
        result.location := p_location;
        INSERT INTO http_idempotencyrecord (user_id, key, route, fingerprint, status, body,
                                            location, created_at)
        VALUES (p_patient, p_key, p_route, p_fingerprint, p_status, result.words, p_location, now_);
    END IF;
    RETURN result;
END $$;
