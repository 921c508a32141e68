"""The desk through the API: find who is calling, and book them."""

from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from bookings.models import Appointment
from docbook.audit.models import AuditEvent
from tests.api.client import Api, pointers, problem
from tests.bookings.schedule.callers import Practice, make_practice
from tests.factories import make_patient, make_user

pytestmark = pytest.mark.django_db
ANNA = {"firstName": "Anna", "lastName": "Smit", "phone": "+31 6 5550 1235"}


@pytest.fixture
def practice() -> Practice:
    made = make_practice()
    made.knows(first_name="Hanna", last_name="Lindqvist", phone="+31 6 5550 1234")
    return made


def book(practice: Practice, *, key: str = "", by: User | None = None, **who: Any) -> Any:
    times = {"slotId": practice.slots[0].pk, "visitTypeId": practice.visit_type.pk}
    door, path = Api(by or practice.secretary.user), f"doctors/{practice.doctor.pk}/appointments"
    return door.post(path, times | who, Idempotency_Key=key or str(uuid4()))


def find(practice: Practice, words: str) -> list[dict[str, Any]]:
    door = Api(practice.secretary.user)
    answer = door.post(f"doctors/{practice.doctor.pk}/callers", {"words": words})
    assert answer.status_code == 200
    return answer.json()["items"]


def test_caller_is_found_and_booked(practice: Practice) -> None:
    [found] = find(practice, "lindqist")
    assert (found["name"], found["isPatient"]) == ("Hanna Lindqvist", True)
    visit = book(practice, caller=found["caller"])
    assert visit.status_code == 201
    assert visit.json()["patientName"] == "Hanna Lindqvist"
    event = AuditEvent.objects.get(action="patients.read")
    assert event.after == {"through": "api", "shown": 1}


def test_stranger_is_masked(practice: Practice) -> None:
    make_patient(first_name="Sanne", last_name="Mulder", email="sanne@mail.test")
    assert find(practice, "sanne mulder") == []
    [found] = find(practice, "sanne@mail.test")
    assert (found["name"], found["isPatient"]) == ("S••• M•••", False)


def test_somebody_new_is_booked_once_with_one_key(practice: Practice) -> None:
    first, again = (book(practice, key="one-call", **ANNA) for _ in range(2))
    assert (first.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Appointment.objects.filter(patient_name="Anna Smit").count() == 1


@pytest.mark.parametrize(
    ("who", "pointer"),
    [
        ({}, "/firstName"),
        ({"firstName": "Anna"}, "/lastName"),
        ({"firstName": "Anna", "lastName": "Smit"}, "/phone"),
        ({"caller": "12.34:no-key-of-ours"}, "/caller"),
        ({"slotId": 10**12} | ANNA, "/slotId"),
        ({"visitTypeId": 10**12} | ANNA, "/visitTypeId"),
    ],
)
def test_what_is_missing_is_named(practice: Practice, who: dict[str, Any], pointer: str) -> None:
    assert pointers(problem(book(practice, **who), code="validation", status=422)) == [pointer]


def test_staff_without_the_right_book_but_neither_search_nor_read(practice: Practice) -> None:
    staff = make_user(is_staff=True)
    answer = Api(staff).post(f"doctors/{practice.doctor.pk}/callers", {"words": "lindqvist"})
    problem(answer, code="not-found", status=404)
    assert book(practice, by=staff, **ANNA).json()["patientName"] == ""
