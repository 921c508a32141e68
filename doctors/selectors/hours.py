"""Reads all hours of doctors: weekly ones, time off, extra hours and closed days."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from django.db.models import Q

from doctors.hours import Hours, Override, WeeklyHours
from doctors.models import AvailabilityOverride, AvailabilityRule, Clinic, ClosedDay, Doctor


def hours_of(doctors: Sequence[Doctor], *, since: date) -> dict[int, Hours]:
    """By doctor. Days before `since` may be missing. Three queries."""
    ids = [doctor.pk for doctor in doctors]
    minutes = {doctor.pk: doctor.slot_minutes for doctor in doctors}
    weekly: dict[int, list[WeeklyHours]] = defaultdict(list)
    overrides: dict[int, list[Override]] = defaultdict(list)
    zones: dict[int, dict[int, ZoneInfo]] = defaultdict(dict)
    rules = AvailabilityRule.objects.filter(doctor__in=ids).select_related("clinic")
    for rule in rules.order_by("doctor_id", "pk"):
        hours = rule.weekly(slot_minutes=minutes[rule.doctor_id])
        weekly[rule.doctor_id].append(WeeklyHours(rule.clinic_id, rule.mode, hours))
        zones[rule.doctor_id][rule.clinic_id] = rule.clinic.zone
    coming = AvailabilityOverride.objects.filter(doctor__in=ids, last_day__gte=since)
    for override in coming.select_related("clinic").order_by("doctor_id", "pk"):
        overrides[override.doctor_id].append(override.values)
        if override.clinic:
            zones[override.doctor_id][override.clinic.pk] = override.clinic.zone
    clinics = {clinic_id for of_doctor in zones.values() for clinic_id in of_doctor}
    closed = ClosedDay.objects.filter(clinic__in=clinics, day__gte=since)
    closed_days = frozenset(closed.values_list("clinic_id", "day"))
    return {
        pk: Hours(
            slot_minutes=minutes[pk],
            weekly=weekly[pk],
            overrides=overrides[pk],
            zones=zones[pk],
            closed=closed_days,
        )
        for pk in ids
    }


def doctors_with_hours_at(clinic: Clinic) -> list[int]:
    """The ids of the doctors with weekly or extra hours at this clinic."""
    at_the_clinic = Q(rules__clinic=clinic) | Q(overrides__clinic=clinic)
    found = Doctor.objects.filter(at_the_clinic).order_by("pk")
    return list(found.values_list("pk", flat=True).distinct())
