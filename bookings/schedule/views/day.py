"""A doctor's day, for the doctor and their secretary."""

from datetime import date, timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from accounts.practice_sessions import of_the_practice
from accounts.users import signed_in
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.appointments import next_visit_after
from bookings.schedule.day_schedule import (
    counts_of,
    lines_of_day,
    places_of,
    stretches_of,
    who_waits,
)
from bookings.schedule.services import record_reading_of_day
from bookings.schedule.views.chosen_doctor import chosen_doctor, page_of_doctor
from docbook.http.htmx import wants_fragment
from doctors.models import Doctor
from doctors.selectors.doctors import clinics_of_doctor


@of_the_practice
@require_safe
@login_required
def schedule(request: HttpRequest) -> HttpResponse:
    """A doctor's day, whole or as the fragment for htmx; 404 for people who run none."""
    reader = PracticeMember(signed_in(request))
    doctor, doctors = chosen_doctor(request, reader.user)
    now = timezone.now()
    clinics = clinics_of_doctor(doctor, now=now)
    # The current day at the clinic where it ends last.
    today = min(now.astimezone(clinic.zone).date() for clinic in clinics)
    day = _date(request.GET.get("date", "")) or today
    lines = lines_of_day(doctor, day=day, now=now)
    if any(line.visit for line in lines):
        record_reading_of_day(reader=reader, doctor=doctor, day=day, through="page")
    places = places_of(lines)
    context = {
        "doctor": doctor,
        "doctors": [
            {"doctor": each, "url": _url(each, day), "current": each == doctor} for each in doctors
        ],
        "zone": (places[0] if places else clinics[0]).time_zone,
        "places": places,
        "clinics": places or clinics,
        "date": day,
        "is_today": day == today,
        "previous_url": _url(doctor, day - timedelta(days=1)),
        "next_url": _url(doctor, day + timedelta(days=1)),
        "today_url": _url(doctor, today),
        "week": _week(doctor, day=day),
        "stretches": stretches_of(lines),
        "here": _url(doctor, day),
        "opened": request.GET.get("visit", ""),
        "waiting": who_waits(lines) if day == today else None,
        "counts": counts_of(lines),
        "next_visits": None if lines else _next_visits(doctor, after=day),
        "nav": "schedule",
    }
    template = (
        "bookings/schedule/_day_swap.html"
        if wants_fragment(request)
        else "bookings/schedule/schedule.html"
    )
    return render(request, template, context)


def _date(value: str) -> date | None:
    """None for a value that is no date, or a date at the ends of the calendar."""
    try:
        day = parse_date(value)
    except ValueError:
        return None
    return day if day and 1900 < day.year < 9000 else None


def _week(doctor: Doctor, *, day: date) -> list[dict[str, object]]:
    monday = day - timedelta(days=day.weekday())
    days = [monday + timedelta(days=n) for n in range(7)]
    return [{"date": each, "url": _url(doctor, each), "chosen": each == day} for each in days]


def _next_visits(doctor: Doctor, *, after: date) -> dict[str, object] | None:
    """On an empty day: the next day with a visit."""
    visit = next_visit_after(after, doctor=doctor)
    if visit is None:
        return None
    day = visit.starts_at.astimezone(visit.zone).date()
    return {"date": day, "url": _url(doctor, day)}


def _url(doctor: Doctor, day: date) -> str:
    return page_of_doctor("schedule", doctor, date=day.isoformat())
