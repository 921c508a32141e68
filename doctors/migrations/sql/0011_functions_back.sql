SET LOCAL check_function_bodies = off;

DROP FUNCTION IF EXISTS doctors_period_to_look_in(who doctors_doctor, at_ timestamptz, day_ date);

DROP FUNCTION IF EXISTS doctors_is_for_one_of(slot doctors_slot, modes text[]);

DROP FUNCTION IF EXISTS doctors_some_visit_fits(slot doctors_slot, fewest integer, mode_ text, most_cents bigint, currency_ text, at_ timestamptz);

DROP FUNCTION IF EXISTS doctors_first_start_at(doctor bigint, notice integer, horizon integer, most integer, at_ timestamptz, mode_ text, most_cents bigint, currency_ text);

DROP FUNCTION IF EXISTS doctors_full_days(doctor bigint, most integer, from_ timestamptz, until_ timestamptz, at_ timestamptz, apart_from uuid);

-- Whether a visit of `wanted` slots can start with the slot of this doctor that starts then, with
-- `kept_free` slots after it. The same times as doctors.rules.visit_times calls free, and as
-- bookings_run_of_slots takes: a test compares the three.
CREATE OR REPLACE FUNCTION doctors_visit_fits(
    doctor bigint, first_start timestamptz, wanted integer, kept_free integer, at_ timestamptz
) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    slot record;
    first record;
    last_end timestamptz;
    found_ integer := 0;
BEGIN
    FOR slot IN
        SELECT clinic_id, mode, starts_at, ends_at, state, held_until FROM doctors_slot
        WHERE doctor_id = doctor AND starts_at >= first_start
        ORDER BY starts_at LIMIT wanted + kept_free
    LOOP
        IF found_ = 0 THEN
            first := slot;
        ELSE
            EXIT WHEN slot.starts_at <> last_end;
        END IF;
        IF found_ < wanted THEN
            EXIT WHEN (slot.clinic_id, slot.mode) <> (first.clinic_id, first.mode);
        ELSE
            EXIT WHEN slot.state = 'blocked';
        END IF;
        IF slot.state <> 'open' AND (slot.state <> 'held' OR slot.held_until > at_) THEN
            RETURN false;
        END IF;
        found_ := found_ + 1;
        last_end := slot.ends_at;
    END LOOP;
    RETURN found_ >= wanted;
END $$;

-- The first moment at which a visit of this doctor can start, and the clock of its clinic; no row
-- when there is none. By notice, horizon, length, buffer and mode of the doctor's active visit
-- types: of those with the mode and price that are asked for, in the city and on the local day that
-- are asked for (empty or null: any). Python's rules.visit_times and rules.BookingWindow say the
-- same of one grid: a test compares them.
--
-- It goes through the slots in their order and stops at the first that fits. The planner, given all
-- of this as one query, reads every slot of the doctor instead.
CREATE OR REPLACE FUNCTION doctors_first_start(
    doctor bigint, at_ timestamptz, mode_ text, most_cents bigint, currency_ text, city_ text,
    day_ date
) RETURNS TABLE (starts_at timestamptz, time_zone text) LANGUAGE plpgsql STABLE AS $$
DECLARE
    notice integer;
    horizon integer;
    earliest timestamptz;
    latest timestamptz;
    modes_of_short text[];  -- of visit types that take one slot and keep none free after it
    fewest integer;
    slot record;
    clinic doctors_clinic%ROWTYPE;
    last_day date;  -- by the clock of that clinic
    local_day date;
BEGIN
    SELECT min_notice_minutes, horizon_days INTO notice, horizon
    FROM doctors_doctor WHERE id = doctor;
    SELECT array_agg(mode) FILTER (WHERE slots = 1 AND buffer_slots = 0), min(slots)
    INTO modes_of_short, fewest FROM doctors_visittype
    WHERE doctor_id = doctor AND is_active AND (mode_ = '' OR mode = mode_)
      AND (most_cents IS NULL OR (price_cents <= most_cents AND currency = currency_));
    IF fewest IS NULL THEN
        RETURN;
    END IF;
    earliest := at_ + notice * interval '1 minute';
    -- No clinic on earth has a later start than this; the day of its own clinic decides.
    latest := at_ + horizon * interval '24 hours' + interval '1 hour';
    IF day_ IS NOT NULL THEN
        -- Within which that day lies, whatever the zone.
        earliest := greatest(earliest, day_::timestamp AT TIME ZONE 'UTC' - interval '14 hours');
        latest := least(latest, day_::timestamp AT TIME ZONE 'UTC' + interval '38 hours');
    END IF;
    FOR slot IN
        SELECT s.clinic_id, s.mode, s.starts_at, s.ends_at FROM doctors_slot AS s
        WHERE s.doctor_id = doctor AND s.starts_at >= earliest AND s.starts_at < latest
          AND (s.state = 'open' OR (s.state = 'held' AND s.held_until <= at_))
        ORDER BY s.starts_at
    LOOP
        IF clinic.id IS DISTINCT FROM slot.clinic_id THEN
            SELECT * INTO clinic FROM doctors_clinic WHERE id = slot.clinic_id;
            last_day := (at_ AT TIME ZONE clinic.time_zone)::date + horizon - 1;
        END IF;
        CONTINUE WHEN city_ <> '' AND upper(clinic.city) <> upper(city_);
        local_day := (slot.starts_at AT TIME ZONE clinic.time_zone)::date;
        CONTINUE WHEN local_day > last_day OR local_day <> day_;
        IF slot.mode = ANY (modes_of_short) OR (slot.mode = 'any' AND modes_of_short IS NOT NULL)
        THEN
            RETURN QUERY VALUES (slot.starts_at, clinic.time_zone::text);
            RETURN;
        END IF;
        -- Most single slots are passed by without the longer look.
        CONTINUE WHEN fewest > 1 AND NOT EXISTS (
            SELECT FROM doctors_slot AS next_
            WHERE next_.doctor_id = doctor AND next_.starts_at = slot.ends_at
              AND next_.state IN ('open', 'held')
        );
        IF EXISTS (
            SELECT FROM doctors_visittype AS v
            WHERE v.doctor_id = doctor AND v.is_active AND (mode_ = '' OR v.mode = mode_)
              AND (most_cents IS NULL OR (v.price_cents <= most_cents AND v.currency = currency_))
              AND slot.mode IN (v.mode, 'any')
              AND doctors_visit_fits(doctor, slot.starts_at, v.slots, v.buffer_slots, at_)
        ) THEN
            RETURN QUERY VALUES (slot.starts_at, clinic.time_zone::text);
            RETURN;
        END IF;
    END LOOP;
END $$;
