-- Bodies name functions that are made further down.
SET LOCAL check_function_bodies = off;

DROP FUNCTION IF EXISTS http_has_its_key(user_id bigint, key text, may_wait boolean);

DROP FUNCTION IF EXISTS http_keep_outcomes(outcomes http_outcome[]);

DROP TYPE http_outcome;
