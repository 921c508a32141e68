"""A month's visits as a list: also those that were cancelled or moved."""

from calendar import monthrange
from datetime import date

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bookings.appointments.selectors.appointments import appointments_of_days
from bookings.models import Appointment
from bookings.states import AppointmentStatus
from doctors.models import Doctor

# As the address names them.
STATUSES = {
    AppointmentStatus.CONFIRMED.value: _("Confirmed"),
    AppointmentStatus.ARRIVED.value: _("Arrived"),
    AppointmentStatus.COMPLETED.value: _("Done"),
    AppointmentStatus.NO_SHOW.value: _("Did not come"),
    AppointmentStatus.CANCELLED.value: _("Cancelled"),
    AppointmentStatus.RESCHEDULED.value: _("Moved"),
}


def visits_of_month(doctor: Doctor, *, day: date, status: str) -> QuerySet[Appointment]:
    """Of the month of this day, in order of time; in one of STATUSES, or in any if it is empty."""
    _weekday, last = monthrange(day.year, day.month)
    rows = appointments_of_days(
        doctors=[doctor], first=day.replace(day=1), last=day.replace(day=last)
    )
    return rows.filter(status=status) if status else rows
