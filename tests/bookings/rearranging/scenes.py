"""A day off whose visits somebody decides about, for tests that begin half-way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from bookings.actors.practice_member import PracticeMember
from bookings.models import Appointment, Choice, RearrangedVisit, Rearrangement
from bookings.rearranging.services.carrying_out import carry_out
from bookings.rearranging.services.decisions import decide
from doctors.models import Doctor, Slot, VisitType
from tests.bookings.acts import as_patient, book
from tests.factories import (
    make_clinic,
    make_doctor,
    make_override,
    make_patient,
    make_rule,
    make_secretary,
    make_slots,
    make_specialty,
    make_visit_type,
    tomorrow_at,
)

WHY = "Dr Visser is ill"
DAYS = 3


@dataclass
class DayOff:
    """The doctor has the day in three days off; the visits of that day are still booked. `later`
    are free slots of the day after it.
    """

    doctor: Doctor
    visit_type: VisitType
    slots: list[Slot]
    visits: list[Appointment]
    later: list[Slot]
    by: PracticeMember

    def colleague(self, **fields: Any) -> Doctor:
        """With a visit type of the same name, and free slots on the day off."""
        given = {"specialty": self.doctor.specialty, "clinic": self.doctor.clinic}
        colleague = make_doctor(**(given | {"name": "Dr Jan de Boer"} | fields))
        make_visit_type(
            doctor=colleague,
            name=self.visit_type.name,
            slots=self.visit_type.slots,
            price_cents=9900,
        )
        make_slots(doctor=colleague, starts_at=self.slots[0].starts_at, count=len(self.slots))
        return colleague

    def decides(self, choice: Choice, **fields: Any) -> Rearrangement:
        given = {
            "visits": [each.pk for each in self.visits],
            "reason": WHY,
            "by": self.by,
            "now": timezone.now(),
        }
        return decide(doctor=self.doctor, choice=choice, **(given | fields))


def day_off(*, count: int = 2, length: int = 1, later: int = 6) -> DayOff:
    """Of `count` patients."""
    doctor = make_doctor(clinic=make_clinic(), specialty=make_specialty(), min_notice_minutes=0)
    visit_type = make_visit_type(doctor=doctor, slots=length)
    at = tomorrow_at(8, days=DAYS)
    make_rule(doctor=doctor)
    slots = make_slots(doctor=doctor, starts_at=at, count=count * length)
    visits = [
        book(slots[number * length], visit_type=visit_type, holder=as_patient(make_patient()))
        for number in range(count)
    ]
    free = make_slots(doctor=doctor, starts_at=tomorrow_at(8, days=DAYS + 1), count=later)
    make_override(doctor=doctor, first_day=at.date())
    by = PracticeMember(make_secretary(doctor=doctor))
    return DayOff(doctor, visit_type, slots, visits, free, by)


def works_through(decision: Rearrangement, *, now: datetime | None = None) -> list[tuple[str, str]]:
    """A worker does all of it; the states of its visits, in order of time."""
    while carry_out(rearrangement_id=decision.pk, now=now or timezone.now()):
        pass
    items = RearrangedVisit.objects.filter(rearrangement=decision).order_by("visit__starts_at")
    return [(each.state, each.failure) for each in items]
