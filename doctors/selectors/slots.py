"""Reading a doctor's grid of slots."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from doctors.models import Doctor, Slot, VisitType
from doctors.rules import GridSlot, VisitTime, booking_window, visit_times

_FIELDS = (
    "id",
    "doctor_id",
    "clinic_id",
    "mode",
    "starts_at",
    "ends_at",
    "state",
    "held_until",
    "hold_id",
    "clinic__time_zone",
)


def grid_of_doctors(
    *, doctor_ids: Iterable[int], start: datetime, end: datetime
) -> dict[int, list[GridSlot]]:
    """All slots that start in [start, end), by doctor, in the order of time. One query."""
    rows = (
        Slot.objects.filter(doctor_id__in=list(doctor_ids), starts_at__gte=start, starts_at__lt=end)
        .order_by("doctor_id", "starts_at")
        .values_list(*_FIELDS)
    )
    grids: dict[int, list[GridSlot]] = {}
    for row in rows:
        slot = GridSlot(*row)
        grids.setdefault(slot.doctor_id, []).append(slot)
    return grids


def times_of_doctor(
    *,
    doctor: Doctor,
    visit_type: VisitType,
    start: datetime,
    end: datetime,
    now: datetime,
    moves: UUID | None = None,
) -> tuple[list[VisitTime], list[VisitTime]]:
    """(free, on hold) starts in [start, end) that notice and horizon allow. One query.

    A visit that begins before `end` may need slots after it, hence the wider look. Slots of the
    appointment that `moves` are free for it.
    """
    earliest, latest = booking_window(
        now=now, min_notice_minutes=doctor.min_notice_minutes, horizon_days=doctor.horizon_days
    )
    start, end = max(start, earliest), min(end, latest)
    if start >= end:
        return [], []
    margin = visit_type.duration + visit_type.buffer
    grids = grid_of_doctors(doctor_ids=[doctor.pk], start=start, end=end + margin)
    grid = _as_seen_by(moves, grids.get(doctor.pk, []))
    free, on_hold = _times_in(grid, visit_type=visit_type, now=now)
    return _starting_before(free, end), _starting_before(on_hold, end)


def free_times_of_doctors(
    *, visit_types: Sequence[VisitType], start: datetime, end: datetime, now: datetime
) -> list[tuple[VisitTime, VisitType]]:
    """Free starts in [start, end) that notice and horizon allow, for one reason of each doctor;
    earliest first. One query; the visit types know their doctors.
    """
    margin = max((each.duration + each.buffer for each in visit_types), default=timedelta())
    doctor_ids = [each.doctor_id for each in visit_types]
    grid = grid_of_doctors(doctor_ids=doctor_ids, start=start, end=end + margin)
    found: list[tuple[VisitTime, VisitType]] = []
    for visit_type in visit_types:
        doctor = visit_type.doctor
        earliest, latest = booking_window(
            now=now, min_notice_minutes=doctor.min_notice_minutes, horizon_days=doctor.horizon_days
        )
        free, _on_hold = _times_in(grid.get(doctor.pk, []), visit_type=visit_type, now=now)
        in_time = (each for each in free if earliest <= each.starts_at < min(end, latest))
        found += [(time, visit_type) for time in in_time]
    return sorted(found, key=lambda pair: (pair[0].starts_at, pair[0].slot_id))


def _as_seen_by(appointment_id: UUID | None, grid: list[GridSlot]) -> list[GridSlot]:
    if appointment_id is None:
        return grid
    return [
        replace(slot, state="open", hold_id=None)
        if (slot.state, slot.hold_id) == ("booked", appointment_id)
        else slot
        for slot in grid
    ]


def _times_in(
    grid: list[GridSlot], *, visit_type: VisitType, now: datetime
) -> tuple[list[VisitTime], list[VisitTime]]:
    return visit_times(
        grid,
        length=visit_type.slots,
        kept_free=visit_type.buffer_slots,
        mode=visit_type.mode,
        now=now,
    )


def _starting_before(times: list[VisitTime], end: datetime) -> list[VisitTime]:
    return [time for time in times if time.starts_at < end]
