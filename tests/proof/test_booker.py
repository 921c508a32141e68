"""The client of the benchmark: what it asks when, which answers it accepts, how it counts time."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from devstack.refusals import Refusal
from proof.booker import Booker, BookingPlan, Desk, Task, WrongAnswer
from proof.booking_load import CLIENTS, Size, over_http
from proof.client import Answer
from proof.fixtures import Fixture, make_fixture
from proof.plan import Calendar, Patient
from proof.stack import Stack, running_stack

ATTEMPT = "01949f3c-0000-7000-8000-000000000007"
HELD = {"attemptId": ATTEMPT, "status": "held", "slot": {"slotId": 7}}
BOOKED = {"id": ATTEMPT, "status": "confirmed"}
ANN = Patient(id=1, token="t", address="10.0.0.1")


def plan(url: str = "http://127.0.0.1:1", **more: object) -> BookingPlan:
    whole = {
        "otp_key": "k",
        "seconds": 1.0,
        "processes": 1,
        "connections": 1,
        "rate": 0.0,
        "skip": 0,
        "begin_at": 0.0,
        "calendars": [Calendar(doctor=1, single=1, double=2, slots=[7, 8, 9])],
        "patients": [ANN],
        **more,
    }
    return BookingPlan(url=url, **whole)


def answer(status: int, data: object) -> Answer:
    return Answer(status, b"", json.dumps(data).encode())


def test_clients_share_the_timetable():
    both = plan(rate=8.0, processes=2)

    assert list(both.due(0)) == [0.0, 0.25, 0.5, 0.75]
    assert list(both.due(1)) == [0.125, 0.375, 0.625, 0.875]


def test_without_a_rate_there_is_no_timetable():
    assert list(plan().due(0)) == []


@contextmanager
def listener() -> Iterator[str]:
    """Accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize(
    ("status", "data", "wrong"),
    [
        (201, HELD, None),
        (200, HELD, "200"),
        (201, {**HELD, "slot": {"slotId": 8}}, "instead of"),
        (201, {**HELD, "status": "expired"}, "instead of"),
        (201, {}, "instead of"),
        (409, {"code": "slot-taken"}, "409 slot-taken"),
    ],
)
def test_only_the_slot_that_was_asked_for_counts_as_held(status, data, wrong):
    with listener() as url:
        desk = Desk(plan(url))
        desk.hold(Task(slot=7, visit_type=1, patient=ANN, key="k"))

        assert wrong_in(desk, answer(status, data), expected=wrong)


@pytest.mark.parametrize(
    ("status", "data", "wrong"),
    [
        (200, BOOKED, None),
        (201, BOOKED, "201"),
        (200, {**BOOKED, "id": ATTEMPT.replace("7", "8")}, "instead of"),
        (200, {**BOOKED, "status": "cancelled"}, "instead of"),
        (422, {"code": "otp-invalid"}, "422 otp-invalid"),
    ],
)
def test_only_the_visit_that_was_confirmed_counts_as_booked(status, data, wrong):
    with listener() as url:
        desk = Desk(plan(url))
        desk.hold(Task(slot=7, visit_type=1, patient=ANN, key="k"))
        desk.confirm(ATTEMPT)

        assert wrong_in(desk, answer(status, data), expected=wrong)


def test_page_of_a_broken_server_is_a_wrong_answer():
    with pytest.raises(WrongAnswer, match="502"):
        Desk(plan()).check(Answer(502, b"", b"<html>"))


def wrong_in(desk: Desk, answer: Answer, *, expected: str | None) -> bool:
    if expected is None:
        desk.check(answer)
    else:
        with pytest.raises(WrongAnswer, match=expected):
            desk.check(answer)
    return True


@contextmanager
def server() -> Iterator[str]:
    """Holds and books whatever is asked for, on one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                while request := connection.recv(65536):
                    connection.sendall(_reply(json.loads(request.partition(b"\r\n\r\n")[2])))

        thread = Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(10)


def _reply(asked: dict[str, object]) -> bytes:
    is_hold = "slotId" in asked
    data = {**HELD, "slot": {"slotId": asked["slotId"]}} if is_hold else BOOKED
    body = json.dumps(data).encode()
    head = f"HTTP/1.1 {201 if is_hold else 200} Fine\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def test_time_that_a_booking_waits_for_a_connection_is_counted():
    microsecond = 1e-3
    with server() as url:
        booker = Booker(plan(url, rate=1e6, seconds=2.5e-6), 0)
        found = booker.run()
        for desk in booker.free:
            desk.client.close()

    assert found["wrong"] == []
    (first, second, third), confirmed = found["times"]["hold"], found["times"]["confirm"]
    assert second > first + confirmed[0] - microsecond
    assert third > second + confirmed[1] - microsecond


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack(database={"shared_buffers": "128MB"}) as running:
        yield running


@pytest.fixture(scope="module")
def fixture(stack: Stack) -> Fixture:
    return make_fixture(stack, doctors=10, slots=48, patients=40, seed=5)


SHORT = Size(seconds=1, processes=2, connections=2)


def test_every_booking_of_the_timetable_is_made(stack, fixture):
    load = over_http(stack, fixture, SHORT, skip=0, name="at-a-rate", rate=10.0)

    assert (load.wrong, load.bookings, load.taken) == ([], 10, 10)
    assert len(load.times["hold"]) == 10
    assert load.cpu_seconds[CLIENTS] > 0
    assert stack.rows("SELECT count(*) FROM bookings_appointment") == [(10,)]


def test_time_that_cannot_be_had_is_a_wrong_answer(stack, fixture):
    last = fixture.calendars[-1].slots[-1]
    stack.rows("UPDATE doctors_slot SET state = 'blocked' WHERE id = %s RETURNING id", last)

    load = over_http(stack, fixture, SHORT, skip=478, name="blocked", rate=2.0)

    assert load.wrong == ["409 slot-taken"]
    assert load.bookings == 1


def test_clients_stop_when_every_time_is_booked(stack, fixture):
    with pytest.raises(Refusal, match="Every time is booked"):
        over_http(stack, fixture, SHORT, skip=480, name="no-more")
