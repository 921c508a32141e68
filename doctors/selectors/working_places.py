"""Where doctors work, for a whole list of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from doctors.models import AvailabilityRule, Clinic, Doctor, Slot
from doctors.selectors.doctors import ONE_DAY


@dataclass
class WorkingPlaces:
    """`clinics` are those with hours now or later, and that of the next free time; the main clinic
    comes first, and alone where there are none.
    """

    clinics: list[Clinic] = field(default_factory=list)
    next_free: Clinic | None = None


def working_places(doctors: Sequence[Doctor], *, now: datetime) -> dict[int, WorkingPlaces]:
    """By doctor; the doctors come from `with_next_free`. Two queries."""
    places = {doctor.pk: WorkingPlaces() for doctor in doctors}
    firsts = Q(pk__in=[])
    for doctor in doctors:
        starts_at = doctor.next_free_at  # type: ignore[attr-defined]  # annotated by the selector
        if starts_at:
            firsts |= Q(doctor=doctor, starts_at=starts_at)
    for slot in Slot.objects.filter(firsts).select_related("clinic").order_by("id"):
        places[slot.doctor_id].next_free = slot.clinic
        places[slot.doctor_id].clinics.append(slot.clinic)
    hours = AvailabilityRule.objects.filter(
        Q(valid_until=None) | Q(valid_until__gte=now.date() - ONE_DAY), doctor__in=doctors
    )
    for rule in hours.select_related("clinic").order_by("clinic__name", "clinic"):
        if rule.clinic not in places[rule.doctor_id].clinics:
            places[rule.doctor_id].clinics.append(rule.clinic)
    for doctor in doctors:
        _put_in_order(places[doctor.pk].clinics, main=doctor.clinic)
    return places


def _put_in_order(clinics: list[Clinic], *, main: Clinic) -> None:
    clinics.sort(key=lambda clinic: (clinic.pk != main.pk, clinic.name, clinic.pk))
    if not clinics:
        clinics.append(main)
