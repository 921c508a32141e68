"""Booked visits outside a doctor's hours: the list, one decision for many, and how far it is."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.practice_sessions import of_the_practice
from accounts.users import signed_in
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.colleagues import colleagues_for
from bookings.appointments.selectors.undecided import Standing
from bookings.models import Choice, Rearrangement
from bookings.rearranging.forms import DecisionForm
from bookings.rearranging.presentation import Outcome, days_of, outcomes_of
from bookings.rearranging.selectors import get_rearrangement, items_of, steps_of
from bookings.rearranging.services.decisions import decide
from bookings.schedule.selectors import PresentHours
from bookings.schedule.services import record_reading
from bookings.schedule.views.availability_page import Desk, desk_of, frame_of
from bookings.schedule.views.chosen_doctor import page_of_doctor
from docbook.errors import FieldError
from docbook.http.htmx import wants_fragment
from docbook.http.throttling import enforce, limit_of
from doctors.selectors.doctors import doctors_run_by
from doctors.templatetags.clinic_time import local_date

PAGE = "outside_hours"


@of_the_practice
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def outside_hours(request: HttpRequest) -> HttpResponseBase:
    """Lists the visits, or takes a decision about the ticked ones; 404 for people who run no
    doctor.
    """
    desk = desk_of(request)
    if request.method != "POST":
        return _show(request, desk, _form(desk))
    form = _form(desk, request.POST)
    if not form.is_valid():
        return _show(request, desk, form, status=422)
    enforce(limit_of("practice-change", request))
    try:
        now = desk.present.now
        decision = decide(doctor=desk.doctor, by=desk.member, now=now, **form.cleaned_data)
    except FieldError as error:
        form.add_error(error.field, error.message)
        return _show(request, desk, form, status=422)
    if decision.choice != Choice.KEEP:
        return redirect("bookings:rearrangement", rearrangement_id=decision.pk)
    number = len(form.cleaned_data["visits"])
    text = ngettext("%(count)d visit stays booked.", "%(count)d visits stay booked.", number)
    messages.success(request, text % {"count": number})
    return redirect(page_of_doctor(PAGE, desk.doctor))


@of_the_practice
@require_safe
@login_required
def rearrangement(request: HttpRequest, rearrangement_id: int) -> HttpResponse:
    """How far a decision is, and what became of each visit; 404 for one about a doctor whose day is
    not theirs. htmx asks again and again for a count without names, until it is over.
    """
    member = PracticeMember(signed_in(request))
    doctors = list(doctors_run_by(member.user))
    decision = get_rearrangement(doctors, rearrangement_id=rearrangement_id)
    steps = steps_of(decision)
    context: dict[str, Any] = {"decision": decision, "steps": steps}
    if wants_fragment(request):
        if steps.is_over:
            return HttpResponseClientRefresh()
        return render(request, "bookings/rearranging/_progress.html", context)
    desk = Desk(member, decision.doctor, doctors, PresentHours(decision.doctor, timezone.now()))
    context |= frame_of(desk, page=PAGE) | {"outcomes": _outcomes(desk, decision)}
    return render(request, "bookings/rearranging/rearrangement.html", context)


def _form(desk: Desk, data: Any = None) -> DecisionForm:
    present = desk.present
    open_ones = [each.visit for each in present.undecided]
    ticked = [str(each.id) for each in open_ones]
    return DecisionForm(
        data,
        initial={"choice": Choice.OFFER, "visits": ticked},
        colleagues=colleagues_for(desk.doctor, visits=open_ones, now=present.now),
        visits=len(open_ones),
    )


def _show(
    request: HttpRequest, desk: Desk, form: DecisionForm, *, status: int = 200
) -> HttpResponse:
    present = desk.present
    shown = [each for each in present.outside if each.standing != Standing.KEPT]
    days = [local_date(each.visit.starts_at, each.visit.time_zone) for each in shown]
    if days:
        record_reading(reader=desk.member, doctor=desk.doctor, days=days, through="outside-hours")
    context = frame_of(desk, page=PAGE) | {
        "form": form,
        "days": days_of(present.undecided),
        "ticked": form["visits"].value() or [],
        "under_way": [each for each in shown if each.standing == Standing.UNDER_WAY],
        "asked": [each for each in shown if each.standing == Standing.ANSWER],
        "kept": len(present.outside) - len(shown),
    }
    return render(request, "bookings/rearranging/outside_hours.html", context, status=status)


def _outcomes(desk: Desk, decision: Rearrangement) -> list[Outcome]:
    items = items_of(decision)
    days = [local_date(each.visit.starts_at, each.visit.time_zone) for each in items]
    record_reading(reader=desk.member, doctor=desk.doctor, days=days, through="rearrangement")
    return outcomes_of(decision, items, now=desk.present.now)
