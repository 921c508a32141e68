"""Whose day or hours a page of the practice shows, and where it leads back to."""

from datetime import date

from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from accounts.models import User
from doctors.models import Doctor
from doctors.selectors.doctors import chosen_of, doctors_run_by


def chosen_doctor(request: HttpRequest, user: User) -> tuple[Doctor, list[Doctor]]:
    """The doctor that the address asks for, or the first one, and all that this user may run.
    Raises NotFound for any other.
    """
    doctors = list(doctors_run_by(user))
    return chosen_of(doctors, wanted=request.GET.get("doctor", "")), doctors


def page_of_doctor(name: str, doctor: Doctor, **query: str) -> str:
    """The address of a page of the practice, for one doctor."""
    asked = [("doctor", str(doctor.pk)), *query.items()]
    return f"{reverse(f'bookings:{name}')}?{urlencode(asked)}"


def way_back(request: HttpRequest, *, otherwise: str) -> str:
    """The page of the schedule on which a button was pressed, if the form says so."""
    asked = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return asked if is_ours and asked.startswith(reverse("bookings:schedule")) else otherwise


def asked_date(request: HttpRequest) -> date | None:
    """None for a value that is no date, or a date at the ends of the calendar."""
    try:
        day = parse_date(request.GET.get("date", ""))
    except ValueError:
        return None
    return day if day and 1900 < day.year < 9000 else None
