-- What was agreed stands in the rows of holds and appointments. bookings_hold writes it and
-- bookings_confirm copies it; this trigger fills it in for rows that say nothing: moves by the
-- practice, imports, rows of processes that still run an older release.
CREATE FUNCTION bookings_fill_in_what_is_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
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
