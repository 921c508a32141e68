-- Makes the table of a month of the appointments, as its owner: those who serve may make no other.
-- A month is [first day 00:00 UTC, first day of the next month 00:00 UTC).
CREATE FUNCTION bookings_make_appointment_month(month date) RETURNS boolean LANGUAGE plpgsql
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
