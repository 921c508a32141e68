"""Reads doctors, for everybody or for the people who act for them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from docbook.errors import NotFound
from doctors.models import AvailabilityRule, Clinic, Doctor, Slot, Specialty
from doctors.selectors.alphabet import letters_of

# It is still yesterday somewhere.
ONE_DAY = timedelta(days=1)


def bookable_doctors() -> QuerySet[Doctor]:
    """With everything their page shows, in two queries."""
    doctors = Doctor.objects.filter(is_active=True)
    return doctors.select_related("specialty", "clinic").prefetch_related("visit_types")


def get_bookable_doctor(**by: object) -> Doctor:
    """By `pk` or `slug`. Raises NotFound."""
    doctor = bookable_doctors().filter(**by).first()
    if doctor is None:
        raise NotFound
    return doctor


def doctor_of_visit_type(visit_type_id: int) -> Doctor | None:
    """None where nobody offers it, or its doctor is not to be booked."""
    return bookable_doctors().filter(visit_types=visit_type_id).first()


def slot_of_doctor(doctor: Doctor, *, slot_id: int) -> Slot | None:
    """With its clinic."""
    return doctor.slots.filter(pk=slot_id).select_related("clinic").first()


def is_bookable(*, slug: str) -> bool:
    return Doctor.objects.filter(slug=slug, is_active=True).exists()


def clinics_of_doctor(doctor: Doctor, *, now: datetime) -> list[Clinic]:
    return clinics_of_doctors([doctor], now=now)[doctor.pk]


def clinics_of_doctors(doctors: Sequence[Doctor], *, now: datetime) -> dict[int, list[Clinic]]:
    """Where each doctor has hours, now or later. A doctor without hours has the clinics of upcoming
    slots. The main clinic comes first, and alone if there is no other. One query, and two more for
    doctors without hours.
    """
    found: dict[int, set[Clinic]] = {doctor.pk: set() for doctor in doctors}
    hours = AvailabilityRule.objects.filter(
        Q(valid_until=None) | Q(valid_until__gte=now.date() - ONE_DAY), doctor__in=doctors
    )
    for rule in hours.select_related("clinic"):
        found[rule.doctor_id].add(rule.clinic)
    without = [pk for pk, clinics in found.items() if not clinics]
    if without:
        times = Slot.objects.filter(doctor__in=without, starts_at__gt=now).order_by()
        pairs = list(times.values_list("doctor_id", "clinic_id").distinct())
        clinics_by_id = Clinic.objects.in_bulk([clinic_id for _doctor_id, clinic_id in pairs])
        for doctor_id, clinic_id in pairs:
            found[doctor_id].add(clinics_by_id[clinic_id])
    return {each.pk: main_first(found[each.pk], doctor=each) for each in doctors}


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


def get_visible_doctor(user: User, *, doctor_id: int) -> Doctor:
    """One of `doctors_visible_to`. Raises NotFound."""
    doctor = doctors_visible_to(user).filter(pk=doctor_id).first()
    if doctor is None:
        raise NotFound
    return doctor


def doctors_visible_to(user: User) -> QuerySet[Doctor]:
    """Like `doctors_run_by`; for staff, all doctors."""
    if user.is_staff:
        return Doctor.objects.select_related("specialty", "clinic").order_by(
            letters_of("name"), "id"
        )
    return doctors_run_by(user)
