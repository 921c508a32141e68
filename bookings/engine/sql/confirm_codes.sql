-- Parallel guesses have queued up at the row, and get so many tries in all. The last one ends the
-- hold.
CREATE FUNCTION bookings_count_wrong_code(facts bookings_confirm_facts) RETURNS void
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
CREATE FUNCTION bookings_count_guess(target_ text, guessers text[], at_ timestamptz)
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
