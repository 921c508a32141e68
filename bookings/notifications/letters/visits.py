"""The mails about a visit. Each takes the appointment with its parts, in the version of the
message, and raises OSError or SMTPException.
"""

from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from bookings.appointments.calendar_file import appointment_calendar
from bookings.appointments.presentation import AppointmentView, view_of
from bookings.appointments.selectors.appointments import contact_of
from bookings.appointments.selectors.chains import chain_of
from bookings.models import Appointment
from bookings.notifications.letters.letter import letter
from bookings.states import PRACTICE
from docbook.notify.email import send_email
from docbook.notify.letters import Letter
from docbook.outbox.selectors import published_at
from doctors.rules import VisitTime
from doctors.templatetags.clinic_time import clock, day_long, zone_label
from doctors.views.addresses import day_url, doctor_url

Method = Literal["REQUEST", "CANCEL"]


def send_confirmation(appointment: Appointment, *, now: datetime, message_id: int) -> None:
    """With the visit as a calendar request."""
    mail = _mail("confirmed", appointment, status=_("Confirmed"), now=now)
    _attach_calendar(mail, appointment, message_id=message_id, method="REQUEST")
    send_email(mail, message_id=message_id)


def send_moved(
    appointment: Appointment, *, previous: Appointment, now: datetime, message_id: int
) -> None:
    """With a calendar request that moves the patient's existing entry. If the practice moved the
    visit, the mail gives the reason.
    """
    why = previous.change_reason if previous.changed_by_kind in PRACTICE else ""
    before = view_of(previous, now=now)
    mail = _mail("moved", appointment, status=_("Moved"), now=now, previous=before, why=why)
    _attach_calendar(mail, appointment, message_id=message_id, method="REQUEST")
    send_email(mail, message_id=message_id)


def send_updated(
    appointment: Appointment, *, previous: Appointment, now: datetime, message_id: int
) -> None:
    """The practice has changed what was agreed; the time stays. With a calendar request."""
    before, after = (_facts(view_of(each, now=now)) for each in (previous, appointment))
    changes = [
        {"label": label, "before": before[label], "after": after[label]}
        for label in after
        if before[label] != after[label]
    ]
    mail = _mail("updated", appointment, status=_("Changed"), now=now, changes=changes)
    _attach_calendar(mail, appointment, message_id=message_id, method="REQUEST")
    send_email(mail, message_id=message_id)


def send_cancelled(appointment: Appointment, *, now: datetime, message_id: int) -> None:
    """The patient has cancelled. Removes the visit from their calendar."""
    url = settings.SITE_URL + doctor_url(appointment.doctor)
    mail = _mail(
        "cancelled", appointment, status=_("Cancelled"), is_off=True, now=now, doctor_url=url
    )
    _attach_calendar(mail, appointment, message_id=message_id, method="CANCEL")
    send_email(mail, message_id=message_id)


def send_called_off(
    appointment: Appointment, *, next_free: list[VisitTime], now: datetime, message_id: int
) -> None:
    """The practice has cancelled: why, in its words, and other free times."""
    mail = _mail(
        "called_off",
        appointment,
        status=_("Cancelled"),
        is_off=True,
        now=now,
        why=appointment.change_reason,
        next_free=[_way_to(appointment, time) for time in next_free],
        doctor_url=settings.SITE_URL
        + doctor_url(appointment.doctor, visit_type=appointment.visit_type_id),
    )
    _attach_calendar(mail, appointment, message_id=message_id, method="CANCEL")
    send_email(mail, message_id=message_id)


def send_reminder(appointment: Appointment, *, kind: str, now: datetime, message_id: int) -> None:
    mail = _mail("reminder", appointment, status=_("Reminder"), now=now, kind=f"-{kind}")
    send_email(mail, message_id=message_id)


def _facts(view: AppointmentView) -> dict[str, str]:
    """The facts that can change while the time stays, in words."""
    start, end = (clock(moment, view.zone) for moment in (view.starts_at, view.ends_at))
    day, zone = day_long(view.starts_at, view.zone), zone_label(view.zone, view.starts_at)
    return {
        _("When"): f"{day}, {start} – {end}, {zone}",
        _("Where"): view.where if view.is_in_person else view.place.name,
        _("How to get there"): view.place.directions if view.is_in_person else "",
        _("Visit"): view.agreed.name,
    }


def _mail(
    template: str, appointment: Appointment, *, now: datetime, kind: str = "", **context: Any
) -> Letter:
    contact = contact_of(appointment)
    view = view_of(appointment, now=now, phone=contact.phone)
    context |= {
        "appointment": view,
        "appointment_url": _appointment_url(appointment),
        "can_be_changed": now < view.changeable_until,
    }
    name = f"{template}{kind}-{appointment.pk}-{appointment.version}"
    return letter(template, to=contact.email, context=context, name=name)


def _attach_calendar(
    mail: Letter, appointment: Appointment, *, message_id: int, method: Method
) -> None:
    """Stamped with the moment when the state was reached, however late the mail is."""
    now = published_at(message_id)
    content = appointment_calendar(
        view_of(appointment, now=now),
        chain=chain_of(appointment),
        now=now,
        url=_appointment_url(appointment),
        method=method,
        attendee=mail.to[0],
    )
    mail.attach("appointment.ics", content.decode(), f"text/calendar; method={method}")


def _appointment_url(appointment: Appointment) -> str:
    return str(settings.SITE_URL) + reverse("bookings:appointment", args=[appointment.pk])


def _way_to(appointment: Appointment, time: VisitTime) -> dict[str, Any]:
    """Links to the day on the doctor's page: the time itself may be taken when the mail is read."""
    path = day_url(appointment.doctor, visit_type_id=appointment.visit_type_id, day=time.local_day)
    elsewhere = time.place if time.place.id != appointment.clinic_id else None
    return {
        "starts_at": time.starts_at,
        "zone": time.zone,
        "elsewhere": elsewhere,
        "url": settings.SITE_URL + path,
    }
