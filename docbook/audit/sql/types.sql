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
