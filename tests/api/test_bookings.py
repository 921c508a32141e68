"""Bookings through the API: the whole way, and who may see the result."""

from typing import Any
from uuid import UUID

import pytest
from django.test import RequestFactory
from django_redis import get_redis_connection

from accounts.models import User
from bookings.models import Hold, HoldState
from docbook.http.keyed_digest import address_key
from tests.api.client import Api, problem
from tests.bookings.acts import (
    allow_resend,
    as_patient,
    attempt,
    bookable,
    code_of,
    let_expire,
    wrong_code,
)
from tests.factories import (
    make_admin,
    make_appointment,
    make_doctor,
    make_patient,
    make_secretary,
    make_slots,
    make_user,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db


def start(patient: User, *, first: int = 0) -> tuple[Api, dict[str, Any]]:
    visit_type, slots = bookable()
    api = Api(patient)
    response = api.start(slot_id=slots[first].pk, visit_type_id=visit_type.pk, reason="Rash")
    assert response.status_code == 201, response.content
    return api, response.json()


def test_attempt_tells_until_when_and_where_the_code_went() -> None:
    patient = make_patient(email="anna.boer@example.test")
    visit_type, slots = bookable()
    response = Api(patient).start(slot_id=slots[0].pk, visit_type_id=visit_type.pk)
    attempt, hold = response.json(), Hold.objects.get()
    assert response.headers["Location"].endswith(f"/api/v1/bookings/{hold.pk}")
    assert attempt["attemptId"] == str(hold.pk)
    assert UUID(attempt["attemptId"]).version == 7
    assert attempt["status"] == "held"
    assert attempt["slot"]["slotId"] == slots[0].pk
    assert attempt["slot"]["doctorId"] == visit_type.doctor_id
    assert attempt["otp"]["sentTo"] == "a•••r@example.test"
    assert attempt["otp"]["channel"] == "email"
    assert attempt["otp"]["attemptsLeft"] == 5
    assert attempt["otp"]["resendAt"] < attempt["expiresAt"]
    assert hold.expires_at.isoformat()[:16] <= attempt["expiresAt"]
    assert hold.made_from == address_key(RequestFactory().get("/"))
    assert hold.reason == ""


def test_address_of_an_attempt_is_ours_whatever_host_was_asked(settings) -> None:
    """A host name of 198 characters below ours is allowed, and once caused a 500."""
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://docbook.example", [".docbook.example"]
    visit_type, slots = bookable()
    response = Api(make_patient()).post(
        "bookings",
        {"slotId": slots[0].pk, "visitTypeId": visit_type.pk},
        Idempotency_Key="k",
        Host=f"{'.'.join(['a' * 60] * 3)}.docbook.example",
    )
    hold = Hold.objects.get()
    assert response.status_code == 201
    assert response.headers["Location"] == f"https://docbook.example/api/v1/bookings/{hold.pk}"


def test_confirmation_retried_answers_with_the_same_booking_even_if_others_come_then() -> None:
    for _somebody_else in range(2):
        (slot,) = make_slots(doctor=make_doctor(), starts_at=tomorrow_at())
        make_appointment(slots=[slot])
    api, _attempt = start(make_patient())
    hold = Hold.objects.get(state=HoldState.HELD)
    first, again = (api.verify(hold.pk, code_of(hold)) for _ in range(2))
    assert (again.status_code, again.json()) == (200, first.json())


def test_confirmed_attempt_is_a_booking_with_the_same_id() -> None:
    api, attempt = start(make_patient())
    hold = Hold.objects.get()
    booking = api.verify(hold.pk, code_of(hold)).json()
    assert booking["id"] == attempt["attemptId"]
    assert (booking["status"], booking["version"]) == ("confirmed", 1)
    assert booking["patientName"] == "Noor Bakker"
    assert booking["reason"] == "Rash"
    assert booking["startsAt"] == attempt["slot"]["startsAt"]
    shown = api.get(f"bookings/{hold.pk}")
    assert shown.json() == booking
    assert shown.headers["ETag"] == '"1"'
    assert shown.headers.get("Cache-Control") in {"no-store", "private, no-store"}
    assert api.get("bookings").json()["items"] == [booking]


def test_second_attempt_on_ones_own_time_is_told_the_first() -> None:
    """An app that has lost the answer and its key continues with the existing attempt."""
    visit_type, slots = bookable()
    patient = make_patient()
    api, other = Api(patient), Api(make_patient())
    first = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk).json()
    again = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk)
    body = problem(again, code="slot-held", status=409)
    assert body["attemptId"] == first["attemptId"]
    assert body["detail"] == "You are holding this time already: go on with that attempt."
    stranger = other.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk)
    assert "attemptId" not in problem(stranger, code="slot-held", status=409)
    get_redis_connection("default").flushdb()  # behind the gate too, nobody is told of others
    stranger = other.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk)
    assert "attemptId" not in problem(stranger, code="slot-held", status=409)
    assert api.verify(body["attemptId"], code_of(Hold.objects.get())).status_code == 200


def test_attempt_is_given_back_by_delete() -> None:
    api, attempt = start(make_patient())
    response = api.delete(f"bookings/{attempt['attemptId']}")
    assert (response.status_code, response.content) == (204, b"")
    assert Hold.objects.get().state == HoldState.RELEASED
    assert api.delete(f"bookings/{attempt['attemptId']}").status_code == 204


def test_new_code_is_sent_when_asked_for() -> None:
    api, attempt = start(make_patient())
    hold = Hold.objects.get()
    allow_resend(hold)
    response = api.post(f"bookings/{attempt['attemptId']}/resend-otp")
    assert response.status_code == 202
    assert response.json()["otp"]["attemptsLeft"] == 5
    hold.refresh_from_db()
    assert hold.otp_resends == 1


def test_attempt_that_is_not_confirmed_is_no_booking_yet() -> None:
    api, attempt = start(make_patient())
    problem(api.get(f"bookings/{attempt['attemptId']}"), code="not-found", status=404)
    assert api.get("bookings").json()["items"] == []


def login_of(doctor: Any) -> User:
    doctor.user = make_user()
    doctor.save()
    return doctor.user


STRANGERS = {
    "another patient": lambda _doctor: make_patient(),
    "the doctor": login_of,
    "the secretary": lambda doctor: make_secretary(doctor=doctor),
    "staff": lambda _doctor: make_admin(),
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_stranger_finds_nothing_and_the_answer_is_that_of_an_unknown_id(stranger: Any) -> None:
    mine = make_appointment(slots=make_slots(doctor=make_doctor()))
    api = Api(stranger(mine.doctor))
    known = problem(api.get(f"bookings/{mine.pk}"), code="not-found", status=404)
    unknown = problem(
        api.get("bookings/01985f3e-0000-7000-8000-000000000001"), code="not-found", status=404
    )
    assert known | {"instance": ""} == unknown | {"instance": ""}
    assert api.get("bookings").json()["items"] == []


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
@pytest.mark.parametrize("act", ["verify", "resend", "delete"])
def test_stranger_does_nothing_with_an_attempt(stranger: Any, act: str) -> None:
    _api, attempt = start(make_patient())
    hold = Hold.objects.select_related("doctor").get()
    allow_resend(hold)
    api, path = Api(stranger(hold.doctor)), f"bookings/{attempt['attemptId']}"
    answer = {
        "verify": lambda: api.verify(hold.pk, code_of(hold)),
        "resend": lambda: api.post(f"{path}/resend-otp"),
        "delete": lambda: api.delete(path),
    }[act]()
    problem(answer, code="not-found", status=404)
    hold.refresh_from_db()
    assert (hold.state, hold.otp_attempts, hold.otp_resends) == (HoldState.HELD, 0, 0)


def test_own_bookings_are_filtered_by_status_doctor_and_time() -> None:
    patient, doctor, other = make_patient(), make_doctor(), make_doctor()
    soon = make_appointment(slots=make_slots(doctor=doctor), patient=patient)
    later = make_appointment(
        slots=make_slots(doctor=other, starts_at=tomorrow_at(days=5)),
        patient=patient,
        status="cancelled",
    )
    make_appointment(slots=make_slots(doctor=doctor, starts_at=tomorrow_at(12)))
    border = tomorrow_at(days=5).isoformat()

    def ids(**query: Any) -> list[str]:
        items = Api(patient).get("bookings", query).json()["items"]
        return [item["id"] for item in items]

    first, second = str(soon.pk), str(later.pk)
    assert ids() == [first, second]
    assert ids(status="cancelled") == [second]
    assert ids(doctor_id=doctor.pk) == [first]
    assert ids(**{"from": border}) == [second]
    assert ids(to=border) == [first]


def day(api: Api, doctor: Any, **query: Any) -> Any:
    query = {"date": f"{tomorrow_at(days=2):%Y-%m-%d}"} | query
    return api.get(f"doctors/{doctor.pk}/appointments", query)


@pytest.mark.parametrize("who", ["the doctor", "the secretary", "staff"])
def test_those_who_run_the_day_see_it(who: str) -> None:
    slots = make_slots(doctor=make_doctor(), count=2)
    mine = [make_appointment(slots=[slot]) for slot in slots]
    make_appointment(slots=make_slots(doctor=make_doctor()))
    answer = day(Api(STRANGERS[who](mine[0].doctor)), mine[0].doctor)
    assert [item["id"] for item in answer.json()["items"]] == [str(each.pk) for each in mine]
    none = day(Api(STRANGERS[who](mine[0].doctor)), mine[0].doctor, status="cancelled")
    assert none.json()["items"] == []


@pytest.mark.parametrize("who", ["a patient of the day", "another doctor", "another secretary"])
def test_others_do_not_learn_that_there_is_a_day(who: str) -> None:
    mine = make_appointment(slots=make_slots(doctor=make_doctor()))
    stranger = {
        "a patient of the day": lambda: mine.patient,
        "another doctor": lambda: login_of(make_doctor()),
        "another secretary": lambda: make_secretary(doctor=make_doctor()),
    }[who]()
    known = problem(day(Api(stranger), mine.doctor), code="not-found", status=404)
    unknown = problem(
        Api(stranger).get("doctors/9999999/appointments?date=2026-11-24"),
        code="not-found",
        status=404,
    )
    assert known | {"instance": ""} == unknown | {"instance": ""}


def test_day_of_a_doctor_is_that_of_the_clinic() -> None:
    doctor = make_doctor()
    late = make_appointment(slots=make_slots(doctor=doctor, starts_at=tomorrow_at(22, 30)))
    api = Api(make_admin())
    local = late.starts_at.astimezone(doctor.clinic.zone)
    here, yesterday = f"{local:%Y-%m-%d}", f"{tomorrow_at():%Y-%m-%d}"
    assert [item["id"] for item in day(api, doctor, date=here).json()["items"]] == [str(late.pk)]
    if here != yesterday:
        assert day(api, doctor, date=yesterday).json()["items"] == []


def test_caller_who_starts_too_many_bookings_is_slowed_down() -> None:
    api = Api(make_patient())
    answers = [api.start(slot_id=1, visit_type_id=1) for _ in range(31)]
    # More than the twenty codes that a mailbox gets in an hour: none of these requests sent one.
    assert {answer.status_code for answer in answers[:30]} == {422}
    problem(answers[30], code="rate-limited", status=429)


def test_code_may_be_typed_in_two_groups_as_the_mail_shows_it() -> None:
    api, started = start(make_patient())
    code = code_of(Hold.objects.get())
    answer = api.verify(started["attemptId"], f"{code[:3]} {code[3:]}")
    assert answer.status_code == 200


def test_no_code_is_sent_again_for_what_is_confirmed_and_nobody_hears_that_it_is_lost() -> None:
    api, started = start(make_patient())
    hold = Hold.objects.get()
    api.verify(hold.pk, code_of(hold))
    answer = api.post(f"bookings/{started['attemptId']}/resend-otp")
    problem(answer, code="already-confirmed", status=409)


def test_code_that_is_none_for_an_attempt_that_is_over_hears_that_it_is_over() -> None:
    patient = make_patient()
    visit_type, slots = bookable()
    hold = attempt(slots[0], visit_type=visit_type, holder=as_patient(patient))
    problem(Api(patient).verify(hold.pk, "none"), code="validation", status=422)
    problem(Api(make_patient()).verify(hold.pk, "none"), code="not-found", status=404)
    for _ in range(5):
        last = Api(patient).verify(hold.pk, wrong_code(hold))
    problem(last, code="otp-locked", status=429)
    problem(Api(patient).verify(hold.pk, "none"), code="otp-locked", status=429)
    other = attempt(slots[1], visit_type=visit_type, holder=as_patient(patient))
    let_expire(other)
    problem(Api(patient).verify(other.pk, "none"), code="hold-expired", status=410)
