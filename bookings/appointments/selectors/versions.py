"""An appointment as it was in one of its versions."""

from collections.abc import Iterable, Sequence

from bookings.models import Appointment
from bookings.models.agreed import AGREED
from bookings.states import AppointmentStatus
from docbook.audit.models import AuditEvent


def in_versions(wanted: Iterable[tuple[Appointment, int]]) -> list[Appointment]:
    """The same rows with the status and the agreed values of those versions. Nobody saves them.

    The audit knows what each later step changed. No query for current versions, otherwise one. For
    an older version, it does not say who made the last change and why.
    """
    wanted = list(wanted)
    older = [each for each, version in wanted if version < each.version]
    events: dict[str, list[AuditEvent]] = {str(each.pk): [] for each in older}
    if older:
        found = AuditEvent.objects.filter(object_type="appointment", object_id__in=list(events))
        for event in found:
            events[event.object_id].append(event)
    return [
        _taken_back(each, version, events[str(each.pk)]) if version < each.version else each
        for each, version in wanted
    ]


def _taken_back(
    appointment: Appointment, version: int, events: Sequence[AuditEvent]
) -> Appointment:
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
