"""A practice whose secretary is on the phone."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.models import User
from accounts.services import NewPatient
from bookings.actors.practice_member import PracticeMember
from bookings.models import Appointment
from bookings.schedule.desk.selectors.patients import Found
from bookings.schedule.desk.services import book_for_patient, search_callers
from bookings.schedule.desk.typed_words import typed_words
from doctors.models import Doctor, Slot, VisitType
from tests.factories import (
    make_appointment,
    make_doctor,
    make_patient,
    make_secretary,
    make_slots,
    make_user,
    make_visit_type,
    tomorrow_at,
)

ANNA = NewPatient("Anna", "Smit", phone="+31 6 5550 1234")


@dataclass(frozen=True)
class Practice:
    doctor: Doctor
    visit_type: VisitType
    slots: list[Slot]
    secretary: PracticeMember

    def finds(self, text: str) -> list[Found]:
        return search_callers(
            typed_words(text),
            doctor=self.doctor,
            doctors=[self.doctor],
            by=self.secretary,
            through="desk",
        )

    def names(self, text: str) -> list[str]:
        return [each.shown_name for each in self.finds(text)]

    def books(
        self,
        patient: User | NewPatient = ANNA,
        *,
        at: int = 0,
        booking_id: UUID | None = None,
        **changes: Any,
    ) -> Appointment:
        asked = {
            "booking_id": booking_id or uuid7(),
            "doctor": self.doctor,
            "visit_type_id": self.visit_type.pk,
            "slot_id": self.slots[at].pk,
            "patient": patient,
            "phone": patient.phone,
            "by": self.secretary,
            "now": timezone.now(),
        }
        return book_for_patient(**(asked | changes))

    def knows(self, **fields: Any) -> User:
        """A patient who has been here."""
        patient = make_patient(**fields)
        day = -3 - Appointment.objects.count()
        slots = make_slots(doctor=self.doctor, starts_at=tomorrow_at(days=day))
        make_appointment(slots=slots, patient=patient, visit_type=self.visit_type)
        return patient


def make_practice(**fields: Any) -> Practice:
    doctor = make_doctor(user=make_user(), **fields)
    return Practice(
        doctor=doctor,
        visit_type=make_visit_type(doctor=doctor),
        slots=make_slots(doctor=doctor, count=4),
        secretary=PracticeMember(make_secretary(doctor=doctor)),
    )
