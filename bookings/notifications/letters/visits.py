"""The mails about a visit, in the version of the message."""

from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from bookings.appointments.calendar_file import appointment_calendar
from bookings.appointments.presentation import AppointmentView, view_of
from bookings.engine.links import other_times_url
from bookings.models import Appointment
from bookings.notifications.letters.letter import letter
from bookings.notifications.selectors import Told
from bookings.rearranging.selectors import OfferedTimes
from bookings.states import PRACTICE
from docbook.notify.letters import Letter
from doctors.rules import VisitTime
from doctors.templatetags.clinic_time import clock, day_long, zone_label
from doctors.views.addresses import day_url, doctor_url

Method = Literal["REQUEST", "CANCEL"]


def confirmation(told: Told, *, now: datetime, by_practice: bool = False) -> Letter:
    """With the visit as a calendar request. `by_practice`: the practice has booked it, by phone."""
    mail = _mail("confirmed", told, status=_("Confirmed"), now=now, by_practice=by_practice)
    _attach_calendar(mail, told, method="REQUEST")
    return mail


def moved(told: Told, *, previous: Appointment, now: datetime) -> Letter:
    """With a calendar request that moves the patient's existing entry. If the practice moved the
    visit, or handed it over to another doctor, the mail gives the reason.
    """
    is_by_practice = previous.changed_by_kind in PRACTICE
    why = previous.change_reason if is_by_practice else ""
    before = view_of(previous, now=now)
    template, status = "moved", _("Moved")
    if is_by_practice and previous.doctor_id != told.appointment.doctor_id:
        template, status = "handed_over", _("With another doctor")
    mail = _mail(template, told, status=status, now=now, previous=before, why=why)
    _attach_calendar(mail, told, method="REQUEST")
    return mail


def updated(told: Told, *, previous: Appointment, now: datetime) -> Letter:
    """The practice has changed what was agreed; the time stays. With a calendar request."""
    before, after = (_facts(view_of(each, now=now)) for each in (previous, told.appointment))
    changes = [
        {"label": label, "before": before[label], "after": after[label]}
        for label in after
        if before[label] != after[label]
    ]
    mail = _mail("updated", told, status=_("Changed"), now=now, changes=changes)
    _attach_calendar(mail, told, method="REQUEST")
    return mail


def other_times(told: Told, *, offer: OfferedTimes, now: datetime) -> Letter:
    """With the link that moves the visit to one of the times, which are held for the patient."""
    return _mail(
        "other_times",
        told,
        status=_("Please choose another time"),
        now=now,
        kind=f"-{offer.item.pk}",
        why=offer.item.rearrangement.reason,
        times=offer.times,
        held_until=offer.item.offered_until,
        choose_url=other_times_url(offer.item),
    )


def cancelled(told: Told, *, now: datetime) -> Letter:
    """The patient has cancelled. Removes the visit from their calendar."""
    url = settings.SITE_URL + doctor_url(told.appointment.doctor)
    mail = _mail("cancelled", told, status=_("Cancelled"), is_off=True, now=now, doctor_url=url)
    _attach_calendar(mail, told, method="CANCEL")
    return mail


def called_off(told: Told, *, next_free: list[VisitTime], now: datetime) -> Letter:
    """The practice has cancelled: why, in its words, and other free times."""
    appointment = told.appointment
    mail = _mail(
        "called_off",
        told,
        status=_("Cancelled"),
        is_off=True,
        now=now,
        why=appointment.change_reason,
        next_free=[_way_to(appointment, time) for time in next_free],
        doctor_url=settings.SITE_URL
        + doctor_url(appointment.doctor, visit_type=appointment.visit_type_id),
    )
    _attach_calendar(mail, told, method="CANCEL")
    return mail


def reminder(told: Told, *, kind: str, now: datetime) -> Letter:
    return _mail("reminder", told, status=_("Reminder"), now=now, kind=f"-{kind}")


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


def _mail(template: str, told: Told, *, now: datetime, kind: str = "", **context: Any) -> Letter:
    appointment, contact = told.appointment, told.contact
    view = view_of(appointment, now=now, phone=contact.phone)
    context |= {
        "appointment": view,
        "appointment_url": _appointment_url(appointment),
        "can_be_changed": now < view.changeable_until,
    }
    name = f"{template}{kind}-{appointment.pk}-{appointment.version}"
    return letter(template, to=contact.email, context=context, name=name)


def _attach_calendar(mail: Letter, told: Told, *, method: Method) -> None:
    """Stamped with the moment when the state was reached, however late the mail is."""
    now = told.published_at
    content = appointment_calendar(
        view_of(told.appointment, now=now),
        chain=told.chain,
        now=now,
        url=_appointment_url(told.appointment),
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
