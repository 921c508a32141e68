"""Holds and confirmations that reach the database in one call, as the API sends them in a rush."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from django.db import DataError, connection
from uuid_utils.compat import uuid7

from bookings.engine import calls
from bookings.engine.calls import ConfirmAnswer, ConfirmCall, HoldAnswer, HoldCall
from bookings.models import Appointment, Hold
from docbook import fibers, shared_calls
from docbook.audit.models import AuditEvent
from docbook.http.models import IdempotencyRecord
from docbook.outbox.models import OutboxMessage
from docbook.postgres.rows import rows_of
from doctors.models import Slot, VisitType
from tests.factories import make_doctor, make_patient, make_slots, make_visit_type

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 12


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many calls went to the database at once, each time."""
    found: list[int] = []
    decide = calls._decide

    def noted(asked: Sequence[Any], *, may_wait: bool = True) -> list[Any]:
        found.append(len(asked))
        return decide(asked, may_wait=may_wait)

    monkeypatch.setattr(calls, "_decide", noted)
    return found


def together(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each returned or raised. All have asked before the first answer comes."""

    async def all_of_them() -> list[Any]:
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.gather(*map(fibers.run, acts), return_exceptions=True)
        finally:
            await asyncio.to_thread(shared_calls.end, loop)

    return asyncio.run(all_of_them())


def wanted(count: int = MANY) -> list[tuple[Slot, VisitType]]:
    """Times of as many doctors."""
    doctors = [make_doctor() for _ in range(count)]
    return [(make_slots(doctor=each)[0], make_visit_type(doctor=each)) for each in doctors]


def a_hold(slot: Slot, visit_type: VisitType, **other: Any) -> HoldCall:
    patient_id = other.pop("patient_id", None) or make_patient().pk
    values = {
        "hold_id": uuid7(),
        "slot_id": slot.pk,
        "visit_type_id": visit_type.pk,
        "patient_id": patient_id,
        "guest_key": None,
        "holder_key": f"patient:{patient_id}",
        "actor_kind": "patient",
        "address": None,
        "seconds": 300,
        "most_of_holder": 3,
        "most_of_address": 10,
        "most_visits": 20,
        "replaces": None,
        "waitlist_entry_id": None,
        "with_code": True,
        "key": str(uuid7()),
        "route": "startBooking",
        "fingerprint": "f",
        "status": 201,
    }
    return HoldCall(**(values | other))


def a_confirmation(hold_id: UUID, patient_id: int | None, **other: Any) -> ConfirmCall:
    values = {
        "hold_id": hold_id,
        "patient_id": patient_id,
        "guest_key": None,
        "account_id": None,
        "matching": [0],
        "most_attempts": 5,
        "most_visits": 20,
        "request_id": "",
        "own_target": f"own-{patient_id}",
        "guessers": ["owner"],
        "most_guesses": [10],
        "is_long": False,
    }
    return ConfirmCall(**(values | other))


def held(asked: Sequence[HoldCall]) -> list[HoldAnswer]:
    return together([lambda call=call: calls.hold(call) for call in asked])


def confirmed(asked: Sequence[ConfirmCall]) -> list[ConfirmAnswer]:
    return together([lambda call=call: calls.confirm(call) for call in asked])


def test_calls_that_wait_are_one_call_and_each_gets_its_own_answer(sizes: list[int]) -> None:
    asked = [a_hold(*each) for each in wanted()]
    answers = held(asked)
    assert [each.hold.pk for each in answers] == [each.hold_id for each in asked]
    assert [each.hold.patient_id for each in answers] == [each.patient_id for each in asked]
    assert len(sizes) < MANY
    assert sum(sizes) == MANY
    visits = confirmed([a_confirmation(each.hold_id, each.patient_id) for each in asked])
    assert [each.visit.pk for each in visits] == [each.hold_id for each in asked]
    assert [each.visit.doctor.pk for each in visits] == [each.visit.doctor_id for each in visits]
    assert Appointment.objects.count() == MANY
    assert Counter(AuditEvent.objects.values_list("action", flat=True)) == {
        "hold.created": MANY,
        "hold.code_requested": MANY,
        "appointment.confirmed": MANY,
    }
    assert Counter(OutboxMessage.objects.values_list("topic", flat=True)) == {
        "otp.requested": MANY,
        "appointment.confirmed": MANY,
    }


def test_together_no_more_are_held_than_a_doctor_takes_a_day() -> None:
    doctor = make_doctor(most_visits_a_day=2)
    visit_type, slots = make_visit_type(doctor=doctor), make_slots(doctor=doctor, count=6)
    answers = held([a_hold(slot, visit_type) for slot in slots])
    assert Counter(each.outcome for each in answers) == {"held": 2, "slot-taken": 4}
    assert Slot.objects.filter(state="held").count() == 2


def test_one_that_is_refused_disturbs_nobody() -> None:
    times = wanted(4)
    asked = [a_hold(*each) for each in times]
    asked[1] = asked[1]._replace(visit_type_id=9_999_999)
    assert [each.outcome for each in held(asked)] == ["held", "unknown-visit-type", "held", "held"]


def test_one_that_is_broken_breaks_alone() -> None:
    asked = [a_hold(*each) for each in wanted(4)]
    asked[2] = asked[2]._replace(seconds=1e300)
    answers = held(asked)
    assert isinstance(answers[2], DataError)
    assert [each.outcome for each in answers[:2] + answers[3:]] == ["held"] * 3
    assert Hold.objects.count() == 3


def test_one_slot_is_held_once_whoever_asks_in_the_same_call() -> None:
    [time] = wanted(1)
    answers = held([a_hold(*time) for _ in range(MANY)])
    assert Counter(each.outcome for each in answers) == {"held": 1, "slot-held": MANY - 1}
    assert Hold.objects.count() == 1


def test_visits_of_two_slots_that_share_one_are_not_both_held() -> None:
    doctor = make_doctor()
    slots, long = make_slots(doctor=doctor, count=3), make_visit_type(doctor=doctor, slots=2)
    answers = held([a_hold(slot, long) for slot in slots[:2]])
    assert sorted(each.outcome for each in answers) == ["held", "slot-held"]


def test_limit_of_a_holder_holds_in_one_call() -> None:
    patient = make_patient()
    answers = held([a_hold(*each, patient_id=patient.pk) for each in wanted(8)])
    assert Counter(each.outcome for each in answers) == {"held": 3, "hold-limit": 5}


def test_retry_beside_its_first_request_gets_its_answer() -> None:
    [time] = wanted(1)
    first = a_hold(*time)
    second = first._replace(hold_id=uuid7())
    answers = held([first, second])
    assert sorted(each.outcome for each in answers) == ["held", "replay"]
    assert {each.hold.pk for each in answers} == {Hold.objects.get().pk}
    assert IdempotencyRecord.objects.count() == 1


def test_two_confirmations_of_one_hold_are_one_visit_and_strangers_hear_nothing() -> None:
    [time] = wanted(1)
    hold = a_hold(*time)
    held([hold])
    stranger = make_patient()
    answers = confirmed(
        [
            a_confirmation(hold.hold_id, hold.patient_id),
            a_confirmation(hold.hold_id, stranger.pk),
            a_confirmation(hold.hold_id, hold.patient_id),
            a_confirmation(hold.hold_id, hold.patient_id, matching=[]),
        ]
    )
    assert [each.outcome for each in answers] == [
        "confirmed",
        "not-found",
        "confirmed",
        "confirmed",
    ]
    assert answers[1].visit is answers[1].hold is None
    assert Appointment.objects.count() == 1


def test_wrong_codes_of_one_call_are_all_counted() -> None:
    [time] = wanted(1)
    hold = a_hold(*time)
    held([hold])
    wrong = a_confirmation(hold.hold_id, hold.patient_id, matching=[])
    answers = confirmed([wrong] * 7)
    assert Counter(each.outcome for each in answers) == {"otp-invalid": 4, "otp-locked": 3}
    assert Hold.objects.get().otp_attempts == 5


def test_one_that_must_wait_for_a_lock_holds_up_nobody() -> None:
    asked = [a_hold(*each) for each in wanted(3)]
    done: list[str] = []
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [asked[0].holder_key]
            )

            def hold(call: HoldCall) -> str:
                outcome = calls.hold(call).outcome
                done.append(outcome)
                if len(done) == 2:  # the one that waits is not among them
                    fibers.aside(lambda: cursor.execute("COMMIT"))
                return outcome

            outcomes = together([lambda call=call: hold(call) for call in asked])
    finally:
        other.close()
    assert outcomes == ["held"] * 3


def test_connection_that_the_server_ends_is_replaced() -> None:
    times = wanted(2)
    [(ours,)] = rows_of("SELECT pg_backend_pid()")

    def end_the_connections_of_others() -> None:
        rows_of(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid NOT IN (pg_backend_pid(), %s) AND datname = current_database()",
            ours,
        )

    def both() -> list[str]:
        first = calls.hold(a_call[0]).outcome
        fibers.aside(end_the_connections_of_others)
        return [first, calls.hold(a_call[1]).outcome]

    a_call = [a_hold(*each) for each in times]
    assert together([both]) == [["held", "held"]]


def test_calls_that_wait_at_the_end_are_made() -> None:
    asked = [a_hold(*each) for each in wanted(3)]

    async def ended() -> list[Any]:
        loop = asyncio.get_running_loop()
        waiting = [shared_calls.shared(calls._holds_together).ask(call) for call in asked]
        await asyncio.to_thread(shared_calls.end, loop)
        return await asyncio.gather(*waiting)

    assert [each.outcome for each in asyncio.run(ended())] == ["held"] * 3
