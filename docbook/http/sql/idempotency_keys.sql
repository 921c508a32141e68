-- A retry waits for the first request with its key, then finds what that one has led to. Returns
-- false if it would have to wait and may not.
CREATE FUNCTION http_has_its_key(user_id bigint, key text, may_wait boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    lock_key bigint := hashtextextended(key, user_id);
BEGIN
    IF may_wait THEN
        PERFORM pg_advisory_xact_lock(lock_key);
        RETURN true;
    END IF;
    RETURN pg_try_advisory_xact_lock(lock_key);
END $$;

-- Keeps the facts of answers for retries, in the transaction of the effect.
CREATE FUNCTION http_keep_outcomes(outcomes http_outcome[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO http_idempotencyrecord (user_id, key, route, fingerprint, status, facts,
                                        body, location, created_at)
    SELECT outcome.user_id, outcome.key, outcome.route, outcome.fingerprint, outcome.status,
           outcome.facts, '', '', clock_timestamp()
    FROM unnest(outcomes) AS outcome;
END $$;
