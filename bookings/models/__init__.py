"""The act of booking: holds, their appointments, and waiting for a time."""

from bookings.models.appointments import Appointment
from bookings.models.calendar_feeds import CalendarFeed
from bookings.models.doctor_days import DoctorDay
from bookings.models.drafts import Draft
from bookings.models.holds import Hold, HoldState
from bookings.models.notes import VisitNote
from bookings.models.patient_visits import PatientVisit
from bookings.models.pause import BookingPause
from bookings.models.rearrangements import Choice, ItemState, RearrangedVisit, Rearrangement
from bookings.models.waitlist import WaitlistEntry, WaitlistState

__all__ = [
    "Appointment",
    "BookingPause",
    "CalendarFeed",
    "Choice",
    "DoctorDay",
    "Draft",
    "Hold",
    "HoldState",
    "ItemState",
    "PatientVisit",
    "RearrangedVisit",
    "Rearrangement",
    "VisitNote",
    "WaitlistEntry",
    "WaitlistState",
]
