"""`Idempotency-Key`: the same request twice has one effect and one answer."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_redis import get_redis_connection

from bookings.models import Hold
from docbook.http.idempotency_key import purge_records
from docbook.http.models import IdempotencyRecord
from docbook.http.tasks import purge_idempotency_records
from docbook.outbox.models import OutboxMessage
from tests.api.client import Api, problem
from tests.bookings.acts import bookable, code_of, let_expire, wrong_code
from tests.bookings.traces import traces
from tests.concurrency.rush import rush
from tests.factories import make_appointment, make_hold, make_patient

pytestmark = pytest.mark.django_db


def body_of(visit_type: Any, slots: Any, **more: Any) -> dict[str, Any]:
    return {"slotId": slots[0].pk, "visitTypeId": visit_type.pk, **more}


@pytest.mark.parametrize(
    "key", ["", " ", "x" * 256, "k" * 10_000, "with space", "tab\there", "clé", "\x7f", "a\x00b"]
)
def test_key_that_is_missing_or_strange_is_refused_before_anything_happens(key: str) -> None:
    api, before = Api(make_patient()), traces()
    answer = api.post("bookings", body_of(*bookable()), Idempotency_Key=key)
    problem(answer, code="idempotency-key-missing", status=400)
    assert not Hold.objects.exists()
    assert before["audit"] == traces()["audit"]
    no_header = api.post("bookings", body_of(*bookable()))
    problem(no_header, code="idempotency-key-missing", status=400)


@pytest.mark.parametrize(
    "key", ["k", "x" * 255, "!~'\"<>{}[]", "550e8400-e29b-41d4-a716-446655440000"]
)
def test_any_printable_key_up_to_255_characters_is_good(key: str) -> None:
    answer = Api(make_patient()).post("bookings", body_of(*bookable()), Idempotency_Key=key)
    assert answer.status_code == 201


def test_retry_gets_the_first_answer_byte_for_byte_and_holds_once() -> None:
    api, body = Api(make_patient()), body_of(*bookable())
    first = api.post("bookings", body, Idempotency_Key="k1")
    before = traces()
    again = api.post("bookings", body, Idempotency_Key="k1")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert IdempotencyRecord.objects.get().status == 201
    assert again.headers["Content-Type"] == first.headers["Content-Type"] == "application/json"
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert traces() == before


def test_retry_with_its_fields_in_another_order_is_the_same_request() -> None:
    api, (visit_type, slots) = Api(make_patient()), bookable()
    api.send(
        "bookings",
        f'{{"slotId": {slots[0].pk}, "visitTypeId": {visit_type.pk}}}',
        Idempotency_Key="k1",
    )
    again = api.send(
        "bookings",
        f'{{"visitTypeId":{visit_type.pk},  "slotId":{slots[0].pk}}}',
        Idempotency_Key="k1",
    )
    assert again.headers["Idempotent-Replayed"] == "true"


def test_refusal_is_an_answer_too_and_is_repeated() -> None:
    api, (visit_type, slots) = Api(make_patient()), bookable()
    make_appointment(slots=slots[:1])
    first = api.post("bookings", body_of(visit_type, slots), Idempotency_Key="k1")
    problem(first, code="slot-taken", status=409)
    slots[0].save()
    again = api.post("bookings", body_of(visit_type, slots), Idempotency_Key="k1")
    assert (again.status_code, again.content) == (409, first.content)
    assert again.headers["Content-Type"] == "application/problem+json"
    assert api.post("bookings", body_of(visit_type, slots), Idempotency_Key="k2").status_code == 201


def test_refusal_that_time_cures_uses_up_no_key() -> None:
    api, (visit_type, slots) = Api(make_patient()), bookable()
    hold = make_hold(slots=slots[:1])
    first = api.post("bookings", body_of(visit_type, slots), Idempotency_Key="k1")
    problem(first, code="slot-held", status=409)
    Hold.objects.filter(pk=hold.pk).update(state="released")
    slots[0].save()
    again = api.post("bookings", body_of(visit_type, slots), Idempotency_Key="k1")
    assert again.status_code == 201


def test_same_key_with_another_body_is_refused_and_changes_nothing() -> None:
    api, (visit_type, slots) = Api(make_patient()), bookable()
    api.post("bookings", body_of(visit_type, slots), Idempotency_Key="k1")
    before = traces()
    other = body_of(visit_type, slots[1:])
    answer = api.post("bookings", other, Idempotency_Key="k1")
    problem(answer, code="idempotency-key-reused", status=422)
    assert traces() == before


def test_same_key_of_another_user_is_another_request() -> None:
    visit_type, slots = bookable()
    first = Api(make_patient()).post("bookings", body_of(visit_type, slots), Idempotency_Key="k")
    other = body_of(visit_type, slots[1:])
    second = Api(make_patient()).post("bookings", other, Idempotency_Key="k")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["attemptId"] != second.json()["attemptId"]


def test_body_that_cannot_be_read_uses_up_no_key() -> None:
    api, body = Api(make_patient()), body_of(*bookable())
    problem(api.send("bookings", "{", Idempotency_Key="k"), code="malformed", status=400)
    problem(
        api.post("bookings", body | {"x": 1}, Idempotency_Key="k"), code="validation", status=422
    )
    assert api.post("bookings", body, Idempotency_Key="k").status_code == 201


def test_failure_of_ours_uses_up_no_key_and_leaves_nothing(monkeypatch) -> None:
    api, body = Api(make_patient()), body_of(*bookable())
    api.client.raise_request_exception = False
    before = traces()

    def broken(_call: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("bookings.engine.calls.hold", broken)
        problem(api.post("bookings", body, Idempotency_Key="k"), code="error", status=500)
    assert traces() == before
    assert not IdempotencyRecord.objects.exists()
    other = Api(make_patient()).post("bookings", body, Idempotency_Key="k")
    assert other.status_code == 201


def test_answers_are_kept_for_a_day() -> None:
    api, body = Api(make_patient()), body_of(*bookable())
    api.post("bookings", body, Idempotency_Key="k")
    now = timezone.now()
    assert purge_records(now=now + timedelta(hours=23, minutes=59)) == 0
    assert purge_records(now=now + timedelta(hours=24, minutes=1)) == 1
    purge_idempotency_records()


def at_once(number: int, act: Any) -> list[Any]:
    barrier = threading.Barrier(number)

    def run(_number: int) -> Any:
        try:
            barrier.wait(10)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


@pytest.mark.django_db(transaction=True)
def test_same_key_at_once_makes_one_hold_and_one_mail() -> None:
    patient, body = make_patient(), body_of(*bookable())
    answers = at_once(6, lambda: Api(patient).post("bookings", body, Idempotency_Key="k"))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 5
    assert Hold.objects.count() == 1
    assert OutboxMessage.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_retry_that_waits_too_long_for_the_first_is_told_that_it_is_running() -> None:
    patient, body = make_patient(), body_of(*bookable())
    inserted, go_on = threading.Event(), threading.Event()

    def slow_first() -> None:
        try:
            with transaction.atomic():
                IdempotencyRecord.objects.create(
                    user_id=patient.pk, key="k", route="startBooking", fingerprint="f"
                )
                inserted.set()
                go_on.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=slow_first)
    thread.start()
    assert inserted.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    try:
        answer = Api(patient).post("bookings", body, Idempotency_Key="k")
    finally:
        go_on.set()
        thread.join(10)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
    problem(answer, code="idempotency-key-in-progress", status=409)
    assert not Hold.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_key_of_a_request_that_fell_silent_is_free_for_its_retry() -> None:
    """A machine that vanished in the middle of a request must not keep the key forever."""
    patient, (visit_type, slots) = make_patient(), bookable()
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)
    silent = connection.copy()
    with silent.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '300ms'")
        cursor.execute("BEGIN")
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('k', %s))", [patient.pk])
    try:
        answer = Api(patient).post("bookings", body_of(visit_type, slots), Idempotency_Key="k")
    finally:
        silent.close()
    assert answer.status_code == 201


def test_retry_is_answered_although_somebody_else_is_behind_the_gate_by_now() -> None:
    api, (visit_type, slots) = Api(make_patient()), bookable()
    first = api.post("bookings", body_of(visit_type, slots), Idempotency_Key="k")
    get_redis_connection("default").set(f"lock:slot:{slots[0].pk}", "somebody else")
    again = api.post("bookings", body_of(visit_type, slots), Idempotency_Key="k")
    assert (again.status_code, again.content) == (201, first.content)


def test_key_of_one_booking_says_nothing_of_another() -> None:
    patient = make_patient()
    api, (visit_type, slots) = Api(patient), bookable()
    started = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk).json()
    hold = Hold.objects.get(pk=started["attemptId"])
    body = {"code": code_of(hold)}
    first = api.post(f"bookings/{hold.pk}/verify-otp", body, Idempotency_Key="k")
    again = api.post(f"bookings/{hold.pk}/verify-otp", body, Idempotency_Key="k")
    assert (again.status_code, again.content) == (200, first.content)
    other = api.post(f"bookings/{uuid4()}/verify-otp", body, Idempotency_Key="k")
    problem(other, code="idempotency-key-reused", status=422)


def test_retries_do_not_count_as_codes_to_the_mailbox() -> None:
    api, body = Api(make_patient()), body_of(*bookable())
    answers = [api.post("bookings", body, Idempotency_Key="k") for _ in range(25)]
    assert {answer.status_code for answer in answers} == {201}


@pytest.mark.django_db(transaction=True)
def test_one_key_for_two_acts_at_once_ends_in_no_deadlock() -> None:
    """A hold on one's own expired slot, next to the confirmation of that hold."""
    patient, (visit_type, slots) = make_patient(), bookable()
    for number in range(20):
        api = Api(patient)
        started = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk)
        assert started.status_code == 201
        hold = Hold.objects.get(pk=started.json()["attemptId"])
        let_expire(hold)
        key, body = f"shared-{number}", body_of(visit_type, slots)
        verify = f"bookings/{hold.pk}/verify-otp"
        acts = [("bookings", body), (verify, {"code": code_of(hold)})]
        answers = rush(lambda act, key=key: Api(patient).post(*act, Idempotency_Key=key), acts)
        assert all(answer.status_code < 500 for answer in answers)
        for live in Hold.objects.filter(state="held"):
            let_expire(live)
        get_redis_connection("default").flushdb()


def test_wrong_code_sent_again_with_its_key_is_counted_once() -> None:
    api, (visit_type, slots) = Api(make_patient()), bookable()
    started = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk).json()
    hold = Hold.objects.get(pk=started["attemptId"])
    body = {"code": wrong_code(hold)}
    answers = [
        api.post(f"bookings/{hold.pk}/verify-otp", body, Idempotency_Key="k") for _ in range(3)
    ]
    assert {answer.content for answer in answers} == {answers[0].content}
    problem(answers[0], code="otp-invalid", status=422)
    hold.refresh_from_db()
    assert hold.otp_attempts == 1
