"""The act of booking: holds and the appointments that come of them."""

from bookings.models.appointments import Appointment
from bookings.models.holds import Hold, HoldState

__all__ = ["Appointment", "Hold", "HoldState"]
