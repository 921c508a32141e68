"""Refusals of the page door: what happened, what is still free, and the next step as a link."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings.errors import (
    HoldExpired,
    HoldLimit,
    OtpLocked,
    OutsideBookingWindow,
    PatientBusy,
    SlotHeld,
    SlotTaken,
)
from bookings.models import Hold
from bookings.selectors.holds import live_holds
from bookings.sessions import current_holder
from docbook.errors import DomainError
from docbook.http.problems import STATUS_BY_CODE
from doctors.models import Doctor
from doctors.views.addresses import day_url
from doctors.views.detail import render_doctor
from doctors.views.picker import Notice, PickerQuery


def show_refusal(
    request: HttpRequest,
    error: DomainError,
    *,
    doctor: Doctor,
    visit_type_id: int | None,
    starts_at: datetime | None,
) -> HttpResponse:
    """The doctor's page on the day that was wanted, with fresh times and the reason."""
    day = starts_at.astimezone(doctor.clinic.zone).date() if starts_at else None
    return render_doctor(
        request,
        doctor=doctor,
        query=PickerQuery(visit_type_id=visit_type_id, date=day),
        notice=_notice(request, error, doctor=doctor, visit_type_id=visit_type_id, at=starts_at),
        status=STATUS_BY_CODE[error.code],
    )


def show_lost_hold(request: HttpRequest, error: DomainError, hold: Hold) -> HttpResponse:
    """A hold that is over, seen from one of its own pages."""
    return show_refusal(
        request,
        error,
        doctor=hold.doctor,
        visit_type_id=hold.visit_type_id,
        starts_at=hold.starts_at,
    )


def _notice(
    request: HttpRequest,
    error: DomainError,
    *,
    doctor: Doctor,
    visit_type_id: int | None,
    at: datetime | None,
) -> Notice:
    clock = time_format(at.astimezone(doctor.clinic.zone), "H:i") if at else ""
    if isinstance(error, SlotTaken | SlotHeld):
        return _lost_race(error, clock=clock, doctor=doctor, visit_type_id=visit_type_id)
    if isinstance(error, HoldLimit):
        return _limit_notice(request, error)
    if isinstance(error, HoldExpired):
        title = _("The five minutes are over, so we gave %(time)s back.") % {"time": clock}
        return Notice("expired", title, _("If it is still free, you can pick it again."))
    return _plain_notice(error)


def _lost_race(
    error: SlotTaken | SlotHeld, *, clock: str, doctor: Doctor, visit_type_id: int | None
) -> Notice:
    links = _alternatives(error, doctor=doctor, visit_type_id=visit_type_id)
    if isinstance(error, SlotTaken):
        title = _("%(time)s was just taken by somebody else.") % {"time": clock}
        return Notice("taken", title, links=links, taken_at=error.starts_at)
    title = _("Somebody is confirming %(time)s.") % {"time": clock}
    return Notice("held", title, _("It may come back within five minutes."), links)


def _plain_notice(error: DomainError) -> Notice:
    if isinstance(error, OtpLocked):
        text = _("You can pick it again and get a new code.")
        return Notice("locked", _("Five tries are used up, so we gave the time back."), text)
    if isinstance(error, PatientBusy):
        links = [{"label": _("My appointments"), "url": reverse("bookings:appointments")}]
        return Notice("busy", _("You already have a visit at that time."), "", links)
    if isinstance(error, OutsideBookingWindow):
        return Notice("window", _("This time cannot be booked online now."), _("Pick another one."))
    return Notice("unknown", _("This time is no longer offered."), _("Pick another one."))


def _alternatives(
    error: SlotTaken | SlotHeld, *, doctor: Doctor, visit_type_id: int | None
) -> list[dict[str, str]]:
    zone = doctor.clinic.zone
    links = []
    for time in error.alternatives:
        local = time.starts_at.astimezone(zone)
        same_day = local.date() == error.starts_at.astimezone(zone).date()
        label = time_format(local, "H:i") if same_day else date_format(local, "D j M, H:i")
        links.append(
            {
                "label": _("%(time)s is still free") % {"time": label},
                "url": day_url(doctor, visit_type_id=visit_type_id, day=local.date()),
            }
        )
    return links


def _limit_notice(request: HttpRequest, error: HoldLimit) -> Notice:
    title = ngettext(
        "You are already keeping a time.", "You are already keeping %(count)d times.", error.limit
    ) % {"count": error.limit}
    kept = live_holds(holder=current_holder(request)).select_related("doctor__clinic").first()
    if kept is None:
        return Notice("limit", title)
    local = kept.starts_at.astimezone(kept.doctor.clinic.zone)
    label = _("Go on with %(when)s, %(doctor)s") % {
        "when": date_format(local, "D j M, H:i"),
        "doctor": kept.doctor.name,
    }
    links = [{"label": label, "url": reverse("bookings:details", args=[kept.pk])}]
    text = _("Confirm it or give it back first.")
    return Notice("limit", title, text, links, release_id=kept.pk)
