-- What a request with an Idempotency-Key has led to: the facts from which its answer is made.
CREATE TYPE http_outcome AS (
    user_id bigint,
    key text,
    route text,
    fingerprint text,
    status smallint,
    facts jsonb
);
