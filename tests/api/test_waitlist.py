"""The waitlist in the API: joining, what is shown, leaving, taking an offer; owners only."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from bookings.appointments.selectors.appointments import contact_of
from bookings.models import Appointment, Hold, HoldState, WaitlistEntry
from bookings.waitlist.services.offers import offer_released
from doctors.models import Clinic, Doctor, Mode
from tests.api.client import Api, pointers, problem
from tests.bookings.acts import bookable, let_expire
from tests.factories import (
    make_admin,
    make_clinic,
    make_doctor,
    make_patient,
    make_secretary,
    make_user,
    make_visit_type,
    make_waitlist_entry,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db

UNKNOWN = "01985f3e-0000-7000-8000-000000000001"


@pytest.fixture(autouse=True)
def _no_quiet_hours(settings) -> None:
    settings.WAITLIST_QUIET_HOURS = (tomorrow_at(0).time(), tomorrow_at(0).time())


def today() -> date:
    return timezone.now().date()


def wish(**changes: Any) -> dict[str, Any]:
    doctor = make_doctor()
    given = {
        "doctorId": doctor.pk,
        "visitTypeId": make_visit_type(doctor=doctor).pk,
        "from": str(today()),
        "until": str(today() + timedelta(days=7)),
    }
    return given | changes


def join(patient: User, body: dict[str, Any], *, key: str = "") -> Any:
    return Api(patient).post("waitlist", body, Idempotency_Key=key or str(uuid4()))


def offered_to(patient: User, *, nth: int = 0) -> tuple[WaitlistEntry, Hold]:
    """The `nth` time of tomorrow with another doctor."""
    visit_type, slots = bookable(min_notice_minutes=0)
    entry = make_waitlist_entry(patient=patient, doctor=visit_type.doctor, visit_type=visit_type)
    (offer,) = offer_released(slot_ids=[slots[nth].pk], now=timezone.now())
    return entry, offer


def accept(api: Api, offer_id: Any, *, key: str = "") -> Any:
    return api.post(f"waitlist/offers/{offer_id}/accept", Idempotency_Key=key or str(uuid4()))


def test_who_joins_sees_the_entry() -> None:
    patient = make_patient()
    body = wish(weekdays=[2, 0], dayFrom="09:00", dayUntil="12:30", mode="in_person")
    response = join(patient, body)
    assert response.status_code == 201, response.content
    entry = response.json()
    row = WaitlistEntry.objects.get()
    assert entry["id"] == str(row.pk)
    assert entry["status"] == "waiting"
    assert entry["doctor"]["id"] == body["doctorId"]
    assert (entry["from"], entry["until"]) == (body["from"], body["until"])
    assert (entry["weekdays"], entry["dayFrom"]) == ([0, 2], "09:00:00")
    assert (entry["offer"], entry["replaces"], entry["specialty"]) == (None, None, None)
    listed = Api(patient).get("waitlist").json()
    assert listed["items"] == [entry]
    assert listed["pageInfo"]["totalItems"] == 1


@pytest.mark.parametrize("by_city", [False, True], ids=["doctor", "specialty in a city"])
def test_every_instant_carries_the_offset_of_the_clinic(by_city: bool) -> None:
    doctor = make_doctor(clinic=make_clinic(time_zone="Asia/Tokyo", country="JP", city="Tokyo"))
    make_clinic()
    reason = make_visit_type(doctor=doctor)
    body = (
        {"specialty": doctor.specialty.slug, "city": "Tokyo"}
        if by_city
        else {"doctorId": doctor.pk, "visitTypeId": reason.pk}
    )
    patient = make_patient()
    days = {"from": str(today()), "until": str(today() + timedelta(days=7))}
    entry = join(patient, body | days).json()
    row = WaitlistEntry.objects.get()
    assert entry["createdAt"].endswith("+09:00")
    assert datetime.fromisoformat(entry["createdAt"]) == row.created_at
    assert Api(patient).get("waitlist").json()["items"] == [entry]
    Clinic.objects.update(city="Osaka")
    assert Api(patient).get("waitlist").json()["items"][0]["createdAt"][-6:] == (
        "+00:00" if by_city else "+09:00"
    )


def test_same_wish_with_another_key_is_the_same_entry() -> None:
    patient, body = make_patient(), wish()
    first, again = join(patient, body), join(patient, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert WaitlistEntry.objects.count() == 1


def test_same_key_is_answered_once() -> None:
    patient, body, key = make_patient(), wish(), str(uuid4())
    first, again = join(patient, body, key=key), join(patient, body, key=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"


def test_key_is_required() -> None:
    response = Api(make_patient()).post("waitlist", wish())
    problem(response, code="idempotency-key-missing", status=400)
    assert not WaitlistEntry.objects.exists()


def test_specialty_in_a_city_is_waited_for() -> None:
    doctor = make_doctor()
    body = {
        "specialty": doctor.specialty.slug,
        "city": "utrecht",
        "from": str(today()),
        "until": str(today()),
    }
    entry = join(make_patient(), body).json()
    assert (entry["specialty"], entry["city"], entry["doctor"]) == (
        doctor.specialty.slug,
        "Utrecht",
        None,
    )


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"doctorId": 9_999_999}, "/doctorId"),
        ({"visitTypeId": 9_999_999}, "/visitTypeId"),
        ({"specialty": "dermatology"}, "/doctorId"),
        ({"mode": "phone"}, "/mode"),
        ({"mode": "any"}, "/mode"),
        ({"from": "2026-13-01"}, "/from"),
        ({"from": f"{today()}T10:00:00Z"}, "/from"),
        ({"until": f"{today():%Y%m%d}"}, "/until"),
        ({"until": 20261201}, "/until"),
        ({"until": "2020-01-01", "from": "2020-01-01"}, "/until"),
        ({"until": "9999-12-31"}, "/until"),
        ({"weekdays": [7]}, "/weekdays/0"),
        ({"dayFrom": "24:00"}, "/dayFrom"),
        ({"dayFrom": "10:00+05:00"}, "/dayFrom"),
        ({"dayFrom": "10:00:41"}, "/dayFrom"),
        ({"dayFrom": "1000"}, "/dayFrom"),
        ({"dayUntil": "10:00:00.5"}, "/dayUntil"),
        ({"dayUntil": "24:01"}, "/dayUntil"),
        ({"dayUntil": "25:00"}, "/dayUntil"),
        ({"dayUntil": "00:10"}, "/dayUntil"),
        ({"dayFrom": "23:50", "dayUntil": "24:00"}, "/dayUntil"),
        ({"dayUntil": "10:00Z"}, "/dayUntil"),
        ({"dayUntil": 10}, "/dayUntil"),
        ({"dayFrom": "10:00", "dayUntil": "09:00"}, "/dayUntil"),
        ({"dayFrom": "10:00", "dayUntil": "10:10"}, "/dayUntil"),
        ({"replaces": UNKNOWN}, "/replaces"),
        ({"patientId": 1}, "/patientId"),
        ({"state": "offered"}, "/state"),
    ],
)
def test_wrong_field_is_named(changes: dict[str, Any], pointer: str) -> None:
    refused = problem(join(make_patient(), wish(**changes)), code="validation", status=422)
    assert pointers(refused) == [pointer]
    assert not WaitlistEntry.objects.exists()


@pytest.mark.parametrize("written", ["24:00", "24:00:00", "00:00", "00:00:00"])
def test_waiting_until_the_end_of_the_day_is_told_as_24_00(written: str) -> None:
    entry = join(make_patient(), wish(dayFrom="22:00", dayUntil=written)).json()
    assert (entry["dayFrom"], entry["dayUntil"]) == ("22:00:00", "24:00:00")


def test_too_many_entries_are_refused_until_one_is_left(settings) -> None:
    settings.WAITLIST_ENTRIES_PER_PATIENT = 1
    patient, body, key = make_patient(), wish(), str(uuid4())
    first = join(patient, wish()).json()
    refused = problem(join(patient, body, key=key), code="waitlist-limit", status=409)
    assert refused["limit"] == 1
    assert Api(patient).delete(f"waitlist/{first['id']}").status_code == 204
    assert join(patient, body, key=key).status_code == 201


def test_list_shows_the_offer_and_filters_by_status() -> None:
    patient = make_patient()
    entry, offer = offered_to(patient)
    make_waitlist_entry(patient=patient)
    (shown,) = Api(patient).get("waitlist", {"status": "offered"}).json()["items"]
    assert shown["id"] == str(entry.pk)
    assert shown["offer"]["id"] == str(offer.pk)
    assert shown["offer"]["slot"]["slotId"] == offer.slot_ids[0]
    assert shown["offer"]["visitType"]["id"] == offer.visit_type_id
    assert shown["offer"]["expiresAt"][:16] >= timezone.now().isoformat()[:13]
    assert len(Api(patient).get("waitlist").json()["items"]) == 2


def test_offer_that_ran_out_is_not_shown_even_before_the_sweeper() -> None:
    patient = make_patient()
    _entry, offer = offered_to(patient)
    let_expire(offer)
    (shown,) = Api(patient).get("waitlist").json()["items"]
    assert shown["offer"] is None


def test_list_does_not_grow_queries(django_assert_max_num_queries) -> None:
    patient = make_patient()
    for number in range(3):
        offered_to(patient, nth=number)
        make_waitlist_entry(patient=patient)
    with django_assert_max_num_queries(4):
        assert len(Api(patient).get("waitlist").json()["items"]) == 6


def test_accepted_offer_is_a_booking_and_a_repeat_has_the_same_answer() -> None:
    patient = make_patient()
    entry, offer = offered_to(patient)
    api, key = Api(patient), str(uuid4())
    response = accept(api, offer.pk, key=key)
    assert response.status_code == 200, response.content
    assert response.json()["id"] == str(offer.pk)
    assert response.json()["status"] == "confirmed"
    assert response.headers["ETag"] == '"1"'
    for again in (accept(api, offer.pk, key=key), accept(api, offer.pk)):
        assert again.content == response.content
        assert again.headers["ETag"] == '"1"'
    assert Appointment.objects.count() == 1
    entry.refresh_from_db()
    assert entry.state == "fulfilled"


def test_visit_by_phone_that_was_offered_is_taken_with_a_number() -> None:
    patient = make_patient()
    _entry, offer = offered_to(patient)
    Hold.objects.filter(pk=offer.pk).update(mode=Mode.PHONE)
    api, path = Api(patient), f"waitlist/offers/{offer.pk}/accept"
    for body, code in (({}, "required"), ({"phone": ""}, "required"), ({"phone": "x"}, "invalid")):
        refused = problem(
            api.post(path, body, Idempotency_Key=str(uuid4())), code="validation", status=422
        )
        assert [(each["pointer"], each["code"]) for each in refused["errors"]] == [("/phone", code)]
    taken = api.post(path, {"phone": "030 555 0177"}, Idempotency_Key="one")
    assert taken.status_code == 200
    assert contact_of(Appointment.objects.get()).phone == "030 555 0177"
    assert api.post(path, {"phone": "030 555 0177"}, Idempotency_Key="two").status_code == 200


def test_declined_offer_keeps_its_patient_on_the_list() -> None:
    patient = make_patient()
    entry, offer = offered_to(patient)
    assert Api(patient).delete(f"bookings/{offer.pk}").status_code == 204
    entry.refresh_from_db()
    assert entry.state == "waiting"
    problem(accept(Api(patient), offer.pk), code="hold-expired", status=410)


STRANGERS = {
    "another patient": lambda _doctor: make_patient(),
    "the secretary": lambda doctor: make_secretary(doctor=doctor),
    "staff": lambda _doctor: make_admin(),
    "a user": lambda _doctor: make_user(),
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_stranger_finds_nothing_and_changes_nothing(stranger: Any) -> None:
    entry, offer = offered_to(make_patient())
    api = Api(stranger(entry.doctor))
    for known, unknown in (
        (api.delete(f"waitlist/{entry.pk}"), api.delete(f"waitlist/{UNKNOWN}")),
        (accept(api, offer.pk), accept(api, UNKNOWN)),
    ):
        bodies = [problem(each, code="not-found", status=404) for each in (known, unknown)]
        assert bodies[0] | {"instance": ""} == bodies[1] | {"instance": ""}
    assert api.get("waitlist").json()["items"] == []
    offer.refresh_from_db()
    entry.refresh_from_db()
    assert (offer.state, entry.state) == (HoldState.HELD, "offered")


def test_nobody_waits_without_signing_in() -> None:
    entry, offer = offered_to(make_patient())
    for response in (
        Api().get("waitlist"),
        Api().post("waitlist", wish()),
        Api().delete(f"waitlist/{entry.pk}"),
        accept(Api(), offer.pk),
    ):
        problem(response, code="unauthenticated", status=401)


def test_visit_of_somebody_else_cannot_be_moved_by_waiting() -> None:
    _entry, offer = offered_to(make_patient())
    accept(Api(offer.patient), offer.pk)
    Doctor.objects.update(change_notice_minutes=0)
    body = wish(doctorId=offer.doctor_id, visitTypeId=offer.visit_type_id, replaces=str(offer.pk))
    refused = problem(join(make_patient(), body), code="validation", status=422)
    assert pointers(refused) == ["/replaces"]
    assert join(offer.patient, body).status_code == 201


@pytest.mark.parametrize("body", [{}, {"phone": "x"}, {"phone": "030 555 0177"}])
def test_late_answer_to_an_offer_by_phone_hears_that_it_is_over_and_not_of_its_number(
    body: dict[str, str],
) -> None:
    patient = make_patient()
    _entry, offer = offered_to(patient)
    Hold.objects.filter(pk=offer.pk).update(mode=Mode.PHONE)
    let_expire(offer)
    path = f"waitlist/offers/{offer.pk}/accept"
    late = Api(patient).post(path, body, Idempotency_Key=str(uuid4()))
    problem(late, code="hold-expired", status=410)
    stranger = Api(make_patient()).post(path, {"phone": "x"}, Idempotency_Key=str(uuid4()))
    problem(stranger, code="not-found", status=404)
