"""A visit as a message about it tells it."""

from django.utils import timezone

from bookings.appointments.selectors.appointments import contact_of
from bookings.appointments.selectors.chains import chain_of
from bookings.models import Appointment
from bookings.notifications.selectors import Told


def told(visit: Appointment) -> Told:
    return Told(visit, contact_of(visit), chain_of(visit), published_at=timezone.now())
