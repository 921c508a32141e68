"""The messages about a booking, and the recorded answers to clients."""

from bookings.invariants.invariant import Invariant

# The demo, and any import of visits that were agreed elsewhere, records `appointment.imported`.
# Then nobody was told. Delivered messages are deleted after a week.
ONE_CONFIRMATION = Invariant(
    "I06",
    "An appointment has exactly one confirmation, and one message of it.",
    """
    SELECT 'appointment ' || visit.id, coalesce(event.number, 0) || ' confirmations'
    FROM bookings_appointment AS visit
    LEFT JOIN (
        SELECT object_id, count(*) AS number FROM audit_auditevent
        WHERE object_type = 'appointment'
          AND action IN ('appointment.confirmed', 'appointment.imported')
        GROUP BY object_id) AS event ON event.object_id = visit.id::text
    WHERE event.number IS DISTINCT FROM 1
    UNION ALL
    SELECT 'appointment ' || visit.id, coalesce(message.number, 0) || ' messages'
    FROM bookings_appointment AS visit
    LEFT JOIN (
        SELECT aggregate_id, count(*) AS number FROM outbox_outboxmessage
        WHERE topic IN ('appointment.confirmed', 'appointment.moved') AND receiver = ''
        GROUP BY aggregate_id) AS message ON message.aggregate_id = visit.id::text
    WHERE visit.created_at > greatest(now() - interval '6 days', %(told_since)s)
      AND message.number IS DISTINCT FROM 1
      AND NOT EXISTS (
        SELECT FROM audit_auditevent AS event
        WHERE event.object_type = 'appointment' AND event.object_id = visit.id::text
          AND event.action = 'appointment.imported')
    """,
)

# Holds that led to nothing are deleted after a week; their audit events stay.
NO_EVENT_WITHOUT_ITS_FACT = Invariant(
    "I07",
    "Nothing is told or noted that did not happen.",
    """
    SELECT 'message ' || message.id, message.topic || ' of no such appointment'
    FROM outbox_outboxmessage AS message
    WHERE message.topic LIKE 'appointment.%%' AND NOT EXISTS (
        SELECT FROM bookings_appointment AS visit WHERE visit.id::text = message.aggregate_id)
    UNION ALL
    SELECT 'message ' || message.id, message.topic || ' of one that is ' || visit.status
    FROM outbox_outboxmessage AS message
    JOIN bookings_appointment AS visit ON visit.id::text = message.aggregate_id
    WHERE (message.topic = 'appointment.cancelled' AND visit.status <> 'cancelled')
       OR (message.topic = 'appointment.moved' AND visit.replaces IS NULL)
    UNION ALL
    SELECT 'message ' || message.id, message.topic || ' of no such hold'
    FROM outbox_outboxmessage AS message
    WHERE message.topic IN ('otp.requested', 'waitlist.offered')
      AND message.created_at > now() - interval '6 days'
      AND NOT EXISTS (
        SELECT FROM bookings_hold AS hold WHERE hold.id::text = message.aggregate_id)
    UNION ALL
    SELECT 'event ' || event.id, event.action || ' of no such appointment'
    FROM audit_auditevent AS event
    WHERE event.object_type = 'appointment' AND event.action LIKE 'appointment.%%'
      AND NOT EXISTS (
        SELECT FROM bookings_appointment AS visit WHERE visit.id::text = event.object_id)
    UNION ALL
    SELECT 'event ' || event.id, event.action || ' of no such hold'
    FROM audit_auditevent AS event
    WHERE event.object_type = 'hold' AND event.at > now() - interval '6 days'
      AND NOT EXISTS (SELECT FROM bookings_hold AS hold WHERE hold.id::text = event.object_id)
    """,
)

ALL_IS_TOLD = Invariant(
    "I08",
    "What is to be told is told within a minute, and once by each channel.",
    """
    SELECT 'message ' || id,
        topic || CASE WHEN dead_at IS NULL THEN ' waits' ELSE ' was given up' END
    FROM outbox_outboxmessage
    WHERE done_at IS NULL AND (
        dead_at IS NOT NULL
        -- What was published for later, and never tried, is not late.
        OR (created_at < now() - interval '60 seconds'
            AND (attempts > 0 OR handed_out > 0
                 OR next_attempt_at < now() - interval '60 seconds')))
    UNION ALL
    SELECT 'message ' || message_id, count(*) || ' deliveries by ' || channel
    FROM outbox_outboxdelivery GROUP BY message_id, channel HAVING count(*) > 1
    UNION ALL
    SELECT 'message ' || message.id, message.topic || ' is done, and nothing was delivered'
    FROM outbox_outboxmessage AS message
    JOIN bookings_appointment AS visit ON visit.id::text = message.aggregate_id
    -- Of a visit that has changed since, another message tells all.
    WHERE (message.topic = 'appointment.cancelled'
           OR (message.topic = 'appointment.updated'
               AND message.payload ->> 'version' = visit.version::text)
           OR (message.topic IN ('appointment.confirmed', 'appointment.moved')
               AND visit.version = 1))
      AND message.done_at IS NOT NULL AND NOT message.is_refused
      AND NOT EXISTS (
        SELECT FROM outbox_outboxdelivery AS delivery
        WHERE delivery.message_id = message.id AND delivery.delivered_at IS NOT NULL)
      -- Of a visit whose patient has an address: the practice tells the others itself.
      AND EXISTS (
        SELECT FROM bookings_hold AS hold JOIN accounts_user AS patient
            ON patient.id = visit.patient_id
        WHERE hold.id = visit.id AND (hold.email <> '' OR patient.email IS NOT NULL))
    UNION ALL
    SELECT 'message ' || message.id, message.topic || ' is done, and nothing was delivered'
    FROM outbox_outboxmessage AS message
    JOIN bookings_hold AS hold ON hold.id::text = message.aggregate_id
    -- An offer that was answered needs no mail, and one that is over must not have one any more.
    WHERE message.topic = 'waitlist.offered'
      AND hold.state IN ('held', 'expired') AND message.done_at < hold.expires_at
      AND NOT message.is_refused
      AND NOT EXISTS (
        SELECT FROM outbox_outboxdelivery AS delivery
        WHERE delivery.message_id = message.id AND delivery.delivered_at IS NOT NULL)
    """,
)

ONE_EFFECT_PER_KEY = Invariant(
    "I09",
    "An idempotency key has one answer and an answer one key; none is stuck.",
    """
    SELECT 'record ' || min(id), count(*) || ' answers for one key'
    FROM http_idempotencyrecord GROUP BY user_id, key HAVING count(*) > 1
    UNION ALL
    SELECT 'record ' || min(id), count(*) || ' keys made hold ' || (facts ->> 'hold_id')
    FROM http_idempotencyrecord WHERE facts ->> 'hold_id' IS NOT NULL
    GROUP BY facts ->> 'hold_id' HAVING count(DISTINCT (user_id, key)) > 1
    UNION ALL
    SELECT 'record ' || id, 'without an answer since ' || created_at
    FROM http_idempotencyrecord
    WHERE status IS NULL AND created_at < now() - interval '90 seconds'
    """,
)
