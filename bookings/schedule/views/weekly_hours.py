"""The weekly hours of a doctor: cards to change them, and what would change, before it does."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.practice_sessions import of_the_practice
from bookings.schedule.forms.hours import HoursFormSet, WeeklyHoursForms, with_another_card
from bookings.schedule.views.availability_page import (
    Desk,
    answer,
    desk_of,
    frame_of,
    page_after_saving,
    preview_context,
)
from docbook.errors import VersionMismatch
from doctors.services.hours import change_rules

PAGE = "availability"


@of_the_practice
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def availability(request: HttpRequest) -> HttpResponseBase:
    """Shows the weekly hours, previews what was typed, or saves it; 404 for people who run no
    doctor.
    """
    desk = desk_of(request)
    if request.method != "POST":
        return _shown(request, desk)
    if "add" in request.POST:
        blank = _cards(desk).blank
        return _typed(request, desk, with_another_card(request.POST, blank=blank))
    cards = _cards(desk, request.POST)
    if "save" not in request.POST or not cards.is_valid():
        return _typed(request, desk, request.POST)
    before = desk.present.undecided
    try:
        change_rules(
            doctor=desk.doctor,
            rules=cards.rules(),
            seen=request.POST.get("version", ""),
            by=desk.actor,
            user=desk.member.user,
        )
    except VersionMismatch:
        return _typed(request, desk, request.POST, is_stale=True)
    messages.success(request, _("Saved. Patients see the new times in a moment."))
    return redirect(page_after_saving(PAGE, desk.doctor, before=before))


def _cards(desk: Desk, data: Any = None) -> HoursFormSet:
    present = desk.present
    return WeeklyHoursForms(
        data,
        doctor=desk.doctor,
        rules=present.rules,
        clinics=present.clinics,
        visit_types=present.visit_types,
        today=present.today,
    )


def _shown(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The hours as they are."""
    present = desk.present
    preview = preview_context(request, desk, present.hours, first=present.today)
    context = frame_of(desk, page=PAGE) | preview
    context |= {"cards": _cards(desk), "version": present.version}
    return answer(request, "weekly_hours", context)


def _typed(request: HttpRequest, desk: Desk, data: Any, *, is_stale: bool = False) -> HttpResponse:
    """The hours as somebody typed them. After a clash, the version is that of the present hours:
    who saves again has been told of them.
    """
    present, cards = desk.present, _cards(desk, data)
    is_valid = cards.is_valid()
    cards.show_what_was_refused()
    context = frame_of(desk, page=PAGE) | {
        "cards": cards,
        "version": present.version if is_stale else data.get("version", ""),
        "is_stale": is_stale,
        "is_adding": "add" in request.POST,
    }
    if is_valid:
        planned = present.with_rules(cards.rules())
        context |= preview_context(request, desk, planned, first=present.today)
    status = 409 if is_stale else 200 if is_valid or context["is_adding"] else 422
    return answer(request, "weekly_hours", context, status=status)
