-- Bodies name functions that are made further down.
SET LOCAL check_function_bodies = off;

-- An event of the audit trail. `before` and `after` hold ids, states and times, never names.
CREATE TYPE audit_fact AS (
    action text,
    actor_kind text,
    actor_id bigint,
    object_type text,
    object_id uuid,
    before jsonb,
    after jsonb,
    request_id text
);

-- Adds events to the audit trail, in the transaction of what they report.
CREATE OR REPLACE FUNCTION audit_write(events audit_fact[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_auditevent (at, action, actor_kind, actor_id, object_type, object_id,
                                  before, after, request_id)
    SELECT clock_timestamp(), fact.action, fact.actor_kind, fact.actor_id, fact.object_type,
           fact.object_id::text, fact.before, fact.after, fact.request_id
    FROM unnest(events) AS fact;
END $$;
