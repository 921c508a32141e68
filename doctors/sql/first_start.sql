-- The first moment at which a visit of this doctor can start, and the clock of its clinic; no row
-- when there is none. By notice, horizon and full days, and by length, buffer and mode of the
-- doctor's active visit types and what the hours are for: of the visit types with the mode and price
-- that are asked for, in the city and on the local day that are asked for (empty or null: any).
-- Python's rules.visit_times and rules.BookingWindow say the same of one grid: a test compares them.
--
-- It goes through the slots in their order and stops at the first that fits. The planner, given all
-- of this as one query, reads every slot of the doctor instead.
CREATE FUNCTION doctors_first_start(
    doctor bigint, at_ timestamptz, mode_ text, most_cents bigint, currency_ text, city_ text,
    day_ date
) RETURNS TABLE (starts_at timestamptz, time_zone text) LANGUAGE plpgsql STABLE AS $$
DECLARE
    who doctors_doctor := (SELECT each FROM doctors_doctor AS each WHERE each.id = doctor);
    period tstzrange := doctors_period_to_look_in(who, at_, day_);
    full_days date[] := array(SELECT day FROM doctors_full_days(
        doctor, who.most_visits_a_day, lower(period), upper(period), at_, NULL));
    modes_of_short text[];  -- of visit types that take one slot and keep none free after it
    fewest integer;
    slot doctors_slot;
    clinic doctors_clinic;
    local_day date;
BEGIN
    SELECT array_agg(mode) FILTER (WHERE slots = 1 AND buffer_slots = 0), min(slots)
    INTO modes_of_short, fewest FROM doctors_visittype
    WHERE doctor_id = doctor AND is_active AND (mode_ = '' OR mode = mode_)
      AND (most_cents IS NULL OR (price_cents <= most_cents AND currency = currency_));
    FOR slot IN
        SELECT * FROM doctors_slot AS s
        WHERE fewest IS NOT NULL AND s.doctor_id = doctor
          AND s.starts_at >= lower(period) AND s.starts_at < upper(period)
          AND (s.state = 'open' OR (s.state = 'held' AND s.held_until <= at_))
        ORDER BY s.starts_at
    LOOP
        IF clinic.id IS DISTINCT FROM slot.clinic_id THEN
            SELECT * INTO clinic FROM doctors_clinic WHERE id = slot.clinic_id;
        END IF;
        CONTINUE WHEN city_ <> '' AND upper(clinic.city) <> upper(city_);
        local_day := (slot.starts_at AT TIME ZONE clinic.time_zone)::date;
        CONTINUE WHEN local_day <> day_ OR local_day = ANY (full_days)
            OR local_day >= (at_ AT TIME ZONE clinic.time_zone)::date + who.horizon_days;
        IF doctors_is_for_one_of(slot, modes_of_short)
            OR doctors_some_visit_fits(slot, fewest, mode_, most_cents, currency_, at_) THEN
            RETURN QUERY VALUES (slot.starts_at, clinic.time_zone::text);
            RETURN;
        END IF;
    END LOOP;
END $$;

-- No clinic on earth has a later start than the end of it, and the local day lies within it, whatever
-- the zone: the day of the clinic itself decides.
CREATE FUNCTION doctors_period_to_look_in(who doctors_doctor, at_ timestamptz, day_ date)
RETURNS tstzrange LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN latest > earliest THEN tstzrange(earliest, latest) ELSE 'empty' END
    FROM (SELECT
        greatest(at_ + who.min_notice_minutes * interval '1 minute',
                 day_::timestamp AT TIME ZONE 'UTC' - interval '14 hours') AS earliest,
        least(at_ + who.horizon_days * interval '24 hours' + interval '1 hour',
              day_::timestamp AT TIME ZONE 'UTC' + interval '38 hours') AS latest) AS ends
$$;

-- Slots that are for some visit types only need the longer look.
CREATE FUNCTION doctors_is_for_one_of(slot doctors_slot, modes text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT slot.visit_types IS NULL AND modes IS NOT NULL
       AND (slot.mode = 'any' OR slot.mode = ANY (modes))
$$;

-- Whether one of the visits that are asked for can start with this slot. Most single slots are passed
-- by without the longer look: `fewest` are the slots of the shortest.
CREATE FUNCTION doctors_some_visit_fits(
    slot doctors_slot, fewest integer, mode_ text, most_cents bigint, currency_ text,
    at_ timestamptz
) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF fewest > 1 AND NOT EXISTS (
        SELECT FROM doctors_slot AS next_
        WHERE next_.doctor_id = slot.doctor_id AND next_.starts_at = slot.ends_at
          AND next_.state IN ('open', 'held'))
    THEN
        RETURN false;
    END IF;
    RETURN EXISTS (
        SELECT FROM doctors_visittype AS v
        WHERE v.doctor_id = slot.doctor_id AND v.is_active AND (mode_ = '' OR v.mode = mode_)
          AND (most_cents IS NULL OR (v.price_cents <= most_cents AND v.currency = currency_))
          AND slot.mode IN (v.mode, 'any')
          AND coalesce(v.id = ANY (slot.visit_types), true)
          AND doctors_visit_fits(slot.doctor_id, slot.starts_at, v.slots, v.buffer_slots, at_));
END $$;

-- When a visit of this doctor can start first, as doctors_first_start says it for any city and day.
-- `notice`, `horizon` and `most` visits a day are the doctor's, whose row the caller has in hand.
--
-- The first free slot decides for most doctors: it is enough for a visit of one slot that keeps
-- none free after it, if any number of visits may be on a day. A list orders hundreds of doctors by
-- this, so PostgreSQL makes this function a part of the query; calling doctors_first_start for each
-- took twice as long. It is called for the rest only. A test compares the two with Python's rules.
CREATE FUNCTION doctors_first_start_at(
    doctor bigint, notice integer, horizon integer, most integer, at_ timestamptz, mode_ text,
    most_cents bigint, currency_ text
) RETURNS TABLE (starts_at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT CASE
        -- Until two days before the end, it is a day of the horizon in every zone.
        WHEN most IS NULL AND free.starts_at < at_ + (horizon - 2) * interval '24 hours' AND EXISTS (
            SELECT FROM doctors_visittype AS v
            WHERE v.doctor_id = doctor AND v.is_active AND v.slots = 1 AND v.buffer_slots = 0
              AND (mode_ = '' OR v.mode = mode_) AND free.mode IN (v.mode, 'any')
              AND coalesce(v.id = ANY (free.visit_types), true)
              AND (most_cents IS NULL OR (v.price_cents <= most_cents AND v.currency = currency_))
        )
        THEN free.starts_at
        ELSE (
            SELECT other.starts_at FROM doctors_first_start(
                doctor, at_, mode_, most_cents, currency_, '', NULL
            ) AS other
        )
    END
    FROM (
        SELECT s.starts_at, s.mode, s.visit_types FROM doctors_slot AS s
        WHERE s.doctor_id = doctor AND s.starts_at >= at_ + notice * interval '1 minute'
          AND (s.state = 'open' OR (s.state = 'held' AND s.held_until <= at_))
        ORDER BY s.starts_at LIMIT 1
    ) AS free
$$;
