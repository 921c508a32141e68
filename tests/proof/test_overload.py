"""The client of an overload with a server that refuses as it is told, and the judges of what it
heard.
"""

import json
import selectors
import socket
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

import pytest

from proof.overload import Look, Period, Rushed, promises
from proof.plan import Calendar, Patient
from proof.rush import NO_ANSWER, SECOND, Heard, Rush, RushPlan, Stage

ANN = Patient(id=1, token="t", address="10.0.0.1")
ATTEMPT = "01949f3c-0000-7000-8000-{:012d}"
Answer = Callable[[str], tuple[int, dict[str, object]]]


def plan(url: str, *stages: Stage, slots: int = 400) -> RushPlan:
    return RushPlan(
        url=url,
        otp_key="k",
        seconds=1.0,
        processes=1,
        connections=1,
        skip=0,
        begin_at=0.0,
        calendars=[Calendar(doctor=1, single=1, double=2, slots=list(range(slots)))],
        patients=[ANN],
        stages=stages,
    )


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """Answers one request after another, on as many connections as there are. A status of zero ends
    the connection.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening, selectors.DefaultSelector() as ready:
        listening.settimeout(0.1)
        ready.register(listening, selectors.EVENT_READ)
        is_over = deque[bool]()
        thread = Thread(target=_serve, args=(listening, ready, answer, is_over))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            is_over.append(True)
            thread.join(10)


def _serve(
    listening: socket.socket, ready: selectors.BaseSelector, answer: Answer, is_over: deque[bool]
) -> None:
    while not is_over:
        for key, _events in ready.select(0.05):
            if key.fileobj is listening:
                ready.register(listening.accept()[0], selectors.EVENT_READ)
            else:
                _answer(key.fileobj, ready, answer)
    for key in list(ready.get_map().values()):
        if key.fileobj is not listening:
            key.fileobj.close()


def _answer(connection: socket.socket, ready: selectors.BaseSelector, answer: Answer) -> None:
    request = connection.recv(65536).decode()
    status, data = answer(request) if request else (0, {})
    if not status:
        ready.unregister(connection)
        connection.close()
        return
    body = json.dumps(data).encode()
    connection.sendall(
        f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )


class Practice:
    """Holds and confirms; every so many holds it answers with this status instead."""

    def __init__(self, *, every: int = 0, instead: int = 503) -> None:
        self.every, self.instead = every, instead
        self.slots: list[int] = []
        self.asked = 0

    def __call__(self, request: str) -> tuple[int, dict[str, object]]:
        if "verify-otp" in request:
            return 200, {"status": "confirmed"}
        self.asked += 1
        if self.every and self.asked % self.every == 0:
            return self.instead, {}
        self.slots.append(json.loads(request.partition("\r\n\r\n")[2])["slotId"])
        return 201, {"attemptId": ATTEMPT.format(len(self.slots))}


def statuses(found: dict[str, object]) -> set[tuple[str, int]]:
    return {(each.act, each.status) for each in found["heard"]}


def test_bookings_are_due_as_a_share_of_what_was_measured():
    with server(Practice()) as url:
        stages = [Stage("all", 0.3, 2), Stage("a tenth", 0.5, 2, share=0.1)]
        found = Rush(plan(url, *stages, slots=60_000)).run()

    all_, tenth = found["stages"]
    capacity = all_["booked"] / 0.3
    # A busy machine takes longer for the first stage than it was asked to.
    assert 0 < tenth["asked"] <= 1.01 * capacity / 10
    due = sum(each.stage == 1 and each.act == "hold" for each in found["heard"])
    assert due + tenth["missed"] == pytest.approx(tenth["asked"] * 0.5, abs=2)
    assert len(found["booked"]) == sum(each.act == "confirm" for each in found["heard"])


def test_refusal_ends_a_booking_and_its_time_is_asked_for_again():
    practice = Practice(every=3)
    with server(practice) as url, pytest.raises(SystemExit, match="Every time is booked"):
        Rush(plan(url, Stage("all", 60.0, 1), slots=30)).run()

    assert sorted(practice.slots) == list(range(30))


def test_connection_that_ends_is_no_answer_and_is_opened_again():
    with server(Practice(every=5, instead=0)) as url:
        found = Rush(plan(url, Stage("all", 0.3, 2), slots=9000)).run()

    assert statuses(found) == {("hold", 201), ("hold", NO_ANSWER), ("confirm", 200)}
    assert len(found["booked"]) > 10


def test_booking_that_finds_no_connection_is_missed():
    with server(Practice()) as url:
        stages = [Stage("all", 0.3, 8), Stage("too many", 0.3, 1, share=20.0)]
        found = Rush(plan(url, *stages, slots=60_000)).run()

    assert found["stages"][1]["missed"] > 0


# -- the judges

STAGES = ("capacity", "half before", "overload", "half after", "capacity after")
BOOKED = (100, 50, 90, 50, 100)


def heard(stage: int, second: float, *, ms: float = 10, act: str = "hold", status: int = 201):
    due = round((10 * stage + second) * SECOND)
    return Heard(stage, act, due, due, due + round(ms * 10**6), status)


def rushed() -> Rushed:
    """Ten seconds for each stage, one request in each second."""
    periods = [
        Period(
            name=name,
            begun=10 * number * SECOND,
            ended=10 * (number + 1) * SECOND,
            asked=0.0,
            missed=0,
            cpu_seconds=0.1,
            heard=[heard(number, second) for second in range(10)],
            booked=10 * booked,
        )
        for number, (name, booked) in enumerate(zip(STAGES, BOOKED, strict=True))
    ]
    looks = [Look(at * SECOND, 200, 1.0, 100, {}) for at in range(50)]
    return Rushed(periods, [], looks)


def broken(found: Rushed) -> list[str]:
    return [each.promise for each in promises(found) if each.broken]


def but(stage: int, *more: Heard, **other: object) -> Rushed:
    fine = rushed()
    periods = list(fine.periods)
    periods[stage] = replace(periods[stage], **{"heard": [*periods[stage].heard, *more], **other})
    return replace(fine, periods=periods)


def looking(stage: int, **other: object) -> Rushed:
    fine = rushed()
    looks = [
        replace(each, **other) if each.at // SECOND == 10 * stage else each for each in fine.looks
    ]
    return replace(fine, looks=looks)


@pytest.mark.parametrize(
    ("found", "promise"),
    [
        (rushed(), None),
        (but(2, heard(2, 1, status=503, ms=5000)), None),
        (but(2, heard(2, 1, status=429)), None),
        (but(2, booked=790), "less than 80 % of capacity booked"),
        (but(2, heard(2, 1, ms=1001)), "p99 of what was admitted not below a second"),
        (but(2, heard(2, 1, status=500)), "answers that are neither 201, 200, 503 nor 429"),
        (but(2, heard(2, 1, act="confirm")), "answers that are neither 201, 200, 503 nor 429"),
        (but(2, heard(2, 1, status=NO_ANSWER)), "answers that are neither 201, 200, 503 nor 429"),
        (but(3, *(heard(3, second, status=503) for second in range(5))), None),
        (
            but(3, *(heard(3, second, status=503) for second in range(6))),
            "not as before within 5 s",
        ),
        (but(3, *(heard(3, second, ms=30) for second in range(6))), "not as before within 5 s"),
        (looking(2, resident=119), None),
        (looking(2, resident=121), "memory grown by 20 % or more"),
        (looking(2, status=503), "health checks that did not say 200"),
    ],
)
def test_promise_is_broken_by_what_breaks_it(found, promise):
    assert broken(found) == ([promise] if promise else [])
