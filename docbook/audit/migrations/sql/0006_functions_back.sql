-- Bodies name functions that are made further down.
SET LOCAL check_function_bodies = off;

DROP FUNCTION IF EXISTS audit_write(events audit_fact[]);

DROP TYPE audit_fact;
