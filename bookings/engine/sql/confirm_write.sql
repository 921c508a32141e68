-- The visit that moves gives its time back, in the transaction that books the new one.
CREATE FUNCTION bookings_give_up_old_visit(facts bookings_confirm_facts) RETURNS void
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
CREATE FUNCTION bookings_write_visits(accepted bookings_confirm_facts[])
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

CREATE FUNCTION bookings_insert_visits(accepted bookings_confirm_facts[])
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

CREATE FUNCTION bookings_answer_of_confirmation(
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
