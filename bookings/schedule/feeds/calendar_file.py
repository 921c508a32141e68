"""A doctor's visits as one calendar (RFC 5545, with the names and refreshing of RFC 7986)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, Timezone, vDuration, vText

from bookings.appointments.presentation import is_in_person
from bookings.models import Appointment, CalendarFeed
from bookings.states import ACTIVE
from docbook.http.keyed_digest import digest
from docbook.references import reference

# How often calendars are asked to look; those of Outlook read only the older name.
REFRESH = timedelta(minutes=30)


def entity_tag(feed: CalendarFeed, visits: Sequence[Appointment], *, day: date) -> str:
    """Weak: it stands for what the calendar says, not for its bytes. It is known before a calendar
    is written, and is another one every day, so nothing stays old for longer.
    """
    parts = [day, feed.pk, feed.doctor.name, *((each.pk, each.version) for each in visits)]
    return f'W/"{digest(repr(parts))}"'


def feed_calendar(feed: CalendarFeed, visits: Sequence[Appointment]) -> bytes:
    """Without METHOD and ATTENDEE: it is a copy to look at, and nobody is invited. Without SOURCE,
    which would repeat the address.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//DocBook//DocBook//EN")
    calendar.add("version", "2.0")
    for name in ("name", "x-wr-calname"):
        # Named as text: icalendar does not know these names, and would escape nothing.
        calendar.add(name, vText(f"{feed.doctor.name} · DocBook"))
    calendar.add("refresh-interval", vDuration(REFRESH, params={"VALUE": "DURATION"}))
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for visit in visits:
        calendar.add_component(_event(visit, with_names=feed.with_names))
    if not visits:  # a calendar has at least one component (RFC 5545, 3.6)
        calendar.add_component(Timezone.from_tzid("UTC"))
    return bytes(calendar.to_ical())


def _event(visit: Any, *, with_names: bool) -> Event:
    """The UID is not the one of the patient's own calendar file: in the calendar of somebody who
    has both, one would replace the other. Each appointment has its own, so a visit that was moved
    is seen at both times, cancelled at the first.
    """
    event = Event()
    event.add("uid", f"{visit.pk}-practice@docbook")
    event.add("sequence", visit.version)
    event.add("dtstamp", visit.said_at.astimezone(UTC))
    event.add("last-modified", visit.said_at.astimezone(UTC))
    event.add("created", visit.created_at.astimezone(UTC))
    event.add("dtstart", visit.starts_at.astimezone(UTC))
    event.add("dtend", visit.ends_at.astimezone(UTC))
    event.add("summary", _title(visit, with_names=with_names))
    event.add("location", f"{visit.place_name}, {visit.address}")
    event.add("description", _story(visit))
    event.add("url", _page_of_day(visit))
    event.add("class", "PRIVATE")
    takes_place = visit.status in ACTIVE
    event.add("status", "CONFIRMED" if takes_place else "CANCELLED")
    event.add("transp", "OPAQUE" if takes_place else "TRANSPARENT")
    return event


def _title(visit: Appointment, *, with_names: bool) -> str:
    """Like "First visit", "Talk, phone" or "First visit: Hanna Lindqvist"."""
    agreed = visit.agreed
    what = agreed.name if is_in_person(visit) else f"{agreed.name}, {agreed.get_mode_display()}"
    return f"{what}: {visit.patient_name}" if with_names else what


def _story(visit: Appointment) -> str:
    status = str(visit.get_status_display()).capitalize()
    return f"{status}\n" + _("Reference %(code)s") % {"code": reference(visit.pk)}


def _page_of_day(visit: Appointment) -> str:
    day = visit.starts_at.astimezone(visit.zone).date()
    query = urlencode([("doctor", visit.doctor_id), ("date", day.isoformat())])
    return f"{settings.SITE_URL}{reverse('bookings:schedule')}?{query}"


def changed_at(feed: CalendarFeed, visits: Sequence[Any], *, midnight: datetime) -> datetime:
    """When the calendar last said something else. Visits leave it at midnight only."""
    said: list[datetime] = [each.said_at for each in visits]
    return max(feed.created_at, midnight, *said)
