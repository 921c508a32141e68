"""Colleagues who can take a doctor's visits over: the same specialty, clinic and time."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from bookings.appointments.selectors.outside_hours import BookedVisit
from bookings.models import Hold
from doctors.models import Doctor, Slot, VisitType
from doctors.selectors.slots import free_now


@dataclass(frozen=True)
class Colleague:
    """`free` counts the visits at whose time they have a free slot at the visit's clinic."""

    doctor: Doctor
    free: int


def is_colleague(doctor: Doctor, *, of: Doctor) -> bool:
    return doctor.is_active and doctor.pk != of.pk and doctor.specialty_id == of.specialty_id


def colleagues_for(
    doctor: Doctor, *, visits: Sequence[BookedVisit], now: datetime
) -> list[Colleague]:
    """Those with at least one of these times free, most of them first. Two queries at most."""
    wanted = {(each.clinic_id, each.starts_at) for each in visits}
    free = Counter(
        doctor_id
        for doctor_id, *place_and_time in _free_slots(doctor, wanted=wanted, now=now)
        if tuple(place_and_time) in wanted
    )
    doctors = Doctor.objects.filter(pk__in=free).order_by("name", "pk") if free else []
    found = [Colleague(each, free[each.pk]) for each in doctors]
    return sorted(found, key=lambda each: -each.free)


def _free_slots(
    doctor: Doctor, *, wanted: Collection[tuple[int, datetime]], now: datetime
) -> list[tuple[int, int, datetime]]:
    """(doctor, clinic, start) of colleagues' free slots at these clinics or times."""
    if not wanted:
        return []
    slots = Slot.objects.filter(
        free_now(now),
        doctor__specialty=doctor.specialty_id,
        doctor__is_active=True,
        clinic__in={clinic_id for clinic_id, _start in wanted},
        starts_at__in={start for _clinic_id, start in wanted},
    ).exclude(doctor=doctor)
    return list(slots.values_list("doctor_id", "clinic_id", "starts_at"))


def visit_type_with(colleague: Doctor, *, like: Hold) -> VisitType | None:
    """The colleague's visit type of the same length and mode: the one of the same name, or the
    first. `like` is the hold of a booked visit, with its doctor.
    """
    agreed = like.agreed
    found = [
        each
        for each in colleague.visit_types.filter(is_active=True, mode=agreed.mode)
        if each.slots * colleague.slot_minutes == agreed.minutes
    ]
    same = (each for each in found if each.name.casefold() == agreed.name.casefold())
    return next(same, found[0] if found else None)


def slot_at(doctor: Doctor, *, starts_at: datetime, clinic_id: int) -> int | None:
    """The id of the doctor's slot that begins then at this clinic, free or not."""
    slots = doctor.slots.filter(starts_at=starts_at, clinic=clinic_id)
    return slots.values_list("pk", flat=True).first()
