"""Search results: doctors with their free times of the next days side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from docbook.http.htmx import wants_fragment
from doctors.forms import ORDER_LABELS, SearchForm
from doctors.models import Doctor, Specialty, VisitType
from doctors.rules import GridSlot, VisitTime, booking_window, by_day, day_bounds, visit_times
from doctors.selectors.search import DoctorSearch, matching_doctors, search_doctors
from doctors.selectors.slots import grid_of_doctors
from doctors.selectors.visit_types import active_visit_types
from doctors.views.addresses import day_url, doctor_url

PAGE_SIZE = 10
DAYS = 5
TIMES_A_DAY = 4


@dataclass(frozen=True)
class CardTime:
    starts_at: datetime
    ends_at: datetime
    url: str


@dataclass(frozen=True)
class CardDay:
    """Up to four times; when there are more, the last place says how many."""

    date: date
    times: list[CardTime]
    more: int
    more_url: str


@dataclass(frozen=True)
class DoctorCard:
    doctor: Doctor
    zone: str
    visit_type: VisitType | None
    next_free: datetime | None
    next_free_url: str
    url: str
    days: list[CardDay]

    @property
    def price_from(self) -> VisitType | None:
        visit_types = active_visit_types(self.doctor)
        return min(visit_types, key=lambda each: each.price_cents, default=None)

    @property
    def modes(self) -> list[str]:
        visit_types = active_visit_types(self.doctor)
        return list(dict.fromkeys(str(each.get_mode_display()) for each in visit_types))


@require_safe
def doctor_list(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET)
    search, now = form.search(), timezone.now()
    page = Paginator(search_doctors(search=search, now=now), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    days = _days(request.GET.get("from", ""), search=search, now=now)
    context = {
        "form": form,
        "page": _with_cards(page, days=days, search=search, now=now),
        "total": page.paginator.count,
        "days": days,
        "heading": _heading(search, total=page.paginator.count),
        "order_urls": _order_urls(form, search),
        "active_filters": _active_filters(form, search),
        "alternatives": _alternatives(form, search, now=now) if not page.paginator.count else [],
        "nav": "doctors",
        **_moves(form, search, page=page, days=days, today=_today(now)),
    }
    template = "doctors/_results.html" if wants_fragment(request) else "doctors/list.html"
    return render(request, template, context)


def _today(now: datetime) -> date:
    return timezone.localdate(now)


def _days(start: str, *, search: DoctorSearch, now: datetime) -> list[date]:
    """Five days: from the day asked for, else from today on."""
    try:
        wanted = parse_date(start)
    except ValueError:
        wanted = None
    today = _today(now)
    first = max(wanted or search.available_on or today, today)
    first = min(first, today + timedelta(days=365))
    return [first + timedelta(days=n) for n in range(DAYS)]


def _with_cards(
    page: Page[Doctor], *, days: Sequence[date], search: DoctorSearch, now: datetime
) -> Page[Doctor]:
    """The page's doctors as cards. One query for the times of all of them."""
    doctors = list(page.object_list)
    grids = grid_of_doctors(
        doctor_ids=[doctor.pk for doctor in doctors],
        # A day wider at both ends: local days of all zones lie within.
        start=day_bounds(days[0] - timedelta(days=1), zone=timezone.get_current_timezone())[0],
        end=day_bounds(days[-1] + timedelta(days=1), zone=timezone.get_current_timezone())[1],
    )
    cards: list[Any] = [
        _card(doctor, grid=grids.get(doctor.pk, []), days=days, mode=search.mode, now=now)
        for doctor in doctors
    ]
    return Page(cards, page.number, page.paginator)


def _card(
    doctor: Doctor, *, grid: list[GridSlot], days: Sequence[date], mode: str, now: datetime
) -> DoctorCard:
    visit_type = _shortest(doctor, mode=mode)
    free = _free(doctor, visit_type, grid=grid, now=now) if visit_type else []
    per_day = by_day(free, zone=doctor.clinic.zone)
    next_free = getattr(doctor, "next_free_at", None)
    return DoctorCard(
        doctor=doctor,
        zone=doctor.clinic.time_zone,
        visit_type=visit_type,
        next_free=next_free,
        next_free_url=_times_url(doctor, visit_type, next_free) if next_free else "",
        url=doctor_url(doctor),
        days=[_card_day(doctor, visit_type, day, per_day.get(day, [])) for day in days],
    )


def _times_url(doctor: Doctor, visit_type: VisitType | None, when: datetime) -> str:
    day = when.astimezone(doctor.clinic.zone).date()
    return day_url(doctor, visit_type_id=visit_type.pk if visit_type else None, day=day)


def _shortest(doctor: Doctor, *, mode: str) -> VisitType | None:
    """The reason whose times a card shows: the shortest that fits the mode asked for."""
    fitting = [each for each in active_visit_types(doctor) if mode in ("", each.mode)]
    return min(fitting, key=lambda each: (each.slots, each.position, each.pk), default=None)


def _free(
    doctor: Doctor, visit_type: VisitType, *, grid: list[GridSlot], now: datetime
) -> list[VisitTime]:
    earliest, latest = booking_window(
        now=now, min_notice_minutes=doctor.min_notice_minutes, horizon_days=doctor.horizon_days
    )
    free, _held = visit_times(grid, length=visit_type.slots, mode=visit_type.mode, now=now)
    return [time for time in free if earliest <= time.starts_at < latest]


def _card_day(
    doctor: Doctor, visit_type: VisitType | None, day: date, times: list[VisitTime]
) -> CardDay:
    url = day_url(doctor, visit_type_id=visit_type.pk if visit_type else None, day=day)
    shown = times if len(times) <= TIMES_A_DAY else times[: TIMES_A_DAY - 1]
    return CardDay(
        date=day,
        times=[CardTime(time.starts_at, time.ends_at, url) for time in shown],
        more=len(times) - len(shown),
        more_url=url,
    )


def _heading(search: DoctorSearch, *, total: int) -> str:
    specialty = (
        Specialty.objects.filter(slug=search.specialty).first() if search.specialty else None
    )
    doctors = ngettext("%(count)d doctor", "%(count)d doctors", total) % {"count": total}
    if specialty and search.city:
        return _("%(specialty)s in %(city)s: %(doctors)s") % {
            "specialty": specialty.name,
            "city": search.city,
            "doctors": doctors,
        }
    if specialty:
        return _("%(specialty)s: %(doctors)s") % {"specialty": specialty.name, "doctors": doctors}
    if search.city:
        return _("%(doctors)s in %(city)s") % {"doctors": doctors, "city": search.city}
    return doctors


def _url(form: SearchForm, search: DoctorSearch, **more: str | int) -> str:
    query = "&".join(filter(None, [form.query(search), urlencode(more)]))
    return f"{reverse('doctors:list')}{'?' if query else ''}{query}"


def _order_urls(form: SearchForm, search: DoctorSearch) -> list[dict[str, object]]:
    return [
        {
            "label": label,
            "url": _url(form, search.ordered(order)),
            "current": order == search.order,
        }
        for order, label in ORDER_LABELS.items()
    ]


def _active_filters(form: SearchForm, search: DoctorSearch) -> list[dict[str, str]]:
    names = ("q", "specialty", "city", "available_on", "mode", "language", "max_fee")
    return [
        {"label": form.label_of(name, search), "remove_url": _url(form, search.without(name))}
        for name in names
        if getattr(search, name) not in ("", None)
    ]


def _alternatives(
    form: SearchForm, search: DoctorSearch, *, now: datetime
) -> list[dict[str, object]]:
    """What would be found without one of the filters."""
    found = []
    for active in ("language", "available_on", "max_fee", "mode", "city", "q", "specialty"):
        if getattr(search, active) in ("", None):
            continue
        wider = search.without(active)
        if count := matching_doctors(search=wider, now=now).count():
            label = _("Without “%(filter)s”") % {"filter": form.label_of(active, search)}
            found.append({"label": label, "url": _url(form, wider), "count": count})
    return found


def _moves(
    form: SearchForm, search: DoctorSearch, *, page: Page[Doctor], days: list[date], today: date
) -> dict[str, str]:
    """Addresses of earlier and later days, and of the pages before and after."""
    shift = timedelta(days=DAYS)
    here = {"from": days[0].isoformat()} if days[0] != today else {}
    number = {"page": page.number} if page.number > 1 else {}
    earlier = max(days[0] - shift, today).isoformat()
    return {
        "earlier_url": _url(form, search, **{"from": earlier}, **number) if days[0] > today else "",
        "later_url": _url(form, search, **{"from": (days[0] + shift).isoformat()}, **number),
        "previous_page_url": _url(form, search, page=page.previous_page_number(), **here)
        if page.has_previous()
        else "",
        "next_page_url": _url(form, search, page=page.next_page_number(), **here)
        if page.has_next()
        else "",
    }
