"""Whose day or hours a page of the practice shows."""

import re

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from accounts.models import User
from docbook.errors import NotFound
from doctors.models import Doctor
from doctors.selectors.doctors import doctors_run_by, refusal_of_doctor


def chosen_doctor(request: HttpRequest, user: User) -> tuple[Doctor, list[Doctor]]:
    """The doctor that the address asks for, or the first one, and all that this user may run.
    Raises NotFound for any other.
    """
    doctors, wanted = list(doctors_run_by(user)), request.GET.get("doctor", "")
    found = [each for each in doctors if not wanted or str(each.pk) == wanted]
    if not found:
        is_id = re.fullmatch("[0-9]{1,18}", wanted)
        raise refusal_of_doctor(int(wanted)) if is_id else NotFound
    return found[0], doctors


def page_of_doctor(name: str, doctor: Doctor, **query: str) -> str:
    """The address of a page of the practice, for one doctor."""
    asked = [("doctor", str(doctor.pk)), *query.items()]
    return f"{reverse(f'bookings:{name}')}?{urlencode(asked)}"
