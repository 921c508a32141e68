"""Answers of the two hot calls, laid out before the call.

The door fills in what it knows itself: <name>. The database fills in the rest: "{name}". So the
answer is recorded in the transaction of its effect, and nothing is read twice.

They have the shape of AttemptOut and BookingOut (serializers.py of holding and appointments); a
test compares them.
"""

import json

from bookings.models import HoldState
from bookings.models.holds import MAX_CODE_ATTEMPTS

_COMPACT = (",", ":")

# A hold that waits for its code.
ATTEMPT = json.dumps(
    {
        "attemptId": "<attempt_id>",
        "status": HoldState.HELD.value,
        "expiresAt": "{expires_at}",
        "slot": {
            "slotId": "<slot_id>",
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
).replace('"<slot_id>"', "<slot_id>")  # a number

# An appointment, for its patient.
APPOINTMENT = json.dumps(
    {
        "id": "<id>",
        "reference": "<reference>",
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
