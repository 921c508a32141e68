"""How an appointment got into its state."""

from collections.abc import Iterator

from bookings.invariants.invariant import Invariant, Violation
from docbook.audit.verification import breaks

MOVES_ARE_WHOLE = Invariant(
    "I13",
    "A move is whole: both visits name each other, and only the newer may be active.",
    """
    SELECT 'appointment ' || old.id, 'was moved, and nothing took its place'
    FROM bookings_appointment AS old
    LEFT JOIN bookings_appointment AS new ON new.id = old.replaced_by
    WHERE (old.status = 'rescheduled' OR old.replaced_by IS NOT NULL)
      AND (new.replaces, old.status, new.patient_id)
          IS DISTINCT FROM (old.id, 'rescheduled', old.patient_id)
    UNION ALL
    SELECT 'appointment ' || new.id, 'took the place of one that does not say so'
    FROM bookings_appointment AS new
    JOIN bookings_hold AS hold ON hold.id = new.id
    LEFT JOIN bookings_appointment AS old ON old.id = new.replaces
    WHERE new.replaces IS DISTINCT FROM hold.replaces
       OR (new.replaces IS NOT NULL AND old.replaced_by IS DISTINCT FROM new.id)
    """,
)

# The link of an offer went to the patient's address, so it proves the address like a code: an offer
# of the waitlist, or of other times by the practice.
CONFIRMED_BY_CODE = Invariant(
    "I14",
    "Every confirmation had its code in time and within the attempts, or is a named act of staff.",
    """
    SELECT 'appointment ' || visit.id, CASE
        WHEN event.at > hold.expires_at + %(moment)s::interval THEN 'was confirmed after its time'
        WHEN hold.otp_attempts >= %(most_attempts)s THEN 'was confirmed after too many codes'
        ELSE 'was confirmed without a code' END
    FROM bookings_appointment AS visit
    JOIN bookings_hold AS hold ON hold.id = visit.id
    JOIN audit_auditevent AS event
        ON event.object_type = 'appointment' AND event.object_id = visit.id::text
        AND event.action = 'appointment.confirmed'
    WHERE NOT (event.actor_kind = ANY(%(practice)s) AND event.actor_id IS NOT NULL)
      AND (event.at > hold.expires_at + %(moment)s::interval
        OR hold.otp_attempts >= %(most_attempts)s
        OR (hold.waitlist_entry_id IS NULL AND NOT EXISTS (
            SELECT FROM audit_auditevent AS code
            WHERE code.object_type = 'hold' AND code.object_id = hold.id::text
              AND code.action IN ('hold.code_requested', 'hold.offered') AND code.at <= event.at
              AND hold.code_sent_at IS NOT NULL)))
    """,
)


def _broken_seals(newest: int | None) -> Iterator[Violation]:
    for each in breaks(newest=newest):
        yield Violation(f"seal {each.seal}", each.sentence)


# I06 reports whether an appointment was confirmed at all; here its first event may be missing.
AUDIT_IS_COMPLETE = Invariant(
    "I16",
    "The audit is complete, tells of legal transitions only, and its seals are unbroken.",
    """
    SELECT 'hold ' || hold.id, 'nothing says who made it'
    FROM bookings_hold AS hold
    WHERE NOT EXISTS (
        SELECT FROM audit_auditevent AS event
        WHERE event.object_id = hold.id::text AND (
            (event.object_type = 'hold' AND event.action IN ('hold.created', 'waitlist.offered'))
            OR (event.object_type = 'appointment' AND event.action = 'appointment.imported')))
    UNION ALL
    SELECT 'hold ' || hold.id, 'nothing says that it is ' || hold.state
    FROM bookings_hold AS hold
    WHERE hold.state IN ('released', 'expired') AND NOT EXISTS (
        SELECT FROM audit_auditevent AS event
        WHERE event.object_type = 'hold' AND event.object_id = hold.id::text
          AND event.action = 'hold.' || hold.state)
    UNION ALL
    SELECT 'appointment ' || id, CASE
        WHEN NOT follows THEN 'jumps to ' || told || ' in version ' || told_version
        WHEN NOT is_legal THEN 'cannot go from ' || told_before || ' to ' || told || ' by ' || kind
        ELSE 'is not what its last event says' END
    FROM (
        SELECT visit.id, step.*,
            last_told IS NULL OR (told_before = last_told
                AND told_version = last_version + 1) AS follows,
            told_before IS NULL
                OR concat_ws(' ', told_before, told, kind) = ANY(%(steps)s)
                OR (action = 'appointment.updated' AND told_before = told
                    AND kind = ANY(%(practice)s)) AS is_legal,
            NOT is_last
                OR (visit.status = told AND visit.version = told_version) AS agrees
        FROM bookings_appointment AS visit JOIN (
            SELECT object_id, action, actor_kind AS kind, before ->> 'status' AS told_before,
                after ->> 'status' AS told, (after ->> 'version')::integer AS told_version,
                lag(after ->> 'status') OVER story AS last_told,
                lag((after ->> 'version')::integer) OVER story AS last_version,
                lead(id) OVER story IS NULL AS is_last
            FROM audit_auditevent
            WHERE object_type = 'appointment' AND after ->> 'status' IS NOT NULL
            WINDOW story AS (PARTITION BY object_id ORDER BY (after ->> 'version')::integer, id)
        ) AS step ON step.object_id = visit.id::text
    ) AS story
    WHERE (follows AND is_legal AND agrees) IS NOT TRUE
    """,
    look=_broken_seals,
)
