"""Everything that a booking leaves in the database, to show that a refusal has left nothing."""

from typing import Any

from accounts.models import User
from bookings.models import Appointment, Hold
from docbook.audit.models import AuditEvent
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot


def traces(*, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """By table; `without` leaves out what a refusal is meant to write.

    A record that a stranger asked, or that the practice has read, is no trace of an act.
    """
    found: dict[str, Any] = {
        "slots": sorted(Slot.objects.values_list("pk", "state", "hold_id", "held_until"), key=str),
        "holds": sorted(Hold.objects.values_list("pk", "state", "expires_at", "patient"), key=str),
        "wrong codes": sorted(Hold.objects.values_list("pk", "otp_attempts", "otp_resends")),
        "appointments": sorted(Appointment.objects.values_list("pk", "status", "version")),
        "audit": AuditEvent.objects.exclude(actor_kind="stranger")
        .exclude(action="patients.read")
        .count(),
        "outbox": OutboxMessage.objects.count(),
        "users": User.objects.count(),
    }
    return {name: rows for name, rows in found.items() if name not in without}
