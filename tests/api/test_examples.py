"""The examples of the API's description: each fits its schema and looks like a real answer."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from jsonschema import Draft202012Validator, FormatChecker

from bookings.models import Hold
from bookings.waitlist.services.offers import offer_released
from tests.api.client import Api
from tests.api.described import description
from tests.bookings.acts import allow_resend, bookable, code_of
from tests.factories import (
    PASSWORD,
    make_appointment,
    make_patient,
    make_slots,
    make_user,
    make_waitlist_entry,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db
WITHOUT_A_BODY = {"releaseBooking", "leaveWaitlist"}
Json = dict[str, Any]


def operations() -> Iterator[Json]:
    for methods in description()["paths"].values():
        yield from methods.values()


def requests_of(operation: Json) -> Iterator[tuple[Any, Json]]:
    """(example, schema), of bodies and parameters."""
    for parameter in operation.get("parameters", ()):
        if "example" in parameter:
            yield parameter["example"], parameter["schema"]
    yield from _examples(operation.get("requestBody", {}))


def answers_of(operation: Json) -> dict[str, list[tuple[Any, Json]]]:
    found = {status: list(_examples(each)) for status, each in operation["responses"].items()}
    return {status: examples for status, examples in found.items() if examples}


def _examples(told: Json) -> Iterator[tuple[Any, Json]]:
    for media in told.get("content", {}).values():
        for example in media.get("examples", {}).values():
            yield example["value"], media["schema"]


def example_of(operation_id: str, *, nth: int = 0) -> Json:
    (operation,) = (each for each in operations() if each["operationId"] == operation_id)
    bodies = list(_examples(operation["requestBody"]))
    return dict(bodies[nth][0])


def test_every_operation_shows_its_request_and_its_answer() -> None:
    for operation in operations():
        name = operation["operationId"]
        required = [each for each in operation.get("parameters", ()) if each.get("required")]
        assert all("example" in each for each in required), name
        if "requestBody" in operation:
            assert list(_examples(operation["requestBody"])), name
        good = {status for status in operation["responses"] if status in ("200", "201", "202")}
        assert answers_of(operation).keys() == good, name
        assert good or name in WITHOUT_A_BODY


def test_every_example_is_as_its_schema_says() -> None:
    judged = 0
    for operation in operations():
        answers = [each for examples in answers_of(operation).values() for each in examples]
        for value, schema in (*requests_of(operation), *answers):
            components = {"components": description()["components"]}
            judge = Draft202012Validator(schema | components, format_checker=FormatChecker())
            judge.validate(value)
            judged += 1
    assert judged > 40


def test_every_example_looks_like_what_is_really_answered(settings) -> None:
    settings.WAITLIST_QUIET_HOURS = (tomorrow_at(0).time(), tomorrow_at(0).time())
    real = _a_whole_journey()
    for operation in operations():
        for status, examples in answers_of(operation).items():
            name = f"{operation['operationId']} {status}"
            for example, _schema in examples:
                assert _differences(example, real[name]) == [], name


def _a_whole_journey() -> dict[str, Any]:
    """Answers by operation and status. Each body is the example, with real ids."""
    patient = make_patient()
    visit_type, slots = bookable(min_notice_minutes=0, change_notice_minutes=0, user=make_user())
    door, doctor = Api(patient), visit_type.doctor
    ids = {"slotId": slots[0].pk, "visitTypeId": visit_type.pk}
    real: dict[str, Any] = {}

    def note(name: str, answer: Any, status: int = 200) -> Any:
        assert answer.status_code == status, (name, answer.content)
        real[f"{name} {status}"] = answer.json()
        return answer.json()

    def key() -> dict[str, str]:
        return {"Idempotency_Key": str(uuid4())}

    who = {"email": patient.email, "password": PASSWORD}
    pair = note("signIn", Api().post("auth/token", example_of("signIn") | who))
    token = {"refresh": pair["refresh"]}
    note("refreshTokens", Api().post("auth/token/refresh", example_of("refreshTokens") | token))
    note("getMe", door.get("me"))
    note("listDoctors", door.get("doctors"))
    note("getDoctor", door.get(f"doctors/{doctor.pk}"))
    day = {"date": slots[0].starts_at.astimezone(slots[0].clinic.zone).date().isoformat()}
    note("listFreeTimes", door.get(f"doctors/{doctor.pk}/slots", day))

    held = door.post("bookings", example_of("startBooking") | ids, **key())
    hold = Hold.objects.get(pk=note("startBooking", held, 201)["attemptId"])
    allow_resend(hold)
    note("resendCode", door.post(f"bookings/{hold.pk}/resend-otp"), 202)
    hold.refresh_from_db()
    code = example_of("confirmBooking") | {"code": code_of(hold)}
    note("confirmBooking", door.post(f"bookings/{hold.pk}/verify-otp", code))
    note("getBooking", door.get(f"bookings/{hold.pk}"))
    note("listBookings", door.get("bookings"))
    note("listDoctorAppointments", Api(doctor.user).get(f"doctors/{doctor.pk}/appointments", day))
    desk, at_desk = Api(doctor.user), f"doctors/{doctor.pk}"
    free = {"slotId": slots[3].pk, "visitTypeId": visit_type.pk}
    caller = desk.post(f"{at_desk}/appointments", example_of("bookCaller") | free, **key())
    note("bookCaller", caller, 201)
    note("findCallers", desk.post(f"{at_desk}/callers", example_of("findCallers")))
    note("listTimesToMoveTo", door.times_to_move_to(hold.pk))
    visit = make_appointment(slots=make_slots(doctor=doctor, starts_at=tomorrow_at(days=9)))
    arrived = Api(doctor.user).patch(
        f"bookings/{visit.pk}/mark", example_of("markBooking"), If_Match='"1"'
    )
    note("markBooking", arrived)
    other = make_slots(doctor=doctor, starts_at=tomorrow_at(days=10), count=2)
    moving = make_appointment(slots=other[:1])
    body = example_of("moveVisit") | {"slotId": other[1].pk}
    moved = Api(doctor.user).post(f"bookings/{moving.pk}/move", body, **key(), If_Match='"1"')
    note("moveVisit", moved)
    note("cancelBooking", door.cancel(hold.pk, **example_of("cancelBooking")))

    today = timezone.now().date()
    days = {"from": str(today), "until": str(today + timedelta(days=20))}
    wish = example_of("joinWaitlist") | days
    wish |= {"doctorId": doctor.pk, "visitTypeId": visit_type.pk}
    note("joinWaitlist", door.post("waitlist", wish, **key()), 201)
    note("joinWaitlist", door.post("waitlist", wish, **key()))
    door.delete(f"waitlist/{real['joinWaitlist 201']['id']}")
    other = make_patient()
    make_waitlist_entry(patient=other, doctor=doctor, visit_type=visit_type)
    (offer,) = offer_released(slot_ids=[slots[2].pk], now=timezone.now())
    note("listWaitlist", Api(other).get("waitlist"))
    accepted = Api(other).post(
        f"waitlist/offers/{offer.pk}/accept", example_of("acceptOffer"), **key()
    )
    note("acceptOffer", accepted)
    return real


def _differences(example: Any, real: Any, at: str = "") -> list[str]:
    """Members and types. A nullable value may be anything, and only the first item of a list is
    compared.
    """
    if example is None or real is None:
        return []
    if type(example) is not type(real):
        return [f"{at}: {type(example).__name__}, {type(real).__name__}"]
    if isinstance(example, list):
        return _differences(example[0], real[0], f"{at}[]") if example and real else []
    if isinstance(example, dict):
        found = [f"{at}/{name}" for name in example.keys() ^ real.keys()]
        for name in example.keys() & real.keys():
            found += _differences(example[name], real[name], f"{at}/{name}")
        return found
    return []
