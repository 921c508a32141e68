"""The database lays out the answers of holding and confirming; Python builds what is read later.
Both show the same booking, field by field.
"""

from typing import Any

import pytest

from bookings.models import Appointment, Hold
from doctors.models import Clinic, Doctor, Mode, VisitType
from tests.api.client import Api
from tests.bookings.acts import allow_resend, code_of
from tests.bookings.agreements import change_everything
from tests.factories import (
    make_clinic,
    make_doctor,
    make_patient,
    make_slots,
    make_visit_type,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db

PLACES: dict[str, dict[str, Any]] = {
    "plain": {},
    "no postcode": {"postcode": "", "city": "Ōtautahi", "time_zone": "Pacific/Chatham"},
    "half an hour": {
        "time_zone": "Asia/Kolkata",
        "street": 'Main "{street}" \\ 5',
        "country": "IN",
    },
    "west": {"time_zone": "America/St_Johns", "city": "Saint-Jérôme & Fils", "country": "CA"},
}
REASON = 'Schürfwunde „rechts“, {reason} "{doctor_id}" \\ <b>&amp;</b>\n\t痛い 🙂'


def bookable_at(
    place: dict[str, Any], *, mode: Mode, slots: int = 1
) -> tuple[VisitType, list[Any]]:
    doctor = make_doctor(name='Dr Žofie "Žo" O\'Đorđević', clinic=make_clinic(**place))
    reason = make_visit_type(doctor=doctor, mode=mode, slots=slots, name="Überprüfung {name}")
    first = tomorrow_at(days=3).replace(second=0, microsecond=0)
    return reason, make_slots(doctor=doctor, starts_at=first, count=6)


def started(api: Api, slot: Any, visit_type: VisitType, **more: Any) -> dict[str, Any]:
    answer = api.start(slot_id=slot.pk, visit_type_id=visit_type.pk, **more)
    assert answer.status_code == 201, answer.content
    return answer.json()


def confirmed(api: Api, attempt: dict[str, Any]) -> dict[str, Any]:
    hold = Hold.objects.get(pk=attempt["attemptId"])
    answer = api.verify(hold.pk, code_of(hold))
    assert answer.status_code == 200, answer.content
    return answer.json()


def patient_with_a_name() -> Any:
    return make_patient(first_name="Łukasz", last_name="Ñandú-O'Brien", phone="+31 6 5550 1234")


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("mode", [Mode.IN_PERSON, Mode.VIDEO, Mode.PHONE])
@pytest.mark.parametrize("slots", [1, 3])
def test_confirmation_answers_the_booking_that_is_read_later(
    place: dict[str, Any], mode: Mode, slots: int
) -> None:
    reason, times = bookable_at(place, mode=mode, slots=slots)
    api = Api(patient_with_a_name())
    attempt = started(api, times[1], reason, reason=REASON)
    answered = confirmed(api, attempt)
    assert answered == api.get(f"bookings/{attempt['attemptId']}").json()
    assert answered in api.get("bookings").json()["items"]
    assert answered["reason"] == REASON
    assert answered["visitType"]["minutes"] == 20 * slots
    for name in ("startsAt", "endsAt"):
        assert attempt["slot"][name] == answered[name]


@pytest.mark.parametrize("when", ["before", "after"])
def test_confirmation_of_a_move_answers_the_booking_that_is_read_later(when: str) -> None:
    """Reason and clinic change before the visit moves, or while its new time is held."""
    reason, times = bookable_at(PLACES["half an hour"], mode=Mode.IN_PERSON)
    api = Api(patient_with_a_name())
    first = confirmed(api, started(api, times[0], reason, reason=REASON))
    visit = Appointment.objects.get(pk=first["id"])
    if when == "before":
        change_everything(visit)
    attempt = started(api, times[3], reason, replaces=first["id"])
    if when == "after":
        change_everything(visit)
    answered = confirmed(api, attempt)
    assert answered == api.get(f"bookings/{attempt['attemptId']}").json()
    assert answered["visitType"] == first["visitType"]
    assert answered["replaces"] == first["id"]
    assert answered["reason"] == REASON
    assert (answered["address"] == first["address"]) == (when == "after")
    again = api.verify(attempt["attemptId"], "000000").json()
    assert again == answered


def test_answer_lost_and_asked_for_again_is_the_booking_as_it_is_then() -> None:
    reason, times = bookable_at({}, mode=Mode.IN_PERSON)
    api = Api(patient_with_a_name())
    attempt = started(api, times[0], reason)
    answered = confirmed(api, attempt)
    VisitType.objects.update(name="Another")
    Clinic.objects.update(street="Another street 1")
    Doctor.objects.update(slot_minutes=60)
    assert api.verify(attempt["attemptId"], "000000").json() == answered
    assert api.get(f"bookings/{answered['id']}").json() == answered


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_hold_answers_the_attempt_that_is_read_later(place: dict[str, Any]) -> None:
    reason, times = bookable_at(place, mode=Mode.PHONE)
    api = Api(patient_with_a_name())
    attempt = started(api, times[0], reason)
    allow_resend(Hold.objects.get(pk=attempt["attemptId"]))
    later = api.post(f"bookings/{attempt['attemptId']}/resend-otp").json()
    for body in (attempt, later):
        del body["otp"]["resendAt"]  # the second code was sent later
    assert later == attempt
