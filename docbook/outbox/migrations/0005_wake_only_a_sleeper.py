from django.db import migrations

# A commit with a NOTIFY takes a lock that all of them share, and keeps it until its log is on disk:
# under load every booking would wait for the one before. So the relay is woken only where it
# sleeps, and then it holds this lock (docbook.outbox.services._FALL_ASLEEP). A publisher that
# gets the lock, shared with all others, keeps it to its commit: the relay falls asleep only while
# nobody is about to commit, and misses nothing.
WAKE_A_SLEEPER = """
CREATE OR REPLACE FUNCTION outbox_wake_the_relay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock_shared(1203, 0) THEN
        NOTIFY outbox;
    END IF;
    RETURN NULL;
END $$;
"""

WAKE_ALWAYS = """
CREATE OR REPLACE FUNCTION outbox_wake_the_relay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY outbox;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('outbox', '0004_waiting_in_order'),
    ]

    operations = [
        migrations.RunSQL(WAKE_A_SLEEPER, WAKE_ALWAYS),
    ]
