-- When a visit of this doctor can start first, as doctors_first_start says it for any city and day.
-- `notice` and `horizon` are the doctor's, whose row the caller has in hand.
--
-- The first free slot decides for most doctors: it is enough for a visit of one slot that keeps
-- none free after it. A list orders hundreds of doctors by this, so PostgreSQL makes this function
-- a part of the query; calling doctors_first_start for each took twice as long. It is called for the
-- rest only. A test compares the two with Python's rules.
CREATE FUNCTION doctors_first_start_at(
    doctor bigint, notice integer, horizon integer, at_ timestamptz, mode_ text, most_cents bigint,
    currency_ text
) RETURNS TABLE (starts_at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT CASE
        -- Until two days before the end, it is a day of the horizon in every zone.
        WHEN free.starts_at < at_ + (horizon - 2) * interval '24 hours' AND EXISTS (
            SELECT FROM doctors_visittype AS v
            WHERE v.doctor_id = doctor AND v.is_active AND v.slots = 1 AND v.buffer_slots = 0
              AND (mode_ = '' OR v.mode = mode_) AND free.mode IN (v.mode, 'any')
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
        SELECT s.starts_at, s.mode FROM doctors_slot AS s
        WHERE s.doctor_id = doctor AND s.starts_at >= at_ + notice * interval '1 minute'
          AND (s.state = 'open' OR (s.state = 'held' AND s.held_until <= at_))
        ORDER BY s.starts_at LIMIT 1
    ) AS free
$$;
