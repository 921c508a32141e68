"""Addresses of a doctor's page that several pages link to."""

from datetime import date

from django.urls import reverse
from django.utils.http import urlencode

from doctors.models import Doctor


def doctor_url(doctor: Doctor, **query: str | int | None) -> str:
    """The page, with the part of the query that is not None."""
    given = {name: value for name, value in query.items() if value is not None}
    page = reverse("doctors:detail", args=[doctor.slug])
    return f"{page}?{urlencode(given)}" if given else page


def day_url(doctor: Doctor, *, visit_type_id: int | None, day: date) -> str:
    """The times of one day."""
    return doctor_url(doctor, visit_type=visit_type_id, date=day.isoformat()) + "#times"
