"""Calendar files (RFC 5545) of one appointment, and how they are sent (iTIP, RFC 5546)."""

from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Literal

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress

from bookings.appointments.presentation import AppointmentView
from bookings.appointments.selectors.chains import Chain
from bookings.states import ACTIVE


def appointment_calendar(
    appointment: AppointmentView,
    *,
    chain: Chain,
    now: datetime,
    url: str,
    method: Literal["PUBLISH", "REQUEST", "CANCEL"] = "PUBLISH",
    attendee: str = "",
) -> bytes:
    """One VEVENT with a UID that never changes and a SEQUENCE that grows with every change.

    A visit that was moved keeps the UID of its first appointment, so calendars move the entry.
    REQUEST and CANCEL name the attendee, PUBLISH must not. Instants are written in UTC, so no
    calendar has to know the clinic's zone.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//DocBook//DocBook//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    event = _event(appointment, chain=chain, now=now, url=url)
    if method != "PUBLISH":
        event.add("attendee", _attendee(attendee))
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _event(appointment: AppointmentView, *, chain: Chain, now: datetime, url: str) -> Event:
    event = Event()
    event.add("uid", f"{chain.first}@docbook")
    event.add("sequence", chain.changes)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", appointment.starts_at.astimezone(UTC))
    event.add("dtend", appointment.ends_at.astimezone(UTC))
    event.add("summary", appointment.calendar_title)
    event.add("location", appointment.calendar_place)
    event.add("description", _("Reference %(code)s") % {"code": appointment.reference})
    event.add("url", url)
    event.add("status", "CONFIRMED" if appointment.status in ACTIVE else "CANCELLED")
    event.add("organizer", _organizer(appointment))
    return event


def _organizer(appointment: AppointmentView) -> vCalAddress:
    """The clinic by name. Answers from calendars go to the sender of the mail."""
    address = vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    address.params["CN"] = appointment.place.name
    return address


def _attendee(email: str) -> vCalAddress:
    """Without a name, because calendars are shared. The patient has accepted by booking and need
    not answer.
    """
    address = vCalAddress(f"mailto:{email}")
    address.params.update({"PARTSTAT": "ACCEPTED", "RSVP": "FALSE", "ROLE": "REQ-PARTICIPANT"})
    return address
