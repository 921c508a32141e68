"""A practice changes everything after somebody has booked. These read the visit afterwards."""

from dataclasses import dataclass
from typing import Any

from django.test import Client
from icalendar import Calendar, Event

from accounts.models import User
from bookings.models import Appointment
from doctors.models import Clinic, Mode, VisitType
from tests.api.client import Api
from tests.bookings.acts import as_patient, book, bookable
from tests.factories import make_clinic, make_patient, make_slots, tomorrow_at

AGREED = {
    "name": "Skin check",
    "mode": Mode.IN_PERSON,
    "price_cents": 4500,
    "currency": "EUR",
}
CHANGED = {
    "name": "Zzz operation",
    "slots": 3,
    "mode": Mode.VIDEO,
    "price_cents": 99_900,
    "currency": "USD",
}
MOVED_AWAY = {
    "name": "Zzz Hospital",
    "street": "Zzz Street 1",
    "postcode": "ZZZ 1",
    "city": "Zzztown",
    "country": "GB",
    "directions": "Zzz stairs",
    "time_zone": "Pacific/Auckland",
}
OLD_WORDS = ("Skin check", "€45", "20 min", "Maliebaan 42", "Huid & Haar Kliniek")
NEW_WORDS = ("Zzz", "999", "60 min", "Auckland", "New Zealand")


@dataclass(frozen=True)
class Booked:
    """A visit of 20 minutes in three days, at 09:00 UTC, in the first of eight slots."""

    visit: Appointment
    slots: list[Any]
    patient: User

    @property
    def api(self) -> Api:
        return Api(self.patient)

    @property
    def browser(self) -> Client:
        browser = Client()
        browser.force_login(self.patient)
        return browser

    def json(self) -> dict[str, Any]:
        return self.api.get(f"bookings/{self.visit.pk}").json()

    def event(self) -> Event:
        answer = self.browser.get(f"/appointments/{self.visit.pk}/calendar.ics")
        return Calendar.from_ical(answer.content).walk("VEVENT")[0]


def booked(*, at: int = 0, **reason: Any) -> Booked:
    visit_type, _none = bookable(count=0)
    clinic = make_clinic(directions="Tram 4")
    VisitType.objects.filter(pk=visit_type.pk).update(**(AGREED | reason))
    visit_type.refresh_from_db()
    doctor = visit_type.doctor
    slots = make_slots(doctor=doctor, clinic=clinic, starts_at=tomorrow_at(days=3), count=8)
    patient = make_patient(phone="+31 6 5550 1234")
    visit = book(slots[at], visit_type=visit_type, holder=as_patient(patient))
    return Booked(visit, slots, patient)


def change_everything(visit: Any) -> None:
    """As the practice does for new visits."""
    VisitType.objects.filter(pk=visit.visit_type_id).update(**CHANGED)
    Clinic.objects.filter(pk=visit.clinic_id).update(**MOVED_AWAY)
