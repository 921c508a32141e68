"""Finding doctors: who matches, and who is free first."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import (
    DurationField,
    Exists,
    ExpressionWrapper,
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

from docbook.typed_text import plain_letters
from doctors.models import Doctor, Slot, Specialty, VisitType
from doctors.names import is_only_titles, words_of
from doctors.selectors.alphabet import letters_of
from doctors.selectors.doctors import bookable_doctors

ORDERS: dict[str, tuple[OrderBy | str, ...]] = {
    "next_free": (F("next_free_at").asc(nulls_last=True), "id"),
    "fee": (F("lowest_fee").asc(nulls_last=True), "id"),
    "name": ("sorted_name", "id"),
}


@dataclass(frozen=True)
class DoctorSearch:
    """What was asked for; empty values ask for nothing. `max_fee` in whole units of currency."""

    q: str = ""
    specialty: str = ""
    city: str = ""
    language: str = ""
    mode: str = ""
    max_fee: int | None = None
    available_on: date | None = None
    order: str = "next_free"

    def without(self, field: str) -> "DoctorSearch":
        empty: Any = None if field in ("max_fee", "available_on") else ""
        return replace(self, **{field: empty})

    def ordered(self, order: str) -> "DoctorSearch":
        return replace(self, order=order)


@dataclass(frozen=True)
class SpecialtySummary:
    """A specialty, its doctors, and the first free time among all of them."""

    specialty: Specialty
    doctor_count: int
    next_free: datetime | None
    zone: str
    city: str


def matching_doctors(*, search: DoctorSearch, now: datetime) -> QuerySet[Doctor]:
    """Doctors that can be booked and match everything asked for; in no order."""
    doctors = bookable_doctors()
    if search.q:
        doctors = doctors.filter(_named(search.q))
    if search.specialty:
        doctors = doctors.filter(specialty__slug=search.specialty)
    if search.city:
        doctors = doctors.filter(clinic__city__iexact=search.city)
    if search.language:
        doctors = doctors.filter(languages__contains=[search.language])
    if search.mode or search.max_fee is not None:
        doctors = doctors.filter(Exists(_visit_types(search)))
    if search.available_on:
        doctors = doctors.filter(Exists(_free_on(search.available_on, now=now)))
    return doctors


def _named(text: str) -> Q:
    """Every word counts, in any order, over name and specialty; titles do not.

    However the accents were typed: a phone abroad has no "ü", and some write it in two signs.
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
    """Matching doctors in the order asked for, with `next_free_at`, `lowest_fee` (cents) and
    `sorted_name`.

    The order always ends in the id, so that pages neither repeat nor leave out anybody.
    """
    return (
        with_next_free(matching_doctors(search=search, now=now), now=now)
        .annotate(lowest_fee=_lowest_fee(), sorted_name=letters_of("name"))
        .order_by(*ORDERS.get(search.order, ORDERS["next_free"]))
    )


def with_next_free(doctors: QuerySet[Doctor], *, now: datetime) -> QuerySet[Doctor]:
    """Adds `next_free_at`: the first free slot that notice and horizon allow."""
    return doctors.annotate(
        next_free_at=Subquery(_free_slots(now=now).order_by("starts_at").values("starts_at")[:1])
    )


def summarise_specialties(*, now: datetime) -> list[SpecialtySummary]:
    """Specialties by number of doctors, most first. Two queries."""
    doctors = with_next_free(Doctor.objects.filter(is_active=True), now=now)
    groups: dict[int, list[tuple[datetime | None, str, str]]] = {}
    for specialty_id, free, zone, city in doctors.values_list(
        "specialty_id", F("next_free_at"), "clinic__time_zone", "clinic__city"
    ):
        groups.setdefault(specialty_id, []).append((free, zone, city))
    summaries = [
        _summary(specialty, groups[specialty.pk])
        for specialty in Specialty.objects.filter(pk__in=groups)
    ]
    summaries.sort(key=lambda each: (-each.doctor_count, plain_letters(each.specialty.name)))
    return summaries


def _summary(
    specialty: Specialty, group: list[tuple[datetime | None, str, str]]
) -> SpecialtySummary:
    free = [(when, zone, city) for when, zone, city in group if when is not None]
    next_free, zone, city = min(free) if free else (None, "UTC", "")
    return SpecialtySummary(specialty, len(group), next_free, zone, city)


def _free_slots(*, now: datetime) -> QuerySet[Slot]:
    """Free slots of the outer doctor, within their notice and horizon."""
    return Slot.objects.filter(
        Q(state="open") | Q(state="held", held_until__lte=now),
        doctor=OuterRef("pk"),
        starts_at__gte=_later(now, OuterRef("min_notice_minutes"), timedelta(minutes=1)),
        starts_at__lt=_later(now, OuterRef("horizon_days"), timedelta(days=1)),
    )


def _later(now: datetime, count: OuterRef, unit: timedelta) -> "ExpressionWrapper[Any]":
    distance = ExpressionWrapper(count * Value(unit), output_field=DurationField())
    return ExpressionWrapper(Value(now) + distance, output_field=DateTimeField())


def _free_on(day: date, *, now: datetime) -> QuerySet[Slot]:
    """Free slots on a local day. The wide bounds let the index find the rows whose local date
    is then looked at: no zone is further than 14 hours from UTC.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=now.tzinfo)
    local = Func(F("clinic__time_zone"), F("starts_at"), function="timezone")
    return (
        _free_slots(now=now)
        .filter(
            starts_at__gte=midnight - timedelta(hours=14),
            starts_at__lt=midnight + timedelta(hours=38),
        )
        .annotate(local_date=Func(local, function="date", output_field=DateField()))
        .filter(local_date=day)
    )


def _visit_types(search: DoctorSearch) -> QuerySet[VisitType]:
    visit_types = VisitType.objects.filter(doctor=OuterRef("pk"), is_active=True)
    if search.mode:
        visit_types = visit_types.filter(mode=search.mode)
    if search.max_fee is not None:
        visit_types = visit_types.filter(price_cents__lte=search.max_fee * 100)
    return visit_types


def _lowest_fee() -> Subquery:
    visit_types = VisitType.objects.filter(doctor=OuterRef("pk"), is_active=True)
    lowest = visit_types.order_by().values("doctor").annotate(lowest=Min("price_cents"))
    return Subquery(lowest.values("lowest"))
