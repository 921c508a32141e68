SET LOCAL check_function_bodies = off;

CREATE TYPE bookings_hold_call AS (
    number integer,            -- its place among the calls
    hold_id uuid,
    slot_id bigint,            -- the first of the visit
    visit_type_id bigint,
    patient_id bigint,         -- of a signed-in patient,
    guest_key uuid,            -- or of a guest's browser
    holder_key text,
    actor_kind text,
    address bigint,            -- a digest of the client's address; NULL for one that is not counted
    seconds double precision,  -- how long the time is held
    most_of_holder integer,
    most_of_address integer,
    most_visits integer,
    replaces uuid,             -- the visit that moves
    waitlist_entry_id uuid,    -- of an offer
    with_code boolean,         -- who comes is known, and a code goes out at once
    reason text,
    phone text,
    request_id text,
    key text,                  -- the Idempotency-Key, with what a retry is recognised by
    route text,
    fingerprint text,
    status smallint            -- of the answer
);

-- The other visits of a patient, around a time.
CREATE TYPE bookings_other_visits AS (
    busy_id uuid,                  -- one that overlaps the time
    busy_from timestamptz,
    ahead bigint                   -- how many are still to come
);

-- The live holds of a patient or guest, and of their address. Offers do not count.
CREATE TYPE bookings_live_holds AS (
    holds bigint,
    new_visits bigint,             -- without those that move a visit
    same_id uuid,                  -- the same time for the same visit, asked for once more
    near_from timestamptz,         -- a time of the same doctor that overlaps
    of_address bigint,
    address_until timestamptz
);

-- What a hold is judged by, read at one moment. A row that does not exist is NULL.
CREATE TYPE bookings_hold_facts AS (
    call bookings_hold_call,
    at_ timestamptz,
    recorded http_idempotencyrecord,
    first_hold bookings_hold,      -- that the first request with the key has made
    patient accounts_user,
    visit_type doctors_visittype,  -- as it is offered, or as it was agreed with the visit that moves
    doctor doctors_doctor,
    slot doctors_slot,
    clinic doctors_clinic,
    moved bookings_hold,           -- the hold of the visit that moves
    pause bookings_bookingpause,
    slot_ids bigint[],
    ends_at timestamptz,
    others bookings_other_visits,
    live bookings_live_holds
);

CREATE TYPE bookings_judged_hold AS (
    facts bookings_hold_facts,
    refusal text                   -- the code of the first rule that refuses; NULL if none does
);

-- What a call could lock of the slots that it wants.
CREATE TYPE bookings_claim AS (
    hold_id uuid,
    slots bigint,
    lapsed_holds uuid[],           -- that had them
    comes_second boolean           -- another of the calls was first to ask for one of them
);

CREATE TYPE bookings_hold_answer AS (
    number integer,                -- of the call
    outcome text,                  -- held, replay, wait, or the code of a refusal
    amount integer,                -- the limit that was reached
    other_id uuid,                 -- the visit or the hold that is in the way
    other_starts_at timestamptz,
    until timestamptz,             -- the end of a pause, or of the first hold of the address
    message text,                  -- why booking pauses
    recorded http_idempotencyrecord,
    hold bookings_hold             -- as it was written
);

CREATE TYPE bookings_confirm_call AS (
    number integer,            -- its place among the calls; two may be about one hold
    hold_id uuid,
    patient_id bigint,
    guest_key uuid,
    account_id bigint,             -- of a guest whose address is proved
    matching smallint[],           -- the resends whose code was entered
    most_attempts integer,
    most_visits integer,
    request_id text,
    own_target text,               -- what a wrong code counts against; NULL for the mailbox
    guessers text[],
    most_guesses integer[],
    is_long boolean
);

CREATE TYPE bookings_confirm_facts AS (
    call bookings_confirm_call,
    at_ timestamptz,
    hold bookings_hold,
    old bookings_hold,             -- the hold of the visit that moves
    moved bookings_appointment,    -- the visit that moves
    patient_id bigint,             -- whose visit it becomes
    caller_is_active boolean,
    patient_is_active boolean,
    doctor doctors_doctor,
    is_offered boolean,
    has_its_slots boolean,
    guesses_wait integer,          -- seconds until another code is looked at
    others bookings_other_visits
);

CREATE TYPE bookings_judged_confirmation AS (
    facts bookings_confirm_facts,
    refusal text
);

CREATE TYPE bookings_confirm_answer AS (
    number integer,                -- of the call
    outcome text,                  -- confirmed, account-needed, wait, or the code of a refusal
    amount integer,                -- codes left, seconds to wait, or the limit that was reached
    other_id uuid,                 -- the visit that was moved, or that keeps the patient busy
    other_starts_at timestamptz,
    status text,                   -- of the visit that should have moved
    has_ended boolean,             -- nobody is confirming it any more
    hold bookings_hold,
    visit bookings_appointment,
    doctor doctors_doctor
);

-- What was agreed stands in the rows of holds and appointments. bookings_hold writes it and
-- bookings_confirm copies it; this trigger fills it in for rows that say nothing: moves by the
-- practice, imports, rows of processes that still run an older release.
CREATE OR REPLACE FUNCTION bookings_fill_in_what_is_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    place doctors_clinic;
    type doctors_visittype;
    kept bookings_appointment;
BEGIN
    SELECT * INTO place FROM doctors_clinic WHERE id = NEW.clinic_id;
    SELECT * INTO type FROM doctors_visittype WHERE id = NEW.visit_type_id;
    IF NEW.replaces IS NOT NULL THEN  -- a visit that moves stays what was agreed, at another place
        SELECT visit.* INTO kept FROM bookings_hold AS hold
        JOIN bookings_appointment AS visit USING (id, starts_at)
        WHERE hold.id = NEW.replaces AND visit.visit_type_id = NEW.visit_type_id
          AND visit.time_zone <> '';
    END IF;
    NEW.visit_name := coalesce(kept.visit_name, type.name);
    NEW.mode := coalesce(kept.mode, type.mode);
    IF NEW.currency = '' THEN
        NEW.price_cents := coalesce(kept.price_cents, type.price_cents);
        NEW.currency := coalesce(kept.currency, type.currency);
    END IF;
    NEW.place_name := place.name;
    NEW.street := place.street;
    NEW.postcode := place.postcode;
    NEW.city := place.city;
    NEW.country := place.country;
    NEW.directions := place.directions;
    NEW.time_zone := place.time_zone;
    RETURN NEW;
END $$;

-- Confirmations: rules, claim, write. Takes one call or many, as bookings_hold does. A wrong code is
-- counted, and stays counted: it is an outcome too.
CREATE OR REPLACE FUNCTION bookings_confirm(calls jsonb, may_wait boolean)
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

-- Locks slots first and the hold second, as everybody does. A move locks old and new together, so
-- that two moves that swap their times wait for each other and never deadlock. Then the guesses at a
-- mailbox, so that no more than the limit are looked at, and the patient's visits, so that two
-- confirmations see each other. Only holds of the caller are locked. A move is made alone. Returns
-- the calls that have their locks and share none with a call before them, and those that need none.
CREATE OR REPLACE FUNCTION bookings_lock_to_confirm(calls bookings_confirm_call[], may_wait boolean)
RETURNS bookings_confirm_call[] LANGUAGE plpgsql AS $$
DECLARE
    call bookings_confirm_call;
    hold bookings_hold;
    keys bigint[];
    taken bigint[] := '{}';
    taken_keys bigint[] := '{}';
    ready bookings_confirm_call[] := '{}';
BEGIN
    FOREACH call IN ARRAY calls LOOP
        SELECT * INTO hold FROM bookings_hold WHERE id = call.hold_id;
        IF bookings_owns(hold, call.patient_id, call.guest_key) THEN
            CONTINUE WHEN hold.slot_ids && taken OR (hold.replaces IS NOT NULL AND NOT may_wait);
            hold := bookings_locked_hold(hold, may_wait);
            keys := bookings_keys_of_confirmation(hold, call);
            CONTINUE WHEN hold.id IS NULL OR keys && taken_keys
                OR NOT bookings_has_locks(keys, may_wait);
            PERFORM bookings_lock_visit(hold.replaces);
            taken := taken || hold.slot_ids;
            taken_keys := taken_keys || keys;
        END IF;
        ready := ready || call;
    END LOOP;
    RETURN ready;
END $$;

-- The advisory locks of a confirmation, in their order; "guesses-of:" and "visits-of:" are explained
-- in docbook/lock_keys.py.
CREATE OR REPLACE FUNCTION bookings_keys_of_confirmation(hold bookings_hold, call bookings_confirm_call)
RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    target text := coalesce(call.own_target, hold.guess_target);
    patient bigint := coalesce(hold.patient_id, call.patient_id, call.account_id);
BEGIN
    RETURN array_remove(ARRAY[
        hashtextextended('guesses-of:' || nullif(target, ''), 0),
        hashtextextended('visits-of:' || patient, 0)], NULL);
END $$;

-- The hold once its slots and it are locked, as it is then. NULL if somebody else has one of them and
-- nobody may wait.
CREATE OR REPLACE FUNCTION bookings_locked_hold(hold bookings_hold, may_wait boolean) RETURNS bookings_hold
LANGUAGE plpgsql AS $$
DECLARE
    old bigint[] := '{}';
    locked bookings_hold;
BEGIN
    IF may_wait THEN
        IF hold.replaces IS NOT NULL THEN
            SELECT slot_ids INTO old FROM bookings_hold WHERE id = hold.replaces;
        END IF;
        PERFORM FROM doctors_slot WHERE id = ANY(hold.slot_ids || old) ORDER BY id FOR UPDATE;
        SELECT * INTO locked FROM bookings_hold WHERE id = hold.id FOR UPDATE;
    ELSIF (SELECT count(*) FROM doctors_slot WHERE id = ANY(hold.slot_ids))
          = (SELECT count(*) FROM (
                SELECT FROM doctors_slot WHERE id = ANY(hold.slot_ids)
                ORDER BY id FOR UPDATE SKIP LOCKED) AS free) THEN
        SELECT * INTO locked FROM bookings_hold WHERE id = hold.id FOR UPDATE SKIP LOCKED;
    END IF;
    RETURN locked;
END $$;

-- The visit that moves, after everything else.
CREATE OR REPLACE FUNCTION bookings_lock_visit(hold uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF hold IS NOT NULL THEN
        PERFORM FROM bookings_appointment AS visit JOIN bookings_hold AS old
            ON old.id = visit.id AND old.starts_at = visit.starts_at
        WHERE old.id = hold FOR UPDATE OF visit;
    END IF;
END $$;

-- Parallel guesses have queued up at the row, and get so many tries in all. The last one ends the
-- hold.
CREATE OR REPLACE FUNCTION bookings_count_wrong_code(facts bookings_confirm_facts) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    hold bookings_hold := facts.hold;
    is_last boolean := hold.otp_attempts + 1 >= (facts.call).most_attempts;
BEGIN
    PERFORM bookings_count_guess(
        target_ => coalesce((facts.call).own_target, hold.guess_target),
        guessers => (facts.call).guessers, at_ => facts.at_);
    UPDATE bookings_hold SET otp_attempts = otp_attempts + 1,
        state = CASE WHEN is_last THEN 'released' ELSE state END
    WHERE id = hold.id;
    IF is_last THEN
        UPDATE doctors_slot SET state = 'open', hold_id = NULL, held_until = NULL
        WHERE id = ANY(hold.slot_ids) AND hold_id = hold.id AND state = 'held';
        PERFORM audit_write(ARRAY[ROW(
            'hold.released', bookings_actor_of(facts.call), (facts.call).patient_id, 'hold',
            hold.id, '{"state": "held"}', '{"state": "released"}',
            (facts.call).request_id)::audit_fact]);
        PERFORM bookings_announce_release(hold.doctor_id, hold.slot_ids);
    END IF;
END $$;

-- As accounts.guesses.count_guess. The rows are locked in the order of their guessers, as
-- everywhere.
CREATE OR REPLACE FUNCTION bookings_count_guess(target_ text, guessers text[], at_ timestamptz)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO accounts_codeguesses AS guesses (target, guesser, count, since)
    SELECT target_, guesser, 1, at_ FROM unnest(guessers) AS guesser
    WHERE target_ <> ''
    ORDER BY guesser
    ON CONFLICT (target, guesser) DO UPDATE
    SET count = CASE WHEN guesses.since <= at_ - interval '1 day' THEN 1
                     ELSE guesses.count + 1 END,
        since = CASE WHEN guesses.since <= at_ - interval '1 day' THEN at_
                     ELSE guesses.since END
$$;

-- Each call with what it is judged by, once its rows are locked.
CREATE OR REPLACE FUNCTION bookings_confirm_facts_of(calls bookings_confirm_call[], at_ timestamptz)
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
CREATE OR REPLACE FUNCTION bookings_has_its_slots(hold bookings_hold, at_ timestamptz)
RETURNS SETOF boolean LANGUAGE sql STABLE AS $$
    SELECT count(*) = cardinality(hold.slot_ids) FROM doctors_slot AS slot
    WHERE slot.id = ANY(hold.slot_ids) AND (
        (slot.hold_id = hold.id AND slot.state = 'held' AND slot.held_until > at_)
        OR (slot.hold_id = hold.replaces AND slot.state = 'booked'))
$$;

-- For how many seconds a guesser has no guesses left against this target; 0 if all have some.
CREATE OR REPLACE FUNCTION bookings_guesses_wait(
    target_ text, guessers text[], most integer[], at_ timestamptz
) RETURNS SETOF integer LANGUAGE sql STABLE AS $$
    SELECT coalesce(max(ceil(extract(
        epoch FROM guesses.since + interval '1 day' - at_))::integer), 0)
    FROM unnest(guessers, most) AS asked (guesser, most)
    JOIN accounts_codeguesses AS guesses
        ON guesses.target = target_ AND guesses.guesser = asked.guesser
    WHERE guesses.count >= asked.most AND guesses.since > at_ - interval '1 day'
$$;

-- The rules of a confirmation, in the order in which they are asked: the first that refuses is
-- answered. `confirmed` is a repeat of what has been confirmed before.
CREATE OR REPLACE FUNCTION bookings_refusal_of_confirmation(facts bookings_confirm_facts) RETURNS text
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

CREATE OR REPLACE FUNCTION bookings_caller_is_switched_off(facts bookings_confirm_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).patient_id IS NOT NULL AND facts.caller_is_active IS NOT TRUE
$$;

CREATE OR REPLACE FUNCTION bookings_has_ended(facts bookings_confirm_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.hold).state <> 'held' OR (facts.hold).expires_at <= facts.at_
$$;

-- A move may have ended because its visit has changed.
CREATE OR REPLACE FUNCTION bookings_why_it_has_ended(facts bookings_confirm_facts) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN (facts.moved).status <> 'confirmed' THEN 'not-changeable'
                ELSE 'hold-expired' END
$$;

-- A guest may have signed in while the code was on its way: then it is their visit.
CREATE OR REPLACE FUNCTION bookings_belongs_to_nobody(facts bookings_confirm_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((facts.hold).patient_id, (facts.call).patient_id, (facts.call).account_id)
           IS NULL
$$;

-- Also of those who were counted when they held it: who was a guest then was not, and an offer may
-- have been taken since.
CREATE OR REPLACE FUNCTION bookings_has_enough_visits(facts bookings_confirm_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.hold).replaces IS NULL
       AND (facts.others).ahead >= (facts.call).most_visits
$$;

CREATE OR REPLACE FUNCTION bookings_cannot_move(facts bookings_confirm_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.hold).replaces IS NOT NULL
       AND ((facts.moved).status IS DISTINCT FROM 'confirmed'
            OR (facts.moved).patient_id IS DISTINCT FROM facts.patient_id)
$$;

CREATE OR REPLACE FUNCTION bookings_actor_of(call bookings_confirm_call) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN call.patient_id IS NULL THEN 'guest' ELSE 'patient' END
$$;

-- The visit that moves gives its time back, in the transaction that books the new one.
CREATE OR REPLACE FUNCTION bookings_give_up_old_visit(facts bookings_confirm_facts) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    hold bookings_hold := facts.hold;
    old bookings_hold := facts.old;
    version integer := (facts.moved).version;
    opened bigint[];
BEGIN
    UPDATE bookings_appointment AS visit
    SET status = 'rescheduled', version = visit.version + 1, replaced_by = hold.id,
        changed_at = facts.at_, changed_by_kind = bookings_actor_of(facts.call),
        changed_by = facts.patient_id
    WHERE visit.id = old.id AND visit.starts_at = old.starts_at;
    WITH open AS (
        UPDATE doctors_slot SET state = 'open', hold_id = NULL
        WHERE id = ANY(old.slot_ids) AND id <> ALL(hold.slot_ids)
          AND hold_id = old.id AND state = 'booked' AND starts_at > facts.at_
        RETURNING id)
    SELECT array_agg(id) INTO opened FROM open;
    PERFORM audit_write(ARRAY[ROW(
        'appointment.rescheduled', bookings_actor_of(facts.call), facts.patient_id, 'appointment',
        old.id, jsonb_build_object('status', 'confirmed', 'version', version),
        jsonb_build_object('status', 'rescheduled', 'version', version + 1,
                           'replaced_by', hold.id),
        (facts.call).request_id)::audit_fact]);
    PERFORM bookings_announce_release(old.doctor_id, opened);
END $$;

-- Writes what was decided, and returns the visits.
CREATE OR REPLACE FUNCTION bookings_write_visits(accepted bookings_confirm_facts[])
RETURNS bookings_appointment[] LANGUAGE plpgsql AS $$
DECLARE
    booked bookings_appointment[];
BEGIN
    UPDATE doctors_slot SET state = 'booked', hold_id = (facts.hold).id, held_until = NULL
    FROM unnest(accepted) AS facts, unnest((facts.hold).slot_ids) AS slot_id
    WHERE doctors_slot.id = slot_id;
    UPDATE bookings_hold SET state = 'confirmed', patient_id = facts.patient_id
    FROM unnest(accepted) AS facts WHERE bookings_hold.id = (facts.hold).id;
    booked := bookings_insert_visits(accepted);
    PERFORM audit_write(array(
        SELECT ROW('appointment.confirmed', bookings_actor_of(facts.call), facts.patient_id,
                   'appointment', (facts.hold).id, '{}', jsonb_strip_nulls(jsonb_build_object(
                       'status', 'confirmed', 'version', 1, 'replaces', (facts.hold).replaces)),
                   (facts.call).request_id)::audit_fact
        FROM unnest(accepted) AS facts));
    PERFORM outbox_publish(array(
        SELECT ROW(CASE WHEN (facts.hold).replaces IS NULL THEN 'appointment.confirmed'
                        ELSE 'appointment.moved' END,
                   (facts.hold).id::text, jsonb_strip_nulls(jsonb_build_object(
                       'appointment_id', (facts.hold).id::text, 'version', '1',
                       'previous_id', (facts.hold).replaces::text)))::outbox_fact
        FROM unnest(accepted) AS facts));
    RETURN booked;
END $$;

CREATE OR REPLACE FUNCTION bookings_insert_visits(accepted bookings_confirm_facts[])
RETURNS bookings_appointment[] LANGUAGE plpgsql AS $$
DECLARE
    booked bookings_appointment[];
BEGIN
    WITH written AS (
        INSERT INTO bookings_appointment (
            id, doctor_id, clinic_id, visit_type_id, patient_id, patient_name, starts_at, ends_at,
            status, reason, version, created_at, replaces, visit_name, mode, price_cents, currency,
            place_name, street, postcode, city, country, directions, time_zone)
        SELECT
            (hold).id, (hold).doctor_id, (hold).clinic_id, (hold).visit_type_id, patient_id,
            btrim((hold).first_name || ' ' || (hold).last_name), (hold).starts_at, (hold).ends_at,
            'confirmed', (hold).reason, 1, at_, (hold).replaces,
            (hold).visit_name, (hold).mode, (hold).price_cents, (hold).currency,
            (hold).place_name, (hold).street, (hold).postcode, (hold).city, (hold).country,
            (hold).directions, (hold).time_zone
        FROM unnest(accepted)
        RETURNING bookings_appointment.*)
    SELECT array_agg(written::bookings_appointment) INTO booked FROM written;
    RETURN booked;
END $$;

CREATE OR REPLACE FUNCTION bookings_answer_of_confirmation(
    call bookings_confirm_call, judged bookings_judged_confirmation, visit bookings_appointment
) RETURNS bookings_confirm_answer LANGUAGE plpgsql STABLE AS $$
DECLARE
    facts bookings_confirm_facts := judged.facts;
    answer bookings_confirm_answer;
BEGIN
    answer.number := call.number;
    answer.hold := facts.hold;
    answer.visit := visit;
    answer.has_ended := visit.id IS NOT NULL;
    answer.outcome := CASE
        WHEN visit.id IS NOT NULL THEN 'confirmed'
        WHEN (facts.call).hold_id IS NULL THEN 'wait' ELSE judged.refusal END;
    CASE answer.outcome
        WHEN 'confirmed' THEN
            answer.doctor := facts.doctor;
            answer.other_id := visit.replaces;
            IF visit.id IS NULL THEN
                answer.visit := (
                    SELECT earlier FROM bookings_appointment AS earlier
                    WHERE earlier.id = call.hold_id AND earlier.starts_at = (facts.hold).starts_at);
            END IF;
        WHEN 'otp-invalid' THEN
            answer.amount := call.most_attempts - (facts.hold).otp_attempts - 1;
            answer.has_ended := answer.amount = 0;
            answer.outcome := CASE WHEN answer.has_ended THEN 'otp-locked' ELSE 'otp-invalid' END;
        WHEN 'too-many-guesses' THEN
            answer.amount := facts.guesses_wait;
        WHEN 'appointment-limit' THEN
            answer.amount := call.most_visits;
        WHEN 'patient-busy' THEN
            answer.other_id := (facts.others).busy_id;
            answer.other_starts_at := (facts.others).busy_from;
        WHEN 'not-changeable' THEN
            answer.status := (facts.moved).status;
        ELSE NULL;
    END CASE;
    RETURN answer;
END $$;

-- What bookings.states says; a change that moves nothing but other columns is fine.
CREATE OR REPLACE FUNCTION bookings_check_appointment_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('confirmed', 'arrived'),
        ('confirmed', 'no_show'),
        ('confirmed', 'cancelled'),
        ('confirmed', 'rescheduled'),
        ('arrived', 'completed'),
        ('no_show', 'arrived'),
        ('arrived', 'confirmed'),
        ('completed', 'arrived'),
        ('no_show', 'confirmed')
    ) THEN
        RAISE EXCEPTION 'an appointment cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'appointment_status_follows_the_state_machine';
    END IF;
    RETURN NEW;
END $$;

-- For triggers that say by their name what they refuse.
CREATE OR REPLACE FUNCTION bookings_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refused: %', TG_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;

-- An entry's state follows its offer in the transaction of those who make or end the hold. A lapsed
-- hold is ended by the call that takes over its slots, too, which knows nothing of the waitlist.
CREATE OR REPLACE FUNCTION bookings_follow_the_offer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE bookings_waitlistentry SET state = 'offered'
        WHERE id = NEW.waitlist_entry_id AND state = 'waiting';
        IF NOT FOUND THEN
            RAISE EXCEPTION 'nobody waits with this entry'
                USING ERRCODE = 'check_violation',
                      CONSTRAINT = 'offer_goes_to_somebody_who_waits';
        END IF;
    ELSIF OLD.state = 'held' AND NEW.state <> 'held' THEN
        UPDATE bookings_waitlistentry
        SET state = CASE NEW.state WHEN 'confirmed' THEN 'fulfilled' ELSE 'waiting' END
        WHERE id = NEW.waitlist_entry_id AND state = 'offered';
    END IF;
    RETURN NULL;
END $$;

-- Holds: rules, claim, write. Takes one call or many; a refusal is an outcome and not an error.
--
-- Everything is looked at before anything is written, so that nothing has to be undone. The clock
-- is clock_timestamp(): a call that waited for a lock must judge by the moment at which it looks.
-- Locks are taken in one order everywhere; it is in docs/concurrency.md. Among many calls nobody
-- waits for a lock: a call that would have to wait comes back with `wait`, to be made alone.
CREATE OR REPLACE FUNCTION bookings_hold(calls jsonb, may_wait boolean) RETURNS SETOF bookings_hold_answer
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    asked bookings_hold_call[] := array(
        SELECT call FROM jsonb_populate_recordset(NULL::bookings_hold_call, calls) AS call);
    ready bookings_hold_call[] := bookings_lock_holders(asked, may_wait);
    at_ timestamptz := clock_timestamp();
    judged bookings_judged_hold[];
    claims bookings_claim[];
    won bookings_hold_facts[];
    held bookings_hold[];
BEGIN
    judged := array(
        SELECT ROW(facts, bookings_refusal_of_hold(facts))::bookings_judged_hold
        FROM bookings_hold_facts_of(ready, at_) AS facts);
    claims := bookings_claim_slots(judged);
    won := array(
        SELECT each.facts FROM unnest(judged) AS each
        JOIN unnest(claims) AS claim ON claim.hold_id = ((each.facts).call).hold_id
        WHERE claim.slots = cardinality((each.facts).slot_ids)
          AND (claim.lapsed_holds IS NULL OR bookings_lapse_as_a_whole(claim.lapsed_holds)));
    IF cardinality(won) > 0 THEN
        PERFORM bookings_expire_lapsed(claims, won);
        held := bookings_write_holds(won);
    END IF;
    RETURN QUERY SELECT answer.* FROM unnest(asked) AS call
        LEFT JOIN unnest(judged) AS each ON ((each.facts).call).number = call.number
        LEFT JOIN unnest(claims) AS claim ON claim.hold_id = call.hold_id
        LEFT JOIN unnest(held) AS hold ON hold.id = call.hold_id
        CROSS JOIN LATERAL bookings_answer_of_hold(call, each, claim, hold) AS answer
        ORDER BY call.number;
END $$;

-- Two requests of one holder, one address or one key would both count, or both find nothing, before
-- either has written. Returns the calls that come first of their kind and have their locks.
CREATE OR REPLACE FUNCTION bookings_lock_holders(calls bookings_hold_call[], may_wait boolean)
RETURNS bookings_hold_call[] LANGUAGE plpgsql AS $$
DECLARE
    call bookings_hold_call;
    wanted bigint[];
    taken bigint[] := '{}';
    ready bookings_hold_call[] := '{}';
BEGIN
    FOREACH call IN ARRAY calls LOOP
        -- Offers of the waitlist count against no limit.
        wanted := CASE WHEN call.waitlist_entry_id IS NULL THEN array_remove(
            ARRAY[hashtextextended(call.holder_key, 0), call.address], NULL) ELSE '{}' END;
        CONTINUE WHEN wanted && taken OR hashtextextended(call.key, call.patient_id) = ANY(taken);
        CONTINUE WHEN call.key IS NOT NULL
            AND NOT http_has_its_key(call.patient_id, call.key, may_wait);
        CONTINUE WHEN NOT bookings_has_locks(wanted, may_wait);
        taken := taken || wanted || hashtextextended(call.key, call.patient_id);
        ready := ready || call;
    END LOOP;
    RETURN ready;
END $$;

-- Takes advisory locks in this order. False if one would have to be waited for and may not.
CREATE OR REPLACE FUNCTION bookings_has_locks(keys bigint[], may_wait boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    key bigint;
BEGIN
    FOREACH key IN ARRAY keys LOOP
        IF may_wait THEN
            PERFORM pg_advisory_xact_lock(key);
        ELSIF NOT pg_try_advisory_xact_lock(key) THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;

-- Locks the slots of the calls that no rule refuses. Nobody waits here: a row that somebody works on
-- just now counts as held, so that a rush turns away at once instead of queueing in front of the
-- winner's next statement. What the visit has that would move stays booked, so that nothing is lost
-- if nobody confirms.
CREATE OR REPLACE FUNCTION bookings_claim_slots(judged bookings_judged_hold[]) RETURNS bookings_claim[]
LANGUAGE plpgsql AS $$
BEGIN
    RETURN array(
        WITH wanted AS MATERIALIZED (
            SELECT ((each.facts).call).hold_id, ((each.facts).call).replaces, slot_id,
                   row_number() OVER (PARTITION BY slot_id) AS place
            FROM unnest(judged) AS each, unnest((each.facts).slot_ids) AS slot_id
            WHERE each.refusal IS NULL
        ), claimed AS MATERIALIZED (
            SELECT wanted.hold_id, slot.id, slot.state, slot.hold_id AS owner
            FROM doctors_slot AS slot JOIN wanted ON wanted.slot_id = slot.id AND wanted.place = 1
            WHERE slot.state = 'open'
               OR (slot.state = 'held' AND slot.held_until <= clock_timestamp())
               OR (slot.state = 'booked' AND slot.hold_id = wanted.replaces)
            ORDER BY slot.id FOR UPDATE OF slot SKIP LOCKED)
        SELECT ROW(wanted.hold_id, count(claimed.id),
                   array_agg(DISTINCT claimed.owner) FILTER (WHERE claimed.state = 'held'),
                   bool_or(wanted.place > 1))::bookings_claim
        FROM wanted LEFT JOIN claimed
            ON claimed.hold_id = wanted.hold_id AND claimed.id = wanted.slot_id
        GROUP BY wanted.hold_id);
END $$;

-- Why a call did not get its slots. Booked by the visit that moves: somebody works on it just now.
CREATE OR REPLACE FUNCTION bookings_why_not_claimed(facts bookings_hold_facts, claim bookings_claim)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN claim.comes_second THEN 'wait'
                WHEN bool_and(slot.state IN ('open', 'held')
                              OR coalesce(slot.hold_id = (facts.call).replaces, false))
                THEN 'slot-held' ELSE 'slot-taken' END
    FROM doctors_slot AS slot WHERE slot.id = ANY(facts.slot_ids)
$$;

-- Of an expired hold of several slots, a part may be wanted. It is taken over only if all its slots
-- can be locked: somebody who works on one of them would find that the hold has ended, and nobody
-- would come back to open that slot.
CREATE OR REPLACE FUNCTION bookings_lapse_as_a_whole(lapsed_holds uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    kept bigint[] := array(
        SELECT slot.id FROM bookings_hold AS hold JOIN doctors_slot AS slot
            ON slot.id = ANY(hold.slot_ids) AND slot.hold_id = hold.id AND slot.state = 'held'
        WHERE hold.id = ANY(lapsed_holds));
BEGIN
    RETURN cardinality(kept) = (SELECT count(*) FROM (
        SELECT FROM doctors_slot WHERE id = ANY(kept)
        ORDER BY id FOR UPDATE SKIP LOCKED) AS locked);
END $$;

-- Marks the expired holds whose slots were claimed. A hold of several slots may have been claimed in
-- part: the others open as well.
CREATE OR REPLACE FUNCTION bookings_expire_lapsed(claims bookings_claim[], won bookings_hold_facts[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lapsed uuid[] := array(
        SELECT unnest(claim.lapsed_holds) FROM unnest(claims) AS claim
        JOIN unnest(won) AS facts ON (facts.call).hold_id = claim.hold_id);
    request text := ((won[1]).call).request_id;
    ended bookings_hold[];
BEGIN
    IF cardinality(lapsed) = 0 THEN
        RETURN;
    END IF;
    WITH expired AS (
        UPDATE bookings_hold SET state = 'expired' WHERE id = ANY(lapsed) AND state = 'held'
        RETURNING bookings_hold.*)
    SELECT array_agg(expired) INTO ended FROM expired;
    PERFORM audit_write(array(
        SELECT ROW('hold.expired', 'system', NULL, 'hold', hold.id, '{"state": "held"}',
                   '{"state": "expired"}', request)::audit_fact
        FROM unnest(ended) AS hold));
    UPDATE doctors_slot SET state = 'open', hold_id = NULL, held_until = NULL
    WHERE id IN (
        SELECT slot.id FROM doctors_slot AS slot
        WHERE slot.id IN (SELECT unnest(hold.slot_ids) FROM unnest(ended) AS hold)
          AND slot.id NOT IN (SELECT unnest(facts.slot_ids) FROM unnest(won) AS facts)
          AND slot.state = 'held' AND slot.held_until <= clock_timestamp());
END $$;

-- Each call with what it is judged by.
CREATE OR REPLACE FUNCTION bookings_hold_facts_of(calls bookings_hold_call[], at_ timestamptz)
RETURNS SETOF bookings_hold_facts LANGUAGE sql STABLE AS $$
    SELECT call, at_, recorded, first_hold, patient, visit_type.as_agreed, doctor, slot, clinic,
           moved, pause, run.ids, run.ends_at, others, live
    FROM unnest(calls) AS call
    LEFT JOIN http_idempotencyrecord AS recorded
        ON recorded.user_id = call.patient_id AND recorded.key = call.key
    LEFT JOIN bookings_hold AS first_hold
        ON first_hold.id = (recorded.facts ->> 'hold_id')::uuid
    LEFT JOIN accounts_user AS patient ON patient.id = call.patient_id AND patient.is_active
    LEFT JOIN bookings_hold AS moved ON moved.id = call.replaces
    LEFT JOIN doctors_visittype AS type ON type.id = call.visit_type_id AND type.is_active
    LEFT JOIN doctors_doctor AS doctor ON doctor.id = type.doctor_id AND doctor.is_active
    LEFT JOIN doctors_slot AS slot ON slot.id = call.slot_id AND slot.doctor_id = doctor.id
    LEFT JOIN doctors_clinic AS clinic ON clinic.id = slot.clinic_id
    LEFT JOIN bookings_bookingpause AS pause ON pause.is_on AND coalesce(pause.until > at_, true)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN call.replaces IS NULL THEN type
                    ELSE bookings_as_agreed(type, doctor, moved) END AS as_agreed) AS visit_type
    CROSS JOIN LATERAL bookings_run_of_slots(
        slot, (visit_type.as_agreed).slots, (visit_type.as_agreed).buffer_slots) AS run
    CROSS JOIN LATERAL bookings_other_visits_of(
        patient => call.patient_id, from_ => slot.starts_at, until_ => run.ends_at,
        apart_from => call.replaces, at_ => at_) AS others
    CROSS JOIN LATERAL bookings_live_holds_of(
        call => call, doctor => doctor.id, from_ => slot.starts_at, until_ => run.ends_at,
        at_ => at_) AS live
    OFFSET 0  -- a fence for the planner: each fact is found once, whatever asks for it
$$;

-- What a visit type is for a visit that moves: its name, mode, price and length as they were agreed.
-- What the visit type has become since is for new visits. As
-- bookings.appointments.selectors.appointments.visit_type_as_agreed.
CREATE OR REPLACE FUNCTION bookings_as_agreed(
    type doctors_visittype, doctor doctors_doctor, moved bookings_hold
) RETURNS doctors_visittype LANGUAGE plpgsql STABLE AS $$
DECLARE
    kept bookings_appointment;
BEGIN
    SELECT * INTO kept FROM bookings_appointment AS visit
    WHERE visit.id = moved.id AND visit.starts_at = moved.starts_at;
    IF kept.visit_type_id = type.id THEN
        type.name := kept.visit_name;
        type.mode := kept.mode;
        type.price_cents := kept.price_cents;
        type.currency := kept.currency;
        type.slots := ceil(
            extract(epoch FROM kept.ends_at - kept.starts_at) / 60 / doctor.slot_minutes);
    END IF;
    RETURN type;
END $$;

-- The patient's visits that are still to come, and the first that overlaps [from_, until_). Nothing
-- lasts longer than 48 hours (12 slots of 240 minutes).
CREATE OR REPLACE FUNCTION bookings_other_visits_of(
    patient bigint, from_ timestamptz, until_ timestamptz, apart_from uuid, at_ timestamptz
) RETURNS SETOF bookings_other_visits LANGUAGE sql STABLE AS $$
    SELECT (array_agg(visit.appointment_id ORDER BY visit.starts_at)
                FILTER (WHERE visit.starts_at < until_ AND visit.ends_at > from_
                        AND visit.appointment_id IS DISTINCT FROM apart_from))[1],
           min(visit.starts_at)
                FILTER (WHERE visit.starts_at < until_ AND visit.ends_at > from_
                        AND visit.appointment_id IS DISTINCT FROM apart_from),
           count(*) FILTER (WHERE visit.starts_at > at_)
    FROM bookings_patientvisit AS visit
    WHERE visit.patient_id = patient
      AND visit.starts_at > least(from_ - interval '48 hours', at_)
$$;

CREATE OR REPLACE FUNCTION bookings_live_holds_of(
    call bookings_hold_call, doctor bigint, from_ timestamptz, until_ timestamptz, at_ timestamptz
) RETURNS SETOF bookings_live_holds LANGUAGE sql STABLE AS $$
    SELECT count(*) FILTER (WHERE hold.waitlist_entry_id IS NULL),
           count(*) FILTER (WHERE hold.waitlist_entry_id IS NULL AND hold.replaces IS NULL),
           (array_agg(hold.id) FILTER (
                WHERE hold.slot_ids[1] = call.slot_id AND hold.visit_type_id = call.visit_type_id
                  AND hold.replaces IS NOT DISTINCT FROM call.replaces
                  AND (hold.code_sent_at IS NOT NULL OR NOT call.with_code)
                  AND hold.waitlist_entry_id IS NULL
                  AND bookings_owns(hold, call.patient_id, call.guest_key)))[1],
           min(hold.starts_at) FILTER (
                WHERE hold.doctor_id = doctor
                  AND hold.starts_at < until_ AND hold.ends_at > from_),
           (SELECT count(*) FROM bookings_hold AS other
            WHERE other.made_from = call.address AND other.state = 'held'
              AND other.expires_at > at_),
           (SELECT min(other.expires_at) FROM bookings_hold AS other
            WHERE other.made_from = call.address AND other.state = 'held'
              AND other.expires_at > at_)
    FROM bookings_hold AS hold
    WHERE hold.state = 'held' AND hold.expires_at > at_
      AND (hold.patient_id = call.patient_id OR hold.guest_key = call.guest_key)
$$;

-- The rules of a hold, in the order in which they are asked: the first that refuses is answered.
CREATE OR REPLACE FUNCTION bookings_refusal_of_hold(facts bookings_hold_facts) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN bookings_caller_is_unknown(facts) THEN 'unauthenticated'
        WHEN bookings_is_retry(facts) THEN 'replay'
        WHEN bookings_uses_key_again(facts) THEN 'idempotency-key-reused'
        WHEN (facts.doctor).id IS NULL THEN 'unknown-visit-type'
        WHEN (facts.slot).id IS NULL THEN 'unknown-slot'
        WHEN bookings_lacks_a_number(facts) THEN 'phone-needed'
        WHEN bookings_moves_to_another_visit(facts) THEN 'other-visit'
        WHEN (facts.pause).id IS NOT NULL THEN 'booking-disabled'
        WHEN bookings_is_outside_the_window(facts) THEN 'outside-booking-window'
        WHEN bookings_does_not_fit(facts) THEN 'slot-taken'
        WHEN bookings_patient_is_busy(facts) THEN 'patient-busy'
        WHEN bookings_counts(facts) AND (facts.live).same_id IS NOT NULL THEN 'held-before'
        WHEN bookings_counts(facts) AND bookings_holds_enough(facts) THEN 'hold-limit'
        WHEN bookings_counts(facts) AND bookings_address_holds_enough(facts) THEN 'address-limit'
        WHEN bookings_counts(facts) AND (facts.live).near_from IS NOT NULL THEN 'held-nearby'
        WHEN bookings_has_enough_visits_ahead(facts) THEN 'appointment-limit'
    END
$$;

CREATE OR REPLACE FUNCTION bookings_caller_is_unknown(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).patient_id IS NOT NULL AND (facts.patient).id IS NULL
$$;

CREATE OR REPLACE FUNCTION bookings_is_retry(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((facts.recorded).fingerprint = (facts.call).fingerprint, false)
$$;

CREATE OR REPLACE FUNCTION bookings_uses_key_again(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce((facts.recorded).fingerprint <> (facts.call).fingerprint, false)
$$;

-- A doctor calls for a visit by phone.
CREATE OR REPLACE FUNCTION bookings_lacks_a_number(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).with_code AND (facts.visit_type).mode = 'phone'
       AND bookings_phone_of(facts) = ''
$$;

CREATE OR REPLACE FUNCTION bookings_phone_of(facts bookings_hold_facts) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(nullif((facts.call).phone, ''), nullif((facts.moved).phone, ''),
                    (facts.patient).phone)
$$;

-- A move keeps doctor and visit type, and goes to another time. An offer may be with another doctor
-- that its patient named.
CREATE OR REPLACE FUNCTION bookings_moves_to_another_visit(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).replaces IS NOT NULL AND (facts.call).waitlist_entry_id IS NULL
       AND ((facts.moved).doctor_id IS DISTINCT FROM (facts.doctor).id
            OR (facts.moved).visit_type_id IS DISTINCT FROM (facts.visit_type).id
            OR (facts.moved).starts_at = (facts.slot).starts_at)
$$;

-- The horizon is a day of the clinic. Where clocks go back at one in the morning, as in Havana,
-- midnight comes twice, and an instant of it would let in the hour between.
CREATE OR REPLACE FUNCTION bookings_is_outside_the_window(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT (facts.slot).starts_at
               < facts.at_ + make_interval(mins => (facts.doctor).min_notice_minutes)
        OR ((facts.slot).starts_at AT TIME ZONE (facts.clinic).time_zone)::date
               >= (facts.at_ AT TIME ZONE (facts.clinic).time_zone)::date
                  + (facts.doctor).horizon_days
$$;

CREATE OR REPLACE FUNCTION bookings_does_not_fit(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT facts.slot_ids IS NULL
        OR (facts.slot).mode NOT IN ((facts.visit_type).mode, 'any')
$$;

CREATE OR REPLACE FUNCTION bookings_patient_is_busy(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).patient_id IS NOT NULL AND (facts.others).busy_id IS NOT NULL
$$;

-- Offers of the waitlist count against no limit of holds.
CREATE OR REPLACE FUNCTION bookings_counts(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).waitlist_entry_id IS NULL
$$;

CREATE OR REPLACE FUNCTION bookings_holds_enough(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.live).holds >= (facts.call).most_of_holder
$$;

CREATE OR REPLACE FUNCTION bookings_address_holds_enough(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.live).of_address >= (facts.call).most_of_address
$$;

-- With the visits that the patient is about to confirm.
CREATE OR REPLACE FUNCTION bookings_has_enough_visits_ahead(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).replaces IS NULL
       AND CASE WHEN bookings_counts(facts) THEN (facts.live).new_visits ELSE 0 END
           + (facts.others).ahead >= (facts.call).most_visits
$$;

-- As bookings.actors.holder.Holder.owns.
CREATE OR REPLACE FUNCTION bookings_owns(hold bookings_hold, patient bigint, guest uuid) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(
        hold.patient_id = patient
        OR (hold.guest_key = guest
            AND (patient IS NULL OR hold.patient_id IS NULL OR hold.patient_id = patient)),
        false)
$$;

-- Writes what was decided, and returns the holds.
CREATE OR REPLACE FUNCTION bookings_write_holds(won bookings_hold_facts[]) RETURNS bookings_hold[]
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
CREATE OR REPLACE FUNCTION bookings_held_until(facts bookings_hold_facts, at_ timestamptz)
RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT least(at_ + make_interval(secs => (facts.call).seconds), (facts.slot).starts_at)
$$;

-- Who comes is known, from the visit that moves or the account: when the API asks for the code at
-- once, and in an offer, whose link proves the address as well as a code would.
CREATE OR REPLACE FUNCTION bookings_knows_who_comes(facts bookings_hold_facts) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (facts.call).with_code OR (facts.call).waitlist_entry_id IS NOT NULL
$$;

-- What was written to one clinic is not for another.
CREATE OR REPLACE FUNCTION bookings_reason_of(facts bookings_hold_facts) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN (facts.call).reason <> '' OR NOT bookings_knows_who_comes(facts)
                     OR (facts.moved).clinic_id IS DISTINCT FROM (facts.slot).clinic_id
                THEN (facts.call).reason ELSE (facts.moved).reason END
$$;

CREATE OR REPLACE FUNCTION bookings_insert_holds(won bookings_hold_facts[], written_at timestamptz)
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

CREATE OR REPLACE FUNCTION bookings_answer_of_hold(
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

-- Makes the table of a month of the appointments, as its owner: those who serve may make no other.
-- A month is [first day 00:00 UTC, first day of the next month 00:00 UTC).
CREATE OR REPLACE FUNCTION bookings_make_appointment_month(month date) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first_day date := date_trunc('month', month)::date;
    name text := 'bookings_appointment_' || to_char(first_day, 'YYYY_MM');
BEGIN
    -- Who may make tables anyhow is under no limit.
    IF NOT pg_has_role(session_user, current_user, 'MEMBER')
       AND abs(first_day - current_date) > 2 * 366 THEN
        RAISE EXCEPTION '% is more than two years away', to_char(first_day, 'YYYY-MM')
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'CREATE TABLE %I (LIKE bookings_appointment INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
        name);
    -- ATTACH would make it as well, under a name that says nothing in an error.
    EXECUTE format(
        'CREATE UNIQUE INDEX %I ON %I (doctor_id, starts_at) '
        'WHERE status IN (''confirmed'', ''arrived'', ''completed'', ''no_show'')',
        'one_active_appointment_per_doctor_and_start_' || to_char(first_day, 'YYYY_MM'), name);
    EXECUTE format(
        'ALTER TABLE bookings_appointment ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        name, first_day::timestamp AT TIME ZONE 'UTC',
        (first_day + interval '1 month') AT TIME ZONE 'UTC');
    RETURN true;
END $$;

-- Keeps bookings_patientvisit: the times of the visits that take place, in one table for all months.
-- So one look at an index finds what a patient does at a time, and one constraint refuses two visits
-- that overlap, also across the end of a month.
CREATE OR REPLACE FUNCTION bookings_note_time_of_patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF bookings_takes_place(NEW) THEN
        INSERT INTO bookings_patientvisit (patient_id, starts_at, ends_at, appointment_id)
        VALUES (NEW.patient_id, NEW.starts_at, NEW.ends_at, NEW.id);
    ELSE
        DELETE FROM bookings_patientvisit AS visit
        WHERE visit.patient_id = OLD.patient_id AND visit.starts_at = OLD.starts_at
          AND visit.appointment_id = OLD.id;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION bookings_takes_place(visit bookings_appointment) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(visit.status IN ('confirmed', 'arrived', 'completed', 'no_show'), false)
$$;

-- The slots that a visit starting with this one takes: `wanted` adjacent ones of one clinic and
-- mode, and after them up to `kept_free` that exist, follow without a gap and are not blocked.
-- NULL where there are not `wanted` of them.
CREATE OR REPLACE FUNCTION bookings_run_of_slots(
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

-- Tells the waitlist that slots are free again, where somebody waits for them. One message after
-- the other for each doctor, so that the first in line gets the first time.
CREATE OR REPLACE FUNCTION bookings_announce_release(doctor bigint, slots bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF bookings_somebody_waits_for(doctor, slots) THEN
        PERFORM outbox_publish(ARRAY[ROW(
            'slot.released', 'times-of-' || doctor, jsonb_build_object(
                'doctor_id', doctor::text, 'slot_ids',
                (SELECT string_agg(slot::text, ',' ORDER BY slot) FROM unnest(slots) AS slot))
        )::outbox_fact]);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION bookings_somebody_waits_for(doctor bigint, slots bigint[]) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT cardinality(slots) > 0 AND (
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
