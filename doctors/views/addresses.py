"""Addresses of a doctor's page that several pages link to."""

from collections.abc import Collection
from datetime import date
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from doctors.models import Doctor


def with_query(page: str, **query: str | int | None) -> str:
    """The page, with the parts of the query that are not None."""
    given = {name: value for name, value in query.items() if value is not None}
    return f"{page}?{urlencode(given)}" if given else page


def doctor_url(doctor: Doctor, **query: str | int | None) -> str:
    return with_query(reverse("doctors:detail", args=[doctor.slug]), **query)


def day_url(doctor: Doctor, *, visit_type_id: int | None, day: date) -> str:
    """The times of one day."""
    return on_day(doctor_url(doctor, visit_type=visit_type_id), day)


def on_day(calendar: str, day: date) -> str:
    """That calendar's times of one day."""
    return f"{calendar}{'&' if '?' in calendar else '?'}date={day.isoformat()}#times"


def others_url(doctor: Doctor, *, city: str) -> str:
    """Doctors of the same specialty there."""
    return with_query(reverse("doctors:list"), specialty=doctor.specialty.slug, city=city)


def page_of(url: str, *, request: HttpRequest, views: Collection[str]) -> str:
    """The address if it is on this host and one of these views answers it; otherwise empty."""
    ours = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    try:
        match = resolve(urlsplit(url).path) if ours else None
    except Resolver404:
        return ""
    return url if match and match.view_name in views else ""
