"""The next times that the practice can give to a caller."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from doctors.models import Doctor, SlotState, VisitType
from doctors.rules import GridSlot, VisitTime, free_times, instants_of_days
from doctors.selectors.slots import grid_of_doctors, wanted_for

MOST = 8
LOOKS_AHEAD = timedelta(days=28)


@dataclass(frozen=True)
class OfferedTime:
    time: VisitTime
    visit_type: VisitType

    @property
    def value(self) -> str:
        """What a form sends for this time."""
        return f"{self.time.slot_id}-{self.visit_type.pk}"


def visit_types_of(doctor: Doctor) -> list[VisitType]:
    """Those that can be booked, in the doctor's order."""
    offered = doctor.visit_types.filter(is_active=True, doctor__is_active=True)
    return list(offered.select_related("doctor"))


def same_visit_type(wanted: VisitType, *, doctors: Sequence[Doctor]) -> list[VisitType]:
    """The visit type of this name at each of these doctors who has the same specialty."""
    alike = [each for each in doctors if each.specialty_id == wanted.doctor.specialty_id]
    offered = VisitType.objects.filter(is_active=True, doctor__is_active=True)
    found = offered.filter(doctor__in=alike, name=wanted.name)
    return list(found.select_related("doctor"))


def doctor_with(visit_type_id: int, *, doctors: Sequence[Doctor]) -> Doctor | None:
    """The one of these doctors who offers it."""
    found = VisitType.objects.filter(pk=visit_type_id, doctor__in=doctors)
    return next((each.doctor for each in found.select_related("doctor")), None)


def next_times(
    visit_types: Sequence[VisitType], *, from_on: date | None, now: datetime
) -> list[OfferedTime]:
    """The first free times of all these visit types that have not begun, from this day of their
    clinics on. Unlike patients, the practice needs no notice. One query.
    """
    start = max(now, instants_of_days(from_on, from_on)[0]) if from_on else now
    grids = grid_of_doctors(
        doctor_ids=[each.doctor_id for each in visit_types],
        start=start,
        end=start + LOOKS_AHEAD,
        states=tuple(SlotState),
    )
    found = [
        OfferedTime(time, each)
        for each in visit_types
        for time in islice(_free(each, grids.get(each.doctor_id, []), from_on, now), MOST)
    ]
    return sorted(found, key=lambda each: (each.time.starts_at, each.time.slot_id))[:MOST]


def _free(
    visit_type: VisitType, grid: Sequence[GridSlot], from_on: date | None, now: datetime
) -> Iterator[VisitTime]:
    times = free_times(grid, wanted_for(visit_type), now=now)
    return (each for each in times if from_on is None or each.local_day >= from_on)
