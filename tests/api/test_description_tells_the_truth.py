"""Values that the description allows for a part of a request are accepted, and all others are
refused.

Checked with hand-made values, one at a time, in an otherwise valid request.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tests.api.client import ROOT, Api
from tests.api.described import description, operation_of, parameters_of
from tests.bookings.acts import as_patient, attempt, bookable
from tests.factories import make_patient
from tests.limits import allow

pytestmark = pytest.mark.django_db

# Refusals of what a value names, not of how it is written.
OF_WHAT_IT_NAMES = {"unknown", "past", "one-of"}
UUID = "0190b4a2-7b1e-7c3d-9a55-3f0e6d1c2b4a"
IDS = [1, "1", 1.0, 1.5, True, None, [], {}, 0, -1, 2**63, 2**63 - 1, "１", ""]
TEXTS = ["x", "", " ", "\t\n", 5, True, None, [], "x" * 500, "x" * 501, "عربي", "0"]
UUIDS = [UUID, UUID.upper(), UUID.replace("-", ""), f"urn:uuid:{UUID}", f"{{{UUID}}}", 5, "", None]
DAYS = ["2027-01-04", "20270104", "2027-W01-1", "1899-12-31", "9000-01-01", "2027-1-4", 20270104]
DAYS += ["2027-01-04T00:00:00Z", " 2027-01-04", "2027-13-01", None]
HOURS = ["09:30", "9:30", "24:00", "24:01", "09:30:00", "09:30:30", 930, "09:30Z", "", None]

BODIES: dict[str, dict[str, list[Any]]] = {
    "POST bookings": {
        "slotId": IDS,
        "visitTypeId": IDS,
        "reason": TEXTS,
        "phone": ["", "+31 6 5550 1234", "12", 31655501234, "0" * 32, "0" * 33, None, "06-5550x"],
        "replaces": UUIDS,
    },
    "POST bookings/{hold}/verify-otp": {
        "code": ["042137", "042 137", "042-137", 421370, "04213", "0421377", "042  137", "", None]
    },
    "POST auth/token": {
        "password": ["x", "", " ", 12345, None, "x" * 128, "x" * 129],
        "otp": ["", " ", 123456, None, "x" * 20, "x" * 21],
        "email": ["a@b.example", "A@B.example", "a@b", "ä@b.example", 5, "", "a b@c.example", None],
    },
    "POST auth/token/refresh": {"refresh": ["x", "", " ", 5, None, "x" * 2000, "x" * 2001]},
    "POST waitlist": {
        "doctorId": IDS,
        "visitTypeId": IDS,
        "mode": ["in_person", "VIDEO", "any", "", 1, None],
        "from": DAYS,
        "until": DAYS,
        "weekdays": [[0], [], [0, 0], ["0"], [7], [-1], [0] * 8, "0", [1.0], [None], {}, None],
        "dayFrom": HOURS,
        "dayUntil": HOURS,
        "replaces": UUIDS,
    },
}
NUMBERS = ["1", "01", "0", "-1", "+1", " 1", "1.0", "1_0", "1e1", "", "x", "１", "10001"]
INSTANTS = ["2026-12-01T09:00:00Z", "2026-12-01t09:00:00z", "2026-12-01T09:00:00+01:00"]
INSTANTS += ["2026-12-01T09:00:00.123456789+23:59", "2026-12-01T09:00:60Z", "2026-12-01T24:00:00Z"]
INSTANTS += ["2026-12-01", "2026-12-01T09:00:00", "2026-12-01 09:00:00Z", "1899-12-31T00:00:00Z"]
LISTS = dict.fromkeys(("page", "limit", "offset"), NUMBERS)
LISTS |= {"cursor": ["", "a b", "é", "a=", "+"]}
QUERIES: dict[str, dict[str, list[str]]] = {
    "GET bookings": {
        "doctor_id": NUMBERS,
        "from": INSTANTS,
        "to": INSTANTS,
        "status": ["confirmed", "Confirmed", "", " confirmed"],
        **LISTS,
    },
    "GET doctors": {
        "q": ["x", " ", "", "x" * 80, "x" * 81, "%"],
        "city": ["Utrecht", " ", "", "x" * 81],
        "specialty": ["dermatology", "a b", "", "é", "x" * 51],
        "language": ["nl", "dutch", "", " "],
        "mode": ["video", "VIDEO", "", "any"],
        "max_fee": [*NUMBERS, "100000", "100001", "10.5"],
        "currency": ["EUR", "eur", "EU", "EURO", "€", ""],
        "available_on": [day for day in DAYS if isinstance(day, str)],
        "order": ["fee", "FEE", "", "-fee"],
        **LISTS,
    },
    "GET doctors/{doctor}/slots": {
        "date": [day for day in DAYS if isinstance(day, str)],
        "visit_type": NUMBERS,
    },
}


@pytest.fixture
def door(monkeypatch) -> Api:
    many = ("sign_in", "refresh", "accounts", "password_network", "password_strangers")
    more = ("api_hold", "api_hold_user", "api_confirm", "api_confirm_user")
    allow(monkeypatch, **dict.fromkeys((*many, *more, "api_waitlist", "api_waitlist_user"), 9999))
    door = Api(patient := make_patient())
    door.user = patient
    return door


@pytest.mark.parametrize("call", BODIES)
def test_body_is_judged_as_it_is_described(call: str, door: Api) -> None:
    path, good = _good(call, door)
    schema = operation_of(path, "post")["requestBody"]["content"]["application/json"]["schema"]
    wrong = []
    for field, values in BODIES[call].items():
        for value in values:
            body = good | {field: value}
            answer = door.post(path, body, Idempotency_Key=str(uuid4()))
            if _is_described(body, schema) != _is_taken(answer, field):
                wrong.append((field, value, answer.content.decode()[-300:]))
    assert wrong == []


@pytest.mark.parametrize("call", QUERIES)
def test_query_is_judged_as_it_is_described(call: str, door: Api) -> None:
    path, good = _good(call, door)
    described = parameters_of(path, "get")
    wrong = []
    for field, values in QUERIES[call].items():
        schema = described["query", field]["schema"]
        for value in values:
            answer = door.get(path, good | {field: value})
            if _is_described(_read(value, schema), schema) != _is_taken(answer, field):
                wrong.append((field, value, answer.content.decode()[-300:]))
    assert wrong == []


@pytest.mark.parametrize(
    ("value", "is_taken"),
    [
        ('"1"', True),
        ('W/"1", "1"', True),
        ("*", True),
        (', "1" ,', True),
        ("1", False),
        ('"1" "2"', False),
        ('"1', False),
        ('*, "1"', False),
        ("W/1", False),
    ],
)
def test_if_match_is_judged_as_it_is_described(value: str, is_taken: bool, door: Api) -> None:
    path = f"bookings/{uuid4()}/cancel"
    schema = parameters_of(path, "patch")["header", "If-Match"]["schema"]
    assert _is_described(value, schema) is is_taken
    answer = door.patch(path, {}, If_Match=value)
    assert answer.status_code == (404 if is_taken else 422)


def test_every_header_that_is_asked_for_is_missed_by_name(door: Api) -> None:
    found = 0
    for path, operations in description()["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] != "header" or not parameter.get("required"):
                    continue
                found += 1
                where = path.removeprefix(ROOT).format(booking_id=UUID, offer_id=UUID, doctor_id=7)
                body = {"slotId": 1, "visitTypeId": 1} if where.startswith("doctors/") else {}
                if where in ("bookings", "waitlist"):
                    body = _good("POST " + where, door)[1]
                answer = getattr(door, method)(where, body)
                assert answer.status_code in (400, 428), (path, answer.content)
    assert found == 9


@pytest.mark.parametrize("path", ["bookings/{hold}/resend-otp", "bookings/{hold}/reschedule"])
def test_call_without_a_body_refuses_one(path: str, door: Api) -> None:
    where = _good(f"POST {path}", door)[0]
    act = door.post if path.endswith("otp") else door.patch
    answer = act(where, {"from": "2026-12-01"}, If_Match='"1"')
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/from"


@pytest.mark.parametrize("path", ["doctors", "bookings", "waitlist"])
def test_part_of_a_query_that_stands_twice_is_refused(path: str, door: Api) -> None:
    answer = door.get(f"{path}?limit=5&limit=6")
    assert [each["code"] for each in answer.json()["errors"]] == ["twice"]


def _good(call: str, door: Api) -> tuple[str, dict[str, Any]]:
    """The path, and a valid request."""
    visit_type, slots = bookable()
    hold = attempt(slots[0], visit_type=visit_type, holder=as_patient(door.user))
    path = call.partition(" ")[2].format(hold=hold.pk, doctor=visit_type.doctor_id)
    return path, {
        "bookings": {"slotId": 2**62, "visitTypeId": visit_type.pk},
        "auth/token": {"email": "nobody@example.test", "password": "x"},
        "waitlist": {
            "doctorId": visit_type.doctor_id,
            "visitTypeId": visit_type.pk,
            "from": "2027-01-04",
            "until": "2027-01-29",
        },
        f"doctors/{visit_type.doctor_id}/slots": {"date": "2026-12-01"},
    }.get(path if not call.startswith("GET bookings") else "", {})


def _is_described(value: Any, schema: dict[str, Any]) -> bool:
    components = {"components": description()["components"]}
    judge = Draft202012Validator(schema | components, format_checker=FormatChecker())
    return bool(judge.is_valid(value))


def _is_taken(answer: Any, field: str) -> bool:
    """False if the format of the field is refused."""
    if answer.status_code != 422:
        return True
    errors = answer.json().get("errors", [])
    return not [each for each in errors if _is_of(each, field)]


def _is_of(error: dict[str, str], field: str) -> bool:
    at = error["pointer"].split("/")[1:2] == [field]
    return at and error["code"] not in OF_WHAT_IT_NAMES


def _read(value: str, schema: dict[str, Any]) -> Any:
    """As a server reads a query parameter that is described as a number."""
    if schema.get("type") == "integer" and value.lstrip("-").isdecimal() and value.isascii():
        return int(value)
    return value


def _values() -> Iterator[Any]:
    for fields in (*BODIES.values(), *QUERIES.values()):
        for values in fields.values():
            yield from values


def test_there_are_many_values() -> None:
    assert len(list(_values())) > 200
