"""Who can be booked and when."""

from doctors.models.expansion import SlotExpansion
from doctors.models.external_calendars import BusyPeriod, ExternalCalendar
from doctors.models.overrides import AvailabilityOverride, ClosedDay, OverrideKind
from doctors.models.places import Clinic, Specialty
from doctors.models.profiles import Doctor, SecretaryAssignment, VisitType
from doctors.models.schedule import AvailabilityRule, Mode, Slot, SlotState

__all__ = [
    "AvailabilityOverride",
    "AvailabilityRule",
    "BusyPeriod",
    "Clinic",
    "ClosedDay",
    "Doctor",
    "ExternalCalendar",
    "Mode",
    "OverrideKind",
    "SecretaryAssignment",
    "Slot",
    "SlotExpansion",
    "SlotState",
    "Specialty",
    "VisitType",
]
