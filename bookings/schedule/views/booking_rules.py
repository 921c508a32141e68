"""How early and how late patients can book a doctor, and how many on a day."""

from copy import copy
from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.practice_sessions import of_the_practice
from bookings.schedule.forms.booking_rules import BookingRulesForm, notice_in_words
from bookings.schedule.views.availability_page import Desk, answer, desk_of, frame_of
from bookings.schedule.views.chosen_doctor import page_of_doctor
from docbook.errors import VersionMismatch
from doctors.selectors.slots import full_days
from doctors.services.booking_rules import BookingRules, change_booking_rules
from doctors.templatetags.clinic_time import clock, date_long

PAGE = "booking_rules"
WEEKS_TO_LOOK = 4


@of_the_practice
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def booking_rules(request: HttpRequest) -> HttpResponseBase:
    """Shows the rules, says what those that were typed would do, or saves them; 404 for people who
    run no doctor.
    """
    desk = desk_of(request)
    present = BookingRules.of(desk.doctor)
    if request.method != "POST":
        return _show(request, desk, BookingRulesForm(present=present), rules=present)
    form = BookingRulesForm(request.POST, present=present)
    if not form.is_valid():
        return _show(request, desk, form, status=422)
    if "save" not in request.POST:
        return _show(request, desk, form, rules=form.rules)
    try:
        change_booking_rules(
            doctor=desk.doctor,
            rules=form.rules,
            seen=request.POST.get("version", ""),
            by=desk.actor,
            user=desk.member.user,
        )
    except VersionMismatch:
        return _show(request, desk, form, rules=form.rules, is_stale=True, status=409)
    messages.success(request, _("Saved. Patients book by these rules from now on."))
    return redirect(page_of_doctor(PAGE, desk.doctor))


def _show(
    request: HttpRequest,
    desk: Desk,
    form: BookingRulesForm,
    *,
    rules: BookingRules | None = None,
    is_stale: bool = False,
    status: int = 200,
) -> HttpResponse:
    """`rules` are those whose effect is told: None if what was typed is refused. Who saves again
    after a clash has been told of it.
    """
    present = BookingRules.of(desk.doctor).version
    is_first = request.method != "POST" or is_stale
    context = frame_of(desk, page=PAGE) | {
        "form": form,
        "version": present if is_first else request.POST.get("version", ""),
        "is_stale": is_stale,
        "effects": _effects(desk, rules) if rules else None,
    }
    return answer(request, PAGE, context, status=status)


def _effects(desk: Desk, rules: BookingRules) -> list[str]:
    return [
        _first_and_last(desk, rules),
        _about_changes(rules.change_notice_minutes),
        _about_full_days(desk, rules.most_visits_a_day),
    ]


def _first_and_last(desk: Desk, rules: BookingRules) -> str:
    zone, today = desk.present.clinics[0].zone, desk.present.today
    first = desk.present.now + timedelta(minutes=rules.min_notice_minutes)
    day = first.astimezone(zone).date()
    if day == today:
        text = _("Patients who look now find times from %(time)s today until %(last)s.")
    else:
        text = _("Patients who look now find times from %(day)s, %(time)s, until %(last)s.")
    return text % {
        "day": date_long(day, zone),
        "time": clock(first, zone),
        "last": date_long(today + timedelta(days=rules.horizon_days - 1), zone),
    }


def _about_changes(minutes: int) -> str:
    if not minutes:
        return _("Patients can move and cancel a visit until it begins.")
    text = _("Patients can move and cancel a visit until %(notice)s before it begins.")
    return text % {"notice": notice_in_words(minutes)}


def _about_full_days(desk: Desk, most: int | None) -> str:
    if most is None:
        return _("There can be as many visits on a day as there are times.")
    doctor = copy(desk.doctor)
    doctor.most_visits_a_day = most
    now = desk.present.now
    end = now + timedelta(weeks=WEEKS_TO_LOOK)
    days = full_days([doctor], start=now, end=end, now=now)[doctor.pk]
    last = end.astimezone(desk.present.clinics[0].zone).date()
    number = sum(desk.present.today <= day < last for day in days)
    if not number:
        return _("None of the next four weeks' days has that many visits yet.")
    text = ngettext(
        "%(number)d day of the next four weeks has that many visits already.",
        "%(number)d days of the next four weeks have that many visits already.",
        number,
    )
    return text % {"number": number}
