"""What the practice does with a visit, through the API."""

from uuid import uuid4

import pytest

from accounts.models import User
from bookings.models import Appointment
from tests.api.client import Api, pointers, problem
from tests.factories import make_appointment, make_doctor, make_secretary, make_slots, make_user

pytestmark = pytest.mark.django_db


def a_visit() -> Appointment:
    return make_appointment(slots=make_slots(doctor=make_doctor(user=make_user())))


def mark(user: User, visit: Appointment, act: str, *, version: int = 1, **body: str) -> object:
    headers = {"If-Match": f'"{version}"'}
    return Api(user).patch(f"bookings/{visit.pk}/mark", {"act": act, **body}, **headers)


def test_each_act_answers_with_the_visit_and_its_version() -> None:
    visit = a_visit()
    secretary = make_secretary(doctor=visit.doctor)
    for version, (act, status) in enumerate(
        [("arrived", "arrived"), ("completed", "completed"), ("undo", "arrived")], start=1
    ):
        answer = mark(secretary, visit, act, version=version)
        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["version"]) == (status, version + 1)
        assert answer["ETag"] == f'"{version + 1}"'


def test_practice_cancels_with_a_reason() -> None:
    visit = a_visit()
    refused = mark(visit.doctor.user, visit, "cancel")
    body = problem(refused, code="validation", status=422)
    assert pointers(body) == ["/reason"]
    answer = mark(visit.doctor.user, visit, "cancel", reason="The doctor is ill")
    assert answer.json()["cancelReason"] == "The doctor is ill"


def test_unknown_act_is_refused_at_its_field() -> None:
    visit = a_visit()
    refused = mark(visit.doctor.user, visit, "delete")
    body = problem(refused, code="validation", status=422)
    assert pointers(body) == ["/act"]


def test_stale_version_and_impossible_step_are_refused() -> None:
    visit = a_visit()
    problem(
        mark(visit.doctor.user, visit, "arrived", version=2), code="version-mismatch", status=412
    )
    problem(mark(visit.doctor.user, visit, "completed"), code="not-changeable", status=409)


def test_staff_who_may_not_read_who_comes_do_not_see_it_in_the_answer() -> None:
    visit = a_visit()
    answer = mark(make_user(is_staff=True), visit, "arrived")
    assert (answer.json()["status"], answer.json()["patientName"]) == ("arrived", "")


def move(user: User, visit: Appointment, slot_id: int, **body: object) -> object:
    asked = {"slotId": slot_id, "reason": "The doctor is ill", **body}
    headers = {"If-Match": '"1"', "Idempotency-Key": str(uuid4())}
    return Api(user).post(f"bookings/{visit.pk}/move", asked, **headers)


def test_practice_moves_a_visit_and_gets_the_new_booking() -> None:
    visit = a_visit()
    slots = make_slots(doctor=visit.doctor, starts_at=visit.ends_at, count=2)
    answer = move(visit.doctor.user, visit, slots[1].pk)
    assert answer.status_code == 200
    assert answer.json()["replaces"] == str(visit.pk)
    assert answer["ETag"] == '"1"'


def test_time_that_patients_cannot_book_is_refused_at_its_field() -> None:
    visit = a_visit()
    slots = make_slots(doctor=visit.doctor, starts_at=visit.ends_at, count=2)
    visit.doctor.horizon_days = 1
    visit.doctor.save()
    body = problem(move(visit.doctor.user, visit, slots[1].pk), code="validation", status=422)
    assert pointers(body) == ["/anyway"]
    assert move(visit.doctor.user, visit, slots[1].pk, anyway=True).status_code == 200


def test_unknown_time_is_refused_at_its_field() -> None:
    visit = a_visit()
    body = problem(move(visit.doctor.user, visit, 999_999), code="validation", status=422)
    assert pointers(body) == ["/slotId"]
