"""Cancelling a visit, and looking for another time for it."""

from dataclasses import dataclass, replace
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from bookings.actors.holder import current_holder
from bookings.appointments.forms import CancelForm
from bookings.appointments.presentation import AppointmentView, rule_of_changes, view_of
from bookings.appointments.selectors.appointments import (
    doctor_to_move_with,
    get_appointment,
    visit_type_as_agreed,
)
from bookings.appointments.services.changes import cancel_appointment, find_changeable_appointment
from bookings.appointments.views.appointments import show_appointment
from bookings.appointments.views.sign_in import sign_in_where_nothing_is_found
from bookings.errors import ChangeWindowPassed, NotChangeable
from bookings.models import Appointment, Hold
from bookings.states import AppointmentStatus
from docbook.errors import DomainError, VersionMismatch
from docbook.http.htmx import wants_fragment
from docbook.http.problems import STATUS_BY_CODE
from docbook.http.templatetags.ui import dialled
from docbook.http.throttling import enforce, limit_of
from docbook.observability import refusal
from doctors.models import Doctor
from doctors.templatetags.clinic_time import day_and_clock
from doctors.views.detail import own_holds, query_of
from doctors.views.picker import build_picker
from doctors.views.picker_page import Notice, Picker, PickerQuery

REFUSALS = (ChangeWindowPassed, NotChangeable, VersionMismatch)


@require_http_methods(["GET", "HEAD", "POST"])
@sign_in_where_nothing_is_found
def cancel(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """The question on its own page, for browsers that open no dialog; and the answer to it."""
    holder, now = current_holder(request), timezone.now()
    form = CancelForm(request.POST or None)
    try:
        if request.method == "POST" and form.is_valid():
            enforce(limit_of("change", request))
            cancel_appointment(
                appointment_id=appointment_id,
                by=holder,
                version=form.cleaned_data["version"],
                reason=form.cleaned_data["reason"],
                now=now,
            )
            thanks = _(
                "Cancelled. Thank you for telling us early. The time is now free for somebody else."
            )
            messages.success(request, thanks)
            return redirect("bookings:appointment", appointment_id=appointment_id)
        # Does not ask if the answer would be refused.
        found = find_changeable_appointment(
            appointment_id=appointment_id, by=holder, version=None, now=now
        )
    except REFUSALS as error:
        is_off = isinstance(error, NotChangeable) and error.status == AppointmentStatus.CANCELLED
        if is_off and request.method != "POST":
            return redirect("bookings:appointment", appointment_id=appointment_id)
        return show_refused_change(request, error, appointment_id=appointment_id)
    context = {"appointment": view_of(found, now=now), "form": form, "nav": "appointments"}
    status = 422 if form.is_bound else 200
    return render(request, "bookings/appointments/cancel.html", context, status=status)


@require_safe
@sign_in_where_nothing_is_found
def reschedule(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Other free times of the doctor. The visit stays until one of them is confirmed."""
    holder = current_holder(request)
    try:
        found = find_changeable_appointment(
            appointment_id=appointment_id, by=holder, version=None, now=timezone.now()
        )
    except REFUSALS as error:
        return show_refused_change(request, error, appointment_id=appointment_id)
    return show_move(request, found, query=query_of(request))


def visit_to_move(request: HttpRequest, appointment_id: UUID) -> Appointment | None:
    """The visit that a hold would move; None if it can no longer be moved."""
    try:
        return find_changeable_appointment(
            appointment_id=appointment_id,
            by=current_holder(request),
            version=None,
            now=timezone.now(),
        )
    except REFUSALS:
        return None


@dataclass(frozen=True)
class MovePage:
    """The picker below the current time, whose clock is `zone`. A move stays with its doctor."""

    appointment: AppointmentView
    doctor: Doctor
    picker: Picker
    zone: str
    others_url: str = ""


def show_move(
    request: HttpRequest,
    appointment: Appointment,
    *,
    query: PickerQuery,
    notice: Notice | None = None,
    status: int = 200,
) -> HttpResponse:
    """The picker below the current time, or only the picker for htmx."""
    doctor, now = doctor_to_move_with(appointment), timezone.now()
    picker = Picker(notice=notice)
    if doctor is not None:
        picker = build_picker(
            doctor=doctor,
            query=replace(
                query,
                visit_type=visit_type_as_agreed(appointment),
                page=reverse("bookings:reschedule", args=[appointment.pk]),
                replaces=appointment.pk,
                moves_from=appointment.starts_at,
            ),
            now=now,
            own_holds=own_holds(request),
            notice=notice,
        )
    page = MovePage(
        appointment=view_of(appointment, now=now),
        doctor=doctor or appointment.doctor,
        picker=picker,
        zone=appointment.time_zone,
    )
    template = (
        "doctors/_picker_swap.html"
        if wants_fragment(request)
        else "bookings/appointments/move.html"
    )
    return render(request, template, {"page": page, "nav": "appointments"}, status=status)


def show_refused_change(
    request: HttpRequest, error: DomainError, *, appointment_id: UUID, attempt: Hold | None = None
) -> HttpResponse:
    """The visit as it is now, and the reason. With an `attempt`, also the time to which it has not
    moved.
    """
    found = get_appointment(appointment_id=appointment_id, holder=current_holder(request))
    refusal.note(error.code)
    status = STATUS_BY_CODE[error.code]
    notice = _notice(error)
    if attempt is not None:
        when = day_and_clock(attempt.starts_at, attempt.zone)
        not_there = _("It has not moved to %(time)s.") % {"time": when}
        notice = replace(notice, text=f"{not_there} {notice.text}".strip())
    notice = replace(notice, address=reverse("bookings:appointment", args=[found.pk]))
    return show_appointment(request, found, notice=notice, status=status)


def _notice(error: DomainError) -> Notice:
    if isinstance(error, ChangeWindowPassed):
        return _window_notice(error)
    if isinstance(error, VersionMismatch):
        title = _("This visit was changed a moment ago.")
        return Notice("changed", title, _("These are its details now."))
    if isinstance(error, NotChangeable) and error.status == AppointmentStatus.CANCELLED:
        return Notice("changed", _("This visit is already cancelled."))
    if isinstance(error, NotChangeable) and error.status == AppointmentStatus.RESCHEDULED:
        return Notice("changed", _("This visit has already moved."), _("Its new time is below."))
    title = _("This visit can no longer be moved or cancelled.")
    return Notice("changed", title, _("These are its details now."))


def _window_notice(error: ChangeWindowPassed) -> Notice:
    text, links = _("Call the clinic."), []
    if error.phone:
        text = _("Call the clinic:")
        links = [{"label": error.phone, "url": f"tel:{dialled(error.phone)}"}]
    return Notice("window", rule_of_changes(error.notice_minutes), text, links)
