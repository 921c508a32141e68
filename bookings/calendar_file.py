"""Calendar files (RFC 5545) of one appointment."""

from datetime import UTC, datetime
from typing import Literal

from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from bookings.presentation import AppointmentView


def appointment_calendar(
    appointment: AppointmentView,
    *,
    version: int,
    now: datetime,
    url: str,
    method: Literal["PUBLISH", "REQUEST"] = "PUBLISH",
) -> bytes:
    """One VEVENT with a UID that never changes and a SEQUENCE that grows with every change.

    Instants are written in UTC, so that no calendar has to know the clinic's zone.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//DocBook//DocBook//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(_event(appointment, version=version, now=now, url=url))
    return bytes(calendar.to_ical())


def _event(appointment: AppointmentView, *, version: int, now: datetime, url: str) -> Event:
    event = Event()
    event.add("uid", f"{appointment.id}@docbook")
    event.add("sequence", version - 1)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", appointment.starts_at.astimezone(UTC))
    event.add("dtend", appointment.ends_at.astimezone(UTC))
    event.add("summary", appointment.calendar_title)
    event.add("location", appointment.calendar_place)
    event.add("description", _("Reference %(code)s") % {"code": appointment.reference})
    event.add("url", url)
    event.add("status", "CONFIRMED")
    return event
