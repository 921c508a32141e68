"""An appointment as pages, mails and calendar files show it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol
from uuid import UUID

from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings.appointments.selectors.appointments import Contact
from bookings.models import Appointment, Hold
from bookings.models.agreed import AgreedVisit, Place
from bookings.states import CALLED_OFF, PRACTICE, AppointmentStatus
from docbook.references import reference
from doctors.models import Doctor, Mode
from doctors.templatetags.clinic_time import (
    clock,
    day_short,
    iso,
    minutes_and_seconds,
    money,
    zone_label,
)


def told_in_words(contact: Contact) -> str:
    """Whether the patient hears of a change from us, for the practice."""
    if contact.channel:
        return _("The patient is told.")
    return _("We cannot write to this patient: tell them yourself.")


class Meeting(Protocol):
    """What is held or booked: who meets, where, and how, as agreed."""

    @property
    def doctor(self) -> Doctor: ...
    @property
    def place(self) -> Place: ...
    @property
    def agreed(self) -> AgreedVisit: ...


def is_in_person(meeting: Meeting) -> bool:
    return meeting.agreed.mode == Mode.IN_PERSON


def place_line(meeting: Meeting) -> str:
    """Where the two meet, in one line: an address only for people who have to go there."""
    if is_in_person(meeting):
        return f"{meeting.place.street}, {meeting.place.city}"
    if meeting.agreed.mode == Mode.VIDEO:
        return _("By video. The clinic sends you the link.")
    return _("%(doctor)s calls you.") % {"doctor": meeting.doctor.name}


@dataclass(frozen=True)
class AppointmentView:
    """Instants are aware; `zone` is the IANA name of the place, in which people read them. Place
    and visit are as agreed, even if the clinic or the visit type has changed since.
    """

    id: UUID
    reference: str
    doctor: Doctor
    place: Place
    agreed: AgreedVisit
    zone: str
    starts_at: datetime
    ends_at: datetime
    status: str
    status_label: str
    patient_name: str
    price_cents: int
    currency: str
    is_past: bool
    version: int
    # Until when the patient can move or cancel it, and whether they can now.
    changeable_until: datetime
    is_changeable: bool
    # What the practice wrote when it cancelled or moved the visit.
    cancelled_because: str
    moved_because: str
    replaces: UUID | None
    replaced_by: UUID | None
    # How far away the day is, in words, for lists that show it.
    relative: str = ""
    # The number given when booking, for pages that say which one will ring.
    phone: str = ""

    @property
    def is_off(self) -> bool:
        """Cancelled, or moved to another time: nobody comes at this time."""
        return self.status in CALLED_OFF

    @property
    def is_in_person(self) -> bool:
        return is_in_person(self)

    @property
    def place_line(self) -> str:
        if self.agreed.mode == Mode.PHONE and self.phone:
            given = {"doctor": self.doctor.name, "phone": self.phone}
            return _("%(doctor)s calls you on %(phone)s.") % given
        return place_line(self)

    @property
    def where(self) -> str:
        """The full address, for people who have to find the way."""
        if self.is_in_person:
            return f"{self.place.name}, {self.place.address}"
        if self.is_off:  # nobody calls, and no link is sent
            return self.agreed.get_mode_display().capitalize()
        return self.place_line

    @property
    def what(self) -> str:
        """Like "Skin check, in person, 20 minutes, €60"."""
        agreed = self.agreed
        text = ngettext(
            "%(name)s, %(mode)s, %(minutes)d minute, %(price)s",
            "%(name)s, %(mode)s, %(minutes)d minutes, %(price)s",
            agreed.minutes,
        )
        return text % {
            "name": agreed.name,
            "mode": agreed.get_mode_display().lower(),
            "minutes": agreed.minutes,
            "price": money(self),
        }

    @property
    def calendar_place(self) -> str:
        """For calendars, which others may read too: never a patient's number."""
        if self.is_in_person:
            return f"{self.place.name}, {self.place.address}"
        return place_line(self)

    @property
    def map_url(self) -> str:
        """Empty if nobody has to go there."""
        return self.place.map_url if self.is_in_person and not self.is_off else ""

    @property
    def calendar_title(self) -> str:
        """No visit type and no specialty: people share calendars with families and colleagues."""
        return _("Visit: %(doctor)s") % {"doctor": self.doctor.name}

    @property
    def google_url(self) -> str:
        span = f"{_stamp(self.starts_at)}/{_stamp(self.ends_at)}"
        query = {
            "action": "TEMPLATE",
            "text": self.calendar_title,
            "dates": span,
            "location": self.calendar_place,
        }
        return f"https://calendar.google.com/calendar/render?{urlencode(query)}"

    @property
    def outlook_url(self) -> str:
        query = {
            "path": "/calendar/action/compose",
            "rru": "addevent",
            "subject": self.calendar_title,
            "startdt": self.starts_at.astimezone(UTC).isoformat(),
            "enddt": self.ends_at.astimezone(UTC).isoformat(),
            "location": self.calendar_place,
        }
        return f"https://outlook.live.com/calendar/0/deeplink/compose?{urlencode(query)}"


@dataclass(frozen=True)
class Countdown:
    """How long a time is still held, for the bar with the ring."""

    id: UUID
    zone: str
    starts_at: datetime
    expires_at: datetime
    seconds_left: int

    @cached_property
    def day(self) -> str:
        return day_short(self.starts_at, self.zone)

    @cached_property
    def start(self) -> str:
        return clock(self.starts_at, self.zone)

    @property
    def minutes_left(self) -> str:
        return minutes_and_seconds(self.seconds_left)

    @property
    def held_until(self) -> str:
        return clock(self.expires_at, self.zone)

    @property
    def instant_of_end(self) -> str:
        return iso(self.expires_at, self.zone)

    @property
    def zone_of_end(self) -> str:
        return zone_label(self.zone, self.expires_at)


def countdown_of(hold: Hold, *, now: datetime) -> Countdown:
    return Countdown(
        id=hold.pk,
        zone=hold.time_zone,
        starts_at=hold.starts_at,
        expires_at=hold.expires_at,
        seconds_left=seconds_left(hold, now=now),
    )


def seconds_left(hold: Hold, *, now: datetime) -> int:
    return max(0, int((hold.expires_at - now).total_seconds()))


def view_of(appointment: Appointment, *, now: datetime, phone: str = "") -> AppointmentView:
    """Needs the appointment with its parts (selectors.appointments.PARTS)."""
    until = appointment.changeable_until
    return AppointmentView(
        id=appointment.pk,
        reference=reference(appointment.pk),
        doctor=appointment.doctor,
        place=appointment.place,
        agreed=appointment.agreed,
        zone=appointment.time_zone,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        status=appointment.status,
        status_label=str(appointment.get_status_display()),
        patient_name=appointment.patient_name,
        price_cents=appointment.price_cents,
        currency=appointment.currency,
        is_past=appointment.ends_at <= now,
        version=appointment.version,
        changeable_until=until,
        is_changeable=appointment.status == AppointmentStatus.CONFIRMED and now < until,
        cancelled_because=_said(appointment, of=AppointmentStatus.CANCELLED),
        moved_because=_said(appointment, of=AppointmentStatus.RESCHEDULED),
        replaces=appointment.replaces,
        replaced_by=appointment.replaced_by,
        phone=phone,
    )


def _said(appointment: Appointment, *, of: AppointmentStatus) -> str:
    by_practice = appointment.changed_by_kind in PRACTICE
    return appointment.change_reason if appointment.status == of and by_practice else ""


def rule_of_changes(notice_minutes: int) -> str:
    """Like "Online changes close 24 hours before."."""
    if notice_minutes == 0:
        return _("Online changes close when the visit begins.")
    if notice_minutes % 60:
        text = ngettext(
            "Online changes close %(count)d minute before.",
            "Online changes close %(count)d minutes before.",
            notice_minutes,
        )
        return text % {"count": notice_minutes}
    hours = notice_minutes // 60
    text = ngettext(
        "Online changes close %(count)d hour before.",
        "Online changes close %(count)d hours before.",
        hours,
    )
    return text % {"count": hours}


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
