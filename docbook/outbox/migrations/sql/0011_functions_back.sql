-- Bodies name functions that are made further down.
SET LOCAL check_function_bodies = off;

DROP FUNCTION IF EXISTS outbox_publish(facts outbox_fact[]);

DROP TYPE outbox_fact;
