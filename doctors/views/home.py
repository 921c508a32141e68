"""The first page: search, and the specialties with their next free times."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from docbook.http.templatetags.fixed import ForEverybody
from doctors.forms import SearchForm
from doctors.selectors.search import SpecialtySummary, Summaries, kept_specialties

POPULAR = 8


@dataclass(frozen=True)
class FreeDay:
    """The first day on which somebody is free, on the clinic's clock."""

    date: date
    is_today: bool


@dataclass(frozen=True)
class HomePage(ForEverybody):
    """What all visitors see: nothing here is about one of them."""

    summaries: Summaries
    free_day: FreeDay | None
    search: SearchForm
    # The page says "today". Every clock of the world begins a day at a full quarter of an hour.
    quarter: datetime

    @property
    def popular(self) -> list[SpecialtySummary]:
        return self.summaries.specialties[:POPULAR]

    @property
    def specialty_total(self) -> int:
        return len(self.summaries.specialties)

    @property
    def doctor_total(self) -> int:
        return sum(each.doctor_count for each in self.summaries.specialties)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    page = _Kept.page_at(timezone.now())
    return render(request, "doctors/home.html", {"page": page, "nav": "doctors"})


class _Kept:
    """The newest page of this process. Fifteen seconds later it makes another one."""

    newest: HomePage | None = None

    @classmethod
    def page_at(cls, now: datetime) -> HomePage:
        page = cls.newest
        if page is None or page.quarter != _quarter(now) or not page.summaries.are_new(now=now):
            summaries = kept_specialties(now=now)
            free_day = _first_free_day(summaries.specialties, now=now)
            page = cls.newest = HomePage(summaries, free_day, SearchForm(), _quarter(now))
        return page


def _quarter(now: datetime) -> datetime:
    return now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)


def _first_free_day(summaries: Iterable[SpecialtySummary], *, now: datetime) -> FreeDay | None:
    firsts = [(each.next_free, each.zone) for each in summaries if each.next_free]
    if not firsts:
        return None
    starts_at, zone = min(firsts)
    day = starts_at.astimezone(ZoneInfo(zone)).date()
    return FreeDay(day, is_today=day == now.astimezone(ZoneInfo(zone)).date())
