"""A visit on the practice's side: how it stands, how it went, and the private note."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.practice_sessions import of_the_practice
from accounts.users import signed_in
from bookings.actors.practice_member import PracticeMember
from bookings.errors import NotChangeable
from bookings.models import Appointment
from bookings.schedule.acts import Act, perform
from bookings.schedule.forms.visits import ActForm, NoteForm
from bookings.schedule.services import note_of, write_note
from bookings.schedule.views.chosen_doctor import page_of_doctor, way_back
from bookings.schedule.views.panel import visit_context
from docbook.errors import DomainError, FieldError, VersionMismatch
from docbook.http.problems import STATUS_BY_CODE
from docbook.http.throttling import enforce, limit_of
from docbook.observability import refusal
from doctors.selectors.doctors import clinics_of_doctor
from doctors.views.picker_page import Notice


@of_the_practice
@require_safe
@login_required
def visit(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """For the doctor and their secretaries; 404 for others."""
    return _show(request, appointment_id)


@of_the_practice
@require_POST
@login_required
def act(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Leads back to where the button was; or shows the visit, and why nothing was done."""
    form, reader = ActForm(request.POST), PracticeMember(signed_in(request))
    if not form.is_valid():
        # The form shows errors of the reason only: everything else comes from our buttons.
        notice = None if "reason" in form.errors else _nothing_done()
        return _show(request, appointment_id, act_form=form, notice=notice, status=422)
    enforce(limit_of("practice-change", request))
    try:
        perform(
            Act(form.cleaned_data["act"]),
            appointment_id=appointment_id,
            by=reader,
            version=form.cleaned_data["version"],
            reason=form.cleaned_data["reason"],
            now=timezone.now(),
        )
    except FieldError as error:
        form.add_error(error.field, error.message)
        return _show(request, appointment_id, act_form=form, status=422)
    except (NotChangeable, VersionMismatch) as error:
        return _refused(request, appointment_id, error)
    return redirect(_back(request, appointment_id))


@of_the_practice
@require_POST
@login_required
def note(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Keeps the note. If somebody else has written meanwhile, both texts are shown."""
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _show(request, appointment_id, note_form=form, status=422)
    enforce(limit_of("practice-change", request))
    try:
        write_note(
            appointment_id=appointment_id,
            text=form.cleaned_data["text"],
            version=form.cleaned_data["version"],
            by=PracticeMember(signed_in(request)),
            now=timezone.now(),
        )
    except VersionMismatch as error:
        newest = note_of(appointment_id)
        # What was typed stays in the field; saved again, it replaces what is there now.
        form = NoteForm({"text": form.cleaned_data["text"], "version": newest.version})
        title = _("Somebody else has changed this note: it now says")
        text = _("“%(note)s”. Saving replaces it with yours.") % {"note": newest.text}
        return _refused(
            request, appointment_id, error, notice=Notice("changed", title, text), note_form=form
        )
    messages.success(request, _("The note is saved."))
    return redirect(_back(request, appointment_id))


def _nothing_done() -> Notice:
    return Notice("changed", _("Nothing was changed."), _("Press one of the buttons below."))


def _refused(
    request: HttpRequest,
    appointment_id: UUID,
    error: DomainError,
    *,
    notice: Notice | None = None,
    **forms: Any,
) -> HttpResponse:
    refusal.note(error.code)
    if notice is None:
        title = _("This visit was changed a moment ago.")
        notice = Notice("changed", title, _("This is how it is now. Nothing else was changed."))
    status = STATUS_BY_CODE[error.code]
    return _show(request, appointment_id, notice=notice, status=status, **forms)


def _show(
    request: HttpRequest,
    appointment_id: UUID,
    *,
    act_form: ActForm | None = None,
    note_form: NoteForm | None = None,
    notice: Notice | None = None,
    status: int = 200,
) -> HttpResponse:
    reader = PracticeMember(signed_in(request))
    shown = visit_context(appointment_id, reader=reader, act_form=act_form, note_form=note_form)
    found = shown["panel"].visit
    context = {
        **shown,
        "zone": found.time_zone,
        "doctor": found.doctor,
        "clinics": clinics_of_doctor(found.doctor, now=timezone.now()),
        "day_url": _day_url(found),
        "notice": notice,
        "nav": "schedule",
    }
    return render(request, "bookings/schedule/visit.html", context, status=status)


def _back(request: HttpRequest, appointment_id: UUID) -> str:
    return way_back(request, otherwise=reverse("bookings:visit", args=[appointment_id]))


def _day_url(visit: Appointment) -> str:
    day = visit.starts_at.astimezone(visit.zone).date()
    page = page_of_doctor("schedule", visit.doctor, date=day.isoformat())
    return f"{page}#visit-{visit.pk}"
