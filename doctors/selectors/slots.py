"""Reads a doctor's grid of slots."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from django.db.models import Q

from docbook.postgres.rows import rows_of
from doctors.models import Clinic, Doctor, SlotState, VisitType
from doctors.rules import (
    BookingWindow,
    GridSlot,
    Place,
    VisitTime,
    Wanted,
    instants_of_days,
    visit_times,
)

_PLACE = ("name", "street", "postcode", "city", "time_zone")
_GRID = """
SELECT slot.id, doctor_id, clinic_id, mode, starts_at, ends_at, state, held_until, hold_id,
       visit_types, clinic.name, street, postcode, city, time_zone
FROM doctors_slot AS slot
LEFT JOIN doctors_clinic AS clinic
    ON clinic.id = clinic_id AND NOT clinic.id = ANY(%(known)s::bigint[])
WHERE doctor_id = ANY(%(doctors)s::bigint[]) AND starts_at >= %(start)s AND starts_at < %(end)s
  AND state = ANY(%(states)s::text[])
ORDER BY doctor_id, starts_at
"""


def free_now(now: datetime) -> Q:
    """Slots that are open, or held by an expired hold, like GridSlot.is_free."""
    return Q(state="open") | Q(state="held", held_until__lte=now)


def place_of(clinic: Clinic) -> Place:
    return Place(clinic.pk, *(getattr(clinic, name) for name in _PLACE))


def wanted_for(visit_type: VisitType) -> Wanted:
    """What the visit takes of a grid."""
    return Wanted(visit_type.pk, visit_type.mode, visit_type.slots, visit_type.buffer_slots)


def window_of(
    doctor: Doctor, *, now: datetime, full_days: frozenset[date] = frozenset()
) -> BookingWindow:
    return BookingWindow(now, doctor.min_notice_minutes, doctor.horizon_days, full_days)


_FULL_DAYS = """
SELECT limited.doctor_id, full_.day
FROM unnest(%(doctors)s::bigint[], %(most)s::integer[]) AS limited (doctor_id, most)
CROSS JOIN LATERAL doctors_full_days(
    limited.doctor_id, limited.most, %(start)s, %(end)s, %(now)s, %(apart_from)s) AS full_
"""


def full_days(
    doctors: Iterable[Doctor],
    *,
    start: datetime,
    end: datetime,
    now: datetime,
    apart_from: UUID | None = None,
) -> dict[int, frozenset[date]]:
    """The local days, among those that touch [start, end), on which these doctors have as many
    visits as they want, by doctor. Visits that are held count; the one that moves (`apart_from`)
    does not. One query, and none if no doctor has a limit.
    """
    limits = {each.pk: each.most_visits_a_day for each in doctors if each.most_visits_a_day}
    found: dict[int, set[date]] = {pk: set() for pk in limits}
    if limits:
        asked: dict[str, Any] = {"doctors": list(limits), "most": list(limits.values())}
        asked |= {"start": start, "end": end, "now": now, "apart_from": apart_from}
        for doctor_id, day in rows_of(_FULL_DAYS, **asked):
            found[doctor_id].add(day)
    return {pk: frozenset(days) for pk, days in found.items()}


def grid_of_doctors(
    *,
    doctor_ids: Iterable[int],
    start: datetime,
    end: datetime,
    clinics: Iterable[Clinic] = (),
    states: Sequence[str] = tuple(SlotState),
) -> dict[int, list[GridSlot]]:
    """All slots in these states that start in [start, end), by doctor and in order of time. One
    query.

    A page reads a thousand slots, and the ORM takes three times as long. Slots at the given
    `clinics` do not fetch the clinic again.
    """
    places = {clinic.pk: place_of(clinic) for clinic in clinics}
    asked: dict[str, Any] = {
        "doctors": list(doctor_ids),
        "known": list(places),
        "start": start,
        "end": end,
        "states": list(states),
    }
    rows = rows_of(_GRID, **asked)
    for row in rows:
        if row[2] not in places:
            places[row[2]] = Place(row[2], *row[10:])
    return {
        doctor_id: [GridSlot(row[0], doctor_id, places[row[2]], *row[3:10]) for row in of_doctor]
        for doctor_id, of_doctor in groupby(rows, key=itemgetter(1))
    }


_FREE_BY_DAY = """
SELECT (starts_at AT TIME ZONE time_zone)::date AS day, count(*)
FROM doctors_slot AS slot JOIN doctors_clinic AS clinic ON clinic.id = clinic_id
WHERE doctor_id = %(doctor)s AND starts_at >= %(start)s AND starts_at < %(end)s
  AND starts_at > %(now)s AND (state = 'open' OR (state = 'held' AND held_until <= %(now)s))
GROUP BY day
"""


def free_by_day(doctor: Doctor, *, first: date, last: date, now: datetime) -> dict[date, int]:
    """How many free slots each local day has, for the practice. One query."""
    start, end = instants_of_days(first, last)
    rows = rows_of(_FREE_BY_DAY, doctor=doctor.pk, start=start, end=end, now=now)
    return {day: number for day, number in rows if first <= day <= last}


def times_of_doctor(
    *,
    doctor: Doctor,
    visit_type: VisitType,
    start: datetime,
    end: datetime,
    now: datetime,
    moves: UUID | None = None,
) -> tuple[list[VisitTime], list[VisitTime]]:
    """(free, on hold) starts in [start, end) that notice, horizon and full days allow. One query,
    and one more if the doctor takes only so many visits a day.

    A visit that begins before `end` may need slots after it, so the query looks further. Slots of
    the appointment that `moves` are free for it.
    """
    window = window_of(doctor, now=now)
    start, end = max(start, window.earliest), min(end, window.latest)
    if start >= end:
        return [], []
    margin = visit_type.duration + visit_type.buffer
    # Where a slot is booked or blocked, a gap does as well, unless the slot is to be kept free.
    does_gap_do = moves is None and not visit_type.buffer_slots
    grids = grid_of_doctors(
        doctor_ids=[doctor.pk],
        start=start,
        end=end + margin,
        clinics=[doctor.clinic] if Doctor.clinic.is_cached(doctor) else [],
        states=(SlotState.OPEN, SlotState.HELD) if does_gap_do else tuple(SlotState),
    )
    grid = _as_seen_by(moves, grids.get(doctor.pk, []))
    free, on_hold = visit_times(grid, wanted_for(visit_type), now=now)
    full = full_days([doctor], start=start, end=end, now=now, apart_from=moves)
    window = window_of(doctor, now=now, full_days=full.get(doctor.pk, frozenset()))
    return (
        window.allowed_in_order(_before(end, free)),
        window.allowed_in_order(_before(end, on_hold)),
    )


def _before(end: datetime, times: list[VisitTime]) -> list[VisitTime]:
    return times[: bisect_left(times, end, key=attrgetter("starts_at"))]


def times_on_day(
    *, doctor: Doctor, visit_type: VisitType, day: date, now: datetime
) -> list[VisitTime]:
    """Free starts on a day, each on its own clinic's clock. One query."""
    start, end = instants_of_days(day, day)
    free, _on_hold = times_of_doctor(
        doctor=doctor, visit_type=visit_type, start=start, end=end, now=now
    )
    return [time for time in free if time.local_day == day]


def practice_times_on_day(
    *, visit_type: VisitType, day: date, now: datetime, moves: UUID
) -> list[VisitTime]:
    """Free starts on a day, each on its own clinic's clock, that have not begun: also those that
    notice, horizon and a full day keep from patients. Slots of the appointment that `moves` are
    free for it. One query.
    """
    start, end = instants_of_days(day, day)
    margin = visit_type.duration + visit_type.buffer
    doctor_id = visit_type.doctor_id
    grid = grid_of_doctors(doctor_ids=[doctor_id], start=start, end=end + margin)
    slots = _as_seen_by(moves, grid.get(doctor_id, []))
    free, _on_hold = visit_times(slots, wanted_for(visit_type), now=now)
    return [time for time in free if time.local_day == day and time.starts_at > now]


def free_times_of_doctors(
    *, visit_types: Sequence[VisitType], start: datetime, end: datetime, now: datetime
) -> list[tuple[VisitTime, VisitType]]:
    """Free starts in [start, end) that notice, horizon and full days allow, for each of these visit
    types, earliest first. Two queries at most. The visit types must have their doctors loaded.
    """
    margin = max((each.duration + each.buffer for each in visit_types), default=timedelta())
    doctor_ids = {each.doctor_id for each in visit_types}
    grid = grid_of_doctors(doctor_ids=doctor_ids, start=start, end=end + margin)
    doctors = {each.doctor_id: each.doctor for each in visit_types}.values()
    full = full_days(doctors, start=start, end=end, now=now)
    found: list[tuple[VisitTime, VisitType]] = []
    for visit_type in visit_types:
        doctor = visit_type.doctor
        window = window_of(doctor, now=now, full_days=full.get(doctor.pk, frozenset()))
        free, _on_hold = visit_times(grid.get(doctor.pk, []), wanted_for(visit_type), now=now)
        in_time = window.allowed(each for each in free if each.starts_at < end)
        found += [(time, visit_type) for time in in_time]
    return sorted(found, key=lambda pair: (pair[0].starts_at, pair[0].slot_id))


def _as_seen_by(appointment_id: UUID | None, grid: list[GridSlot]) -> list[GridSlot]:
    if appointment_id is None:
        return grid
    return [
        slot._replace(state="open", hold_id=None)
        if (slot.state, slot.hold_id) == ("booked", appointment_id)
        else slot
        for slot in grid
    ]
