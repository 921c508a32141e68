"""Booked visits that still show what a clinic or a visit type said before it was changed."""

import hashlib
import json
from collections import Counter
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from bookings.models import Appointment, Hold, HoldState
from bookings.models.agreed import PLACE
from bookings.states import AppointmentStatus
from doctors.models import Clinic, Doctor, Mode, VisitType

# What a change can affect: the column, and its source. Mode, length and price stay as agreed.
Source = Clinic | VisitType
_KINDS: dict[str, type[Source]] = {"clinic": Clinic, "visit-type": VisitType}


def kind_of(source: Source) -> str:
    return next(kind for kind, model in _KINDS.items() if isinstance(source, model))


def find_source(*, kind: str, pk: int) -> Source | None:
    model = _KINDS.get(kind)
    return model._default_manager.filter(pk=pk).first() if model else None


def facts_of(source: Source) -> dict[str, str]:
    """What a visit booked now would show, by the columns of `Agreed`."""
    if isinstance(source, VisitType):
        return {"visit_name": source.name}
    names = {"place_name": "name"}
    return {column: getattr(source, names.get(column, column)) for column in PLACE}


def digest_of(source: Source) -> str:
    """Shows whether somebody has changed the source again since it was read."""
    text = json.dumps(facts_of(source), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def outdated_visits(source: Source, *, now: datetime) -> QuerySet[Appointment]:
    """Confirmed upcoming visits that show something else."""
    coming = Appointment.objects.filter(status=AppointmentStatus.CONFIRMED, starts_at__gt=now)
    return coming.filter(_says_something_else(source))


def outdated_holds(source: Source, *, now: datetime) -> QuerySet[Hold]:
    """Times that somebody is confirming and that show something else."""
    live = Hold.objects.filter(state=HoldState.HELD, expires_at__gt=now)
    return live.filter(_says_something_else(source))


def how_many_outdated(source: Source, *, now: datetime) -> int:
    """How many visits and live holds show something else."""
    return outdated_visits(source, now=now).count() + outdated_holds(source, now=now).count()


def outdated_visit_types(doctor: Doctor, *, now: datetime) -> list[tuple[VisitType, int]]:
    """The doctor's visit types with such visits, each with `how_many_outdated`. Three queries."""
    numbers: Counter[int] = Counter()
    visits = Appointment.objects.filter(status=AppointmentStatus.CONFIRMED, starts_at__gt=now)
    holds = Hold.objects.filter(state=HoldState.HELD, expires_at__gt=now)
    for rows in (visits, holds):
        renamed = rows.filter(doctor=doctor).exclude(visit_name=F("visit_type__name"))
        counted = renamed.order_by().values_list("visit_type").annotate(number=Count("pk"))
        numbers.update(dict(counted))
    return [(each, numbers[each.pk]) for each in doctor.visit_types.filter(pk__in=numbers)]


def _says_something_else(source: Source) -> Q:
    """For a place where nobody has to go, only its name and its clock matter."""
    facts = facts_of(source)
    if isinstance(source, VisitType):
        return ~Q(**facts) & Q(visit_type=source)
    told_to_all = {name: facts[name] for name in ("place_name", "time_zone")}
    return (~Q(**told_to_all) | (Q(mode=Mode.IN_PERSON) & ~Q(**facts))) & Q(clinic=source)


def what_they_say(source: Source, *, now: datetime) -> list[dict[str, Any]]:
    """The facts that those visits show, with the `number` of visits for each; most frequent
    first.
    """
    facts = list(facts_of(source))
    rows = outdated_visits(source, now=now).order_by().values(*facts)
    return list(rows.annotate(number=Count("pk")).order_by("-number", *facts))
