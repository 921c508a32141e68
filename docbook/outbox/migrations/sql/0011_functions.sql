-- Bodies name functions that are made further down.
SET LOCAL check_function_bodies = off;

-- A fact to be told, in the transaction that makes it true. `ids` are texts, and name nobody.
CREATE TYPE outbox_fact AS (
    topic text,
    about text,
    ids jsonb
);

-- Adds messages for the relay to hand out.
CREATE OR REPLACE FUNCTION outbox_publish(facts outbox_fact[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox_outboxmessage (topic, aggregate_id, payload, created_at, attempts,
                                      handed_out, next_attempt_at, last_error)
    SELECT fact.topic, fact.about, fact.ids, clock_timestamp(), 0, 0, clock_timestamp(), ''
    FROM unnest(facts) AS fact;
END $$;
