"""Finds doctors: who matches, and who is free first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import (
    BigIntegerField,
    BooleanField,
    CharField,
    Count,
    Exists,
    F,
    Func,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.expressions import OrderBy
from django.db.models.fields import DateField, DateTimeField

from docbook.errors import NotFound
from docbook.lock_keys import SEARCH_SPECIALTIES
from docbook.postgres.kept_query import Given
from docbook.typed_text import plain_letters
from doctors.models import AvailabilityRule, Doctor, Slot, Specialty, VisitType
from doctors.names import is_only_titles, words_of
from doctors.selectors.alphabet import letters_of
from doctors.selectors.doctors import bookable_doctors

SPECIALTIES_SECONDS = 15

_DAY = timedelta(days=1)
# Days when clocks change are longer or shorter by at most this much.
_SHIFT = timedelta(hours=1)

ORDERS: dict[str, tuple[OrderBy | str, ...]] = {
    "next_free": (F("next_free_at").asc(nulls_last=True), "id"),
    "fee": (F("lowest_fee").asc(nulls_last=True), "id"),
    "name": ("sorted_name", "id"),
}


class _OfFirstStart(Func):
    """A column of the result of the database function `doctors_first_start`."""

    template = "(SELECT free.%(column)s FROM doctors_first_start(%(expressions)s) AS free)"


class _FirstStart(Func):
    """What that function finds in any city, by the faster one `doctors_first_start_at`."""

    template = "(SELECT free.starts_at FROM doctors_first_start_at(%(expressions)s) AS free)"
    output_field = DateTimeField()


class _HasStart(Func):
    template = "EXISTS (SELECT FROM doctors_first_start(%(expressions)s))"
    output_field = BooleanField()


@dataclass(frozen=True)
class DoctorSearch:
    """The search. Empty values ask for nothing. `max_fee` is in whole units of `currency`, which
    also orders by fee: see `in_one_currency`.
    """

    q: str = ""
    specialty: str = ""
    city: str = ""
    language: str = ""
    mode: str = ""
    max_fee: int | None = None
    currency: str = ""
    available_on: date | None = None
    order: str = "next_free"

    @property
    def asks_for_fees(self) -> bool:
        return self.max_fee is not None or self.order == "fee"

    def without(self, field: str) -> "DoctorSearch":
        empty: Any = None if field in ("max_fee", "available_on") else ""
        wider = replace(self, **{field: empty})
        return replace(wider, currency="") if field == "max_fee" else wider

    def ordered(self, order: str) -> "DoctorSearch":
        return replace(self, order=order)


@dataclass(frozen=True)
class SpecialtySummary:
    """A specialty, its number of doctors, and the first free time among them."""

    specialty: Specialty
    doctor_count: int
    next_free: datetime | None
    zone: str
    city: str


@dataclass(frozen=True)
class Summaries:
    """Of all specialties, and when they were made."""

    specialties: list[SpecialtySummary]
    made_at: datetime

    def are_new(self, *, now: datetime) -> bool:
        return timedelta(0) <= now - self.made_at < timedelta(seconds=SPECIALTIES_SECONDS)


def in_one_currency(search: DoctorSearch, *, now: datetime) -> DoctorSearch:
    """The search with a currency, so fees can be compared: a hundred euros are not a hundred
    rupees.

    If the search names none, it is the most common one among the visit types of these doctors.
    """
    if search.currency or not search.asks_for_fees:
        return search
    doctors = matching_doctors(search=search.without("max_fee"), now=now)
    visit_types = _visit_types(search.without("max_fee"), doctor=doctors.order_by().values("pk"))
    counted = visit_types.order_by().values("currency").annotate(number=Count("pk"))
    most = counted.order_by("-number", "currency").values_list("currency", flat=True).first()
    return replace(search, currency=most or "")


def matching_doctors(*, search: DoctorSearch, now: datetime) -> QuerySet[Doctor]:
    """Bookable doctors who match the whole search; unordered."""
    doctors = bookable_doctors()
    if search.q:
        doctors = doctors.filter(_named(search.q))
    if search.specialty:
        doctors = doctors.filter(specialty__slug=search.specialty)
    if search.city:
        doctors = doctors.filter(_works_in(search.city, now=now))
    if search.language:
        doctors = doctors.filter(languages__contains=[search.language])
    if search.mode or search.max_fee is not None:
        doctors = doctors.filter(Exists(_visit_types(search, doctor=OuterRef("pk"))))
    if search.available_on:
        doctors = doctors.filter(_HasStart(*_asked(search, now=now, day=search.available_on)))
    return doctors


def count_matches(searches: Sequence[DoctorSearch], *, now: datetime) -> list[int]:
    """How many doctors each of these searches finds. At most one query."""
    counts = [
        matching_doctors(search=search, now=now)
        .prefetch_related(None)
        .order_by()
        .values(place=Value(place))
        .annotate(found=Count("pk"))
        .values_list("place", "found")
        for place, search in enumerate(searches)
    ]
    if not counts:
        return []
    found = dict(counts[0].union(*counts[1:], all=True))
    return [found.get(place, 0) for place in range(len(searches))]


def _named(text: str) -> Q:
    """Every word counts, in any order, in name and specialty. Titles do not count.

    Accents do not matter: a phone abroad has no "ü", and some people write it with two characters.
    """
    words = words_of(text)
    named = Q() if words or is_only_titles(text) else Q(pk__in=[])
    for word in words:
        named &= (
            Q(name__unaccent__icontains=word)
            | Q(specialty__name__unaccent__icontains=word)
            | Q(specialty__practitioner__unaccent__icontains=word)
        )
    return named


def search_doctors(*, search: DoctorSearch, now: datetime) -> QuerySet[Doctor]:
    """Matching doctors in the requested order. Adds `lowest_fee` (cents), `sorted_name` and the
    columns of `with_next_free`.

    The order always ends with the id, so pages neither repeat nor skip anybody.
    """
    return (
        with_next_free(matching_doctors(search=search, now=now), now=now, search=search)
        .annotate(lowest_fee=_lowest_fee(search), sorted_name=letters_of("name"))
        .order_by(*ORDERS.get(search.order, ORDERS["next_free"]))
    )


def with_next_free(
    doctors: QuerySet[Doctor], *, now: datetime, search: DoctorSearch | None = None
) -> QuerySet[Doctor]:
    """Adds `next_free_at`, the first time when a fitting visit type can start, and
    `next_free_zone`, the clock of its clinic.
    """
    search = search or DoctorSearch()
    asked = _asked(search, now=now)
    return doctors.annotate(
        next_free_at=_OfFirstStart(*asked, column="starts_at", output_field=DateTimeField())
        if search.city
        else _FirstStart(
            "pk", "min_notice_minutes", "horizon_days", "most_visits_a_day", *asked[1:5]
        ),
        next_free_zone=_OfFirstStart(*asked, column="time_zone", output_field=CharField()),
    )


def get_doctor_with_next_free(doctor_id: int, *, now: datetime) -> Doctor:
    """Raises NotFound."""
    doctor = with_next_free(bookable_doctors(), now=now).filter(pk=doctor_id).first()
    if doctor is None:
        raise NotFound
    return doctor


def kept_specialties(*, now: datetime) -> Summaries:
    """The result of `summarise_specialties`, which reads all doctors, kept for 15 seconds."""
    kept: Summaries | None = cache.get(SEARCH_SPECIALTIES)
    if kept is None:
        kept = Summaries(summarise_specialties(now=now), made_at=now)
        cache.set(SEARCH_SPECIALTIES, kept, SPECIALTIES_SECONDS)
    return kept


def summarise_specialties(*, now: datetime) -> list[SpecialtySummary]:
    """Specialties by number of doctors, largest first. Three queries."""
    doctors = with_next_free(Doctor.objects.filter(is_active=True), now=now)
    groups: dict[int, list[tuple[datetime | None, int]]] = {}
    for doctor_id, specialty_id, free in doctors.values_list(
        "pk", "specialty_id", F("next_free_at")
    ):
        groups.setdefault(specialty_id, []).append((free, doctor_id))
    firsts = {pk: _first(group) for pk, group in groups.items()}
    places = _places_of([first for first in firsts.values() if first])
    summaries = [
        SpecialtySummary(
            specialty,
            len(groups[specialty.pk]),
            first[0] if first else None,
            *(places.get(first, ("UTC", "")) if first else ("UTC", "")),
        )
        for specialty in Specialty.objects.filter(pk__in=groups)
        for first in [firsts[specialty.pk]]
    ]
    summaries.sort(key=lambda each: (-each.doctor_count, plain_letters(each.specialty.name)))
    return summaries


def _first(group: list[tuple[datetime | None, int]]) -> tuple[datetime, int] | None:
    return min(((free, doctor_id) for free, doctor_id in group if free), default=None)


def _places_of(starts: list[tuple[datetime, int]]) -> dict[tuple[datetime, int], tuple[str, str]]:
    """Zone and city of the slots that start at these times with these doctors."""
    wanted = Q(pk__in=[])
    for starts_at, doctor_id in starts:
        wanted |= Q(doctor=doctor_id, starts_at=starts_at)
    rows = Slot.objects.filter(wanted).values_list(
        "starts_at", "doctor_id", "clinic__time_zone", "clinic__city"
    )
    return {(starts_at, doctor): (zone, city) for starts_at, doctor, zone, city in rows}


def _asked(search: DoctorSearch, *, now: datetime, day: date | None = None) -> list[Any]:
    """What `doctors_first_start` looks for, for each doctor: on this local day, or on any."""
    most_cents = None if search.max_fee is None else search.max_fee * 100
    return [
        F("pk"),
        _value(now),
        _value(search.mode),
        Value(most_cents, output_field=BigIntegerField()),
        _value(search.currency),
        _value(search.city),
        _value(day, output_field=DateField()),
    ]


def _value(value: Any, **kind: Any) -> Any:
    """Of a kept query, what each call gives stays open."""
    return value if isinstance(value, Given) else Value(value, **kind)


def _works_in(city: str, *, now: datetime) -> Q:
    """At their main clinic, or where they have hours. Without any hours, where they have slots."""
    hours = AvailabilityRule.objects.filter(doctor=OuterRef("pk"))
    yesterday = (now - _DAY).date()
    valid = hours.filter(Q(valid_until=None) | Q(valid_until__gte=yesterday))
    slots = Slot.objects.filter(doctor=OuterRef("pk"), starts_at__gt=now)
    return (
        Q(clinic__city__iexact=city)
        | Q(Exists(valid.filter(clinic__city__iexact=city)))
        | (~Q(Exists(hours)) & Q(Exists(slots.filter(clinic__city__iexact=city))))
    )


def _visit_types(search: DoctorSearch, *, doctor: OuterRef | QuerySet[Any]) -> QuerySet[VisitType]:
    """Active visit types that fit the search, of one doctor or of several."""
    of = "doctor" if isinstance(doctor, OuterRef) else "doctor__in"
    visit_types = VisitType.objects.filter(**{of: doctor}, is_active=True)
    if search.mode:
        visit_types = visit_types.filter(mode=search.mode)
    if search.max_fee is not None:
        in_reach = Q(price_cents__lte=search.max_fee * 100, currency=search.currency)
        visit_types = visit_types.filter(in_reach)
    return visit_types


def _lowest_fee(search: DoctorSearch) -> Subquery:
    """In the search's currency. Doctors who charge in another one come last."""
    visit_types = VisitType.objects.filter(doctor=OuterRef("pk"), is_active=True)
    if search.currency:
        visit_types = visit_types.filter(currency=search.currency)
    lowest = visit_types.order_by().values("doctor").annotate(lowest=Min("price_cents"))
    return Subquery(lowest.values("lowest"))
