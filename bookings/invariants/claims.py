"""Who has which time."""

from bookings.invariants.invariant import Invariant

# Who has a slot now: live holds, and active appointments through their hold. A hold that was given
# back or has expired has nothing. Slots that a move shares with its visit belong to the visit until
# the move is confirmed. `slot_ids` may hold more slots than the visit is long: the ones kept free
# after it.
_CLAIMS = """
WITH claim AS MATERIALIZED (
    SELECT slot_id, hold.id AS owner, 'held' AS state, hold.expires_at, hold.starts_at
    FROM bookings_hold AS hold LEFT JOIN bookings_hold AS moved ON moved.id = hold.replaces,
        unnest(hold.slot_ids) AS slot_id
    WHERE hold.state = 'held' AND hold.expires_at > now()
      AND slot_id <> ALL(coalesce(moved.slot_ids, '{}'))
    UNION ALL
    SELECT unnest(hold.slot_ids), visit.id, 'booked', NULL, visit.starts_at
    FROM bookings_appointment AS visit JOIN bookings_hold AS hold ON hold.id = visit.id
    WHERE visit.status = ANY(%(active)s))
"""

ONE_CLAIM = Invariant(
    "I01",
    "A slot has at most one live claim: a hold or an active appointment.",
    """
    SELECT 'slot ' || slot_id, 'claimed by ' || string_agg(owner::text, ', ' ORDER BY owner)
    FROM claim GROUP BY slot_id HAVING count(*) > 1
    """,
    given=_CLAIMS,
)


# The later of two active appointments of one person that overlap.
_OVERLAPPING = """
    SELECT 'appointment ' || id, 'begins before an earlier one ends'
    FROM (
        SELECT id, starts_at, max(ends_at) OVER (
            PARTITION BY PERSON ORDER BY starts_at, id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS busy_until
        FROM bookings_appointment WHERE status = ANY(%(active)s)) AS visit
    WHERE starts_at < busy_until
"""

NO_DOCTOR_TWICE = Invariant(
    "I02",
    "No doctor has overlapping active appointments.",
    _OVERLAPPING.replace("PERSON", "doctor_id"),
)
NO_PATIENT_TWICE = Invariant(
    "I03",
    "No patient has overlapping active appointments.",
    _OVERLAPPING.replace("PERSON", "patient_id"),
)

# Of past visits, times are deleted (bookings.upkeep.retention).
TIMES_OF_PATIENTS = Invariant(
    "I17",
    "A patient's time is taken exactly while a visit takes place.",
    """
    SELECT 'appointment ' || visit.id, 'takes place, and its time is not taken'
    FROM bookings_appointment AS visit
    WHERE visit.status = ANY(%(active)s) AND visit.ends_at > now() - interval '6 days'
      AND NOT EXISTS (
        SELECT FROM bookings_patientvisit AS taken
        WHERE taken.patient_id = visit.patient_id AND taken.starts_at = visit.starts_at
          AND taken.appointment_id = visit.id AND taken.ends_at = visit.ends_at)
    UNION ALL
    SELECT 'appointment ' || visit.id, 'was given up, and its time is taken'
    FROM bookings_appointment AS visit JOIN bookings_patientvisit AS taken
        ON taken.patient_id = visit.patient_id AND taken.starts_at = visit.starts_at
        AND taken.appointment_id = visit.id
    WHERE visit.status <> ALL(%(active)s)
    """,
)

# Old slots are deleted, so only existing ones are compared.
AS_ITS_SLOTS = Invariant(
    "I04",
    "An appointment has its slots' doctor, clinic and time, and lies in its month.",
    """
    SELECT 'appointment ' || visit.id, 'differs from its hold'
    FROM bookings_appointment AS visit JOIN bookings_hold AS hold ON hold.id = visit.id
    WHERE (visit.doctor_id, visit.clinic_id, visit.starts_at, visit.ends_at, visit.patient_id)
        IS DISTINCT FROM
          (hold.doctor_id, hold.clinic_id, hold.starts_at, hold.ends_at, hold.patient_id)
    UNION ALL
    SELECT 'appointment ' || visit.id, 'has no hold'
    FROM bookings_appointment AS visit
    WHERE NOT EXISTS (SELECT FROM bookings_hold AS hold WHERE hold.id = visit.id)
    UNION ALL
    SELECT 'appointment ' || visit.id, 'differs from slot ' || slot.id
    FROM bookings_appointment AS visit
    JOIN bookings_hold AS hold ON hold.id = visit.id
    JOIN doctors_slot AS slot ON slot.id = ANY(hold.slot_ids)
    WHERE visit.status = ANY(%(active)s) AND (
        slot.doctor_id <> hold.doctor_id
        OR slot.starts_at < hold.starts_at
        -- Slots after the end are kept free, wherever the doctor is then.
        OR (slot.starts_at < hold.ends_at
            AND (slot.clinic_id <> hold.clinic_id OR slot.ends_at > hold.ends_at))
        OR (slot.id = hold.slot_ids[1] AND slot.starts_at <> hold.starts_at))
    UNION ALL
    SELECT 'appointment ' || id, 'lies in ' || tableoid::regclass::text
    FROM bookings_appointment
    WHERE tableoid::regclass::text
        <> 'bookings_appointment_' || to_char(starts_at AT TIME ZONE 'UTC', 'YYYY_MM')
    """,
)

# An expired held slot belongs to nobody, whatever it says. If a slot had begun when its appointment
# was cancelled or moved, it stays as it was. If there are several claims, any of them may be right
# here: I01 reports that there are several. Rows of one hold may differ by microseconds.
SLOTS_SAY_SO = Invariant(
    "I05",
    "The state of a slot is the one that follows from holds and appointments.",
    """
    SELECT 'slot ' || slot.id,
        'is ' || slot.state || ', and ' || claim.owner || ' has it ' || claim.state
    FROM claim JOIN touched_slot AS slot ON slot.id = claim.slot_id
    WHERE NOT EXISTS (
        SELECT FROM claim AS right_one
        WHERE right_one.slot_id = slot.id AND right_one.owner = slot.hold_id
          AND right_one.state = slot.state
          AND (slot.state <> 'held' OR slot.held_until BETWEEN
               right_one.expires_at - interval '1 second'
               AND right_one.expires_at + interval '1 second'))
    UNION ALL
    SELECT 'slot ' || slot.id, 'is ' || slot.state || ', and nobody has it'
    FROM touched_slot AS slot
    LEFT JOIN claim ON claim.slot_id = slot.id
    LEFT JOIN bookings_hold AS hold ON hold.id = slot.hold_id
    LEFT JOIN bookings_appointment AS visit
        ON visit.id = slot.hold_id AND visit.starts_at = hold.starts_at
    WHERE claim.slot_id IS NULL AND (
        (slot.state = 'held' AND slot.held_until > now() + interval '1 second')
        OR (slot.state = 'booked' AND NOT coalesce(
            slot.id = ANY(hold.slot_ids)
            AND slot.starts_at <= visit.changed_at + interval '2 minutes', false)))
    UNION ALL
    SELECT 'slot ' || claim.slot_id, 'is gone, and ' || claim.owner || ' has it ' || claim.state
    FROM claim LEFT JOIN touched_slot AS slot ON slot.id = claim.slot_id
    -- Slots are deleted thirty days after they have ended.
    WHERE slot.id IS NULL AND claim.starts_at > now() - interval '29 days'
    """,
    given=_CLAIMS,
)

NO_HOLD_LASTS = Invariant(
    "I15",
    "No hold is left standing for more than a minute after its time.",
    """
    SELECT 'hold ' || id, 'ended at ' || expires_at FROM bookings_hold
    WHERE state = 'held' AND expires_at < now() - interval '60 seconds'
    """,
)
