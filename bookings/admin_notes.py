"""Notes for staff about booked visits of a clinic or a doctor: shown when they save it, and on its
page while they apply.
"""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings.appointments.selectors.amendments import (
    Source,
    how_many_outdated,
    kind_of,
    outdated_visit_types,
)
from bookings.appointments.selectors.outside_hours import visits_outside_hours
from doctors.models import Clinic, Doctor

# A filter of the appointment list; its value is a doctor's id.
OUTSIDE_HOURS = "outside_hours"


@dataclass(frozen=True)
class Note:
    """A sentence, and a link to the visits for staff who may open it."""

    text: str
    url: str = ""
    label: str = ""

    def __str__(self) -> str:
        if not self.url:
            return self.text
        return format_html('{} <a href="{}">{}</a>', self.text, self.url, self.label)


def may_amend(request: HttpRequest, source: Source) -> bool:
    """Staff who may change the clinic, or the doctor's visit types, and appointments as well."""
    of = "clinic" if isinstance(source, Clinic) else "visittype"
    return request.user.has_perms([f"doctors.change_{of}", "bookings.change_appointment"])


def notes_on_clinic(request: HttpRequest, clinic: Clinic, *, now: datetime) -> list[Note]:
    """Two queries."""
    number = how_many_outdated(clinic, now=now)
    return [_outdated(request, clinic, number)] if number else []


def notes_on_doctor(request: HttpRequest, doctor: Doctor, *, now: datetime) -> list[Note]:
    """Five queries, however many visit types there are."""
    notes = [
        _outdated(request, visit_type, number, of=visit_type.name)
        for visit_type, number in outdated_visit_types(doctor, now=now)
    ]
    if outside := len(visits_outside_hours(doctor, now=now)):
        notes.append(_outside(request, doctor, outside))
    return notes


def _outdated(request: HttpRequest, source: Source, number: int, *, of: str = "") -> Note:
    text = ngettext(
        "%(number)d booked visit still shows its earlier details.",
        "%(number)d booked visits still show their earlier details.",
        number,
    ) % {"number": number}
    text = f"{of}: {text}" if of else text
    if not may_amend(request, source):
        return Note(text)
    url = reverse("admin:bookings_appointment_outdated", args=[kind_of(source), source.pk])
    return Note(text, url, _("Change them and tell the patients…"))


def _outside(request: HttpRequest, doctor: Doctor, number: int) -> Note:
    if doctor.is_active:
        text = ngettext(
            "%(number)d booked visit is outside this doctor's hours.",
            "%(number)d booked visits are outside this doctor's hours.",
            number,
        )
    else:
        text = ngettext(
            "This doctor takes no bookings but still has %(number)d booked visit.",
            "This doctor takes no bookings but still has %(number)d booked visits.",
            number,
        )
    stays = _("Nothing is cancelled until somebody cancels it.")
    text = f"{text % {'number': number}} {stays}"
    if not request.user.has_perm("bookings.view_appointment"):
        return Note(text)
    query = urlencode({OUTSIDE_HOURS: doctor.pk})
    url = f"{reverse('admin:bookings_appointment_changelist')}?{query}"
    return Note(text, url, _("Look at these visits"))
