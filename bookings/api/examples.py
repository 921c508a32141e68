"""Requests and answers as the API's description shows them."""

from drf_spectacular.utils import OpenApiExample

_BOOKING = "0190b4a2-7b1e-7c3d-9a55-3f0e6d1c2b4a"

START = [
    OpenApiExample(
        "A visit",
        value={"slotId": 4711, "visitTypeId": 12, "reason": "A rash on the elbow"},
        request_only=True,
    ),
    OpenApiExample(
        "The same visit at another time",
        value={"slotId": 4712, "visitTypeId": 12, "replaces": _BOOKING},
        request_only=True,
    ),
    OpenApiExample(
        "Held",
        value={
            "attemptId": _BOOKING,
            "status": "held",
            "expiresAt": "2027-01-04T09:05:00+01:00",
            "slot": {
                "slotId": 4711,
                "doctorId": 7,
                "startsAt": "2027-01-11T09:00:00+01:00",
                "endsAt": "2027-01-11T09:20:00+01:00",
            },
            "otp": {
                "channel": "email",
                "sentTo": "s•••@example.org",
                "attemptsLeft": 5,
                "resendAt": "2027-01-04T09:00:30+01:00",
            },
        },
        response_only=True,
        status_codes=["201"],
    ),
]
CONFIRM = [OpenApiExample("The code", value={"code": "042137"}, request_only=True)]
CANCEL = [OpenApiExample("With a reason", value={"reason": "I am better"}, request_only=True)]
WAIT = [
    OpenApiExample(
        "One doctor, on mornings",
        value={
            "doctorId": 7,
            "visitTypeId": 12,
            "from": "2027-01-04",
            "until": "2027-01-29",
            "dayFrom": "09:00",
            "dayUntil": "12:00",
        },
        request_only=True,
    )
]
