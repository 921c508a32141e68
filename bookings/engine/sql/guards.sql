-- Triggers: what no statement may do, whatever program sends it.

-- What bookings.states says; a change that moves nothing but other columns is fine.
CREATE FUNCTION bookings_check_appointment_status() RETURNS trigger LANGUAGE plpgsql AS $$
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

-- A visit goes to another account of the same person while a merge of the two says so, and back
-- once that is undone.
CREATE FUNCTION bookings_check_change_of_patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM accounts_patientmerge
        WHERE (merged_id = OLD.patient_id AND kept_id = NEW.patient_id AND undone_at IS NULL)
           OR (kept_id = OLD.patient_id AND merged_id = NEW.patient_id AND undone_at IS NOT NULL))
    THEN
        RAISE EXCEPTION 'refused: %', TG_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

-- For triggers that say by their name what they refuse.
CREATE FUNCTION bookings_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refused: %', TG_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;

-- An entry's state follows its offer in the transaction of those who make or end the hold. A lapsed
-- hold is ended by the call that takes over its slots, too, which knows nothing of the waitlist.
CREATE FUNCTION bookings_follow_the_offer() RETURNS trigger LANGUAGE plpgsql AS $$
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
