"""Booked visits that still say what a clinic or a reason said before it was changed."""

import hashlib
import json
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from bookings.models import Appointment
from bookings.models.agreed import PLACE
from bookings.states import AppointmentStatus
from doctors.models import Clinic, Mode, VisitType

# What a change can reach: where, and under which name. Mode, length and price stay as agreed.
Source = Clinic | VisitType
_KINDS: dict[str, type[Source]] = {"clinic": Clinic, "visit-type": VisitType}


def kind_of(source: Source) -> str:
    return next(kind for kind, model in _KINDS.items() if isinstance(source, model))


def find_source(*, kind: str, pk: int) -> Source | None:
    model = _KINDS.get(kind)
    return model._default_manager.filter(pk=pk).first() if model else None


def facts_of(source: Source) -> dict[str, str]:
    """What a visit would say that is booked now, by the columns of `Agreed`."""
    if isinstance(source, VisitType):
        return {"visit_name": source.name}
    names = {"place_name": "name"}
    return {column: getattr(source, names.get(column, column)) for column in PLACE}


def digest_of(source: Source) -> str:
    """Tells whether somebody has changed it again since it was looked at."""
    text = json.dumps(facts_of(source), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def outdated_visits(source: Source, *, now: datetime) -> QuerySet[Appointment]:
    """Confirmed visits to come that say something else. Of a place where nobody has to go, only its
    name and its clock are anything to anybody.
    """
    facts = facts_of(source)
    coming = Appointment.objects.filter(status=AppointmentStatus.CONFIRMED, starts_at__gt=now)
    if isinstance(source, VisitType):
        return coming.filter(~Q(**facts), visit_type=source)
    told_to_all = {name: facts[name] for name in ("place_name", "time_zone")}
    differs = ~Q(**told_to_all) | (Q(mode=Mode.IN_PERSON) & ~Q(**facts))
    return coming.filter(differs, clinic=source)


def what_they_say(source: Source, *, now: datetime) -> list[dict[str, Any]]:
    """The facts of those visits, and the `number` of visits that say each; most first."""
    facts = list(facts_of(source))
    rows = outdated_visits(source, now=now).order_by().values(*facts)
    return list(rows.annotate(number=Count("pk")).order_by("-number", *facts))
