from django.db import migrations

# An entry's state follows its offer in the transaction of whoever makes or ends the hold. A lapsed
# hold is ended by whoever takes over its slots, too, who knows nothing of the waitlist.
FOLLOW_THE_OFFER = """
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
CREATE TRIGGER offer_goes_to_somebody_who_waits
    AFTER INSERT OR UPDATE OF state ON bookings_hold
    FOR EACH ROW WHEN (NEW.waitlist_entry_id IS NOT NULL)
    EXECUTE FUNCTION bookings_follow_the_offer();
"""

UNDO = """
DROP TRIGGER offer_goes_to_somebody_who_waits ON bookings_hold;
DROP FUNCTION bookings_follow_the_offer();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0004_next_version'),
    ]

    operations = [
        migrations.RunSQL(FOLLOW_THE_OFFER, UNDO),
    ]
