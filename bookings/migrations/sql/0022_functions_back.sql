SET LOCAL check_function_bodies = off;

DROP FUNCTION IF EXISTS bookings_confirm(calls jsonb, may_wait boolean);

DROP FUNCTION IF EXISTS bookings_lock_to_confirm(calls bookings_confirm_call[], may_wait boolean);

DROP FUNCTION IF EXISTS bookings_keys_of_confirmation(hold bookings_hold, call bookings_confirm_call);

DROP FUNCTION IF EXISTS bookings_locked_hold(hold bookings_hold, may_wait boolean);

DROP FUNCTION IF EXISTS bookings_lock_visit(hold uuid);

DROP FUNCTION IF EXISTS bookings_count_wrong_code(facts bookings_confirm_facts);

DROP FUNCTION IF EXISTS bookings_count_guess(target_ text, guessers text[], at_ timestamptz);

DROP FUNCTION IF EXISTS bookings_confirm_facts_of(calls bookings_confirm_call[], at_ timestamptz);

DROP FUNCTION IF EXISTS bookings_has_its_slots(hold bookings_hold, at_ timestamptz);

DROP FUNCTION IF EXISTS bookings_guesses_wait(target_ text, guessers text[], most integer[], at_ timestamptz);

DROP FUNCTION IF EXISTS bookings_refusal_of_confirmation(facts bookings_confirm_facts);

DROP FUNCTION IF EXISTS bookings_caller_is_switched_off(facts bookings_confirm_facts);

DROP FUNCTION IF EXISTS bookings_has_ended(facts bookings_confirm_facts);

DROP FUNCTION IF EXISTS bookings_why_it_has_ended(facts bookings_confirm_facts);

DROP FUNCTION IF EXISTS bookings_belongs_to_nobody(facts bookings_confirm_facts);

DROP FUNCTION IF EXISTS bookings_has_enough_visits(facts bookings_confirm_facts);

DROP FUNCTION IF EXISTS bookings_cannot_move(facts bookings_confirm_facts);

DROP FUNCTION IF EXISTS bookings_actor_of(call bookings_confirm_call);

DROP FUNCTION IF EXISTS bookings_give_up_old_visit(facts bookings_confirm_facts);

DROP FUNCTION IF EXISTS bookings_write_visits(accepted bookings_confirm_facts[]);

DROP FUNCTION IF EXISTS bookings_insert_visits(accepted bookings_confirm_facts[]);

DROP FUNCTION IF EXISTS bookings_answer_of_confirmation(call bookings_confirm_call, judged bookings_judged_confirmation, visit bookings_appointment);

DROP FUNCTION IF EXISTS bookings_hold(calls jsonb, may_wait boolean);

DROP FUNCTION IF EXISTS bookings_lock_holders(calls bookings_hold_call[], may_wait boolean);

DROP FUNCTION IF EXISTS bookings_has_locks(keys bigint[], may_wait boolean);

DROP FUNCTION IF EXISTS bookings_claim_slots(judged bookings_judged_hold[]);

DROP FUNCTION IF EXISTS bookings_why_not_claimed(facts bookings_hold_facts, claim bookings_claim);

DROP FUNCTION IF EXISTS bookings_lapse_as_a_whole(lapsed_holds uuid[]);

DROP FUNCTION IF EXISTS bookings_expire_lapsed(claims bookings_claim[], won bookings_hold_facts[]);

DROP FUNCTION IF EXISTS bookings_hold_facts_of(calls bookings_hold_call[], at_ timestamptz);

DROP FUNCTION IF EXISTS bookings_as_agreed(type doctors_visittype, doctor doctors_doctor, moved bookings_hold);

DROP FUNCTION IF EXISTS bookings_other_visits_of(patient bigint, from_ timestamptz, until_ timestamptz, apart_from uuid, at_ timestamptz);

DROP FUNCTION IF EXISTS bookings_live_holds_of(call bookings_hold_call, doctor bigint, from_ timestamptz, until_ timestamptz, at_ timestamptz);

DROP FUNCTION IF EXISTS bookings_refusal_of_hold(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_caller_is_unknown(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_is_retry(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_uses_key_again(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_lacks_a_number(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_phone_of(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_moves_to_another_visit(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_is_outside_the_window(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_does_not_fit(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_patient_is_busy(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_counts(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_holds_enough(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_address_holds_enough(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_has_enough_visits_ahead(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_write_holds(won bookings_hold_facts[]);

DROP FUNCTION IF EXISTS bookings_held_until(facts bookings_hold_facts, at_ timestamptz);

DROP FUNCTION IF EXISTS bookings_knows_who_comes(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_reason_of(facts bookings_hold_facts);

DROP FUNCTION IF EXISTS bookings_insert_holds(won bookings_hold_facts[], written_at timestamptz);

DROP FUNCTION IF EXISTS bookings_answer_of_hold(call bookings_hold_call, judged bookings_judged_hold, claim bookings_claim, hold bookings_hold);

DROP FUNCTION IF EXISTS bookings_note_time_of_patient();

DROP FUNCTION IF EXISTS bookings_takes_place(visit bookings_appointment);

DROP FUNCTION IF EXISTS bookings_somebody_waits_for(doctor bigint, slots bigint[]);

DROP TYPE bookings_confirm_answer;

DROP TYPE bookings_judged_confirmation;

DROP TYPE bookings_confirm_facts;

DROP TYPE bookings_confirm_call;

DROP TYPE bookings_hold_answer;

DROP TYPE bookings_claim;

DROP TYPE bookings_judged_hold;

DROP TYPE bookings_hold_facts;

DROP TYPE bookings_live_holds;

DROP TYPE bookings_other_visits;

DROP TYPE bookings_hold_call;

-- As they were before.
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
    EXECUTE format(
        'ALTER TABLE %I ADD CONSTRAINT %I EXCLUDE USING gist '
        '(patient_id WITH =, tstzrange(starts_at, ends_at) WITH &&) '
        'WHERE (status IN (''confirmed'', ''arrived'', ''completed'', ''no_show''))',
        name, 'no_overlapping_visits_of_a_patient_' || to_char(first_day, 'YYYY_MM'));
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

CREATE OR REPLACE FUNCTION bookings_announce_release(doctor bigint, slots bigint[]) RETURNS void
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
