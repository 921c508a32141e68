"""An appointment as it was in one of its versions."""

from bookings.models import Appointment
from bookings.models.agreed import AGREED
from bookings.states import AppointmentStatus
from docbook.audit.models import AuditEvent


def in_version(appointment: Appointment, version: int) -> Appointment:
    """The same row with the status and the agreed values of that version. Nobody saves it.

    The audit knows what each later step changed. No query for the current version, otherwise one.
    For an older version, it does not say who made the last change and why.
    """
    if version >= appointment.version:
        return appointment
    events = AuditEvent.objects.filter(object_type="appointment", object_id=str(appointment.pk))
    befores = {
        event.before["version"]: event.before
        for event in events
        if event.before.get("version", 0) >= version
    }
    # the status that every appointment begins with
    appointment.status = AppointmentStatus.CONFIRMED
    for _number, before in sorted(befores.items(), reverse=True):
        for name in before.keys() & {"status", *AGREED}:
            setattr(appointment, name, before[name])
    appointment.version = version
    appointment.changed_by_kind = appointment.change_reason = ""
    appointment.replaced_by = None
    return appointment
