"""Reading doctors, as anybody or as the one who acts for them."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from docbook.errors import NotFound
from doctors.models import Clinic, Doctor, Slot, Specialty
from doctors.selectors.alphabet import letters_of

# Somewhere it is still yesterday.
ONE_DAY = timedelta(days=1)


def bookable_doctors() -> QuerySet[Doctor]:
    """With what their page shows, in two queries."""
    doctors = Doctor.objects.filter(is_active=True)
    return doctors.select_related("specialty", "clinic").prefetch_related("visit_types")


def get_bookable_doctor(**by: object) -> Doctor:
    """By `pk` or `slug`. Raises NotFound."""
    doctor = bookable_doctors().filter(**by).first()
    if doctor is None:
        raise NotFound
    return doctor


def clinics_of_doctor(doctor: Doctor, *, now: datetime) -> list[Clinic]:
    """Where the doctor has hours or times to come, the main clinic first; that one alone where
    there are none. One query.
    """
    hours = doctor.rules.filter(Q(valid_until=None) | Q(valid_until__gte=now.date() - ONE_DAY))
    to_come = Slot.objects.filter(doctor=doctor, starts_at__gt=now)
    here = Q(pk__in=hours.values("clinic")) | Q(pk__in=to_come.values("clinic"))
    clinics = Clinic.objects.filter(here).order_by("name", "id")
    found = sorted(clinics, key=lambda clinic: clinic.pk != doctor.clinic_id)
    return found or [doctor.clinic]


def clinics_of_specialty(specialty: Specialty, *, now: datetime) -> QuerySet[Clinic]:
    """Where its doctors have times to come. Who has none is found at their main clinic."""
    doctors = Doctor.objects.filter(specialty=specialty, is_active=True)
    to_come = Slot.objects.filter(starts_at__gt=now)
    here = to_come.filter(clinic=OuterRef("pk"), doctor__in=doctors)
    idle = doctors.filter(~Q(Exists(to_come.filter(doctor=OuterRef("pk")))))
    main = idle.filter(clinic=OuterRef("pk"))
    return Clinic.objects.filter(Q(Exists(here)) | Q(Exists(main)))


def doctors_run_by(user: User) -> QuerySet[Doctor]:
    """The doctors whose day this user may see: themselves, and those they are secretary of."""
    return (
        Doctor.objects.filter(Q(user=user) | Q(secretaries__secretary=user))
        .distinct()
        .select_related("specialty", "clinic")
        .order_by(letters_of("name"), "id")
    )


def doctors_visible_to(user: User) -> QuerySet[Doctor]:
    """As `doctors_run_by`, and all of them for staff."""
    if user.is_staff:
        return Doctor.objects.select_related("specialty", "clinic").order_by(
            letters_of("name"), "id"
        )
    return doctors_run_by(user)
