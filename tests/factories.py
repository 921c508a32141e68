"""Rows for tests: a factory for each table, and functions for several related rows.

Every field has a sensible default. Times lie ahead of the real clock, because the database's own
clock decides what is past and what has expired.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import factory
from allauth.account.models import EmailAddress
from django.utils import timezone
from factory.django import DjangoModelFactory
from uuid_utils.compat import uuid7

from accounts.models import User
from bookings.models import Appointment, Hold, HoldState, WaitlistEntry
from bookings.states import AppointmentStatus
from doctors.models import (
    AvailabilityOverride,
    AvailabilityRule,
    Clinic,
    ClosedDay,
    Doctor,
    ExternalCalendar,
    Mode,
    SecretaryAssignment,
    Slot,
    SlotState,
    Specialty,
    VisitType,
)

CLINIC_ZONE = ZoneInfo("Europe/Amsterdam")
PASSWORD = "correct-horse-battery"


def tomorrow_at(hour: int = 9, minute: int = 0, *, days: int = 1) -> datetime:
    """An instant (UTC) that many days ahead of the real clock; negative days are past.

    Days follow the clock of the tests' clinic: in the hour before midnight UTC it is already
    tomorrow there.
    """
    day = timezone.now().astimezone(CLINIC_ZONE).date() + timedelta(days=days)
    return datetime.combine(day, time(hour, minute), tzinfo=UTC)


class UserFactory(DjangoModelFactory[User]):
    """Somebody who can sign in with PASSWORD. `verified`: whether the address is proved."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        admin = factory.Trait(is_staff=True, is_superuser=True)

    email = factory.Sequence(lambda number: f"user-{number}@example.test")
    first_name = "Noor"
    last_name = "Bakker"
    password = PASSWORD

    @classmethod
    def _create(cls, model_class: type[User], *_args: Any, **fields: Any) -> User:
        """Through the manager, which folds the address and hashes the password."""
        return model_class.objects.create_user(fields.pop("email"), **fields)

    @factory.post_generation
    def verified(self: User, _create: bool, verified: bool | None, **_: Any) -> None:
        proved = verified is not False
        EmailAddress.objects.create(user=self, email=self.email, verified=proved, primary=True)


class PatientFactory(UserFactory):
    email = factory.Sequence(lambda number: f"patient-{number}@example.test")


class SpecialtyFactory(DjangoModelFactory[Specialty]):
    class Meta:
        model = Specialty

    name = factory.Sequence(lambda number: f"Dermatology {number}")
    slug = factory.Sequence(lambda number: f"dermatology-{number}")
    practitioner = "dermatologist"
    icon = "sun"


class ClinicFactory(DjangoModelFactory[Clinic]):
    class Meta:
        model = Clinic

    name = "Huid & Haar Kliniek"
    street = "Maliebaan 42"
    postcode = "3581 CR"
    city = "Utrecht"
    country = "NL"
    time_zone = CLINIC_ZONE.key
    phone = "+31 30 555 0142"


class DoctorFactory(DjangoModelFactory[Doctor]):
    """A doctor who can be booked."""

    class Meta:
        model = Doctor

    slug = factory.Sequence(lambda number: f"visser-{number:06d}")
    name = "Dr Emma Visser"
    languages = factory.LazyFunction(lambda: ["nl"])
    specialty = factory.SubFactory(SpecialtyFactory)
    clinic = factory.SubFactory(ClinicFactory)


class SecretaryAssignmentFactory(DjangoModelFactory[SecretaryAssignment]):
    class Meta:
        model = SecretaryAssignment

    secretary = factory.SubFactory(UserFactory)
    doctor = factory.SubFactory(DoctorFactory)


class VisitTypeFactory(DjangoModelFactory[VisitType]):
    class Meta:
        model = VisitType

    doctor = factory.SubFactory(DoctorFactory)
    name = factory.Sequence(lambda number: f"Consultation {number}")
    slots = 1
    mode = Mode.IN_PERSON
    price_cents = 6000
    currency = "EUR"


class RuleFactory(DjangoModelFactory[AvailabilityRule]):
    """Every day from 09:00 to 12:00 by the clinic's clock, valid since long ago."""

    class Meta:
        model = AvailabilityRule

    doctor = factory.SubFactory(DoctorFactory)
    clinic = factory.SelfAttribute("doctor.clinic")
    weekdays = factory.LazyFunction(lambda: [*range(7)])
    starts = time(9)
    ends = time(12)
    mode = Mode.ANY
    valid_from = date(2020, 1, 1)


class OverrideFactory(DjangoModelFactory[AvailabilityOverride]):
    """A day off at every clinic: the day after tomorrow."""

    class Meta:
        model = AvailabilityOverride

    doctor = factory.SubFactory(DoctorFactory)
    first_day = factory.LazyFunction(lambda: tomorrow_at(days=2).date())
    last_day = factory.SelfAttribute("first_day")


class ExternalCalendarFactory(DjangoModelFactory[ExternalCalendar]):
    """An uploaded file with nothing in it."""

    class Meta:
        model = ExternalCalendar

    doctor = factory.SubFactory(DoctorFactory)
    name = "Hospital"
    connected_at = factory.LazyFunction(timezone.now)
    read_at = factory.LazyFunction(timezone.now)
    known_until = factory.LazyFunction(lambda: timezone.now() + timedelta(days=366))


class ClosedDayFactory(DjangoModelFactory[ClosedDay]):
    class Meta:
        model = ClosedDay

    clinic = factory.SubFactory(ClinicFactory)
    day = factory.LazyFunction(lambda: tomorrow_at(days=2).date())
    name = "King's Day"


class SlotFactory(DjangoModelFactory[Slot]):
    """By default from 09:00 UTC of the day after tomorrow: changes close a day before a visit."""

    class Meta:
        model = Slot

    doctor = factory.SubFactory(DoctorFactory)
    clinic = factory.SelfAttribute("doctor.clinic")
    mode = Mode.ANY
    starts_at = factory.LazyFunction(lambda: tomorrow_at(days=2))
    ends_at = factory.LazyAttribute(
        lambda slot: slot.starts_at + timedelta(minutes=slot.doctor.slot_minutes)
    )


class WaitlistEntryFactory(DjangoModelFactory[WaitlistEntry]):
    """Waiting for any time of one doctor in the next thirty days."""

    class Meta:
        model = WaitlistEntry

    patient = factory.SubFactory(PatientFactory)
    doctor = factory.SubFactory(DoctorFactory)
    visit_type = factory.Maybe(
        "doctor", factory.SubFactory(VisitTypeFactory, doctor=factory.SelfAttribute("..doctor"))
    )
    from_on = factory.LazyFunction(lambda: timezone.now().date())
    until_on = factory.LazyFunction(lambda: timezone.now().date() + timedelta(days=30))


make_user = UserFactory.create
make_patient = PatientFactory.create
make_specialty = SpecialtyFactory.create
make_clinic = ClinicFactory.create
make_doctor = DoctorFactory.create
make_visit_type = VisitTypeFactory.create
make_rule = RuleFactory.create
make_override = OverrideFactory.create
make_calendar = ExternalCalendarFactory.create
make_closed_day = ClosedDayFactory.create
make_waitlist_entry = WaitlistEntryFactory.create


def make_admin(**fields: Any) -> User:
    return UserFactory.create(admin=True, **fields)


def make_secretary(*, doctor: Doctor, **fields: Any) -> User:
    """Somebody who acts for this doctor."""
    return SecretaryAssignmentFactory.create(
        doctor=doctor, secretary=UserFactory.create(**fields)
    ).secretary


def make_slots(
    *, doctor: Doctor, starts_at: datetime | None = None, count: int = 1, **fields: Any
) -> list[Slot]:
    """`count` adjacent slots in the doctor's grid, from `starts_at` on."""
    step = timedelta(minutes=doctor.slot_minutes)
    first = starts_at or tomorrow_at(days=2)
    return [
        SlotFactory.create(doctor=doctor, starts_at=first + n * step, **fields)
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
    """An appointment with everything that belongs to it: its confirmed hold and its booked
    slots.
    """
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
