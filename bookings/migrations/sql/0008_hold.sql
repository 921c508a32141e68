-- A hold in one call: all rules, the claim, the hold, its code, audit, message and recorded answer.
--
-- One call is one transaction and one round trip, and its statements keep their plans. A refusal is
-- an outcome and not an error: everything is looked at before anything is written, so that nothing
-- has to be undone. The clock is clock_timestamp(): whoever waited for a lock must judge by the
-- moment at which they look. Locks are taken in the order of every transaction of ours: advisory
-- locks, slots by id, holds, appointments.

CREATE TYPE bookings_hold_result AS (
    outcome text,             -- held, replay, or the code of a refusal
    doctor_id bigint,
    clinic_id bigint,
    slot_ids bigint[],
    starts_at timestamptz,
    ends_at timestamptz,
    expires_at timestamptz,
    lapsed bigint[],          -- slots of lapsed holds that were only partly taken over
    amount integer,           -- the limit that was reached; the status of a replay
    other_id uuid,            -- the visit that keeps the patient busy
    other_starts_at timestamptz,
    until timestamptz,        -- when a pause of booking ends, or the next hold of the network
    words text,               -- the answer, filled in or as it was recorded; why booking pauses
    location text
);

-- RFC 3339 with the zone's offset at that instant, as Python's isoformat() writes it.
CREATE FUNCTION bookings_local_iso(moment timestamptz, zone text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT to_char(moment AT TIME ZONE zone, 'YYYY-MM-DD"T"HH24:MI:SS')
        || CASE WHEN extract(microseconds FROM moment)::bigint % 1000000 = 0 THEN ''
                ELSE to_char(moment AT TIME ZONE zone, '.US') END
        || CASE WHEN moment AT TIME ZONE zone < moment AT TIME ZONE 'UTC' THEN '-' ELSE '+' END
        || to_char(CASE WHEN moment AT TIME ZONE zone < moment AT TIME ZONE 'UTC'
            THEN moment AT TIME ZONE 'UTC' - moment AT TIME ZONE zone
            ELSE moment AT TIME ZONE zone - moment AT TIME ZONE 'UTC' END, 'HH24:MI')
$$;

-- As docbook.notify.masking.masked_email.
CREATE FUNCTION bookings_masked_email(email text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT left(email, 1) || '•••'
        || CASE WHEN strpos(email, '@') > 3 THEN substr(email, strpos(email, '@') - 1, 1)
                ELSE '' END
        || substr(email, strpos(email, '@'))
$$;

-- As bookings.holding.destinations and docbook.notify.phone_numbers: the number for a code by SMS, or ''.
CREATE FUNCTION bookings_number_for_sms(phone text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(substring(
        regexp_replace(regexp_replace(phone, '[\s()./-]', '', 'g'), '^00', '+')
        FROM '^\+[1-9][0-9]{7,14}$'), '')
$$;

-- The slots that a visit starting with this one takes: `wanted` adjacent ones of one clinic and
-- mode, and after them up to `kept_free` that exist, follow without a gap and are not blocked.
-- NULL where there are not `wanted` of them.
CREATE FUNCTION bookings_run_of_slots(
    first doctors_slot, wanted integer, kept_free integer, OUT ids bigint[], OUT ends_at timestamptz
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    following doctors_slot;
    last_end timestamptz := first.ends_at;
BEGIN
    ids := ARRAY[first.id];
    ends_at := first.ends_at;
    IF wanted + kept_free = 1 THEN
        RETURN;
    END IF;
    FOR following IN
        SELECT * FROM doctors_slot AS slot
        WHERE slot.doctor_id = first.doctor_id AND slot.starts_at > first.starts_at
        ORDER BY slot.starts_at LIMIT wanted + kept_free - 1
    LOOP
        EXIT WHEN following.starts_at <> last_end;
        IF cardinality(ids) < wanted THEN
            EXIT WHEN (following.clinic_id, following.mode) <> (first.clinic_id, first.mode);
            ends_at := following.ends_at;
        ELSE
            EXIT WHEN following.state = 'blocked';
        END IF;
        ids := ids || following.id;
        last_end := following.ends_at;
    END LOOP;
    IF cardinality(ids) < wanted THEN
        ids := NULL;
    END IF;
END $$;

-- An active visit of the patient that overlaps [from_, until_), other than `apart_from`. Nothing
-- lasts longer than 48 hours (12 slots of 240 minutes), so older months are left alone.
CREATE FUNCTION bookings_busy_with(
    patient bigint, from_ timestamptz, until_ timestamptz, apart_from uuid,
    OUT id uuid, OUT starts_at timestamptz
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT visit.id, visit.starts_at INTO id, starts_at FROM bookings_appointment AS visit
    WHERE visit.patient_id = patient
      AND visit.starts_at > from_ - interval '48 hours' AND visit.starts_at < until_
      AND visit.ends_at > from_ AND visit.id IS DISTINCT FROM apart_from
      AND visit.status IN ('confirmed', 'arrived', 'completed', 'no_show')
    ORDER BY visit.starts_at LIMIT 1;
END $$;

-- How many visits of the patient are still to come; what a move replaces is not counted.
CREATE FUNCTION bookings_coming_visits(patient bigint, from_ timestamptz, apart_from uuid)
RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM bookings_appointment
    WHERE patient_id = patient AND starts_at > from_ AND status = 'confirmed'
      AND id IS DISTINCT FROM apart_from
$$;

-- Puts facts into an answer: "{name}" becomes the fact of that name, as JSON. The answer is laid
-- out by the door that sends it; only what the database alone knows is filled in here. In one pass:
-- what a fact says is not looked through for names again.
CREATE FUNCTION bookings_fill_in(answer text, facts jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    parts text[] := string_to_array(answer, '"{');
    part text;
    name text;
BEGIN
    answer := parts[1];
    FOREACH part IN ARRAY parts[2:] LOOP
        name := split_part(part, '}"', 1);
        answer := answer || (facts -> name)::text || substr(part, length(name) + 3);
    END LOOP;
    RETURN answer;
END $$;

CREATE FUNCTION bookings_hold(
    p_id uuid, p_slot bigint, p_visit_type bigint,
    p_patient bigint, p_guest uuid, p_holder text, p_actor text, p_address bigint,
    p_term interval, p_resend interval, p_most_of_holder integer, p_most_of_address integer, p_most_visits integer,
    p_replaces uuid, p_entry uuid, p_with_code boolean, p_by_sms boolean, p_reason text,
    p_request_id text,
    p_key text, p_route text, p_fingerprint text, p_status integer, p_body text, p_location text
) RETURNS bookings_hold_result LANGUAGE plpgsql AS $$
DECLARE
    result bookings_hold_result;
    moved bookings_hold;
    record_ http_idempotencyrecord;
    pause bookings_bookingpause;
    first doctors_slot;
    visit record;
    patient accounts_user;
    run record;
    claimed record;
    other record;
    now_ timestamptz;
    states text[];
    live bigint;
    number text;
    -- Who comes is known from the account: when the API asks for the code at once, and in an offer,
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

    SELECT type.slots, type.buffer_slots, type.mode, doctor.id AS doctor_id,
           doctor.min_notice_minutes, doctor.horizon_days
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

    -- A move keeps doctor and reason; an offer may be with another doctor whom its patient named.
    IF p_replaces IS NOT NULL AND p_entry IS NULL THEN
        SELECT * INTO moved FROM bookings_hold WHERE id = p_replaces;
        IF (moved.doctor_id, moved.visit_type_id)
           IS DISTINCT FROM (visit.doctor_id, p_visit_type) THEN
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
       OR first.starts_at >= now_ + make_interval(hours => 24 * visit.horizon_days) THEN
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
        SELECT count(*) INTO live FROM bookings_hold
        WHERE state = 'held' AND expires_at > now_ AND waitlist_entry_id IS NULL
          AND (patient_id = p_patient OR guest_key = p_guest);
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
    END IF;

    IF coalesce(live, 0) + bookings_coming_visits(p_patient, now_, p_replaces) >= p_most_visits
    THEN
        result.outcome := 'appointment-limit';
        result.amount := p_most_visits;
        RETURN result;
    END IF;

    -- Nobody waits here: a row that somebody works on just now counts as held, so that a rush turns
    -- away at once instead of queueing in front of the winner's next statement.
    SELECT count(*) AS slots,
           array_agg(DISTINCT hold_id) FILTER (WHERE hold_id IS NOT NULL) AS holds
    INTO claimed FROM (
        SELECT hold_id FROM doctors_slot
        WHERE id = ANY(run.ids)
          AND (state = 'open' OR (state = 'held' AND held_until <= clock_timestamp()))
        ORDER BY id FOR UPDATE SKIP LOCKED) AS free;
    IF claimed.slots < cardinality(run.ids) THEN
        SELECT array_agg(state) INTO states FROM doctors_slot WHERE id = ANY(run.ids);
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
    WHERE id = ANY(run.ids);
    INSERT INTO bookings_hold (
        id, doctor_id, clinic_id, visit_type_id, slot_ids, starts_at, ends_at, patient_id,
        guest_key, first_name, last_name, email, phone, reason, state, expires_at, code_sent_at,
        otp_attempts, otp_resends, created_at, replaces, waitlist_entry_id, made_from)
    VALUES (
        p_id, first.doctor_id, first.clinic_id, p_visit_type, run.ids, first.starts_at,
        run.ends_at, p_patient, CASE WHEN p_patient IS NULL THEN p_guest END,
        CASE WHEN known THEN patient.first_name ELSE '' END,
        CASE WHEN known THEN patient.last_name ELSE '' END,
        CASE WHEN known THEN patient.email ELSE '' END,
        CASE WHEN known THEN patient.phone ELSE '' END,
        p_reason, 'held', result.expires_at, CASE WHEN known THEN now_ END,
        0, 0, now_, p_replaces, p_entry, p_address);
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
            'expires_at', bookings_local_iso(result.expires_at, zone.time_zone),
            'doctor_id', first.doctor_id,
            'starts_at', bookings_local_iso(first.starts_at, zone.time_zone),
            'ends_at', bookings_local_iso(run.ends_at, zone.time_zone),
            'resend_at', bookings_local_iso(now_ + p_resend, zone.time_zone),
            'channel', CASE number WHEN '' THEN 'email' ELSE 'sms' END,
            'sent_to', CASE number WHEN '' THEN bookings_masked_email(patient.email)
                                   ELSE '•••• ' || right(number, 2) END
        )) FROM doctors_clinic AS zone WHERE zone.id = first.clinic_id;
        result.location := p_location;
        INSERT INTO http_idempotencyrecord (user_id, key, route, fingerprint, status, body,
                                            location, created_at)
        VALUES (p_patient, p_key, p_route, p_fingerprint, p_status, result.words, p_location, now_);
    END IF;
    RETURN result;
END $$;
