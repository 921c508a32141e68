"""Rows for tests: plain functions, every keyword with a sensible default.

Times default to tomorrow, because the database's clock judges what is past and what has expired.
"""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count as counter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.models import User
from bookings.models import Appointment, Hold, HoldState, WaitlistEntry
from bookings.states import AppointmentStatus
from doctors.models import (
    AvailabilityRule,
    Clinic,
    Doctor,
    Mode,
    SecretaryAssignment,
    Slot,
    SlotState,
    Specialty,
    VisitType,
)

CLINIC_ZONE = ZoneInfo("Europe/Amsterdam")
PASSWORD = "correct-horse-battery"
_numbers = counter(1)


def tomorrow_at(hour: int = 9, minute: int = 0, *, days: int = 1) -> datetime:
    """An instant (UTC) that many days ahead of the real clock; negative days are past.

    Days by the clock of the clinic that tests make: in the hour before midnight UTC it is tomorrow
    there already.
    """
    day = timezone.now().astimezone(CLINIC_ZONE).date() + timedelta(days=days)
    return datetime.combine(day, time(hour, minute), tzinfo=UTC)


def make_user(*, email: str = "", verified: bool = True, **fields: Any) -> User:
    email = email or f"user-{next(_numbers)}@example.test"
    fields = {"first_name": "Noor", "last_name": "Bakker", "password": PASSWORD} | fields
    user = User.objects.create_user(email, **fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=verified, primary=True)
    return user


def make_patient(*, email: str = "", **fields: Any) -> User:
    return make_user(email=email or f"patient-{next(_numbers)}@example.test", **fields)


def make_admin(**fields: Any) -> User:
    return make_user(**({"is_staff": True, "is_superuser": True} | fields))


def make_specialty(**fields: Any) -> Specialty:
    number = next(_numbers)
    defaults = {
        "name": f"Dermatology {number}",
        "slug": f"dermatology-{number}",
        "practitioner": "dermatologist",
        "icon": "sun",
    }
    return Specialty.objects.create(**(defaults | fields))


def make_clinic(**fields: Any) -> Clinic:
    defaults = {
        "name": "Huid & Haar Kliniek",
        "street": "Maliebaan 42",
        "postcode": "3581 CR",
        "city": "Utrecht",
        "country": "NL",
        "time_zone": CLINIC_ZONE.key,
        "phone": "+31 30 555 0142",
    }
    return Clinic.objects.create(**(defaults | fields))


def make_doctor(**fields: Any) -> Doctor:
    """A doctor who can be booked; specialty and clinic are made when not given."""
    defaults = {"slug": f"doctor-{next(_numbers)}", "name": "Dr Emma Visser", "languages": ["nl"]}
    fields = defaults | fields
    fields["specialty"] = fields.get("specialty") or make_specialty()
    fields["clinic"] = fields.get("clinic") or make_clinic()
    return Doctor.objects.create(**fields)


def make_secretary(*, doctor: Doctor, **fields: Any) -> User:
    secretary = make_user(**fields)
    SecretaryAssignment.objects.create(secretary=secretary, doctor=doctor)
    return secretary


def make_visit_type(*, doctor: Doctor, **fields: Any) -> VisitType:
    defaults = {
        "name": f"Consultation {next(_numbers)}",
        "slots": 1,
        "mode": Mode.IN_PERSON,
        "price_cents": 6000,
        "currency": "EUR",
    }
    return VisitType.objects.create(doctor=doctor, **(defaults | fields))


def make_rule(*, doctor: Doctor, **fields: Any) -> AvailabilityRule:
    """Every day from 09:00 to 12:00 by the clinic's clock, valid since long ago."""
    defaults = {
        "clinic": doctor.clinic,
        "weekdays": [0, 1, 2, 3, 4, 5, 6],
        "starts": time(9),
        "ends": time(12),
        "mode": Mode.ANY,
        "valid_from": date(2020, 1, 1),
    }
    return AvailabilityRule.objects.create(doctor=doctor, **(defaults | fields))


def make_slots(
    *, doctor: Doctor, starts_at: datetime | None = None, count: int = 1, **fields: Any
) -> list[Slot]:
    """`count` adjacent slots in the doctor's grid, from `starts_at` on.

    By default from 09:00 UTC of the day after tomorrow, for changes close a day before a visit.
    """
    step = timedelta(minutes=doctor.slot_minutes)
    first = starts_at or tomorrow_at(days=2)
    fields = {"clinic": doctor.clinic, "mode": Mode.ANY} | fields
    return [
        Slot.objects.create(
            doctor=doctor, starts_at=first + n * step, ends_at=first + (n + 1) * step, **fields
        )
        for n in range(count)
    ]


def make_hold(
    *,
    slots: list[Slot],
    visit_type: VisitType | None = None,
    patient: User | None = None,
    guest_key: UUID | None = None,
    **fields: Any,
) -> Hold:
    """A live hold of five minutes; its slots are held too. Without a guest it is a patient's."""
    first, last = slots[0], slots[-1]
    if patient is None and guest_key is None:
        patient = make_patient()
    defaults = {"expires_at": timezone.now() + timedelta(minutes=5)}
    hold = Hold.objects.create(
        doctor=first.doctor,
        clinic=first.clinic,
        visit_type=visit_type or make_visit_type(doctor=first.doctor, slots=len(slots)),
        slot_ids=[slot.pk for slot in slots],
        starts_at=first.starts_at,
        ends_at=last.ends_at,
        patient=patient,
        guest_key=guest_key,
        **(defaults | fields),
    )
    Slot.objects.filter(pk__in=hold.slot_ids).update(
        state=SlotState.HELD, held_until=hold.expires_at, hold_id=hold.pk
    )
    return hold


def make_appointment(
    *,
    slots: list[Slot],
    patient: User | None = None,
    visit_type: VisitType | None = None,
    **fields: Any,
) -> Appointment:
    """An appointment with all that belongs to it: its confirmed hold and its booked slots."""
    patient = patient or make_patient()
    hold = make_hold(
        slots=slots, patient=patient, visit_type=visit_type, state=HoldState.CONFIRMED, id=uuid7()
    )
    Slot.objects.filter(pk__in=hold.slot_ids).update(state=SlotState.BOOKED, held_until=None)
    defaults = {
        "status": AppointmentStatus.CONFIRMED,
        "patient_name": patient.get_full_name(),
        "price_cents": hold.visit_type.price_cents,
        "currency": hold.visit_type.currency,
    }
    return Appointment.objects.create(
        id=hold.pk,
        doctor=hold.doctor,
        clinic=hold.clinic,
        visit_type=hold.visit_type,
        patient=patient,
        starts_at=hold.starts_at,
        ends_at=hold.ends_at,
        **(defaults | fields),
    )


def make_waitlist_entry(**fields: Any) -> WaitlistEntry:
    """Waiting for any time of one doctor in the next thirty days."""
    today = timezone.now().date()
    doctor = fields["doctor"] if "doctor" in fields else make_doctor()
    defaults = {"doctor": doctor, "from_on": today, "until_on": today + timedelta(days=30)}
    if doctor is not None and "visit_type" not in fields:
        defaults["visit_type"] = make_visit_type(doctor=doctor)
    if "patient" not in fields:
        defaults["patient"] = make_patient()
    return WaitlistEntry.objects.create(**(defaults | fields))
