-- Adds messages for the relay to hand out.
CREATE FUNCTION outbox_publish(facts outbox_fact[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox_outboxmessage (topic, aggregate_id, payload, created_at, attempts,
                                      handed_out, next_attempt_at, last_error)
    SELECT fact.topic, fact.about, fact.ids, clock_timestamp(), 0, 0, clock_timestamp(), ''
    FROM unnest(facts) AS fact;
END $$;
