"""Holds and confirmations by the API as the server runs them: in fibers, answered as elsewhere."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import User
from bookings.engine import calls
from bookings.models import Appointment, Hold
from docbook import rsgi, shared_calls, waiting_line
from docbook.audit.models import AuditEvent
from docbook.http.hot_calls import HotCall
from docbook.rsgi import Server
from docbook.waiting_line import WaitingLine
from tests.api.client import Api
from tests.bookings.acts import as_patient, bookable, code_of, take, wrong_code
from tests.factories import make_appointment, make_patient

pytestmark = pytest.mark.django_db(transaction=True)


class Line:
    """One request to the server, and its answer."""

    def __init__(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        self.scope: Any = SimpleNamespace(
            client="127.0.0.1:5000",
            server="testserver:80",
            method="POST",
            path=path,
            query_string="",
            http_version="1.1",
            scheme="http",
            headers={
                "host": "testserver",
                "content-type": "application/json",
                "content-length": str(len(body)),
                **headers,
            },
        )
        self._body = body
        self.status, self.headers, self.content = 0, {}, b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.content = status, dict(headers), body

    def json(self) -> Any:
        return json.loads(self.content)


def ask(*lines: Line) -> list[Line]:
    async def all_of_them() -> None:
        loop, server = asyncio.get_running_loop(), Server()
        server.__rsgi_init__(loop)
        try:
            await asyncio.gather(*(server.__rsgi__(line.scope, line) for line in lines))
        finally:
            await asyncio.to_thread(server.__rsgi_del__, loop)

    asyncio.run(all_of_them())
    return list(lines)


def a_start(patient: User, slot_id: Any, visit_type_id: Any, *, key: str = "", **more: Any) -> Line:
    body = {"slotId": slot_id, "visitTypeId": visit_type_id, **more}
    headers = {"authorization": token_of(patient), "idempotency-key": key or str(uuid4())}
    return Line("/api/v1/bookings", json.dumps(body).encode(), headers)


def a_code(patient: User, hold_id: UUID | str, code: Any, **headers: str) -> Line:
    headers["authorization"] = token_of(patient)
    path = f"/api/v1/bookings/{hold_id}/verify-otp"
    return Line(path, json.dumps({"code": code}).encode(), headers)


def token_of(patient: User) -> str:
    return Api(patient).headers["Authorization"]


def refused(line: Line) -> tuple[int, str]:
    [answer] = ask(line)
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status, answer.json()["code"]


@pytest.fixture(autouse=True)
def collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector of the process in which all tests run stays as it is."""
    monkeypatch.setattr(rsgi, "_keep_collections_short", lambda: None)


def test_many_are_held_and_confirmed_together_on_the_thread_of_the_loop(monkeypatch) -> None:
    batches: list[int] = []
    decide, here = calls._decide_together, threading.get_ident()
    views: set[int] = set()

    def noted(asked: Any) -> Any:
        batches.append(len(asked))
        return decide(asked)

    shared = shared_calls.shared

    def seen(decide: Any) -> Any:
        views.add(threading.get_ident())
        return shared(decide)

    monkeypatch.setattr(calls, "_decide_together", noted)
    monkeypatch.setattr(shared_calls, "shared", seen)
    patients = [make_patient() for _ in range(8)]
    wanted = [bookable() for _ in patients]
    started = ask(
        *(
            a_start(patient, slots[0].pk, visit_type.pk)
            for patient, (visit_type, slots) in zip(patients, wanted, strict=True)
        )
    )
    assert [each.status for each in started] == [201] * 8
    ids = [each.json()["attemptId"] for each in started]
    codes = [code_of(Hold.objects.get(pk=pk)) for pk in ids]
    booked = ask(*map(a_code, patients, ids, codes))
    assert [each.status for each in booked] == [200] * 8
    assert [each.json()["id"] for each in booked] == ids
    assert Appointment.objects.count() == 8
    assert views == {here}
    assert sum(batches) == 16
    assert len(batches) < 16


def test_answers_are_those_of_the_other_door_byte_for_byte() -> None:
    patient, (visit_type, slots) = make_patient(), bookable()
    [first] = ask(a_start(patient, slots[0].pk, visit_type.pk, key="one", reason='A "rash" é'))
    api = Api(patient)
    again = api.start(
        slot_id=slots[0].pk, visit_type_id=visit_type.pk, key="one", reason='A "rash" é'
    )
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    [repeated] = ask(a_start(patient, slots[0].pk, visit_type.pk, key="one", reason='A "rash" é'))
    assert repeated.content == first.content
    assert repeated.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    hold = Hold.objects.get()
    [confirmed] = ask(a_code(patient, hold.pk, code_of(hold)))
    other = api.verify(hold.pk, "000000")
    assert confirmed.content == other.content
    ours = {name: value for name, value in other.headers.items() if name != "X-Request-ID"}
    assert {name: confirmed.headers.get(name) for name in ours} == ours


def test_refusals_of_a_hold_are_answered_as_elsewhere() -> None:
    patient, (visit_type, slots) = make_patient(), bookable(count=6)
    take(slots[0], visit_type=visit_type, holder=as_patient(make_patient()))
    [held] = ask(a_start(patient, slots[0].pk, visit_type.pk))
    assert (held.status, held.json()["code"]) == (409, "slot-held")
    assert len(held.json()["alternatives"]) == 3
    make_appointment(slots=slots[1:2])
    assert refused(a_start(patient, slots[1].pk, visit_type.pk)) == (409, "slot-taken")
    assert refused(a_start(patient, "x", visit_type.pk)) == (422, "validation")
    assert refused(a_start(patient, slots[2].pk, 9_999_999)) == (422, "validation")
    without_key = a_start(patient, slots[2].pk, visit_type.pk)
    del without_key.scope.headers["idempotency-key"]
    assert refused(without_key) == (400, "idempotency-key-missing")
    nobody = a_start(patient, slots[2].pk, visit_type.pk)
    del nobody.scope.headers["authorization"]
    assert refused(nobody) == (401, "unauthenticated")
    [one] = ask(a_start(patient, slots[2].pk, visit_type.pk, key="k"))
    assert one.status == 201
    again = a_start(patient, slots[3].pk, visit_type.pk, key="k")
    assert refused(again) == (422, "idempotency-key-reused")


ORDINARY = [
    ({"accept": "text/html"}, 406),
    ({"accept": "application/json; indent=4, */*"}, 201),
    ({"content-type": "text/plain"}, 415),
    ({"content-type": "application/json; charset=hex"}, 400),
    ({"content-type": "application/json; odd=1"}, 201),
    ({"host": "elsewhere.example"}, 400),
    ({"x-long": "x" * 20_000}, 431),
    ({"authorization": "Bearer x"}, 401),
    ({"authorization": "Bearer \u0394"}, 500),
    ({"authorization": "Basic eDp5"}, 401),
]
# As libraries of apps send them.
HOT = [
    {"accept": "*/*"},
    {"accept": "application/json"},
    {"accept": "application/json, text/plain, */*"},
    {"accept": "text/html;q=0.8, application/json;q=0.9"},
    {"content-type": "application/json; charset=utf-8"},
    {"content-type": "application/json;charset=UTF-8"},
]


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which way each request went."""
    found: list[str] = []
    answer = rsgi._answer

    def noted(environ: Any, connection: Any) -> None:
        found.append("ordinary")
        answer(environ, connection)

    def made(call: HotCall, environ: Any, place: Any) -> Any:
        answered = in_a_fiber(call, environ, place)
        if answered is not None:
            found.append("hot")
        return answered

    in_a_fiber = HotCall.answer
    monkeypatch.setattr(rsgi, "_answer", noted)
    monkeypatch.setattr(HotCall, "answer", made)
    return found


@pytest.mark.parametrize(("odd", "status"), ORDINARY)
def test_odd_requests_go_the_ordinary_way(odd, status, ways) -> None:
    patient, (visit_type, slots) = make_patient(), bookable()
    line = a_start(patient, slots[0].pk, visit_type.pk)
    line.scope.headers |= odd
    [answer] = ask(line)
    assert (answer.status, ways) == (status, ["ordinary"])
    assert Hold.objects.count() == (status == 201)


@pytest.mark.parametrize("usual", HOT)
def test_requests_as_libraries_send_them_are_hot(usual, ways) -> None:
    patient, (visit_type, slots) = make_patient(), bookable()
    line = a_start(patient, slots[0].pk, visit_type.pk)
    line.scope.headers |= usual
    [answer] = ask(line)
    assert (answer.status, ways) == (201, ["hot"])


def test_query_an_empty_body_and_plain_http_go_the_ordinary_way(settings, ways) -> None:
    patient, (visit_type, slots) = make_patient(), bookable()
    query = a_start(patient, slots[0].pk, visit_type.pk)
    query.scope.query_string = "page=1"
    hold = take(slots[1], visit_type=visit_type, holder=as_patient(make_patient()))
    empty = Line(
        f"/api/v1/bookings/{hold.pk}/verify-otp", b"", {"authorization": token_of(patient)}
    )
    ask(query, empty)
    assert query.status == 201
    assert (empty.status, empty.json()["code"]) == (404, "not-found")
    settings.SECURE_SSL_REDIRECT = True
    in_the_clear = a_start(patient, slots[2].pk, visit_type.pk)
    assert refused(in_the_clear) == (403, "https-required")
    assert ways == ["ordinary"] * 3


def test_both_ways_send_the_same_headers(ways) -> None:
    patient, (visit_type, slots) = make_patient(), bookable()
    headers: dict[str, dict[str, str]] = {}

    def note(name: str, line: Line) -> Line:
        [answer] = ask(line)
        unique = {"X-Request-ID", "Location", "Content-Length", "ETag"}
        headers[name] = {key: text for key, text in answer.headers.items() if key not in unique}
        assert unique & {"X-Request-ID", "Content-Length"} <= set(answer.headers)
        return answer

    for way, accept in (("hot", "*/*"), ("ordinary", "application/json; indent=0, */*")):
        one = slots.pop()
        line = a_start(patient, one.pk, visit_type.pk)
        line.scope.headers["accept"] = accept
        started = note(f"hold, {way}", line)
        hold = Hold.objects.get(pk=started.json()["attemptId"])
        for name, code in (("wrong", wrong_code(hold)), ("right", code_of(hold))):
            note(f"{name}, {way}", a_code(patient, hold.pk, code, accept=accept))
    assert ways == ["hot"] * 3 + ["ordinary"] * 3
    for name in ("hold", "wrong", "right"):
        assert headers[f"{name}, hot"] == headers[f"{name}, ordinary"]


def test_request_that_goes_the_ordinary_way_waits_in_line_as_well(monkeypatch) -> None:
    monkeypatch.setattr(WaitingLine, "refuses", lambda _line, **_who: True)
    patient, (visit_type, slots) = make_patient(), bookable()
    line = a_start(patient, slots[0].pk, visit_type.pk)
    line.scope.headers["accept"] = "text/html"
    assert refused(line) == (503, "unavailable")


def test_failure_is_logged_and_answered_as_elsewhere(monkeypatch, caplog) -> None:
    def fails(*_args: object, **_more: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bookings.holding.api.start_booking", fails)
    patient, (visit_type, slots) = make_patient(), bookable()
    assert refused(a_start(patient, slots[0].pk, visit_type.pk)) == (500, "error")
    assert "ZeroDivisionError" in caplog.text


def test_requests_that_were_refused_while_busy_share_a_line(monkeypatch, caplog) -> None:
    monkeypatch.setattr(WaitingLine, "refuses", lambda _line, **_who: True)
    server = Server()

    async def refuse_two() -> None:
        server.__rsgi_init__(asyncio.get_running_loop())
        for _ in range(2):
            line = Line("/api/v1/bookings", b"{}", {})
            await server.__rsgi__(line.scope, line)
            assert line.status == 503
        async with asyncio.timeout(5):
            while server._refused:  # noqa: ASYNC110 - the server tells nobody when it logs
                await asyncio.sleep(0.05)

    asyncio.run(refuse_two())
    assert "'requests': 2" in caplog.text


def test_refusal_that_was_recorded_is_told_again() -> None:
    patient, (visit_type, slots) = make_patient(), bookable()
    make_appointment(slots=slots[:1])
    first, second = (a_start(patient, slots[0].pk, visit_type.pk, key="k") for _ in range(2))
    ask(first)
    ask(second)
    assert (first.status, second.status) == (409, 409)
    assert second.content == first.content
    assert second.headers["Idempotent-Replayed"] == "true"


def test_refusals_of_a_confirmation_are_answered_as_elsewhere() -> None:
    patient, stranger, (visit_type, slots) = make_patient(), make_patient(), bookable()
    [started] = ask(a_start(patient, slots[0].pk, visit_type.pk))
    hold = Hold.objects.get(pk=started.json()["attemptId"])
    assert refused(a_code(patient, hold.pk, wrong_code(hold))) == (422, "otp-invalid")
    assert refused(a_code(patient, hold.pk, "12")) == (422, "validation")
    assert refused(a_code(stranger, hold.pk, code_of(hold))) == (404, "not-found")
    assert AuditEvent.objects.filter(actor_id=stranger.pk).exists()
    assert refused(a_code(patient, uuid4(), "123456")) == (404, "not-found")
    for _ in range(3):
        assert refused(a_code(patient, hold.pk, wrong_code(hold)))[0] == 422
    assert refused(a_code(patient, hold.pk, wrong_code(hold))) == (429, "otp-locked")
    assert refused(a_code(patient, hold.pk, "12")) == (429, "otp-locked")


def test_visit_moves_and_a_key_may_come_with_its_code() -> None:
    patient, (visit_type, slots) = make_patient(), bookable()
    [started] = ask(a_start(patient, slots[0].pk, visit_type.pk))
    old = started.json()["attemptId"]
    ask(a_code(patient, old, code_of(Hold.objects.get(pk=old))))
    [moving] = ask(a_start(patient, slots[1].pk, visit_type.pk, replaces=old))
    assert moving.status == 201
    new = Hold.objects.get(pk=moving.json()["attemptId"])
    code = code_of(new)
    first, second = (a_code(patient, new.pk, code, **{"idempotency-key": "k"}) for _ in range(2))
    ask(first)
    ask(second)
    assert (first.status, second.status) == (200, 200)
    assert (first.json()["replaces"], second.content) == (old, first.content)
    assert Appointment.objects.get(pk=old).status == "rescheduled"


def test_beyond_what_can_be_answered_requests_are_refused_at_once(monkeypatch) -> None:
    monkeypatch.setattr(waiting_line, "INSIDE", 2)
    monkeypatch.setattr(waiting_line, "SECONDS_OF_A_CROWD", 0)
    monkeypatch.setattr(waiting_line, "SECONDS_OF_A_LINE", 0)
    patients = [make_patient() for _ in range(5)]
    wanted = [bookable() for _ in patients]
    answers = ask(
        *(
            a_start(patient, slots[0].pk, visit_type.pk)
            for patient, (visit_type, slots) in zip(patients, wanted, strict=True)
        )
    )
    # Two at once, and one who waits.
    assert sorted(each.status for each in answers) == [201, 201, 201, 503, 503]
    busy = next(each for each in answers if each.status == 503)
    assert busy.json()["code"] == "unavailable"
    assert busy.json()["instance"] == busy.headers["X-Request-ID"]
    assert busy.headers["Content-Type"] == "application/problem+json"
    assert busy.headers["Retry-After"] == "1"
    assert Hold.objects.count() == 3


def test_who_has_waited_for_too_long_is_refused_as_well(monkeypatch) -> None:
    async def never(_line: WaitingLine, **_who: bool) -> bool:
        return False

    monkeypatch.setattr(WaitingLine, "enter", never)
    patient, (visit_type, slots) = make_patient(), bookable()
    assert refused(a_start(patient, slots[0].pk, visit_type.pk)) == (503, "unavailable")
    assert not Hold.objects.exists()
