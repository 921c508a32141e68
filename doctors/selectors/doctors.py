"""Reads doctors, for everybody or for the people who act for them."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db.models import (
    BigIntegerField,
    CharField,
    DateField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
)

from accounts.models import User
from docbook.errors import NotFound, NotYours
from docbook.postgres.kept_query import Given, KeptQuery, put_prefetched
from doctors.models import AvailabilityRule, Clinic, Doctor, Slot, Specialty, VisitType
from doctors.selectors.alphabet import letters_of

# It is still yesterday somewhere.
ONE_DAY = timedelta(days=1)


def bookable_doctors() -> QuerySet[Doctor]:
    """With everything their page shows, in two queries."""
    doctors = Doctor.objects.filter(is_active=True)
    return doctors.select_related("specialty", "clinic").prefetch_related("visit_types")


def _bookable(one: Q) -> QuerySet[Doctor]:
    return bookable_doctors().prefetch_related(None).filter(one).order_by()


_BY_PK = KeptQuery(lambda: _bookable(Q(pk=Given("pk", BigIntegerField()))))
_BY_SLUG = KeptQuery(lambda: _bookable(Q(slug=Given("slug", CharField()))))
_VISIT_TYPES = KeptQuery(
    lambda: VisitType.objects.filter(doctor_id=Given("doctor", BigIntegerField()))
)


def get_bookable_doctor(*, pk: int | None = None, slug: str = "") -> Doctor:
    """By `pk` or `slug`, as `bookable_doctors` gives it. Raises NotFound."""
    doctor = _BY_PK.first(pk=pk) if pk is not None else _BY_SLUG.first(slug=slug)
    if doctor is None:
        raise NotFound
    put_prefetched(doctor, "visit_types", _VISIT_TYPES.all(doctor=doctor.pk))
    return doctor


def doctor_of_visit_type(visit_type_id: int) -> Doctor | None:
    """None if nobody offers it, or its doctor cannot be booked."""
    return bookable_doctors().filter(visit_types=visit_type_id).first()


def slot_of_doctor(doctor: Doctor, *, slot_id: int) -> Slot | None:
    """With its clinic."""
    return doctor.slots.filter(pk=slot_id).select_related("clinic").first()


def is_bookable(*, slug: str) -> bool:
    return Doctor.objects.filter(slug=slug, is_active=True).exists()


_HOURS = KeptQuery(
    lambda: (
        _hours_from(Given("day", DateField()))
        .filter(doctor_id=Given("doctor", BigIntegerField()))
        .order_by()
    )
)


def clinics_of_doctor(doctor: Doctor, *, now: datetime) -> list[Clinic]:
    """As `clinics_of_doctors`."""
    hours = _HOURS.all(doctor=doctor.pk, day=now.date() - ONE_DAY)
    clinics = {rule.clinic for rule in hours}
    if not clinics:
        clinics = _clinics_of_times([doctor.pk], now=now).get(doctor.pk, set())
    return main_first(clinics, doctor=doctor)


def clinics_of_doctors(doctors: Sequence[Doctor], *, now: datetime) -> dict[int, list[Clinic]]:
    """Where each doctor has hours, now or later. A doctor without hours has the clinics of upcoming
    slots. The main clinic comes first, and alone if there is no other. One query, and two more for
    doctors without hours.
    """
    found: dict[int, set[Clinic]] = {doctor.pk: set() for doctor in doctors}
    for rule in _hours_from(now.date() - ONE_DAY).filter(doctor__in=doctors):
        found[rule.doctor_id].add(rule.clinic)
    without = [pk for pk, clinics in found.items() if not clinics]
    if without:
        found |= _clinics_of_times(without, now=now)
    return {each.pk: main_first(found[each.pk], doctor=each) for each in doctors}


def _hours_from(day: date | Given) -> QuerySet[AvailabilityRule]:
    """The hours that are not over on this day, with their clinics."""
    last = Q(valid_until=None) | Q(valid_until__gte=day)
    return AvailabilityRule.objects.filter(last).select_related("clinic")


def _clinics_of_times(doctor_ids: Sequence[int], *, now: datetime) -> dict[int, set[Clinic]]:
    """The clinics of upcoming slots, by doctor."""
    times = Slot.objects.filter(doctor__in=doctor_ids, starts_at__gt=now).order_by()
    pairs = list(times.values_list("doctor_id", "clinic_id").distinct())
    clinics = Clinic.objects.in_bulk([clinic_id for _doctor_id, clinic_id in pairs])
    found: dict[int, set[Clinic]] = {}
    for doctor_id, clinic_id in pairs:
        found.setdefault(doctor_id, set()).add(clinics[clinic_id])
    return found


def main_first(clinics: Iterable[Clinic], *, doctor: Doctor) -> list[Clinic]:
    """By name, but the doctor's main clinic first. The main clinic alone if there are none."""
    main = doctor.clinic_id
    in_order = sorted(clinics, key=lambda each: (each.pk != main, each.name, each.pk))
    return in_order or [doctor.clinic]


def clinics_of_specialty(specialty: Specialty, *, now: datetime) -> QuerySet[Clinic]:
    """Where its doctors have upcoming times. A doctor without times counts at their main clinic."""
    doctors = Doctor.objects.filter(specialty=specialty, is_active=True)
    to_come = Slot.objects.filter(starts_at__gt=now)
    here = to_come.filter(clinic=OuterRef("pk"), doctor__in=doctors)
    idle = doctors.filter(~Q(Exists(to_come.filter(doctor=OuterRef("pk")))))
    main = idle.filter(clinic=OuterRef("pk"))
    return Clinic.objects.filter(Q(Exists(here)) | Q(Exists(main)))


def doctors_run_by(user: User) -> QuerySet[Doctor]:
    """The doctors whose day this user may see: the user, and those they are secretary of."""
    return (
        Doctor.objects.filter(Q(user=user) | Q(secretaries__secretary=user))
        .distinct()
        .select_related("specialty", "clinic")
        .order_by(letters_of("name"), "id")
    )


def runs_a_day(user: User) -> bool:
    return doctors_run_by(user).exists()


def chosen_of(doctors: Sequence[Doctor], *, wanted: str) -> Doctor:
    """The doctor with this id among those whose day somebody runs; the first if none is named.

    Raises NotFound.
    """
    found = [each for each in doctors if not wanted or str(each.pk) == wanted]
    if not found:
        is_id = re.fullmatch("[0-9]{1,18}", wanted)
        raise refusal_of_doctor(int(wanted)) if is_id else NotFound
    return found[0]


def get_visible_doctor(user: User, *, doctor_id: int) -> Doctor:
    """One of `doctors_visible_to`. Raises NotFound."""
    doctor = doctors_visible_to(user).filter(pk=doctor_id).first()
    if doctor is None:
        raise refusal_of_doctor(doctor_id)
    return doctor


def refusal_of_doctor(doctor_id: int) -> NotFound:
    """For somebody who may not see this doctor's day."""
    is_known = Doctor.objects.filter(pk=doctor_id).exists()
    return NotYours("doctor", doctor_id) if is_known else NotFound()


def doctors_visible_to(user: User) -> QuerySet[Doctor]:
    """Like `doctors_run_by`; for staff, all doctors."""
    if user.is_staff:
        return Doctor.objects.select_related("specialty", "clinic").order_by(
            letters_of("name"), "id"
        )
    return doctors_run_by(user)
