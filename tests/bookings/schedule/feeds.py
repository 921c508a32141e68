"""A doctor with a calendar feed, and what a calendar reads there."""

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from icalendar import Calendar, Event

from accounts.models import User
from bookings.actors.practice_member import PracticeMember
from bookings.models import Appointment, CalendarFeed
from bookings.schedule.feeds.services import make_feed
from doctors.models import Doctor, Slot
from tests.factories import make_appointment, make_doctor, make_slots, make_user, make_visit_type


@dataclass
class Feed:
    doctor: Doctor
    token: str
    made_by: User
    # A calendar has no cookies.
    reader: Client = field(default_factory=Client)

    @property
    def url(self) -> str:
        return f"/calendar/{self.token}.ics"

    @property
    def row(self) -> CalendarFeed:
        return CalendarFeed.objects.get(doctor=self.doctor, created_by=self.made_by)

    def get(self, **headers: str) -> HttpResponse:
        return self.reader.get(self.url, headers=headers)

    def read(self) -> bytes:
        answer = self.get()
        assert answer.status_code == 200
        return bytes(answer.content)

    def event(self) -> Event:
        (event,) = Calendar.from_ical(self.read()).walk("VEVENT")
        return event

    def events(self) -> dict[str, Event]:
        """By UID."""
        found = Calendar.from_ical(self.read()).walk("VEVENT")
        by_uid = {str(each["UID"]): each for each in found}
        assert len(by_uid) == len(found)
        return by_uid


def feed_of(
    doctor: Doctor | None = None, *, by: User | None = None, with_names: bool = False
) -> Feed:
    """The doctor's own, or of somebody else who runs their day."""
    doctor = doctor or make_doctor(user=make_user())
    made_by = by or doctor.user
    assert made_by is not None
    member = PracticeMember(made_by)
    token = make_feed(doctor=doctor, by=member, with_names=with_names, now=timezone.now())
    return Feed(doctor=doctor, token=token, made_by=made_by)


def visit_in(
    feed: Feed, *, slots: list[Slot] | None = None, name: str = "Check", **fields: Any
) -> Appointment:
    """By default the day after tomorrow at nine."""
    visit_type = feed.doctor.visit_types.filter(name=name).first()
    return make_appointment(
        slots=slots or make_slots(doctor=feed.doctor),
        visit_type=visit_type or make_visit_type(doctor=feed.doctor, name=name),
        **fields,
    )


def uid_of(visit: Appointment) -> str:
    return f"{visit.pk}-practice@docbook"
