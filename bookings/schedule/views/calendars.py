"""Calendars elsewhere in which a doctor is busy: connect one, read it now, disconnect it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.practice_sessions import of_the_practice
from accounts.users import signed_in
from bookings.actors.practice_member import PracticeMember
from bookings.schedule.forms.calendars import AddressForm, FileForm
from bookings.schedule.selectors import PresentHours
from bookings.schedule.views.availability_page import (
    Desk,
    answer,
    desk_of,
    frame_of,
    page_after_saving,
)
from bookings.schedule.views.chosen_doctor import page_of_doctor
from docbook.errors import FieldError
from docbook.http.throttling import enforce, limit_of
from doctors.calendar_troubles import trouble_in_words
from doctors.models import ExternalCalendar
from doctors.selectors.doctors import doctors_run_by
from doctors.selectors.external_calendars import calendars_of, count_busy_times, get_calendar
from doctors.services.external_calendars import (
    SECONDS_ON_A_PAGE,
    connect_address,
    connect_file,
    disconnect_calendar,
    host_of,
    read_calendar,
)

PAGE = "calendars"


@of_the_practice
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def calendars(request: HttpRequest) -> HttpResponseBase:
    """Shows the calendars, or connects one; 404 for people who run no doctor."""
    desk = desk_of(request)
    if request.method != "POST":
        return _show(request, desk)
    is_file = "upload" in request.POST
    form = FileForm(request.POST, request.FILES) if is_file else AddressForm(request.POST)
    if not form.is_valid():
        return _show(request, desk, form)
    enforce(limit_of("calendar-reading", request))
    before = desk.present.undecided
    try:
        calendar = _connect(desk, form)
    except FieldError as error:
        form.add_error(error.field, error.message)
        return _show(request, desk, form)
    messages.success(request, _told_after_connecting(calendar))
    return redirect(page_after_saving(PAGE, desk.doctor, before=before))


@of_the_practice
@require_POST
@login_required
def read_now(request: HttpRequest, calendar_id: int) -> HttpResponseBase:
    """404 for those of a doctor whose day is not theirs."""
    desk, calendar = _own(request, calendar_id)
    enforce(limit_of("calendar-reading", request))
    before = desk.present.undecided
    is_read = read_calendar(
        calendar_id=calendar.pk, now=desk.present.now, seconds=SECONDS_ON_A_PAGE
    )
    if is_read:
        messages.success(request, _("“%(name)s” has been read.") % {"name": calendar.name})
    return redirect(page_after_saving(PAGE, desk.doctor, before=before))


@of_the_practice
@require_POST
@login_required
def disconnect(request: HttpRequest, calendar_id: int) -> HttpResponseBase:
    """404 for those of a doctor whose day is not theirs."""
    desk, calendar = _own(request, calendar_id)
    if disconnect_calendar(calendar=calendar, by=desk.actor, user=desk.member.user):
        text = _("“%(name)s” is disconnected. Patients see the new times in a moment.")
        messages.success(request, text % {"name": calendar.name})
    return redirect(page_of_doctor(PAGE, desk.doctor))


def _own(request: HttpRequest, calendar_id: int) -> tuple[Desk, ExternalCalendar]:
    member = PracticeMember(signed_in(request))
    doctors = list(doctors_run_by(member.user))
    calendar = get_calendar(doctors, calendar_id=calendar_id)
    present = PresentHours(calendar.doctor, timezone.now())
    return Desk(member, calendar.doctor, doctors, present), calendar


def _connect(desk: Desk, form: AddressForm | FileForm) -> ExternalCalendar:
    """Raises FieldError."""
    given: dict[str, Any] = {
        "doctor": desk.doctor,
        "name": form.cleaned_data["name"],
        "by": desk.actor,
        "user": desk.member.user,
        "now": desk.present.now,
    }
    if isinstance(form, FileForm):
        return connect_file(content=form.cleaned_data["file"].read(), **given)
    return connect_address(address=form.cleaned_data["address"], **given)


def _told_after_connecting(calendar: ExternalCalendar) -> str:
    number = count_busy_times(calendar)
    text = ngettext(
        "Connected, with %(count)d busy time. Patients see the new times in a moment.",
        "Connected, with %(count)d busy times. Patients see the new times in a moment.",
        number,
    )
    return text % {"count": number}


def _show(
    request: HttpRequest, desk: Desk, form: AddressForm | FileForm | None = None
) -> HttpResponse:
    context = frame_of(desk, page=PAGE) | {
        "calendars": [_shown(each) for each in calendars_of(desk.doctor, now=desk.present.now)],
        "address_form": form if isinstance(form, AddressForm) else AddressForm(),
        "file_form": form if isinstance(form, FileForm) else FileForm(),
    }
    return answer(request, PAGE, context, status=422 if form else 200)


def _shown(calendar: ExternalCalendar) -> dict[str, Any]:
    return {
        "calendar": calendar,
        "host": host_of(calendar),
        "coming": getattr(calendar, "coming", 0),
        "trouble": trouble_in_words(calendar.trouble) if calendar.trouble else "",
        "read_url": reverse("bookings:read_calendar", args=[calendar.pk]),
        "disconnect_url": reverse("bookings:disconnect_calendar", args=[calendar.pk]),
    }
