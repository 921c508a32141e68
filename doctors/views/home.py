"""The first page: search, and the specialties with their next free times."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from doctors.forms import SearchForm
from doctors.selectors.search import SpecialtySummary, kept_specialties

POPULAR = 8


@dataclass(frozen=True)
class FreeDay:
    """The first day on which somebody is free, on the clinic's clock."""

    date: date
    is_today: bool


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    summaries = kept_specialties(now=now)
    context = {
        "free_day": _first_free_day(summaries, now=now),
        "search": SearchForm(),
        "specialty_cards": summaries[:POPULAR],
        "specialty_total": len(summaries),
        "doctor_total": sum(each.doctor_count for each in summaries),
        "nav": "doctors",
    }
    return render(request, "doctors/home.html", context)


def _first_free_day(summaries: Iterable[SpecialtySummary], *, now: datetime) -> FreeDay | None:
    firsts = [(each.next_free, each.zone) for each in summaries if each.next_free]
    if not firsts:
        return None
    starts_at, zone = min(firsts)
    day = starts_at.astimezone(ZoneInfo(zone)).date()
    return FreeDay(day, is_today=day == now.astimezone(ZoneInfo(zone)).date())
