"""Selects from the visit types that were prefetched with the doctor."""

from doctors.models import Doctor, VisitType


def active_visit_types(doctor: Doctor) -> list[VisitType]:
    """The bookable ones, in the doctor's order. Each has its doctor without a query."""
    active = [each for each in doctor.visit_types.all() if each.is_active]
    for each in active:
        each.doctor = doctor
    return active


def fitting_visit_types(
    doctor: Doctor, *, mode: str = "", max_fee: int | None = None, currency: str = ""
) -> list[VisitType]:
    """The ones that fit a search, in the doctor's order. `max_fee` is in whole units of
    `currency`.
    """
    return [
        each
        for each in active_visit_types(doctor)
        if mode in ("", each.mode) and _is_in_reach(each, max_fee=max_fee, currency=currency)
    ]


def _is_in_reach(visit_type: VisitType, *, max_fee: int | None, currency: str) -> bool:
    if max_fee is None:
        return True
    return visit_type.currency == currency and visit_type.price_cents <= max_fee * 100


def first_visit_type(doctor: Doctor, *, mode: str = "") -> VisitType | None:
    """The visit type that a booking has unless somebody chooses another."""
    return next(iter(fitting_visit_types(doctor, mode=mode)), None)


def choose_visit_type(doctor: Doctor, *, wanted: int | None) -> VisitType | None:
    """The wanted one if the doctor has it, otherwise the first; None if there is none."""
    active = active_visit_types(doctor)
    return next((each for each in active if each.pk == wanted), active[0] if active else None)
