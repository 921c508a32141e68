"""A doctor's time off and extra hours: those to come, and a form for one more."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.practice_sessions import of_the_practice
from accounts.users import signed_in
from bookings.actors.practice_member import PracticeMember
from bookings.schedule.forms.hours import TimeOffForm
from bookings.schedule.hours_words import days_of, hours_of_override, kind_of
from bookings.schedule.selectors import PresentHours
from bookings.schedule.views.availability_page import (
    Desk,
    answer,
    desk_of,
    frame_of,
    page_after_saving,
    preview_context,
)
from bookings.schedule.views.chosen_doctor import asked_date, page_of_doctor, way_back
from doctors.models import AvailabilityOverride, OverrideKind
from doctors.selectors.doctors import doctors_run_by
from doctors.selectors.hours import coming_overrides, get_override
from doctors.services.hours import add_override, remove_override

PAGE = "time_off"


@of_the_practice
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def time_off(request: HttpRequest) -> HttpResponseBase:
    """Shows the list, previews what was typed, or adds it; 404 for people who run no doctor. An
    address with a date, or also with from and until, fills in the form: that is how a time of the
    schedule is blocked.
    """
    desk = desk_of(request)
    if request.method != "POST":
        blocked = _form(desk, _blocked(request))
        if blocked.is_valid():
            return _typed(request, desk, blocked)
        form = _form(desk)
        if day := asked_date(request):
            form.initial = {
                **form.initial,
                "kind": OverrideKind.OFF,
                "first_day": day,
                "last_day": day,
            }
        return answer(request, PAGE, _context(request, desk, form))
    form = _form(desk, request.POST)
    if "save" not in request.POST or not form.is_valid():
        return _typed(request, desk, form)
    before = desk.present.undecided
    add_override(doctor=desk.doctor, override=form.instance, by=desk.actor, user=desk.member.user)
    messages.success(request, _("Added. Patients see the new times in a moment."))
    page = page_after_saving(PAGE, desk.doctor, before=before)
    is_decided = page == page_of_doctor(PAGE, desk.doctor)
    return redirect(way_back(request, otherwise=page) if is_decided else page)


@of_the_practice
@require_POST
@login_required
def remove(request: HttpRequest, override_id: int) -> HttpResponseBase:
    """404 for those of a doctor whose day is not theirs."""
    member = PracticeMember(signed_in(request))
    doctors = list(doctors_run_by(member.user))
    override = get_override(doctors, override_id=override_id)
    desk = Desk(member, override.doctor, doctors, PresentHours(override.doctor, timezone.now()))
    given = {"kind": kind_of(override), "days": days_of(override)}
    remove_override(doctor=desk.doctor, override=override, by=desk.actor, user=desk.member.user)
    text = _("Removed: %(kind)s, %(days)s. Patients see the new times in a moment.")
    messages.success(request, text % given)
    return redirect(page_of_doctor(PAGE, desk.doctor))


def _form(desk: Desk, data: Any = None) -> TimeOffForm:
    present = desk.present
    return TimeOffForm(data, doctor=desk.doctor, clinics=present.clinics, today=present.today)


def _blocked(request: HttpRequest) -> dict[str, str]:
    """What the form would send for the time that the address names."""
    asked = {name: request.GET.get(name, "") for name in ("date", "from", "until")}
    return {
        "kind": OverrideKind.OFF,
        "first_day": asked["date"],
        "last_day": asked["date"],
        "starts": asked["from"],
        "ends": asked["until"],
    }


def _typed(request: HttpRequest, desk: Desk, form: TimeOffForm) -> HttpResponse:
    context = _context(request, desk, form)
    is_valid = form.is_valid()
    form.show_what_was_refused()
    if is_valid:
        override: AvailabilityOverride = form.instance
        first = max(override.first_day, desk.present.today)
        planned = desk.present.with_override(override.values)
        context |= preview_context(request, desk, planned, first=first, of_override=True)
    return answer(request, PAGE, context, status=200 if is_valid else 422)


def _context(request: HttpRequest, desk: Desk, form: TimeOffForm) -> dict[str, Any]:
    coming = [
        {
            "kind": each.kind,
            "title": kind_of(each),
            "days": days_of(each),
            "hours": hours_of_override(each),
            "clinic": each.clinic,
            "reason": each.reason,
            "remove_url": reverse("bookings:remove_time_off", args=[each.pk]),
        }
        for each in coming_overrides(desk.doctor, now=desk.present.now)
    ]
    back = request.POST.get("back") or request.GET.get("back", "")
    return frame_of(desk, page=PAGE) | {"form": form, "coming": coming, "back": back}
