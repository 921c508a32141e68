"""Keeps the counts of DoctorDay. Each function may run any number of times, and twice at once.

A time or visit counts once it has begun, on the day and at the hour that its clinic's clock shows.
What happens later to a visit changes the counts of its day.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from bookings.engine import refused_times
from bookings.models.doctor_days import HOURS, LEADS
from bookings.states import PATIENT_SIDE
from docbook.lock_keys import COUNTS_OF_DAYS
from docbook.postgres.rows import rows_of
from doctors.rules import instants_of_days

ONE_DAY = timedelta(days=1)
# Slots are deleted 30 days after their end. All slots of this many days before today are still
# there, whatever the zone.
SLOTS_REACH_BACK = 28
# Longer than a night and a day without workers.
CHANGES_REACH_BACK = timedelta(days=3)
# So many days are counted in one transaction.
DAYS_A_STEP = 7

_LOCK = "SELECT pg_advisory_xact_lock(%s, %s)"

# Both statements: `counted` from the sources, and `known` rows, so that counts of a day that has
# lost its last slot or visit become zero. Only rows with other counts are written.
_TIMES = """
WITH slot AS (
    SELECT doctor_id, clinic_id, state, starts_at AT TIME ZONE time_zone AS at
    FROM doctors_slot JOIN doctors_clinic AS clinic ON clinic.id = clinic_id
    WHERE starts_at >= %(start)s AND starts_at < %(end)s AND starts_at <= %(now)s
), counted AS (
    SELECT doctor_id, clinic_id, at::date AS day,
           count(*) FILTER (WHERE state <> 'blocked') AS offered,
           count(*) FILTER (WHERE state = 'booked') AS booked,
           ARRAY[OFFERED_BY_HOUR] AS offered_by_hour, ARRAY[BOOKED_BY_HOUR] AS booked_by_hour
    FROM slot CROSS JOIN LATERAL (SELECT extract(hour FROM at) AS hour) AS its
    WHERE at::date BETWEEN %(first)s AND %(last)s
    GROUP BY doctor_id, clinic_id, day
), known AS (
    SELECT doctor_id, clinic_id, day FROM bookings_doctorday
    WHERE day BETWEEN %(first)s AND %(last)s
)
INSERT INTO bookings_doctorday AS kept
    (doctor_id, clinic_id, day, offered, booked, offered_by_hour, booked_by_hour)
SELECT doctor_id, clinic_id, day, coalesce(offered, 0), coalesce(booked, 0),
       coalesce(offered_by_hour, %(no_hours)s::bigint[]),
       coalesce(booked_by_hour, %(no_hours)s::bigint[])
FROM counted FULL JOIN known USING (doctor_id, clinic_id, day)
ON CONFLICT (doctor_id, day, clinic_id) DO UPDATE
SET offered = excluded.offered, booked = excluded.booked,
    offered_by_hour = excluded.offered_by_hour, booked_by_hour = excluded.booked_by_hour
WHERE (kept.offered, kept.booked, kept.offered_by_hour, kept.booked_by_hour)
    IS DISTINCT FROM
    (excluded.offered, excluded.booked, excluded.offered_by_hour, excluded.booked_by_hour)
"""
_VISITS = """
WITH visit AS (
    SELECT doctor_id, clinic_id, status, changed_by_kind = ANY(%(patient_side)s) AS by_patient,
           (starts_at AT TIME ZONE time_zone)::date AS day,
           CASE WHEN replaces IS NULL THEN least(%(longest)s, greatest(0,
               (starts_at AT TIME ZONE time_zone)::date
               - (created_at AT TIME ZONE time_zone)::date)) END AS lead
    FROM bookings_appointment
    WHERE starts_at >= %(start)s AND starts_at < %(end)s AND starts_at <= %(now)s
      AND (%(doctors)s::bigint[] IS NULL OR doctor_id = ANY(%(doctors)s::bigint[]))
), counted AS (
    SELECT doctor_id, clinic_id, day,
           count(*) FILTER (WHERE status = 'confirmed') AS unmarked,
           count(*) FILTER (WHERE status IN ('arrived', 'completed')) AS came,
           count(*) FILTER (WHERE status = 'no_show') AS no_show,
           count(*) FILTER (WHERE status = 'cancelled' AND by_patient) AS cancelled_by_patient,
           count(*) FILTER (WHERE status = 'cancelled' AND NOT by_patient)
               AS cancelled_by_practice,
           count(*) FILTER (WHERE status = 'rescheduled') AS moved,
           ARRAY[LEAD_DAYS] AS lead_days
    FROM visit WHERE day BETWEEN %(first)s AND %(last)s
    GROUP BY doctor_id, clinic_id, day
), known AS (
    SELECT doctor_id, clinic_id, day FROM bookings_doctorday
    WHERE day BETWEEN %(first)s AND %(last)s
      AND (%(doctors)s::bigint[] IS NULL OR doctor_id = ANY(%(doctors)s::bigint[]))
)
INSERT INTO bookings_doctorday AS kept
    (doctor_id, clinic_id, day, unmarked, came, no_show, cancelled_by_patient,
     cancelled_by_practice, moved, lead_days)
SELECT doctor_id, clinic_id, day, coalesce(unmarked, 0), coalesce(came, 0), coalesce(no_show, 0),
       coalesce(cancelled_by_patient, 0), coalesce(cancelled_by_practice, 0), coalesce(moved, 0),
       coalesce(lead_days, %(no_leads)s::bigint[])
FROM counted FULL JOIN known USING (doctor_id, clinic_id, day)
ON CONFLICT (doctor_id, day, clinic_id) DO UPDATE
SET unmarked = excluded.unmarked, came = excluded.came, no_show = excluded.no_show,
    cancelled_by_patient = excluded.cancelled_by_patient,
    cancelled_by_practice = excluded.cancelled_by_practice, moved = excluded.moved,
    lead_days = excluded.lead_days
WHERE (kept.unmarked, kept.came, kept.no_show, kept.cancelled_by_patient,
       kept.cancelled_by_practice, kept.moved, kept.lead_days)
    IS DISTINCT FROM
    (excluded.unmarked, excluded.came, excluded.no_show, excluded.cancelled_by_patient,
     excluded.cancelled_by_practice, excluded.moved, excluded.lead_days)
"""

_REFUSALS = """
INSERT INTO bookings_doctorday AS kept (doctor_id, clinic_id, day, refused)
SELECT slot.doctor_id, slot.clinic_id, (slot.starts_at AT TIME ZONE clinic.time_zone)::date AS day,
       sum(refusal.number)
FROM unnest(%(slots)s::bigint[], %(numbers)s::bigint[]) AS refusal (slot_id, number)
JOIN doctors_slot AS slot ON slot.id = refusal.slot_id
JOIN doctors_clinic AS clinic ON clinic.id = slot.clinic_id
GROUP BY slot.doctor_id, slot.clinic_id, day
ON CONFLICT (doctor_id, day, clinic_id) DO UPDATE SET refused = kept.refused + excluded.refused
"""

# The newest seal from before `since` names a transaction, and every later event has at least its
# number. The hold tells when the visit begins, and so in which month it is.
_CHANGED = """
WITH changed AS MATERIALIZED (
    SELECT DISTINCT object_id::uuid AS id FROM audit_auditevent
    WHERE xact >= coalesce((
        SELECT until FROM audit_auditseal WHERE sealed_at < %(since)s
        ORDER BY number DESC LIMIT 1), 0)
      AND object_type = 'appointment'
      AND action IN ('appointment.arrived', 'appointment.completed', 'appointment.no_show',
                     'appointment.cancelled', 'appointment.rescheduled', 'appointment.undone')
)
SELECT DISTINCT visit.doctor_id, (visit.starts_at AT TIME ZONE visit.time_zone)::date
FROM changed
CROSS JOIN LATERAL (
    SELECT starts_at FROM bookings_hold
    WHERE id = changed.id AND starts_at < %(before)s OFFSET 0) AS hold
CROSS JOIN LATERAL (
    SELECT doctor_id, starts_at, time_zone FROM bookings_appointment
    WHERE id = changed.id AND starts_at = hold.starts_at OFFSET 0) AS visit
"""


def _histogram(value: str, length: int, condition: str = "true") -> str:
    """How many rows have each value from 0 on, for between the brackets of an ARRAY."""
    counts = (
        f"count(*) FILTER (WHERE {value} = {number} AND {condition})" for number in range(length)
    )
    return ", ".join(counts)


_COUNT_TIMES = _TIMES.replace(
    "OFFERED_BY_HOUR", _histogram("hour", HOURS, "state <> 'blocked'")
).replace("BOOKED_BY_HOUR", _histogram("hour", HOURS, "state = 'booked'"))
_COUNT_VISITS = _VISITS.replace("LEAD_DAYS", _histogram("lead", LEADS))


def count_today(*, now: datetime) -> int:
    """Counts the days that are today or were yesterday somewhere; returns how many changes
    there were. A day may have two: of its times, and of its visits.
    """
    return count_days(first=now.date() - 2 * ONE_DAY, last=now.date() + ONE_DAY, now=now)


def add_refusals() -> int:
    """Adds what was refused since the last time to the days of these times, also to those to come;
    returns how many days changed. It is added twice if Redis is lost between commit and answer.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '1min'")
        cursor.execute(_LOCK, COUNTS_OF_DAYS)
        found = refused_times.take()
        cursor.execute(_REFUSALS, {"slots": list(found), "numbers": list(found.values())})
        rows: int = cursor.rowcount
        transaction.on_commit(refused_times.forget)
    return rows


def recount(*, now: datetime) -> int:
    """Counts every day that still has all its slots, and older days on which the status of a visit
    has changed lately; returns how many changes there were.
    """
    first = now.date() - SLOTS_REACH_BACK * ONE_DAY
    changed = count_days(first=first, last=now.date() + ONE_DAY, now=now)
    for day, doctors in _changed_before(first, since=now - CHANGES_REACH_BACK).items():
        changed += count_visits(first=day, last=day, now=now, doctor_ids=doctors)
    return changed


def count_since(first: date, *, now: datetime) -> int:
    """Counts all days from `first` on: the visits of each, and the slots where all are left."""
    changed = recount(now=now)
    last = now.date() - (SLOTS_REACH_BACK + 1) * ONE_DAY
    for start, end in _steps(first, last):
        changed += count_visits(first=start, last=end, now=now)
    return changed


def count_times(*, first: date, last: date, now: datetime) -> int:
    """Counts the slots of these local days, which must all be there; how many days changed."""
    no_hours = [0] * HOURS
    return _write(_COUNT_TIMES, first=first, last=last, now=now, no_hours=no_hours)


def count_visits(
    *, first: date, last: date, now: datetime, doctor_ids: Sequence[int] | None = None
) -> int:
    """Counts the visits of these local days, to these doctors or to all; how many days changed."""
    return _write(
        _COUNT_VISITS,
        first=first,
        last=last,
        now=now,
        doctors=None if doctor_ids is None else list(doctor_ids),
        patient_side=sorted(PATIENT_SIDE),
        longest=LEADS - 1,
        no_leads=[0] * LEADS,
    )


def count_days(*, first: date, last: date, now: datetime) -> int:
    """Counts slots and visits of these local days, whose slots must all be there."""
    changed = 0
    for start, end in _steps(first, last):
        changed += count_times(first=start, last=end, now=now)
        changed += count_visits(first=start, last=end, now=now)
    return changed


def _steps(first: date, last: date) -> list[tuple[date, date]]:
    """Periods of at most DAYS_A_STEP days, both ends included."""
    number = max(0, (last - first).days + 1)
    starts = [first + days * ONE_DAY for days in range(0, number, DAYS_A_STEP)]
    return [(each, min(last, each + (DAYS_A_STEP - 1) * ONE_DAY)) for each in starts]


def _write(sql: str, *, first: date, last: date, **named: Any) -> int:
    """The lock closes this race: of two counts, the one that has read first could write last, and
    bring back what a doctor has just corrected.
    """
    start, end = instants_of_days(first, last)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '5min'")
        cursor.execute("SET LOCAL lock_timeout = '1min'")
        cursor.execute(_LOCK, COUNTS_OF_DAYS)
        cursor.execute(sql, {"first": first, "last": last, "start": start, "end": end, **named})
        rows: int = cursor.rowcount
    return rows


def _changed_before(day: date, *, since: datetime) -> dict[date, list[int]]:
    """The doctors whose visits have changed, by the local day of these visits."""
    _start, before = instants_of_days(day, day)
    found: dict[date, list[int]] = defaultdict(list)
    for doctor_id, changed_day in rows_of(_CHANGED, since=since, before=before):
        if changed_day < day:
            found[changed_day].append(doctor_id)
    return found
