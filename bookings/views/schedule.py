"""A doctor's day, for the doctor and their secretary."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.users import signed_in
from bookings.models import Appointment
from bookings.selectors.appointments import appointments_of_doctor
from bookings.states import ACTIVE, AppointmentStatus
from docbook.errors import NotFound
from docbook.http.htmx import wants_fragment
from doctors.models import Doctor
from doctors.rules import GridSlot, day_bounds
from doctors.selectors.doctors import doctors_run_by
from doctors.selectors.slots import grid_of_doctors


@dataclass(frozen=True)
class Entry:
    """One line of the day. `kind`: a status of an appointment, or free, held, blocked."""

    starts_at: datetime
    ends_at: datetime
    kind: str
    title: str
    subtitle: str
    is_now: bool


@require_safe
@login_required
def schedule(request: HttpRequest) -> HttpResponse:
    """Somebody who runs no doctor's day finds nothing here."""
    doctors = list(doctors_run_by(signed_in(request)))
    doctor = _chosen(doctors, request.GET.get("doctor", ""))
    now = timezone.now()
    today = now.astimezone(doctor.clinic.zone).date()
    day = _date(request.GET.get("date", "")) or today
    entries = _entries(doctor, day=day, now=now)
    context = {
        "doctor": doctor,
        "doctors": [
            {"doctor": each, "url": _url(each, day), "current": each == doctor} for each in doctors
        ],
        "zone": doctor.clinic.time_zone,
        "date": day,
        "is_today": day == today,
        "previous_url": _url(doctor, day - timedelta(days=1)),
        "next_url": _url(doctor, day + timedelta(days=1)),
        "today_url": _url(doctor, today),
        "week": _week(doctor, day=day),
        "entries": entries,
        "counts": _counts(entries),
        "nav": "schedule",
    }
    template = "bookings/_day.html" if wants_fragment(request) else "bookings/schedule.html"
    return render(request, template, context)


def _chosen(doctors: list[Doctor], wanted: str) -> Doctor:
    found = [each for each in doctors if not wanted or str(each.pk) == wanted]
    if not found:
        raise NotFound
    return found[0]


def _date(value: str) -> date | None:
    """None for what is no date, or so far away that a calendar has no neighbours for it."""
    try:
        day = parse_date(value)
    except ValueError:
        return None
    return day if day and 1900 < day.year < 9000 else None


def _entries(doctor: Doctor, *, day: date, now: datetime) -> list[Entry]:
    """Appointments, and the slots that belong to none, in the order of time. Two queries."""
    start, end = day_bounds(day, zone=doctor.clinic.zone)
    booked = appointments_of_doctor(doctor=doctor, start=start, end=end).filter(status__in=ACTIVE)
    slots = grid_of_doctors(doctor_ids=[doctor.pk], start=start, end=end).get(doctor.pk, [])
    entries = [_appointment_entry(each, now=now) for each in booked]
    entries += [_slot_entry(slot, now=now) for slot in slots if slot.state != "booked"]
    return sorted(entries, key=lambda entry: entry.starts_at)


def _appointment_entry(appointment: Appointment, *, now: datetime) -> Entry:
    return Entry(
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        kind=appointment.status,
        title=appointment.patient_name,
        subtitle=appointment.visit_type.name,
        is_now=appointment.starts_at <= now < appointment.ends_at,
    )


def _slot_entry(slot: GridSlot, *, now: datetime) -> Entry:
    kind, title, subtitle = "free", _("Free"), ""
    if slot.is_on_hold(now=now):
        kind, title, subtitle = "held", _("On hold"), _("Somebody is confirming")
    elif slot.state == "blocked":
        kind, title = "blocked", _("Blocked")
    return Entry(
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        kind=kind,
        title=title,
        subtitle=subtitle,
        is_now=slot.starts_at <= now < slot.ends_at,
    )


def _counts(entries: list[Entry]) -> dict[str, int]:
    kinds = [entry.kind for entry in entries]
    return {
        "visits": sum(kind in ACTIVE for kind in kinds),
        "done": kinds.count(AppointmentStatus.COMPLETED),
        "free": kinds.count("free"),
        "on_hold": kinds.count("held"),
    }


def _week(doctor: Doctor, *, day: date) -> list[dict[str, object]]:
    monday = day - timedelta(days=day.weekday())
    days = [monday + timedelta(days=n) for n in range(7)]
    return [{"date": each, "url": _url(doctor, each), "chosen": each == day} for each in days]


def _url(doctor: Doctor, day: date) -> str:
    query = urlencode([("doctor", doctor.pk), ("date", day.isoformat())])
    return f"{reverse('bookings:schedule')}?{query}"
