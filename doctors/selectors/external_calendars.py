"""Finds the calendars elsewhere of a doctor."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, Q

from docbook.errors import NotFound, NotYours
from doctors.models import Doctor, ExternalCalendar


def calendars_of(doctor: Doctor, *, now: datetime) -> list[ExternalCalendar]:
    """In the order of their names, each with `coming`, how many of its busy times are not over. One
    query.
    """
    coming = Count("periods", filter=Q(periods__ends_at__gt=now))
    return list(doctor.calendars.annotate(coming=coming).order_by("name", "pk"))


def count_busy_times(calendar: ExternalCalendar) -> int:
    return calendar.periods.count()


def get_calendar(doctors: Sequence[Doctor], *, calendar_id: int) -> ExternalCalendar:
    """One of these doctors'. Raises NotFound for those of others."""
    rows = ExternalCalendar.objects.select_related("doctor__clinic").filter(pk=calendar_id)
    found = rows.first()
    if found is None:
        raise NotFound
    if found.doctor not in doctors:
        raise NotYours("external_calendar", calendar_id)
    return found
