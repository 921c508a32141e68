"""Answers as the API's description shows them."""

from typing import Any

from docbook.http.examples import answer, page

_CLINIC = {
    "name": "Oudegracht Practice",
    "street": "Oudegracht 112",
    "postcode": "3511 AW",
    "city": "Utrecht",
}
_FULL_CLINIC = {
    "id": 3,
    **_CLINIC,
    "country": "NL",
    "timeZone": "Europe/Amsterdam",
    "phone": "+31 30 555 0112",
}
_PLACE = {"id": 3, **_CLINIC, "timeZone": "Europe/Amsterdam"}
VISIT_TYPE: dict[str, Any] = {
    "id": 12,
    "name": "Consultation",
    "mode": "in_person",
    "minutes": 20,
    "priceCents": 6500,
    "currency": "EUR",
}
_DOCTOR = {
    "id": 7,
    "slug": "emma-visser",
    "name": "Dr Emma Visser",
    "specialty": {"slug": "dermatology", "name": "Dermatology"},
    "clinic": _FULL_CLINIC,
    "clinics": [_FULL_CLINIC],
    "languages": ["en", "nl"],
    "visitTypes": [VISIT_TYPE],
    "nextFreeAt": "2027-01-11T09:00:00+01:00",
    "nextFreeClinic": _PLACE,
}
TIME: dict[str, Any] = {
    "slotId": 4711,
    "startsAt": "2027-01-11T09:00:00+01:00",
    "endsAt": "2027-01-11T09:20:00+01:00",
    "clinic": _PLACE,
}

DOCTORS = [answer("One doctor was found", page(_DOCTOR))]
DOCTOR = [answer("A doctor", _DOCTOR)]
TIMES = [answer("One time is free", page(TIME))]
