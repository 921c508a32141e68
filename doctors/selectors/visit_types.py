"""Reasons for a visit, out of what was prefetched with the doctor."""

from doctors.models import Doctor, VisitType


def active_visit_types(doctor: Doctor) -> list[VisitType]:
    """Those that can be booked, in the doctor's order; each knows its doctor without a query."""
    active = [each for each in doctor.visit_types.all() if each.is_active]
    for each in active:
        each.doctor = doctor
    return active


def choose_visit_type(doctor: Doctor, *, wanted: int | None) -> VisitType | None:
    """The wanted one where the doctor has it, else the first; None where there is none."""
    active = active_visit_types(doctor)
    return next((each for each in active if each.pk == wanted), active[0] if active else None)
