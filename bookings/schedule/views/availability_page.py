"""What the tabs of the availability pages share: whose hours, the frame, and the preview."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.users import signed_in
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.outside_hours import BookedVisit
from bookings.appointments.selectors.undecided import OutsideVisit
from bookings.schedule.hours_preview import HoursPreview, preview_of
from bookings.schedule.hours_words import sentence_of, week_in_words
from bookings.schedule.selectors import PresentHours
from bookings.schedule.services import record_reading
from bookings.schedule.views.chosen_doctor import chosen_doctor, page_of_doctor
from docbook.audit.services import Actor
from docbook.errors import NotFound
from docbook.http.htmx import wants_fragment
from doctors.hours import Hours
from doctors.models import Doctor
from doctors.templatetags.clinic_time import local_date

LONGEST_WEEK_NUMBER = 2


@dataclass(frozen=True)
class Desk:
    """Somebody of the practice, and the doctor whose hours they look at."""

    member: PracticeMember
    doctor: Doctor
    doctors: list[Doctor]
    present: PresentHours

    @cached_property
    def actor(self) -> Actor:
        """Raises NotFound for somebody who no longer acts for the doctor."""
        actor = self.member.actor_for(self.doctor)
        if actor is None:
            raise NotFound
        return actor


@dataclass(frozen=True)
class LeftOut:
    """A booked visit that the planned hours leave out, and the day of the schedule with it."""

    visit: BookedVisit
    url: str


def desk_of(request: HttpRequest) -> Desk:
    """Raises NotFound for a doctor whose day is not theirs."""
    member = PracticeMember(signed_in(request))
    doctor, doctors = chosen_doctor(request, member.user)
    return Desk(member, doctor, doctors, PresentHours(doctor, timezone.now()))


def frame_of(desk: Desk, *, page: str) -> dict[str, Any]:
    """The context that every availability page needs."""
    clinics = desk.present.clinics
    return {
        "doctor": desk.doctor,
        "doctors": [
            {"doctor": each, "url": page_of_doctor(page, each), "current": each == desk.doctor}
            for each in desk.doctors
        ],
        "is_own": desk.doctor.user_id == desk.member.user.pk,
        "clinics": clinics,
        "zone": clinics[0].time_zone,
        "tab": page,
        "url": page_of_doctor(page, desk.doctor),
        "weekly_url": page_of_doctor("availability", desk.doctor),
        "time_off_url": page_of_doctor("time_off", desk.doctor),
        "rules_url": page_of_doctor("booking_rules", desk.doctor),
        "calendars_url": page_of_doctor("calendars", desk.doctor),
        "outside_url": page_of_doctor("outside_hours", desk.doctor),
        "undecided": len(desk.present.undecided),
        "nav": "availability",
    }


def page_after_saving(page: str, doctor: Doctor, *, before: Collection[OutsideVisit]) -> str:
    """The visits outside the hours, if the change has left more of them to decide about than there
    were `before`.
    """
    known = {each.visit.id for each in before}
    left = {each.visit.id for each in PresentHours(doctor, timezone.now()).undecided}
    return page_of_doctor("outside_hours" if left - known else page, doctor)


def preview_context(
    request: HttpRequest, desk: Desk, planned: Hours, *, first: date, of_override: bool = False
) -> dict[str, Any]:
    """The preview and the asked-for week of it. Reading who comes is recorded."""
    present = desk.present
    preview = preview_of(
        present=present.hours,
        planned=planned,
        visits=present.visits,
        first=first,
        now=present.now,
        only_newly_outside=of_override,
    )
    week = preview.week(_asked_week(request))
    return {
        "preview": preview,
        "sentence": sentence_of(preview, is_near=first == present.today),
        "week": week,
        "words": week_in_words(week),
        "today": present.today,
        "outside": _outside(desk, preview),
    }


def _asked_week(request: HttpRequest) -> int:
    """As the buttons for other weeks say, or the week that was shown before."""
    for name in ("to_week", "week"):
        text = request.POST.get(name, "")
        if text.isascii() and text.isdigit() and len(text) < LONGEST_WEEK_NUMBER:
            return int(text)
    return 0


def _outside(desk: Desk, preview: HoursPreview) -> list[LeftOut]:
    days = [local_date(visit.starts_at, visit.time_zone) for visit in preview.outside]
    if days:
        record_reading(reader=desk.member, doctor=desk.doctor, days=days, through="availability")
    return [
        LeftOut(visit, page_of_doctor("schedule", desk.doctor, date=day.isoformat()))
        for visit, day in zip(preview.outside, days, strict=True)
    ]


def answer(
    request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """The page, or for htmx its preview and what else would be stale."""
    file = f"_{name}_swap" if wants_fragment(request) else name
    return render(request, f"bookings/schedule/{file}.html", context, status=status)
