"""Whose day or hours a page of the practice shows."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

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
