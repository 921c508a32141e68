"""Where doctors work, for a whole list of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from doctors.models import Clinic, Doctor, Slot
from doctors.selectors.doctors import clinics_of_doctors, main_first


@dataclass(frozen=True)
class WorkingPlaces:
    """`clinics` as in `clinics_of_doctors`, and the clinic of the next free time."""

    clinics: list[Clinic]
    next_free: Clinic | None


def working_places(doctors: Sequence[Doctor], *, now: datetime) -> dict[int, WorkingPlaces]:
    """By doctor. The doctors come from `with_next_free`. One more query."""
    firsts = Q(pk__in=[])
    for doctor in doctors:
        starts_at = doctor.next_free_at  # type: ignore[attr-defined]  # annotated by the selector
        if starts_at:
            firsts |= Q(doctor=doctor, starts_at=starts_at)
    slots = Slot.objects.filter(firsts).select_related("clinic").order_by("id")
    free = {slot.doctor_id: slot.clinic for slot in slots}
    found = clinics_of_doctors(doctors, now=now)
    places: dict[int, WorkingPlaces] = {}
    for doctor in doctors:
        first = free.get(doctor.pk)
        clinics = {*found[doctor.pk], first} if first else found[doctor.pk]
        places[doctor.pk] = WorkingPlaces(main_first(clinics, doctor=doctor), first)
    return places
