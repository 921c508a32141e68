"""Writes planned visits as a confirmed booking leaves them: hold, appointment, booked slots.

Nobody has confirmed them with a code, and nobody was told. So the audit records them as imported.
"""

import json
from datetime import timedelta

from django.db import connection

from bookings.models import HoldState
from bookings.states import AppointmentStatus
from devstack.demo.bulk import copy_rows, unhurried
from devstack.demo.visits import Visit

_HOLD_COLUMNS = (
    "id", "doctor_id", "clinic_id", "visit_type_id", "patient_id", "starts_at", "ends_at",
    "slot_ids", "first_name", "last_name", "email", "phone", "reason", "state", "expires_at",
    "code_sent_at", "otp_attempts", "otp_resends", "created_at",
)  # fmt: skip
_APPOINTMENT_COLUMNS = (
    "id", "doctor_id", "clinic_id", "visit_type_id", "patient_id", "starts_at", "ends_at",
    "patient_name", "status", "reason", "price_cents", "currency", "version", "created_at",
    "changed_at", "changed_by_kind",
)  # fmt: skip
_EVENT_COLUMNS = (
    "action", "actor_kind", "object_type", "object_id", "before", "after", "request_id",
)  # fmt: skip

# Each change of status adds one; a completed visit was confirmed, then arrived, then completed.
_VERSION = {
    AppointmentStatus.CONFIRMED: 1,
    AppointmentStatus.ARRIVED: 2,
    AppointmentStatus.NO_SHOW: 2,
    AppointmentStatus.COMPLETED: 3,
    AppointmentStatus.CANCELLED: 2,
}

_BOOK = """
UPDATE doctors_slot AS slot SET state = 'booked', hold_id = taken.hold_id
FROM unnest(%(slots)s::bigint[], %(holds)s::uuid[]) AS taken (slot_id, hold_id)
WHERE slot.id = taken.slot_id AND slot.state = 'open'
"""


def write_visits(visits: list[Visit]) -> None:
    """All in one transaction: nobody ever sees an appointment without its slots."""
    with unhurried():
        copy_rows(table="bookings_hold", columns=_HOLD_COLUMNS, rows=map(_hold, visits))
        copy_rows(
            table="bookings_appointment",
            columns=_APPOINTMENT_COLUMNS,
            rows=map(_appointment, visits),
        )
        copy_rows(table="audit_auditevent", columns=_EVENT_COLUMNS, rows=map(_event, visits))
        kept = (visit for visit in visits if visit.status != AppointmentStatus.CANCELLED)
        taken = [(slot.id, visit.id) for visit in kept for slot in visit.slots]
        with connection.cursor() as cursor:
            cursor.execute(
                _BOOK,
                {
                    "slots": [slot for slot, _hold in taken],
                    "holds": [hold for _slot, hold in taken],
                },
            )


def _who_and_when(visit: Visit) -> tuple[object, ...]:
    first = visit.slots[0]
    return (
        visit.id, first.doctor_id, first.clinic_id, visit.visit_type.pk, visit.patient.id,
        visit.starts_at, visit.ends_at,
    )  # fmt: skip


def _hold(visit: Visit) -> tuple[object, ...]:
    patient = visit.patient
    return (
        *_who_and_when(visit), [slot.id for slot in visit.slots], patient.first_name,
        patient.last_name, patient.email, patient.phone, visit.reason, HoldState.CONFIRMED.value,
        visit.booked_at + timedelta(minutes=5), visit.booked_at, 0, 0, visit.booked_at,
    )  # fmt: skip


def _appointment(visit: Visit) -> tuple[object, ...]:
    patient, visit_type = visit.patient, visit.visit_type
    return (
        *_who_and_when(visit), f"{patient.first_name} {patient.last_name}", visit.status.value,
        visit.reason, visit_type.price_cents, visit_type.currency, _VERSION[visit.status],
        visit.booked_at, *_calling_off(visit),
    )  # fmt: skip


def _calling_off(visit: Visit) -> tuple[object, ...]:
    """When it was cancelled, and by which side: one in four by the practice."""
    if visit.status != AppointmentStatus.CANCELLED:
        return None, ""
    halfway = (visit.starts_at - visit.booked_at) / 2
    return visit.booked_at + halfway, "patient" if visit.patient.id % 4 else "doctor"


def _event(visit: Visit) -> tuple[object, ...]:
    after = {"status": visit.status.value, "version": _VERSION[visit.status]}
    return (
        "appointment.imported", "system", "appointment", str(visit.id), "{}", json.dumps(after), "",
    )  # fmt: skip
