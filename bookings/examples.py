"""Requests and answers as the API's description shows them."""

from typing import Any

from docbook.http.examples import answer, page, request
from doctors.api.examples import TIME, VISIT_TYPE

_BOOKING = "0190b4a2-7b1e-7c3d-9a55-3f0e6d1c2b4a"
_CALLER = "7.1042:Qm9va2VkIGJ5IHBob25lLCBub3QgYSByZWFsIGtleQ"
_OFFER = "0190b4a2-9d22-7e13-9f5c-6c8e3bad2041"
_STARTS, _ENDS = TIME["startsAt"], TIME["endsAt"]
_SLOT = {"slotId": 4711, "doctorId": 7, "startsAt": _STARTS, "endsAt": _ENDS}
_DOCTOR = {"id": 7, "slug": "emma-visser", "name": "Dr Emma Visser"}

_VISIT: dict[str, Any] = {
    "id": _BOOKING,
    "reference": "7KQ4-M2XD",
    "status": "confirmed",
    "version": 1,
    "doctor": _DOCTOR,
    "visitType": VISIT_TYPE,
    "startsAt": _STARTS,
    "endsAt": _ENDS,
    "timeZone": "Europe/Amsterdam",
    "address": "Oudegracht 112, 3511 AW Utrecht",
    "patientName": "Sanne Bakker",
    "reason": "A rash on the elbow",
    "changeableUntil": "2027-01-10T09:00:00+01:00",
    "cancelReason": "",
    "replaces": None,
    "replacedBy": None,
}
_CANCELLED = {**_VISIT, "status": "cancelled", "version": 2, "cancelReason": "I am better"}
_HELD: dict[str, Any] = {
    "attemptId": _BOOKING,
    "status": "held",
    "expiresAt": "2027-01-04T09:05:00+01:00",
    "slot": _SLOT,
    "otp": {
        "channel": "email",
        "sentTo": "s•••@example.org",
        "attemptsLeft": 5,
        "resendAt": "2027-01-04T09:00:30+01:00",
    },
}
_SENT_AGAIN = {**_HELD, "otp": {**_HELD["otp"], "resendAt": "2027-01-04T09:01:10+01:00"}}
_WISH: dict[str, Any] = {
    "doctorId": 7,
    "visitTypeId": 12,
    "from": "2027-01-04",
    "until": "2027-01-29",
    "dayFrom": "09:00",
    "dayUntil": "12:00",
}
_WAITING: dict[str, Any] = {
    "id": "0190b4a2-8c11-7d02-8e4b-5b7d2a9c1f30",
    "status": "waiting",
    "doctor": _DOCTOR,
    "visitTypeId": 12,
    "specialty": None,
    "city": "",
    "mode": "",
    "until": "2027-01-29",
    "weekdays": [],
    "dayFrom": "09:00:00",
    "dayUntil": "12:00:00",
    "replaces": None,
    "createdAt": "2027-01-03T18:20:00+01:00",
    "offer": None,
    "from": "2027-01-04",
}
_OFFERED = {
    **_WAITING,
    "status": "offered",
    "offer": {
        "id": _OFFER,
        "expiresAt": "2027-01-04T09:15:00+01:00",
        "slot": _SLOT,
        "visitType": VISIT_TYPE,
    },
}

START = [
    request("A visit", {"slotId": 4711, "visitTypeId": 12, "reason": "A rash on the elbow"}),
    request(
        "The same visit at another time",
        {"slotId": 4712, "visitTypeId": 12, "replaces": _BOOKING},
    ),
    answer("Held", _HELD, status=201),
]
CONFIRM = [request("The code", {"code": "042137"}), answer("Booked", _VISIT)]
RESEND = [answer("Sent again", _SENT_AGAIN, status=202)]
VISIT = [answer("A visit to come", _VISIT)]
VISITS = [answer("One visit", page(_VISIT))]
CANCEL = [request("With a reason", {"reason": "I am better"}), answer("Cancelled", _CANCELLED)]
BOOK_CALLER = [
    request(
        "Somebody new, without e-mail",
        {
            "slotId": 4711,
            "visitTypeId": 12,
            "firstName": "Sanne",
            "lastName": "Bakker",
            "phone": "+31 6 5550 1234",
            "bornOn": "1980-03-12",
            "reason": "A rash on the elbow",
        },
    ),
    request("Somebody who was found", {"slotId": 4711, "visitTypeId": 12, "caller": _CALLER}),
    answer("Booked", _VISIT, status=201),
]
CALLERS = [
    request("Part of a name, with a slip, and of a number", {"words": "baker 5550"}),
    answer(
        "A patient of this doctor",
        {
            "items": [
                {
                    "caller": _CALLER,
                    "name": "Sanne Bakker",
                    "phone": "+31 6 5550 1234",
                    "email": "",
                    "bornOn": "1980-03-12",
                    "isPatient": True,
                }
            ]
        },
    ),
]
MARK = [
    request("The patient is here", {"act": "arrived"}),
    answer("Arrived", {**_VISIT, "status": "arrived", "version": 2}),
]
MOVE = [
    request("The doctor is ill", {"slotId": 48120, "reason": "Dr Visser is ill that day"}),
    answer("Moved", {**_VISIT, "replaces": "0197f3c0-5a1e-7c3b-9d20-6f4e8a1b2c3d"}),
]
OTHER_TIMES = [answer("One other time is free", page(TIME))]
WAIT = [
    request("One doctor, on mornings", _WISH),
    request(
        "Any dermatologist in Utrecht",
        {
            "specialty": "dermatology",
            "city": "Utrecht",
            "from": "2027-01-04",
            "until": "2027-01-29",
        },
    ),
    answer("On the list", _WAITING, status=201),
    answer("On the list already", _WAITING, status=200),
]
WAITS = [answer("A time is offered", page(_OFFERED))]
ACCEPT = [
    request("By phone, where the account has no number", {"phone": "+31 6 5550 1234"}),
    answer("Booked", _VISIT),
]
