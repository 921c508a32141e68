"""Reads all hours of doctors: weekly ones, time off, extra hours, busy times and closed days."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Q

from docbook.errors import NotFound, NotYours
from docbook.postgres.rows import rows_of
from doctors.hours import Hours, Override, WeeklyHours, united
from doctors.models import (
    AvailabilityOverride,
    AvailabilityRule,
    BusyPeriod,
    Clinic,
    ClosedDay,
    Doctor,
)
from doctors.recurrence import ONE_DAY, Period
from doctors.selectors.doctors import main_first


def hours_of(
    doctors: Sequence[Doctor], *, since: date, also_at: Iterable[Clinic] = ()
) -> dict[int, Hours]:
    """By doctor. Days before `since` may be missing. Four queries. `also_at`: clinics where they
    may get hours; their zones and closed days are there too.
    """
    ids = [doctor.pk for doctor in doctors]
    minutes = {doctor.pk: doctor.slot_minutes for doctor in doctors}
    weekly: dict[int, list[WeeklyHours]] = defaultdict(list)
    overrides: dict[int, list[Override]] = defaultdict(list)
    others = {clinic.pk: clinic.zone for clinic in also_at}
    zones: dict[int, dict[int, ZoneInfo]] = defaultdict(others.copy)
    rules = AvailabilityRule.objects.filter(doctor__in=ids).select_related("clinic")
    for rule in rules.order_by("doctor_id", "pk"):
        hours = rule.weekly(slot_minutes=minutes[rule.doctor_id])
        weekly[rule.doctor_id].append(rule.hours(hours))
        zones[rule.doctor_id][rule.clinic_id] = rule.clinic.zone
    coming = AvailabilityOverride.objects.filter(doctor__in=ids, last_day__gte=since)
    for override in coming.select_related("clinic").order_by("doctor_id", "pk"):
        overrides[override.doctor_id].append(override.values)
        if override.clinic:
            zones[override.doctor_id][override.clinic.pk] = override.clinic.zone
    busy = busy_times_of(ids, since=since)
    clinics = {*others, *(clinic_id for of_doctor in zones.values() for clinic_id in of_doctor)}
    closed = ClosedDay.objects.filter(clinic__in=clinics, day__gte=since)
    closed_days = frozenset(closed.values_list("clinic_id", "day"))
    return {
        pk: Hours(
            slot_minutes=minutes[pk],
            weekly=weekly[pk],
            overrides=overrides[pk],
            zones=zones[pk],
            closed=closed_days,
            busy=busy[pk],
        )
        for pk in ids
    }


def busy_times_of(doctor_ids: Iterable[int], *, since: date) -> dict[int, list[Period]]:
    """Of their calendars elsewhere, by doctor, united. Those that end before the day `since` began
    anywhere are missing. One query.
    """
    begun = datetime.combine(since - ONE_DAY, time.min, tzinfo=UTC)
    rows = BusyPeriod.objects.filter(calendar__doctor__in=list(doctor_ids), ends_at__gt=begun)
    found: dict[int, list[Period]] = defaultdict(list)
    for doctor_id, *ends in rows.values_list("calendar__doctor", "starts_at", "ends_at").order_by():
        found[doctor_id].append(Period(*ends))
    for doctor_id, periods in found.items():
        found[doctor_id] = united(periods)
    return found


class Closure(NamedTuple):
    """Whole local days, both included, on which nobody is seen, and why. `clinic_id` is None if
    that counts at every clinic.
    """

    first_day: date
    last_day: date
    reason: str
    clinic_id: int | None


_CLOSURES = """
SELECT first_day, last_day, reason, clinic_id FROM doctors_availabilityoverride
WHERE doctor_id = %(doctor)s AND kind = 'off' AND starts = '00:00' AND ends = '00:00'
  AND reason <> '' AND last_day >= %(first)s AND first_day <= %(last)s
UNION ALL
SELECT day, day, name, clinic_id FROM doctors_closedday
WHERE clinic_id = ANY(%(clinics)s) AND day BETWEEN %(first)s AND %(last)s
ORDER BY 1, 2, 3, 4
"""


def closures_of(
    doctor: Doctor, *, clinics: Iterable[int], first: date, last: date
) -> list[Closure]:
    """What patients may know of the days from `first` to `last`, in order. One query."""
    asked = {"doctor": doctor.pk, "clinics": list(clinics), "first": first, "last": last}
    return [Closure(*row) for row in rows_of(_CLOSURES, **asked)]


def rules_of(doctor: Doctor) -> list[AvailabilityRule]:
    """The weekly hours as the page lists them, with their clinics. One query."""
    rules = AvailabilityRule.objects.filter(doctor=doctor).select_related("clinic")
    return sorted(rules, key=lambda rule: (min(rule.weekdays), rule.starts, rule.pk))


def version_of(rules: Iterable[AvailabilityRule]) -> str:
    """The same for the same weekly hours, in any order."""
    told = sorted(repr(rule.facts) for rule in rules)
    return sha256("\n".join(told).encode()).hexdigest()[:32]


def clinics_with_hours(doctor: Doctor) -> list[Clinic]:
    """The clinics where the doctor has, or had, weekly or extra hours, and the main one, which
    comes first. One query.
    """
    at = Q(pk=doctor.clinic_id) | Q(rules__doctor=doctor) | Q(overrides__doctor=doctor)
    return main_first(Clinic.objects.filter(at).distinct(), doctor=doctor)


def coming_overrides(doctor: Doctor, *, now: datetime) -> list[AvailabilityOverride]:
    """Time off and extra hours that are not over everywhere yet, in order. One query."""
    coming = doctor.overrides.filter(last_day__gte=now.date() - ONE_DAY)
    return list(coming.select_related("clinic").order_by("first_day", "starts", "id"))


def get_override(doctors: Sequence[Doctor], *, override_id: int) -> AvailabilityOverride:
    """One of these doctors'. Raises NotFound for those of others."""
    found = AvailabilityOverride.objects.filter(pk=override_id).select_related("doctor").first()
    if found is None:
        raise NotFound
    if found.doctor not in doctors:
        raise NotYours("override", override_id)
    return found


def doctors_with_hours_at(clinic: Clinic) -> list[int]:
    """The ids of the doctors with weekly or extra hours at this clinic."""
    at_the_clinic = Q(rules__clinic=clinic) | Q(overrides__clinic=clinic)
    found = Doctor.objects.filter(at_the_clinic).order_by("pk")
    return list(found.values_list("pk", flat=True).distinct())
