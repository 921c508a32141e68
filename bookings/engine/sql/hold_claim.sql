-- Locks the slots of the calls that no rule refuses. Nobody waits here: a row that somebody works on
-- just now counts as held, so that a rush turns away at once instead of queueing in front of the
-- winner's next statement. What the visit has that would move stays booked, so that nothing is lost
-- if nobody confirms.
CREATE FUNCTION bookings_claim_slots(judged bookings_judged_hold[]) RETURNS bookings_claim[]
LANGUAGE plpgsql AS $$
BEGIN
    RETURN array(
        WITH wanted AS MATERIALIZED (
            SELECT ((each.facts).call).hold_id, ((each.facts).call).replaces, slot_id,
                   row_number() OVER (PARTITION BY slot_id) AS place
            FROM unnest(judged) AS each, unnest((each.facts).slot_ids) AS slot_id
            WHERE each.refusal IS NULL
        ), claimed AS MATERIALIZED (
            SELECT wanted.hold_id, slot.id, slot.state, slot.hold_id AS owner
            FROM doctors_slot AS slot JOIN wanted ON wanted.slot_id = slot.id AND wanted.place = 1
            WHERE slot.state = 'open'
               OR (slot.state = 'held' AND slot.held_until <= clock_timestamp())
               OR (slot.state = 'booked' AND slot.hold_id = wanted.replaces)
            ORDER BY slot.id FOR UPDATE OF slot SKIP LOCKED)
        SELECT ROW(wanted.hold_id, count(claimed.id),
                   array_agg(DISTINCT claimed.owner) FILTER (WHERE claimed.state = 'held'),
                   bool_or(wanted.place > 1))::bookings_claim
        FROM wanted LEFT JOIN claimed
            ON claimed.hold_id = wanted.hold_id AND claimed.id = wanted.slot_id
        GROUP BY wanted.hold_id);
END $$;

-- Why a call did not get its slots. Booked by the visit that moves: somebody works on it just now.
CREATE FUNCTION bookings_why_not_claimed(facts bookings_hold_facts, claim bookings_claim)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN claim.comes_second THEN 'wait'
                WHEN bool_and(slot.state IN ('open', 'held')
                              OR coalesce(slot.hold_id = (facts.call).replaces, false))
                THEN 'slot-held' ELSE 'slot-taken' END
    FROM doctors_slot AS slot WHERE slot.id = ANY(facts.slot_ids)
$$;

-- Of an expired hold of several slots, a part may be wanted. It is taken over only if all its slots
-- can be locked: somebody who works on one of them would find that the hold has ended, and nobody
-- would come back to open that slot.
CREATE FUNCTION bookings_lapse_as_a_whole(lapsed_holds uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    kept bigint[] := array(
        SELECT slot.id FROM bookings_hold AS hold JOIN doctors_slot AS slot
            ON slot.id = ANY(hold.slot_ids) AND slot.hold_id = hold.id AND slot.state = 'held'
        WHERE hold.id = ANY(lapsed_holds));
BEGIN
    RETURN cardinality(kept) = (SELECT count(*) FROM (
        SELECT FROM doctors_slot WHERE id = ANY(kept)
        ORDER BY id FOR UPDATE SKIP LOCKED) AS locked);
END $$;

-- Marks the expired holds whose slots were claimed. A hold of several slots may have been claimed in
-- part: the others open as well.
CREATE FUNCTION bookings_expire_lapsed(claims bookings_claim[], won bookings_hold_facts[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lapsed uuid[] := array(
        SELECT unnest(claim.lapsed_holds) FROM unnest(claims) AS claim
        JOIN unnest(won) AS facts ON (facts.call).hold_id = claim.hold_id);
    request text := ((won[1]).call).request_id;
    ended bookings_hold[];
BEGIN
    IF cardinality(lapsed) = 0 THEN
        RETURN;
    END IF;
    WITH expired AS (
        UPDATE bookings_hold SET state = 'expired' WHERE id = ANY(lapsed) AND state = 'held'
        RETURNING bookings_hold.*)
    SELECT array_agg(expired) INTO ended FROM expired;
    PERFORM audit_write(array(
        SELECT ROW('hold.expired', 'system', NULL, 'hold', hold.id, '{"state": "held"}',
                   '{"state": "expired"}', request)::audit_fact
        FROM unnest(ended) AS hold));
    UPDATE doctors_slot SET state = 'open', hold_id = NULL, held_until = NULL
    WHERE id IN (
        SELECT slot.id FROM doctors_slot AS slot
        WHERE slot.id IN (SELECT unnest(hold.slot_ids) FROM unnest(ended) AS hold)
          AND slot.id NOT IN (SELECT unnest(facts.slot_ids) FROM unnest(won) AS facts)
          AND slot.state = 'held' AND slot.held_until <= clock_timestamp());
END $$;
