-- The days on which a doctor has `most` visits or more: none if `most` is NULL. A visit that is held
-- counts, once, on the day of its first slot by the clock of its clinic; the one that moves
-- (`apart_from`) does not. All days that touch [from_, until_) are among them, whatever the zone,
-- and others near by may be.
CREATE FUNCTION doctors_full_days(
    doctor bigint, most integer, from_ timestamptz, until_ timestamptz, at_ timestamptz,
    apart_from uuid
) RETURNS TABLE (day date) LANGUAGE sql STABLE AS $$
    SELECT taken.day FROM (
        SELECT DISTINCT ON (slot.hold_id)
               (slot.starts_at AT TIME ZONE clinic.time_zone)::date AS day
        FROM doctors_slot AS slot JOIN doctors_clinic AS clinic ON clinic.id = slot.clinic_id
        WHERE most IS NOT NULL AND slot.doctor_id = doctor
          AND slot.starts_at >= from_ - interval '50 hours'
          AND slot.starts_at < until_ + interval '50 hours'
          AND (slot.state = 'booked' OR (slot.state = 'held' AND slot.held_until > at_))
          AND slot.hold_id IS DISTINCT FROM apart_from
        ORDER BY slot.hold_id, slot.starts_at
    ) AS taken
    GROUP BY taken.day HAVING count(*) >= most
$$;
