"""A doctor's page with the picker. `bookings` shows it again if a time could not be held."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from docbook.http.htmx import wants_fragment
from doctors.models import Clinic, Doctor
from doctors.selectors.doctors import clinics_of_doctor, get_bookable_doctor
from doctors.views.addresses import others_url
from doctors.views.picker import build_picker
from doctors.views.picker_page import Notice, Picker, PickerQuery

# Where a browser remembers its holds, to show "yours" at their times: the id of each and its first
# slot.
SESSION_HOLDS = "own_holds"


@require_safe
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    return render_doctor(request, doctor=get_bookable_doctor(slug=slug), query=query_of(request))


@dataclass(frozen=True)
class DoctorPage:
    """The content of the page and its fragment. The fragment is the picker. It reads the clinics
    only if no time is free, to name another way, or if booking is paused, to say until when.
    """

    doctor: Doctor
    picker: Picker
    now: datetime

    @cached_property
    def clinics(self) -> list[Clinic]:
        return clinics_of_doctor(self.doctor, now=self.now)

    @property
    def zone(self) -> str:
        return self.clinics[0].time_zone

    @property
    def title(self) -> str:
        cities = dict.fromkeys(clinic.city for clinic in self.clinics)
        return _("%(name)s, %(practitioner)s in %(city)s") % {
            "name": self.doctor.name,
            "practitioner": self.doctor.specialty.practitioner,
            "city": ", ".join(cities),
        }

    @property
    def others(self) -> str:
        """Why another doctor may suit."""
        return _("Another %(practitioner)s in %(city)s may have a better time.") % {
            "practitioner": self.doctor.specialty.practitioner,
            "city": self.clinics[0].city,
        }

    @property
    def others_url(self) -> str:
        return others_url(self.doctor, city=self.clinics[0].city)


def render_doctor(
    request: HttpRequest,
    *,
    doctor: Doctor,
    query: PickerQuery,
    notice: Notice | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page, or only the picker for htmx. A doctor who is switched off has no page to link to.
    If one of their times was lost, the page says so and shows no times.
    """
    now, picker = timezone.now(), Picker(notice=notice)
    if doctor.is_active:
        picker = build_picker(
            doctor=doctor, query=query, now=now, own_holds=own_holds(request), notice=notice
        )
    context = {"page": DoctorPage(doctor, picker, now), "nav": "doctors"}
    template = "doctors/_picker_swap.html" if wants_fragment(request) else "doctors/detail.html"
    return render(request, template, context, status=status)


def own_holds(request: HttpRequest) -> Mapping[UUID, int]:
    """The holds of this browser, whose times read "yours", and the first slot of each."""
    kept: dict[str, int] = request.session.get(SESSION_HOLDS, {})
    return {UUID(hold_id): slot_id for hold_id, slot_id in kept.items()}


def query_of(request: HttpRequest) -> PickerQuery:
    """Ignores invalid values of a hand-written address."""
    visit_type = request.GET.get("visit_type", "")
    return PickerQuery(
        visit_type_id=int(visit_type) if re.fullmatch(r"[0-9]{1,18}", visit_type) else None,
        month=_month(request.GET.get("month", "")),
        date=_date(request.GET.get("date", "")),
    )


def _month(value: str) -> date | None:
    try:
        return datetime.strptime(value, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    except ValueError:
        return None


def _date(value: str) -> date | None:
    try:
        return parse_date(value)
    except ValueError:
        return None
