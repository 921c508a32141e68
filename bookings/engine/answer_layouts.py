"""Answers of the two hot calls, laid out before the call. The database fills in "{name}".

They have the shape of AttemptOut and BookingOut (bookings/serializers.py); a test compares them. So
the answer is recorded in the transaction of its effect, and nothing is read twice.
"""

import json
from uuid import UUID

from bookings.models import HoldState
from bookings.models.holds import MAX_CODE_ATTEMPTS
from bookings.references import reference

_COMPACT = (",", ":")


def attempt_layout(hold_id: UUID, *, slot_id: int) -> str:
    """A hold that waits for its code. bookings_hold fills in the braces."""
    return json.dumps(
        {
            "attemptId": str(hold_id),
            "status": HoldState.HELD.value,
            "expiresAt": "{expires_at}",
            "slot": {
                "slotId": slot_id,
                "doctorId": "{doctor_id}",
                "startsAt": "{starts_at}",
                "endsAt": "{ends_at}",
            },
            "otp": {
                "channel": "{channel}",
                "sentTo": "{sent_to}",
                "attemptsLeft": MAX_CODE_ATTEMPTS,
                "resendAt": "{resend_at}",
            },
        },
        separators=_COMPACT,
    )


def appointment_layout(appointment_id: UUID) -> str:
    """An appointment, for its patient. bookings_confirm fills in the braces."""
    return json.dumps(
        {
            "id": str(appointment_id),
            "reference": reference(appointment_id),
            "status": "{status}",
            "version": "{version}",
            "doctor": {"id": "{doctor_id}", "slug": "{doctor_slug}", "name": "{doctor_name}"},
            "visitType": {
                "id": "{visit_type_id}",
                "name": "{visit_type_name}",
                "mode": "{mode}",
                "minutes": "{minutes}",
                "priceCents": "{price_cents}",
                "currency": "{currency}",
            },
            "startsAt": "{starts_at}",
            "endsAt": "{ends_at}",
            "timeZone": "{time_zone}",
            "address": "{address}",
            "patientName": "{patient_name}",
            "reason": "{reason}",
            "changeableUntil": "{changeable_until}",
            "cancelReason": "{cancel_reason}",
            "replaces": "{replaces}",
            "replacedBy": "{replaced_by}",
        },
        separators=_COMPACT,
    )
