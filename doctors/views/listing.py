"""Search results: doctors next to each other, with their free times of the next days."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from docbook.http.htmx import wants_fragment
from doctors.forms import ORDER_LABELS, SearchForm
from doctors.models import Doctor
from doctors.selectors.choices import find_specialty
from doctors.selectors.result_pages import ResultPage, find_page
from doctors.selectors.search import (
    DoctorSearch,
    count_matches,
    in_one_currency,
)
from doctors.templatetags.clinic_time import date_long, date_short
from doctors.views.cards import (
    DAYS_OF_A_NARROW_CARD,
    common_today,
    day_heads,
    doctor_cards,
    local_today,
)
from doctors.views.results_page import ActiveFilter, Alternative, Moves, OrderLink, Results

DAYS = 5
# The next days must include the day that a narrow card hides.
DAYS_A_STEP = DAYS_OF_A_NARROW_CARD


@require_safe
def doctor_list(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET)
    now = timezone.now()
    search = in_one_currency(form.search(), now=now)
    form.name_the_currency(search)
    page = find_page(search=search, now=now, asked=request.GET.get("page", ""))
    doctors = page.doctors
    today = _first_today(doctors, now=now)
    days = _days(request.GET.get("from", ""), search=search, today=today, now=now)
    heading = _heading(search, total=page.total)
    results = Results(
        heading=heading,
        announcement=_("%(heading)s. %(first)s to %(last)s")
        % {"heading": heading, "first": date_short(days[0]), "last": date_short(days[-1])},
        total=page.total,
        first=page.first,
        last=page.last,
        cards=doctor_cards(doctors, days=days, search=search, now=now),
        day_heads=day_heads(days, today=common_today(doctors, now=now)),
        orders=_orders(form, search),
        filters=_filters(form, search),
        alternatives=_alternatives(form, search, now=now) if not page.total else (),
        moves=_moves(form, search, page=page, days=days, today=today),
    )
    context = {"form": form, "results": results, "nav": "doctors"}
    template = "doctors/_results_swap.html" if wants_fragment(request) else "doctors/list.html"
    return render(request, template, context)


def _days(start: str, *, search: DoctorSearch, today: date, now: datetime) -> list[date]:
    """Five days: from the requested day, otherwise from today on."""
    try:
        wanted = parse_date(start)
    except ValueError:
        wanted = None
    # Somebody is free on the requested day, so it has not ended everywhere.
    youngest = (now - timedelta(hours=12)).date() if search.available_on else today
    first = max(wanted or search.available_on or today, youngest)
    first = min(first, today + timedelta(days=365))
    return [first + timedelta(days=n) for n in range(DAYS)]


def _first_today(doctors: Iterable[Doctor], *, now: datetime) -> date:
    """Where the day is youngest: an evening in America is already tomorrow on our own clock."""
    days = (local_today(doctor, now=now) for doctor in doctors)
    return min(days, default=timezone.localdate(now))


def _heading(search: DoctorSearch, *, total: int) -> str:
    specialty = find_specialty(search.specialty) if search.specialty else None
    doctors = ngettext("%(count)s doctor", "%(count)s doctors", total) % {
        "count": number_format(total, force_grouping=True)
    }
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


def _orders(form: SearchForm, search: DoctorSearch) -> list[OrderLink]:
    return [
        OrderLink(str(label), _url(form, search.ordered(order)), is_current=order == search.order)
        for order, label in ORDER_LABELS.items()
    ]


def _filters(form: SearchForm, search: DoctorSearch) -> list[ActiveFilter]:
    names = ("q", "specialty", "city", "available_on", "mode", "language", "max_fee")
    return [
        ActiveFilter(form.label_of(name, search), _url(form, search.without(name)))
        for name in names
        if getattr(search, name) not in ("", None)
    ]


def _alternatives(form: SearchForm, search: DoctorSearch, *, now: datetime) -> list[Alternative]:
    """What a search would find on the next days, or without one of the filters."""
    wider = _on_the_next_days(search, now=now)
    for active in ("language", "available_on", "max_fee", "mode", "city", "q", "specialty"):
        if getattr(search, active) not in ("", None):
            label = _("Without “%(filter)s”") % {"filter": form.label_of(active, search)}
            wider.append((label, search.without(active)))
    counts = count_matches([each for _label, each in wider], now=now)
    return [
        Alternative(label, _url(form, each), count)
        for (label, each), count in zip(wider, counts, strict=True)
        if count
    ]


def _on_the_next_days(search: DoctorSearch, *, now: datetime) -> list[tuple[str, DoctorSearch]]:
    """If nobody is free on the wanted day, the day after mostly helps."""
    if search.available_on is None:
        return []
    tomorrow = timezone.localdate(now) + timedelta(days=1)
    days = [search.available_on + timedelta(days=ahead) for ahead in (1, 2)]
    return [
        (_("Tomorrow") if day == tomorrow else date_long(day), replace(search, available_on=day))
        for day in days
    ]


def _moves(
    form: SearchForm, search: DoctorSearch, *, page: ResultPage, days: list[date], today: date
) -> Moves:
    shift = timedelta(days=DAYS_A_STEP)
    here = {"from": days[0].isoformat()} if days[0] != today else {}
    number = {"page": page.number} if page.number > 1 else {}
    earlier = max(days[0] - shift, today).isoformat()
    return Moves(
        earlier_days=_url(form, search, **{"from": earlier}, **number) if days[0] > today else "",
        later_days=_url(form, search, **{"from": (days[0] + shift).isoformat()}, **number),
        previous_page=_url(form, search, page=page.number - 1, **here) if page.has_previous else "",
        next_page=_url(form, search, page=page.number + 1, **here) if page.has_next else "",
    )
