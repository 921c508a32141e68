"""A refusal behind the gate leaves the gate open, and the mailbox keeps its code; so does its
replay.
"""

from collections.abc import Callable

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django_redis import get_redis_connection

from accounts.models import User
from bookings.engine import calls
from bookings.engine.services import sweep_holds
from bookings.errors import HoldLimit
from bookings.models import Appointment, Hold
from doctors.models import Doctor, Slot, VisitType
from tests.api.client import Api, problem
from tests.bookings.acts import (
    as_patient,
    bookable,
    code_of,
    guest,
    key_of,
    let_expire,
    take,
    wrong_code,
)
from tests.factories import make_appointment, make_doctor, make_patient, make_slots, tomorrow_at
from tests.limits import allow

pytestmark = pytest.mark.django_db

Start = Callable[[], HttpResponse]


def closed_gates() -> set[str]:
    return {key.decode() for key in get_redis_connection("default").keys("lock:slot:*")}


def test_patient_who_has_too_many_holds_closes_no_further_gate(settings) -> None:
    settings.LIVE_HOLDS_PER_GUEST = 1
    visit_type, slots = bookable()
    holder = guest()
    take(slots[0], visit_type=visit_type, holder=holder)
    with pytest.raises(HoldLimit):
        take(slots[2], visit_type=visit_type, holder=holder)
    assert closed_gates() == {f"lock:slot:{slots[0].pk}"}


def test_database_that_is_lost_behind_the_gate_leaves_it_open(monkeypatch) -> None:
    visit_type, slots = bookable()

    def lost(_call: object) -> None:
        raise OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(calls, "hold", lost)
        with pytest.raises(OperationalError):
            take(slots[0], visit_type=visit_type, holder=guest())
    assert closed_gates() == set()
    take(slots[0], visit_type=visit_type, holder=guest())


def test_code_that_no_database_has_kept_counts_for_no_mailbox(monkeypatch) -> None:
    allow(monkeypatch, codes_to_owner=1)
    visit_type, slots = bookable()
    api, wanted = Api(make_patient()), {"slot_id": slots[0].pk, "visit_type_id": visit_type.pk}

    def lost(_call: object) -> None:
        raise OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(calls, "hold", lost)
        api.client.raise_request_exception = False  # a client gets an answer
        problem(api.start(**wanted), code="unavailable", status=503)
    assert api.start(**wanted).status_code == 201
    other = {**wanted, "slot_id": slots[1].pk}
    problem(api.start(**other), code="rate-limited", status=429)


# Possible answers to a patient, and what may have happened since. Each returns the request, to be
# sent again with its key.


def slot_taken(visit_type: VisitType, slot: Slot, patient: User) -> Start:
    visit = make_appointment(slots=[slot])
    start = _start(patient, visit_type, slot)
    problem(start(), code="slot-taken", status=409)
    Appointment.objects.filter(pk=visit.pk).update(status="cancelled", version=2)
    Slot.objects.filter(pk=slot.pk).update(state="open", hold_id=None)
    return start


def patient_busy(visit_type: VisitType, slot: Slot, patient: User) -> Start:
    other = make_slots(doctor=make_doctor(), starts_at=slot.starts_at)
    make_appointment(slots=other, patient=patient)
    start = _start(patient, visit_type, slot)
    problem(start(), code="patient-busy", status=409)
    return start


def too_late(visit_type: VisitType, slot: Slot, patient: User) -> Start:
    Doctor.objects.update(min_notice_minutes=60 * 24 * 30)
    start = _start(patient, visit_type, slot)
    problem(start(), code="outside-booking-window", status=422)
    Doctor.objects.update(min_notice_minutes=0)
    return start


def given_back(visit_type: VisitType, slot: Slot, patient: User) -> Start:
    start, hold = _held(visit_type, slot, patient)
    assert Api(patient).delete(f"bookings/{hold.pk}").status_code == 204
    return start


def run_out(visit_type: VisitType, slot: Slot, patient: User) -> Start:
    start, hold = _held(visit_type, slot, patient)
    let_expire(hold)
    sweep_holds()
    return start


def locked_by_wrong_codes(visit_type: VisitType, slot: Slot, patient: User) -> Start:
    start, hold = _held(visit_type, slot, patient)
    answers = [Api(patient).verify(hold.pk, wrong_code(hold)) for _ in range(5)]
    assert answers[-1].status_code == 429
    return start


def confirmed(visit_type: VisitType, slot: Slot, patient: User) -> Start:
    start, hold = _held(visit_type, slot, patient)
    assert Api(patient).verify(hold.pk, code_of(hold)).status_code == 200
    return start


def confirmed_and_cancelled(visit_type: VisitType, slot: Slot, patient: User) -> Start:
    start = confirmed(visit_type, slot, patient)
    visit = Appointment.objects.get(patient=patient)
    assert Api(patient).cancel(visit.pk).status_code == 200
    return start


def _held(visit_type: VisitType, slot: Slot, patient: User) -> tuple[Start, Hold]:
    start = _start(patient, visit_type, slot)
    return start, Hold.objects.get(pk=start().json()["attemptId"])


def _start(patient: User, visit_type: VisitType, slot: Slot, *, key: str = "the-same") -> Start:
    wanted = {"slot_id": slot.pk, "visit_type_id": visit_type.pk}
    return lambda: Api(patient).start(**wanted, key=key)


NO_HOLD = [
    slot_taken,
    patient_busy,
    too_late,
    given_back,
    run_out,
    locked_by_wrong_codes,
    confirmed,
    confirmed_and_cancelled,
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("answered", NO_HOLD, ids=lambda each: each.__name__)
def test_answer_that_is_told_again_closes_no_gate(answered: Callable[..., Start]) -> None:
    visit_type, [slot] = _times()
    start = answered(visit_type, slot, make_patient())
    first, again = start(), start()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content == first.content
    assert _keys("lock:slot:*") | _keys("claim:slot:*") == set()


@pytest.mark.django_db(transaction=True)
def test_times_of_others_stay_free_whatever_is_told_again() -> None:
    """Each answer was about a hold that has ended: nobody holds the time now."""
    visit_type, slots = bookable(count=3)
    patient = make_patient()
    for slot in slots:
        start = _start(patient, visit_type, slot, key=f"of-{slot.pk}")
        hold_id = start().json()["attemptId"]
        Api(patient).delete(f"bookings/{hold_id}")
        start()
    for slot in slots:
        take(slot, visit_type=visit_type, holder=guest())


@pytest.mark.django_db(transaction=True)
def test_answer_of_a_live_hold_that_is_told_again_leaves_its_gate_as_it_is() -> None:
    visit_type, [slot] = _times()
    patient = make_patient()
    start, _hold = _held(visit_type, slot, patient)
    redis, gate = get_redis_connection("default"), f"lock:slot:{slot.pk}"
    redis.pexpire(gate, 100_000)
    assert start().headers["Idempotent-Replayed"] == "true"
    assert redis.get(gate).decode() == key_of(as_patient(patient))
    assert redis.pttl(gate) <= 100_000
    redis.delete(gate)  # forgotten: the database keeps the time, and the gate is not made up
    start()
    assert closed_gates() == set()


def _times() -> tuple[VisitType, list[Slot]]:
    visit_type, _slots = bookable(count=0)
    return visit_type, make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3))


def _keys(pattern: str) -> set[bytes]:
    return set(get_redis_connection("default").keys(pattern))
