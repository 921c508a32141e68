-- Adds events to the audit trail, in the transaction of what they report.
CREATE FUNCTION audit_write(events audit_fact[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_auditevent (at, action, actor_kind, actor_id, object_type, object_id,
                                  before, after, request_id)
    SELECT clock_timestamp(), fact.action, fact.actor_kind, fact.actor_id, fact.object_type,
           fact.object_id::text, fact.before, fact.after, fact.request_id
    FROM unnest(events) AS fact;
END $$;
