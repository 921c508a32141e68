"""What can become of an appointment, once, as data.

The trigger `appointment_status_follows_the_state_machine` is made from TRANSITIONS, and a test
holds the two against each other.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AppointmentStatus(models.TextChoices):
    CONFIRMED = "confirmed", _("confirmed")
    ARRIVED = "arrived", _("arrived")
    COMPLETED = "completed", _("completed")
    NO_SHOW = "no_show", _("did not come")
    CANCELLED = "cancelled", _("cancelled")
    RESCHEDULED = "rescheduled", _("moved")


_S = AppointmentStatus

# Steps back (arrived → confirmed and the like) are the undo of a secretary's slip.
TRANSITIONS: dict[AppointmentStatus, frozenset[AppointmentStatus]] = {
    _S.CONFIRMED: frozenset({_S.ARRIVED, _S.NO_SHOW, _S.CANCELLED, _S.RESCHEDULED}),
    _S.ARRIVED: frozenset({_S.CONFIRMED, _S.COMPLETED}),
    _S.COMPLETED: frozenset({_S.ARRIVED}),
    _S.NO_SHOW: frozenset({_S.CONFIRMED, _S.ARRIVED}),
    _S.CANCELLED: frozenset(),
    _S.RESCHEDULED: frozenset(),
}

# The statuses in which the time belongs to the patient.
ACTIVE: tuple[AppointmentStatus, ...] = (_S.CONFIRMED, _S.ARRIVED, _S.COMPLETED, _S.NO_SHOW)
