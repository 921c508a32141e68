"""Moves a visit for the practice: any free time of the doctor, with what speaks against each."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.practice_sessions import of_the_practice
from accounts.users import signed_in
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.presentation import told_in_words
from bookings.appointments.selectors.appointments import contact_of
from bookings.errors import NotChangeable, OutsideBookingWindow, PatientBusy, SlotTaken
from bookings.models import Appointment
from bookings.schedule.acts import can_be_moved
from bookings.schedule.forms.visits import MoveForm
from bookings.schedule.moves import MoveTime, conflicts_at, times_to_choose
from bookings.schedule.services import move_visit, open_visit
from bookings.schedule.views.chosen_doctor import asked_date, page_of_doctor
from docbook.errors import DomainError, FieldError, VersionMismatch
from docbook.http.problems import STATUS_BY_CODE
from docbook.http.throttling import enforce, limit_of
from docbook.observability import refusal
from doctors.selectors.doctors import clinics_of_doctor, doctors_run_by
from doctors.templatetags.clinic_time import clock, day_and_clock
from doctors.views.picker_page import Notice

ONE_DAY = timedelta(days=1)
Refused = (SlotTaken, PatientBusy, OutsideBookingWindow, NotChangeable, VersionMismatch)


@of_the_practice
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def move(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """For the doctor and their secretaries; 404 for others."""
    if request.method != "POST":
        return _show(request, appointment_id)
    form = MoveForm(request.POST)
    if not form.is_valid():
        return _show(request, appointment_id, form=form, status=422)
    enforce(limit_of("practice-change", request))
    reader, now = PracticeMember(signed_in(request)), timezone.now()
    try:
        moved = move_visit(
            appointment_id=appointment_id,
            slot_id=form.cleaned_data["slot"],
            version=form.cleaned_data["version"],
            reason=form.cleaned_data["reason"],
            anyway=form.cleaned_data["anyway"],
            by=reader,
            now=now,
        )
    except FieldError as error:
        form.add_error(error.field, error.message)
        return _show(request, appointment_id, form=form, status=422)
    except Refused as error:
        return _refused(request, appointment_id, form, error)
    when = day_and_clock(moved.starts_at, moved.zone)
    done = _("Moved to %(when)s.") % {"when": when}
    messages.success(request, f"{done} {told_in_words(contact_of(moved))}")
    runs_the_day = moved.doctor in doctors_run_by(reader.user)
    return redirect(_day_url(moved) if runs_the_day else _visit_url(moved.pk))


def _refused(
    request: HttpRequest, appointment_id: UUID, form: MoveForm, error: DomainError
) -> HttpResponse:
    refusal.note(error.code)
    titles = {
        SlotTaken: _("This time was just taken."),
        PatientBusy: _("The patient has another visit at that time."),
        OutsideBookingWindow: _("This time has begun."),
    }
    title = titles.get(type(error), _("This visit was changed a moment ago."))
    notice = Notice("taken", title, _("Nothing was changed. These times are free now."))
    status = STATUS_BY_CODE[error.code]
    return _show(request, appointment_id, form=form, notice=notice, status=status)


def _show(
    request: HttpRequest,
    appointment_id: UUID,
    *,
    form: MoveForm | None = None,
    notice: Notice | None = None,
    status: int = 200,
) -> HttpResponse:
    visit = open_visit(appointment_id=appointment_id, by=PracticeMember(signed_in(request)))
    if not can_be_moved(visit.status):
        messages.warning(request, _("This visit can no longer be moved."))
        return redirect(_visit_url(appointment_id))
    now = timezone.now()
    day = asked_date(request) or visit.starts_at.astimezone(visit.zone).date()
    times = times_to_choose(visit, day=day, now=now)
    chosen = form.cleaned_data.get("slot") if form else None
    dropped = _dropped_on(request, visit, day=day)
    if dropped and form is None:
        chosen = _slot_at(dropped, times)
        notice = _in_the_way(dropped, visit=visit, now=now, fits=chosen is not None)
        chosen = None if notice else chosen
    context = {
        "visit": visit,
        "zone": visit.time_zone,
        "doctor": visit.doctor,
        "clinics": clinics_of_doctor(visit.doctor, now=now),
        "date": day,
        "week": _week(appointment_id, day=day),
        "previous_url": _url(appointment_id, day - 7 * ONE_DAY),
        "next_url": _url(appointment_id, day + 7 * ONE_DAY),
        "times": times,
        "chosen": chosen,
        "form": form or MoveForm(),
        "has_warnings": any(each.rule for each in times),
        "notice": notice,
        "nav": "schedule",
    }
    return render(request, "bookings/schedule/move.html", context, status=status)


def _dropped_on(request: HttpRequest, visit: Appointment, *, day: date) -> datetime | None:
    """The time under the pointer when the visit was dropped: `at`, in minutes of the day."""
    asked = request.GET.get("at", "")
    if not re.fullmatch("[0-9]{1,4}", asked) or int(asked) >= 24 * 60:
        return None
    hour, minute = divmod(int(asked), 60)
    return datetime.combine(day, time(hour, minute), tzinfo=visit.zone)


def _slot_at(moment: datetime, times: Sequence[MoveTime]) -> int | None:
    """Of the last time that begins by then and is not over."""
    return next(
        (
            each.time.slot_id
            for each in reversed(times)
            if each.time.starts_at <= moment < each.time.slots[0].ends_at
        ),
        None,
    )


def _in_the_way(
    moment: datetime, *, visit: Appointment, now: datetime, fits: bool
) -> Notice | None:
    """What keeps the visit from the time it was dropped on, all at once."""
    conflicts = conflicts_at(moment, visit=visit, now=now)
    if not conflicts and not fits:
        short = _("With its pause it does not fit there, or the time is for other kinds of visits.")
        conflicts = [short]
    title = _("The visit cannot move to %(start)s.") % {"start": clock(moment, visit.zone)}
    return Notice("changed", title, " ".join(conflicts)) if conflicts else None


def _week(appointment_id: UUID, *, day: date) -> list[dict[str, object]]:
    monday = day - day.weekday() * ONE_DAY
    days = [monday + n * ONE_DAY for n in range(7)]
    return [
        {"date": each, "url": _url(appointment_id, each), "chosen": each == day} for each in days
    ]


def _url(appointment_id: UUID, day: date) -> str:
    return f"{reverse('bookings:move_visit', args=[appointment_id])}?date={day.isoformat()}"


def _visit_url(appointment_id: UUID) -> str:
    return reverse("bookings:visit", args=[appointment_id])


def _day_url(visit: Appointment) -> str:
    day = visit.starts_at.astimezone(visit.zone).date()
    page = page_of_doctor("schedule", visit.doctor, date=day.isoformat(), visit=str(visit.pk))
    return f"{page}#visit-{visit.pk}"
