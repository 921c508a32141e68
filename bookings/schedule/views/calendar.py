"""The schedule of a doctor by day, week and month, and as a list of visits."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.practice_sessions import of_the_practice
from accounts.users import signed_in
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.appointments import next_visit_after
from bookings.schedule.day_schedule import (
    Lines,
    ScheduleLine,
    counts_of,
    lines_of_day,
    lines_of_days,
    places_of,
    stretches_of,
    who_waits,
)
from bookings.schedule.months import month_of
from bookings.schedule.services import record_reading
from bookings.schedule.time_grid import Column, TimeGrid, entries_of
from bookings.schedule.views.chosen_doctor import (
    asked_date,
    chosen_doctor,
    page_of_doctor,
    way_back,
)
from bookings.schedule.views.live import stream_of
from bookings.schedule.views.panel import panel_context
from bookings.schedule.visit_list import STATUSES, visits_of_month
from docbook.http.htmx import wants_fragment
from doctors.models import Clinic, Doctor
from doctors.rules import minutes_of
from doctors.selectors.doctors import clinics_of_doctor
from doctors.selectors.hours import Closure, closures_of
from doctors.templatetags.clinic_time import date_long, date_range, date_short, month_name

ONE_DAY, ONE_WEEK = timedelta(days=1), timedelta(days=7)
VISITS_PER_PAGE = 50
# In the session: whether single keys press buttons on the schedule. WCAG 2.2, 2.1.4.
SINGLE_KEYS = "single_keys"


@dataclass(frozen=True)
class Asked:
    """What the address asks for. `day` is one of the shown period."""

    request: HttpRequest
    reader: PracticeMember
    doctor: Doctor
    doctors: list[Doctor]
    clinics: list[Clinic]
    view: str
    day: date
    today: date
    now: datetime

    def url(self, day: date | None = None, **query: str) -> str:
        """The same view on another day, or what else `query` changes."""
        given = {"view": self.view, "date": (day or self.day).isoformat(), **query}
        if given["view"] == "day":
            del given["view"]
        return page_of_doctor("schedule", self.doctor, **{k: v for k, v in given.items() if v})

    def record_reading(self, lines: Lines) -> None:
        """For each doctor whose visits the page shows."""
        for doctor in self.doctors:
            mine = (
                day
                for (pk, day), of_day in lines.items()
                if pk == doctor.pk and _has_visits(of_day)
            )
            if read := list(mine):
                record_reading(reader=self.reader, doctor=doctor, days=read, through="page")


@of_the_practice
@require_safe
@login_required
def schedule(request: HttpRequest) -> HttpResponse:
    """Whole or as the fragment for htmx; 404 for people who run no doctor's day."""
    asked = _asked(request)
    context = {
        "doctor": asked.doctor,
        "doctors": [
            {
                "doctor": each,
                "url": page_of_doctor(
                    "schedule", each, view=asked.view, date=asked.day.isoformat()
                ),
                "current": each == asked.doctor,
            }
            for each in asked.doctors
        ],
        "clinics": asked.clinics,
        "zone": asked.clinics[0].time_zone,
        "date": asked.day,
        "view": asked.view,
        "views": [
            {"name": name, "label": label, "key": key, "url": asked.url(view=name)}
            for name, (label, key) in _LABELS.items()
            if name != "doctors" or len(asked.doctors) > 1
        ],
        "today_url": asked.url(asked.today),
        "here": asked.url(),
        "block_url": page_of_doctor(
            "time_off", asked.doctor, date=asked.day.isoformat(), back=asked.url()
        ),
        "live": _live(asked),
        "nav": "schedule",
        "single_keys": request.session.get(SINGLE_KEYS, "on") == "on",
        **_VIEWS[asked.view](asked),
    }
    part = "_schedule_swap" if wants_fragment(request) else "schedule"
    return render(request, f"bookings/schedule/{part}.html", context)


@of_the_practice
@require_POST
@login_required
def keys(request: HttpRequest) -> HttpResponse:
    """Switches single keys on or off for this sign-in; 404 for people who run no doctor's day."""
    chosen_doctor(request, signed_in(request))
    request.session[SINGLE_KEYS] = "off" if request.POST.get("single") == "off" else "on"
    return redirect(way_back(request, otherwise=reverse("bookings:schedule")))


def _live(asked: Asked) -> dict[str, object]:
    """The stream that tells of changes, and the days that this page shows."""
    first = last = asked.day
    if asked.view == "week":
        first = _monday(asked.day)
        last = first + 6 * ONE_DAY
    elif asked.view in ("month", "list"):
        # The month of the calendar begins and ends with whole weeks.
        first = _monday(asked.day.replace(day=1))
        last = first + 41 * ONE_DAY
    doctors = asked.doctors if asked.view == "doctors" else [asked.doctor]
    return {"url": stream_of(doctors), "first": first, "last": last}


def _asked(request: HttpRequest) -> Asked:
    reader, now = PracticeMember(signed_in(request)), timezone.now()
    doctor, doctors = chosen_doctor(request, reader.user)
    clinics = clinics_of_doctor(doctor, now=now)
    # The current day at the clinic where it ends last.
    today = min(now.astimezone(clinic.zone).date() for clinic in clinics)
    view = request.GET.get("view", "")
    return Asked(
        request=request,
        reader=reader,
        doctor=doctor,
        doctors=doctors,
        clinics=clinics,
        view=view if view in _VIEWS else "day",
        day=asked_date(request) or today,
        today=today,
        now=now,
    )


def _has_visits(lines: list[ScheduleLine]) -> bool:
    return any(line.visit for line in lines)


def _day(asked: Asked) -> dict[str, Any]:
    day, doctor = asked.day, asked.doctor
    lines = lines_of_day(doctor, day=day, now=asked.now)
    asked.record_reading({(doctor.pk, day): lines})
    places = places_of(lines)
    monday = _monday(day)
    days = [monday + n * ONE_DAY for n in range(7)]
    return {
        "zone": (places[0] if places else asked.clinics[0]).time_zone,
        "places": places,
        "clinics": places or asked.clinics,
        **_days_around(asked),
        "week": [{"date": each, "url": asked.url(each), "chosen": each == day} for each in days],
        "stretches": stretches_of(lines),
        "opened": asked.request.GET.get("visit", ""),
        "waiting": who_waits(lines) if day == asked.today else None,
        "counts": counts_of(lines),
        "next_visits": None if lines else _next_visits(asked),
    }


def _next_visits(asked: Asked) -> dict[str, object] | None:
    """On an empty day: the next day with a visit."""
    visit = next_visit_after(asked.day, doctor=asked.doctor)
    if visit is None:
        return None
    day = visit.starts_at.astimezone(visit.zone).date()
    return {"date": day, "url": asked.url(day)}


def _monday(day: date) -> date:
    return day - day.weekday() * ONE_DAY


def _week(asked: Asked) -> dict[str, Any]:
    first = _monday(asked.day)
    last = first + 6 * ONE_DAY
    lines = lines_of_days([asked.doctor], first=first, last=last, now=asked.now)
    clinics = [each.pk for each in asked.clinics]
    closures = closures_of(asked.doctor, clinics=clinics, first=first, last=last)
    columns = [
        Column(
            doctor_id=asked.doctor.pk,
            day=day,
            name="",
            url=asked.url(day, view="day"),
            entries=entries_of(lines.get((asked.doctor.pk, day), [])),
            closed=_why_closed(closures, day=day),
            is_current=day == asked.today,
        )
        for day in (first + n * ONE_DAY for n in range(7))
    ]
    is_today = first <= asked.today <= last
    # Weekends are drawn if somebody works, or the practice says why nobody does.
    shown = [each for each in columns if each.day.weekday() < 5 or each.entries or each.closed]
    return {
        **_grid(asked, shown, lines),
        **(_today(lines.get((asked.doctor.pk, asked.today), [])) if is_today else {}),
        "heading": date_range(first, last),
        "is_today": is_today,
        "previous_url": asked.url(asked.day - ONE_WEEK),
        "previous_label": _("Previous week"),
        "next_url": asked.url(asked.day + ONE_WEEK),
        "next_label": _("Next week"),
    }


def _today(lines: list[ScheduleLine]) -> dict[str, Any]:
    return {"waiting": who_waits(lines), "counts": counts_of(lines)}


def _why_closed(closures: list[Closure], *, day: date) -> str:
    return ", ".join(each.reason for each in closures if each.first_day <= day <= each.last_day)


def _doctors(asked: Asked) -> dict[str, Any]:
    """All doctors whose day this person runs, side by side."""
    day = asked.day
    lines = lines_of_days(asked.doctors, first=day, last=day, now=asked.now)
    columns = [
        Column(
            doctor_id=doctor.pk,
            day=day,
            name=doctor.name,
            url=page_of_doctor("schedule", doctor, date=day.isoformat()),
            entries=entries_of(lines.get((doctor.pk, day), [])),
            is_current=day == asked.today,
        )
        for doctor in asked.doctors
    ]
    return {
        **_grid(asked, columns, lines),
        **_days_around(asked),
    }


def _grid(asked: Asked, columns: list[Column], lines: Lines) -> dict[str, Any]:
    asked.record_reading(lines)
    return {
        "grid": TimeGrid(columns, now=_minutes_now(asked, columns)),
        "visit_url": f"?{asked.url().partition('?')[2]}&visit=",
        "panel_url": asked.url(visit=asked.request.GET.get("visit", "")),
        **panel_context(asked.request, reader=asked.reader),
    }


def _minutes_now(asked: Asked, columns: list[Column]) -> int | None:
    """None if today is not shown, or on clocks that differ: one line cannot be right for all."""
    current = [each for each in columns if each.is_current]
    zones = {entry.line.place.zone for column in current for entry in column.entries}
    [zone, *others] = zones or {asked.clinics[0].zone}
    return None if others or not current else minutes_of(asked.now.astimezone(zone))


def _month(asked: Asked) -> dict[str, Any]:
    clinics = [each.pk for each in asked.clinics]
    month = month_of(asked.doctor, day=asked.day, clinics=clinics, now=asked.now)
    weeks = [
        [{"day": each, "url": asked.url(each.date, view="day")} for each in week]
        for week in month.weeks
    ]
    return {
        "month": month,
        "weeks": weeks,
        "today": asked.today,
        **_months_around(asked),
    }


def _list(asked: Asked) -> dict[str, Any]:
    status = asked.request.GET.get("status", "")
    status = status if status in STATUSES else ""
    visits = visits_of_month(asked.doctor, day=asked.day, status=status)
    page = Paginator(visits, VISITS_PER_PAGE).get_page(asked.request.GET.get("page"))
    days = {visit.starts_at.astimezone(visit.zone).date() for visit in page}
    if days:
        record_reading(reader=asked.reader, doctor=asked.doctor, days=days, through="page")
    return {
        "page": page,
        "earlier_url": asked.url(status=status, page=str(page.number - 1)),
        "later_url": asked.url(status=status, page=str(page.number + 1)),
        "statuses": [
            {"label": label, "url": asked.url(status=name), "current": name == status}
            for name, label in {"": _("All"), **STATUSES}.items()
        ],
        **_months_around(asked),
    }


def _days_around(asked: Asked) -> dict[str, Any]:
    zone = asked.clinics[0].zone
    return {
        "heading": date_long(asked.day, zone),
        "title": date_short(asked.day, zone),
        "is_today": asked.day == asked.today,
        "previous_url": asked.url(asked.day - ONE_DAY),
        "previous_label": _("Previous day"),
        "next_url": asked.url(asked.day + ONE_DAY),
        "next_label": _("Next day"),
    }


def _months_around(asked: Asked) -> dict[str, Any]:
    first = asked.day.replace(day=1)
    return {
        "heading": month_name(first, asked.clinics[0].zone),
        "is_today": first == asked.today.replace(day=1),
        "previous_url": asked.url((first - ONE_DAY).replace(day=1)),
        "previous_label": _("Previous month"),
        "next_url": asked.url((first + 31 * ONE_DAY).replace(day=1)),
        "next_label": _("Next month"),
    }


_VIEWS: dict[str, Callable[[Asked], dict[str, Any]]] = {
    "day": _day,
    "doctors": _doctors,
    "week": _week,
    "month": _month,
    "list": _list,
}
# With the key that leads there.
_LABELS = {
    "day": (_("Day"), "d"),
    "doctors": (_("Side by side"), "s"),
    "week": (_("Week"), "w"),
    "month": (_("Month"), "m"),
    "list": (_("List"), "l"),
}
