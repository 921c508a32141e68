"""Cancelling through the API, the times to move to, and the version that every change names."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.models import Appointment
from doctors.models import Doctor, SlotState, VisitType
from tests.api.client import Api, pointers, problem
from tests.bookings.parties import login_of
from tests.bookings.traces import traces
from tests.factories import (
    make_admin,
    make_appointment,
    make_doctor,
    make_patient,
    make_secretary,
    make_slots,
    make_visit_type,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db


def a_visit(*, count: int = 0, **fields: Any) -> Appointment:
    """A visit in three days at 09:00 UTC, followed by this many free slots."""
    slots = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=3), count=1 + count)
    return make_appointment(slots=slots[:1], **fields)


def test_patient_cancels_and_gets_the_booking_as_it_stands_then() -> None:
    visit = a_visit()
    api = Api(visit.patient)
    response = api.cancel(visit.pk, reason="I am better")
    body = response.json()
    assert response.status_code == 200
    assert response.headers["ETag"] == '"2"'
    assert (body["status"], body["version"]) == ("cancelled", 2)
    assert body["cancelReason"] == "I am better"
    assert api.get(f"bookings/{visit.pk}").json() == body


def test_cancelling_again_is_the_same_answer_whatever_version_it_names() -> None:
    visit = a_visit()
    api = Api(visit.patient)
    first = api.cancel(visit.pk, reason="I am better")
    before = traces()
    for version in (1, 2):
        again = api.cancel(visit.pk, version=version, reason="Another one")
        assert (again.status_code, again.content) == (200, first.content)
        assert again.headers["ETag"] == first.headers["ETag"]
    assert traces() == before


def test_retry_with_its_key_gets_the_first_answer_byte_for_byte() -> None:
    visit = a_visit()
    api = Api(visit.patient)
    first = api.cancel(visit.pk, key="one", reason="I am better")
    before = traces()
    again = api.cancel(visit.pk, key="one", reason="I am better")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["ETag"] == first.headers["ETag"] == '"2"'
    assert again.headers["Idempotent-Replayed"] == "true"
    assert traces() == before


def test_refusal_is_kept_with_its_key_too() -> None:
    visit = a_visit()
    api = Api(visit.patient)
    Doctor.objects.update(change_notice_minutes=10 * 24 * 60)
    first = api.cancel(visit.pk, key="one")
    Doctor.objects.update(change_notice_minutes=0)
    again = api.cancel(visit.pk, key="one")
    problem(first, code="change-window-passed", status=422)
    assert (again.status_code, again.content) == (422, first.content)
    visit.refresh_from_db()
    assert visit.status == "confirmed"


def test_version_that_was_not_the_newest_is_no_answer_for_the_key() -> None:
    """The key does not cover If-Match: a client that has looked again must not get the old
    answer.
    """
    visit = a_visit()
    api = Api(visit.patient)
    problem(api.cancel(visit.pk, key="one", version=7), code="version-mismatch", status=412)
    again = api.cancel(visit.pk, key="one", version=1)
    assert (again.status_code, again.json()["status"]) == (200, "cancelled")
    assert "Idempotent-Replayed" not in again.headers


def test_key_of_one_cancellation_is_not_for_another() -> None:
    patient = make_patient()
    visit = a_visit(patient=patient)
    other_day = make_slots(doctor=visit.doctor, starts_at=tomorrow_at(days=9))
    other = make_appointment(slots=other_day, patient=patient)
    api = Api(patient)
    assert api.cancel(visit.pk, key="one").status_code == 200
    for response in (
        api.cancel(other.pk, key="one"),
        api.cancel(visit.pk, key="one", reason="Another body"),
    ):
        problem(response, code="idempotency-key-reused", status=422)
    other.refresh_from_db()
    assert other.status == "confirmed"


def test_reason_is_optional_for_the_patient() -> None:
    visit = a_visit()
    assert Api(visit.patient).cancel(visit.pk).json()["cancelReason"] == ""


@pytest.mark.parametrize("body", [{"reason": "x" * 501}, {"reason": None}, {"reason": ["x"]}])
def test_reason_that_is_no_short_text_is_refused_by_name(body: dict[str, Any]) -> None:
    visit = a_visit()
    refused = problem(Api(visit.patient).cancel(visit.pk, **body), code="validation", status=422)
    assert pointers(refused)[0].startswith("/reason")


def test_field_that_nobody_asked_for_is_refused_by_name() -> None:
    visit = a_visit()
    response = Api(visit.patient).cancel(visit.pk, status="completed")
    assert pointers(problem(response, code="validation", status=422)) == ["/status"]


PATHS = ["cancel", "reschedule"]


@pytest.mark.parametrize("path", PATHS)
def test_change_must_say_what_was_seen(path: str) -> None:
    visit = a_visit()
    before = traces()
    response = Api(visit.patient).patch(f"bookings/{visit.pk}/{path}")
    problem(response, code="precondition-required", status=428)
    assert traces() == before


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "seen",
    ['"2"', '"0"', 'W/"1"', '"x"', '"0","2"', 'W/"1", "2"', '"1,"', '"01"', '"' + "1" * 99 + '"'],
)
def test_change_of_something_else_than_was_seen_is_refused(path: str, seen: str) -> None:
    visit = a_visit()
    before = traces()
    response = Api(visit.patient).patch(f"bookings/{visit.pk}/{path}", If_Match=seen)
    problem(response, code="version-mismatch", status=412)
    assert traces() == before


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "seen", ["*", '"1", "2"', '"2","1"', ' "1" ', ',, "7" ,\t"1",', 'W/"1", "1"', '"a,b", "1"']
)
def test_change_of_what_is_among_the_versions_seen_is_made(path: str, seen: str) -> None:
    visit = a_visit()
    response = Api(visit.patient).patch(f"bookings/{visit.pk}/{path}", If_Match=seen)
    assert response.status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("seen", ["1", '"1" "2"', '"1', ",", '*, "1"', '"1";', 'w/"1"', '"' * 99])
def test_header_that_is_no_list_of_tags_is_refused_by_name(path: str, seen: str) -> None:
    visit = a_visit()
    before = traces()
    response = Api(visit.patient).patch(f"bookings/{visit.pk}/{path}", If_Match=seen)
    refused = problem(response, code="validation", status=422)
    assert pointers(refused) == ["/If-Match"]
    assert traces() == before


@pytest.mark.parametrize("known", ['"1"', 'W/"1"', '"7", "1"', "*", ' "7" ,, W/"1"'])
def test_booking_that_the_client_has_already_is_not_sent_again(known: str) -> None:
    visit = a_visit()
    response = Api(visit.patient).get(f"bookings/{visit.pk}", If_None_Match=known)
    assert (response.status_code, response.content) == (304, b"")


STRANGERS = {
    "another patient": lambda _visit: make_patient(),
    # Their door is the doctor's side: a reason is required there, and the patient is told.
    "the doctor": lambda visit: login_of(visit.doctor),
    "the secretary": lambda visit: make_secretary(doctor=visit.doctor),
    "staff": lambda _visit: make_admin(),
}


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("path", PATHS)
def test_stranger_gets_the_same_answer_as_for_an_unknown_booking(who: str, path: str) -> None:
    visit = a_visit()
    api = Api(STRANGERS[who](visit))
    before = traces()
    bodies = []
    for booking in (visit.pk, "01985f3e-0000-7000-8000-000000000001"):
        response = api.patch(f"bookings/{booking}/{path}", If_Match='"1"')
        body = problem(response, code="not-found", status=404)
        bodies.append({name: body[name] for name in body if name != "instance"})
    assert bodies[0] == bodies[1]
    assert traces() == before


@pytest.mark.parametrize("path", PATHS)
def test_nobody_changes_a_booking_without_signing_in(path: str) -> None:
    response = Api().patch(f"bookings/{a_visit().pk}/{path}", If_Match='"1"')
    problem(response, code="unauthenticated", status=401)


def test_too_late_names_the_notice_and_the_phone_of_the_clinic() -> None:
    visit = a_visit()
    visit.doctor.change_notice_minutes = 5 * 24 * 60
    visit.doctor.save()
    for response in (
        Api(visit.patient).cancel(visit.pk),
        Api(visit.patient).times_to_move_to(visit.pk),
    ):
        refused = problem(response, code="change-window-passed", status=422)
        assert refused["noticeMinutes"] == 5 * 24 * 60
        assert refused["clinicPhone"] == visit.clinic.phone


def test_booking_says_until_when_it_can_be_changed_by_the_clock_of_the_clinic() -> None:
    visit = a_visit()
    shown = Api(visit.patient).get(f"bookings/{visit.pk}").json()
    until = visit.starts_at - timedelta(hours=24)
    assert shown["changeableUntil"] == until.astimezone(visit.clinic.zone).isoformat()
    assert (shown["replaces"], shown["replacedBy"]) == (None, None)


def test_chain_of_a_moved_booking_is_shown_both_ways() -> None:
    patient = make_patient()
    new = a_visit(patient=patient)
    old = make_appointment(
        slots=make_slots(doctor=new.doctor, starts_at=tomorrow_at(days=5)),
        patient=patient,
        status="rescheduled",
        replaced_by=new.pk,
    )
    Appointment.objects.filter(pk=new.pk).update(replaces=old.pk)
    api = Api(patient)
    assert api.get(f"bookings/{new.pk}").json()["replaces"] == str(old.pk)
    assert api.get(f"bookings/{old.pk}").json()["replacedBy"] == str(new.pk)


def test_client_that_has_the_newest_version_gets_304() -> None:
    visit = a_visit()
    api = Api(visit.patient)
    tag = api.get(f"bookings/{visit.pk}").headers["ETag"]
    same = api.get(f"bookings/{visit.pk}", If_None_Match=tag)
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    api.cancel(visit.pk)
    changed = api.get(f"bookings/{visit.pk}", If_None_Match=tag)
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')


@pytest.mark.parametrize(
    "condition", [{"If_Match": '"7"'}, {"If_Unmodified_Since": "Thu, 01 Jan 2026 00:00:00 GMT"}]
)
def test_read_on_a_condition_that_fails_is_refused_as_everything_is(condition: Any) -> None:
    visit = a_visit()
    read = Api(visit.patient).get(f"bookings/{visit.pk}", **condition)
    problem(read, code="version-mismatch", status=412)
    problem(Api().get("doctors", **condition), code="version-mismatch", status=412)


# -- the times to move to


def test_times_to_move_to_are_those_of_the_same_doctor_and_reason() -> None:
    visit = a_visit(count=4)
    make_visit_type(doctor=visit.doctor)
    make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=3), count=2)
    before = traces()
    answer = Api(visit.patient).times_to_move_to(visit.pk).json()
    free = visit.doctor.slots.filter(state=SlotState.OPEN).order_by("starts_at")
    assert [time["slotId"] for time in answer["items"]] == [slot.pk for slot in free]
    assert answer["pageInfo"]["totalItems"] == 4
    assert traces() == before


def test_times_to_move_to_are_of_the_days_asked_for_by_the_clock_of_the_clinic() -> None:
    visit = a_visit()
    clinic_day = (tomorrow_at(days=6)).date()
    # 22:30 and 23:30 UTC: in Utrecht the second is the next day, winter and summer.
    for moment in (tomorrow_at(21, 30, days=6), tomorrow_at(23, 30, days=6)):
        make_slots(doctor=visit.doctor, starts_at=moment)
    answer = Api(visit.patient).times_to_move_to(visit.pk, f"from={clinic_day}&to={clinic_day}")
    starts = [time["startsAt"] for time in answer.json()["items"]]
    assert [start[:10] for start in starts] == [str(clinic_day)]
    assert len(starts) == 1


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=2026-13-01", "/from"),
        ("to=x", "/to"),
        ("from=2027-01-01&to=2027-02-01", "/to"),
        ("from=2027-01-02&to=2027-01-01", "/to"),
        ("from=0001-01-01", "/from"),
        ("limit=101", "/limit"),
    ],
)
def test_days_that_cannot_be_asked_for_are_refused_by_name(query: str, pointer: str) -> None:
    visit = a_visit()
    response = Api(visit.patient).times_to_move_to(visit.pk, query)
    assert pointers(problem(response, code="validation", status=422)) == [pointer]


def test_month_of_31_days_can_be_asked_for() -> None:
    visit = a_visit()
    query = "from=2027-01-01&to=2027-01-31"
    assert Api(visit.patient).times_to_move_to(visit.pk, query).json()["items"] == []


def test_nothing_is_offered_for_a_reason_that_is_no_longer_booked() -> None:
    visit = a_visit(count=2)
    VisitType.objects.filter(pk=visit.visit_type_id).update(is_active=False)
    assert Api(visit.patient).times_to_move_to(visit.pk).json()["items"] == []


@pytest.mark.parametrize("status", ["arrived", "completed", "no_show", "cancelled", "rescheduled"])
def test_what_is_not_confirmed_cannot_be_moved(status: str) -> None:
    visit = a_visit(status=status)
    response = Api(visit.patient).times_to_move_to(visit.pk)
    refused = problem(response, code="not-changeable", status=409)
    assert refused["bookingStatus"] == status


def test_more_times_cost_no_more_queries() -> None:
    counts = []
    for count in (2, 12):
        visit = a_visit(count=count)
        api = Api(visit.patient)
        with CaptureQueriesContext(connection) as queries:
            assert api.times_to_move_to(visit.pk).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
