"""Whatever a client sends, the answer is a problem that says what is wrong, and never a 500."""

import json
from typing import Any
from uuid import uuid4

import pytest

from bookings.models import Hold
from tests.api.client import Api, pointers, problem
from tests.bookings.acts import bookable
from tests.bookings.traces import traces
from tests.factories import make_patient

pytestmark = pytest.mark.django_db
DEEP = 10_000
ONE_OF = "Name either a doctor and a reason, or a specialty and a city."
UNKNOWN = "01985f3e-0000-7000-8000-000000000001"


@pytest.fixture
def api() -> Api:
    return Api(make_patient())


def send(api: Api, text: str | bytes, **options: str) -> Any:
    return api.send("bookings", text, Idempotency_Key=str(uuid4()), **options)


def test_all_classes_of_mistakes_in_a_body_are_told_at_once(api: Api) -> None:
    sent = {"slotId": "x", "foo": 2, "reason": "x" * 501}
    errors = send(api, json.dumps(sent)).json()["errors"]
    assert {each["pointer"]: each["detail"] for each in errors} == {
        "/foo": "This field is not known.",
        "/slotId": "Write a whole number.",
        "/visitTypeId": "This field is required.",
        "/reason": "Write at most 500 characters.",
    }


def test_all_classes_of_mistakes_in_a_query_are_told_at_once() -> None:
    answer = Api().get("doctors?foo=1&mode=pigeon&order=name&order=fee&max_fee=1.5")
    errors = problem(answer, code="validation", status=422)["errors"]
    assert {each["pointer"]: each["detail"] for each in errors} == {
        "/foo": "This part of the query is not known.",
        "/mode": "Write one of these: in_person, video, phone.",
        "/order": "This part of the query stands twice.",
        "/max_fee": "Write a whole number.",
    }


@pytest.mark.parametrize("body", [{}, {"doctorId": 1, "specialty": "x"}])
def test_waitlist_says_that_a_doctor_or_a_specialty_is_needed(api: Api, body: Any) -> None:
    answer = api.post("waitlist", body, Idempotency_Key=str(uuid4()))
    errors = problem(answer, code="validation", status=422)["errors"]
    assert {(each["pointer"], each["code"]) for each in errors} == {
        ("/from", "required"), ("/until", "required"), ("/doctorId", "one-of"),
    }  # fmt: skip
    assert ONE_OF in [each["detail"] for each in errors]


@pytest.mark.parametrize("query", ["order=bogus", "mode=bogus", "max_fee=-1", "max_fee=1000000"])
def test_refusals_of_a_query_are_in_our_own_words(query: str) -> None:
    errors = problem(Api().get(f"doctors?{query}"), code="validation", status=422)["errors"]
    assert errors[0]["detail"] in {
        "Write one of these: next_free, fee, name.",
        "Write one of these: in_person, video, phone.",
        "The minimum is 0.",
        "The maximum is 100000.",
    }


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("city=nowhere", "/city"), ("specialty=nonsense", "/specialty"), ("language=xx", "/language")],
)
def test_search_for_what_does_not_exist_is_refused_at_its_field(query: str, pointer: str) -> None:
    bookable()
    body = problem(Api().get(f"doctors?{query}"), code="validation", status=422)
    assert pointers(body) == [pointer]
    assert body["errors"][0]["code"] == "unknown"


@pytest.mark.parametrize("query", ["language=fi", "currency=USD", "city=UTRECHT", "language=NL"])
def test_search_for_what_exists_and_nobody_has_finds_nobody(query: str) -> None:
    bookable()
    assert Api().get(f"doctors?{query}").status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "slotId=1",
        '{"slotId": 1,}',
        "{'slotId': 1}",
        '{"slotId": NaN, "visitTypeId": 1}',
        '{"slotId": Infinity, "visitTypeId": 1}',
        '{"slotId": 1, "slotId": 2, "visitTypeId": 1}',
        '{"slotId": 1, "visitTypeId": 1, "reason": "a\\u0000b"}',
        '{"slotId": 1, "visitTypeId": 1, "reason": "\\ud800"}',
        '{"slotId": 1, "visitTypeId": 1, "\\u0000": 1}',
        "[" * DEEP + "]" * DEEP,
        '{"a":' * DEEP + "1" + "}" * DEEP,
        '{"slotId": ' + "[" * 40 + "]" * 40 + "}",
        '{"slotId": ' + "9" * 5000 + ', "visitTypeId": 1}',
        b"\xff\xfe\x00{",
        b'{"reason": "\xff"}',
    ],
    ids=lambda text: repr(text[:40]),
)
def test_body_that_is_no_json_is_malformed(api: Api, text: str | bytes) -> None:
    problem(send(api, text), code="malformed", status=400)
    assert not Hold.objects.exists()


@pytest.mark.parametrize("text", ["[]", "null", "7", '"text"', "[{}]"])
def test_body_that_is_no_object_cannot_be_accepted(api: Api, text: str) -> None:
    assert pointers(problem(send(api, text), code="validation", status=422)) == [""]


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", "x"])
def test_other_content_types_are_not_read(api: Api, kind: str) -> None:
    answer = send(api, "{}", content_type=kind)
    problem(answer, code="unsupported-media-type", status=415)


def test_charset_beside_the_content_type_does_no_harm(api: Api) -> None:
    answer = send(api, "{}", content_type="application/json; charset=utf-8")
    assert pointers(problem(answer, code="validation", status=422)) == ["/slotId", "/visitTypeId"]


@pytest.mark.parametrize("field", ["status", "patientId", "isStaff", "price", "reason/x"])
def test_unknown_field_is_named_and_nothing_is_written(api: Api, field: str) -> None:
    visit_type, slots = bookable()
    before = traces()
    answer = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk, **{field: "1"})
    body = problem(answer, code="validation", status=422)
    assert pointers(body) == [f"/{field.replace('/', '~1')}"]
    assert body["errors"][0]["code"] == "unknown"
    assert traces() == before


@pytest.mark.parametrize("value", [None, "", "x", -1, 0, 1.5, 2**63, [], {}, "1e400"])
@pytest.mark.parametrize("field", ["slotId", "visitTypeId"])
def test_id_that_is_none_is_a_problem_of_its_field(api: Api, field: str, value: Any) -> None:
    body = {"slotId": 1, "visitTypeId": 1} | {field: value}
    answer = api.post("bookings", body, Idempotency_Key=str(uuid4()))
    assert pointers(problem(answer, code="validation", status=422)) == [f"/{field}"]


@pytest.mark.parametrize("reason", [None, "x" * 501, [], {"a": 1}])
def test_reason_that_is_no_short_text_is_a_problem_of_its_field(api: Api, reason: Any) -> None:
    visit_type, slots = bookable()
    answer = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk, reason=reason)
    assert pointers(problem(answer, code="validation", status=422)) == ["/reason"]


@pytest.mark.parametrize(
    "code",
    [
        None,
        "",
        1.5,
        [],
        {},
        "12345",
        "1234567",
        "１２３４５６",
        "12 34 56",
        "9" * 50_000,
    ],
    ids=lambda code: repr(code)[:20],
)
def test_code_that_is_not_six_digits_is_a_problem_and_costs_no_try(api: Api, code: Any) -> None:
    visit_type, slots = bookable()
    hold_id = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk).json()["attemptId"]
    before = traces()
    answer = api.verify(hold_id, code)
    assert pointers(problem(answer, code="validation", status=422)) == ["/code"]
    assert traces() == before


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("doctors?available_on=2026-02-30", "available_on"),
        ("doctors?available_on=24:00", "available_on"),
        ("doctors?available_on=0001-01-01", "available_on"),
        ("doctors?available_on=9999-12-31", "available_on"),
        ("doctors?max_fee=-1", "max_fee"),
        ("doctors?max_fee=many", "max_fee"),
        ("doctors?mode=telepathy", "mode"),
        ("doctors?order=password", "order"),
        ("doctors?q=" + "x" * 81, "q"),
        ("doctors?specialty=no%20slug", "specialty"),
        ("doctors?page=0", "page"),
        ("doctors?page=1000000000", "page"),
        ("doctors?page=１", "page"),
        ("doctors?limit=0", "limit"),
        ("doctors?limit=101", "limit"),
        ("doctors?limit=1000000", "limit"),
        ("doctors?limit=-5", "limit"),
        ("doctors?offset=-1", "offset"),
        ("doctors?offset=1e3", "offset"),
        ("doctors?cursor=forged", "cursor"),
        ("doctors/{doctor}/slots", "date"),
        ("doctors/{doctor}/slots?date=yesterday", "date"),
        ("doctors/{doctor}/slots?date=2026-11-24T24:00", "date"),
        ("doctors/{doctor}/slots?date=0001-01-01", "date"),
        ("doctors/{doctor}/slots?date=9999-12-31", "date"),
        ("doctors/{doctor}/slots?date=2026-11-24&visit_type=x", "visit_type"),
        ("doctors/{doctor}/slots?date=2026-11-24&visit_type=9999999", "visit_type"),
        ("bookings?status=asleep", "status"),
        ("bookings?from=yesterday", "from"),
        ("bookings?to=2026-13-01T00:00:00Z", "to"),
        ("bookings?doctor_id=0", "doctor_id"),
        ("bookings?doctor_id=99999999999999999999", "doctor_id"),
    ],
)
def test_query_that_means_nothing_names_its_field(api: Api, path: str, wrong: str) -> None:
    visit_type, _slots = bookable()
    answer = api.get(path.format(doctor=visit_type.doctor_id))
    assert pointers(problem(answer, code="validation", status=422)) == [f"/{wrong}"]


@pytest.mark.parametrize(
    "query",
    ["date=1900-01-01", "date=8999-12-31", "date=2028-02-29", "date=2026-03-29", "date=2026-10-25"],
)
def test_every_real_date_has_an_answer(query: str) -> None:
    visit_type, _slots = bookable()
    answer = Api().get(f"doctors/{visit_type.doctor_id}/slots?{query}")
    assert answer.status_code == 200
    assert answer.json()["items"] == []


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize(
    "moment",
    [
        "2026-12-01",
        "2026-12-01T10:00",
        "2026-12-01T10:00:00",
        "2026-12-01T10:00Z",
        "2026-12-01 10:00:00Z",
        "2026-12-01T10:00:00+01:00",  # a space by the time it is read
        "2026-12-01T10:00:00%2B0100",
        "2026-12-01T10:00:00%2B24:00",
        "2026-12-01T10:00:00 Europe/Amsterdam",
        "2026-12-01T10:00:60Z",
        "2026-12-01T24:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-W49-2T10:00:00Z",
        "20261201T100000Z",
        "１２-12-01T10:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00%2B14:00",
        "9999-12-31T23:59:59-12:00",
        "1764583200",
        "",
    ],
)
def test_what_is_no_single_instant_is_refused_with_an_example(
    api: Api, name: str, moment: str
) -> None:
    refused = problem(api.get(f"bookings?{name}={moment}"), code="validation", status=422)
    assert pointers(refused) == [f"/{name}"]


def test_a_day_in_place_of_an_instant_is_told_what_is_missing(api: Api) -> None:
    refused = problem(api.get("bookings?from=2026-12-01"), code="validation", status=422)
    assert "with its offset, like 2026-12-01T09:00:00+01:00" in refused["errors"][0]["detail"]


@pytest.mark.parametrize(
    "moment",
    [
        "2026-12-01T10:00:00Z",
        "2026-12-01t10:00:00z",
        "2026-12-01T10:00:00.123456789Z",
        "2026-12-01T10:00:00%2B05:45",
        "2026-12-01T10:00:00-23:59",
        "1900-01-01T00:00:00Z",
        "8999-12-31T23:59:59Z",
    ],
)
def test_every_instant_of_rfc_3339_is_taken(api: Api, moment: str) -> None:
    assert api.get(f"bookings?from={moment}").status_code == 200
    assert api.get(f"bookings?to={moment}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "doctors?available_on={day}",
        "doctors/{doctor}/slots?date={day}",
    ],
)
@pytest.mark.parametrize(
    "day",
    [
        "2026-12-01T10:00:00Z",
        "2026-12-1",
        "20261201",
        "2026-W49-2",
        "12/31/2026",
        "2026-12-01 ",
        "",
    ],
)
def test_what_is_no_day_is_refused_with_an_example(api: Api, path: str, day: str) -> None:
    visit_type, _slots = bookable()
    answer = api.get(path.format(doctor=visit_type.doctor_id, day=day))
    refused = problem(answer, code="validation", status=422)
    assert refused["errors"][0]["detail"] == "Write a day like 2026-12-01, without a time."


@pytest.mark.parametrize("text", ["%", "_", "'; DROP TABLE doctors_doctor; --", "\\", "%%_%%"])
def test_wildcards_and_sql_in_the_search_are_only_letters(text: str) -> None:
    bookable()
    answer = Api().get("doctors", {"q": text})
    assert answer.status_code == 200
    assert answer.json()["items"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nowhere", 404),
        ("doctors/9999999", 404),
        ("doctors/" + "9" * 18, 404),
        ("doctors/" + "9" * 40, 404),
        ("doctors/-1", 404),
        ("doctors/abc/slots", 404),
        ("bookings/not-a-uuid", 404),
        (f"bookings/{UNKNOWN}", 404),
        ("bookings/00000000-0000-0000-0000-000000000000", 404),
    ],
)
def test_unknown_address_is_a_problem(api: Api, path: str, status: int) -> None:
    problem(api.get(path), code="not-found", status=status)


@pytest.mark.parametrize("path", ["doctors", "me", "doctors/1"])
def test_method_that_an_address_does_not_know_is_a_problem(api: Api, path: str) -> None:
    answer = api.post(path)
    problem(answer, code="method-not-allowed", status=405)
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "path", ["me", "bookings", f"bookings/{UNKNOWN}", "doctors/1/appointments?date=2026-11-24"]
)
def test_caller_without_a_token_is_asked_to_sign_in(path: str) -> None:
    problem(Api().get(path), code="unauthenticated", status=401)


def test_answer_in_another_format_is_not_to_be_had() -> None:
    problem(Api().get("doctors", Accept="text/csv"), code="not-acceptable", status=406)


def test_long_and_odd_but_honest_text_is_kept_as_it_is(api: Api) -> None:
    visit_type, slots = bookable()
    reason = "Zoë Ōtani 🩺 <b>=1+1</b> '; --\n" + "x" * 400
    started = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk, reason=reason)
    assert started.status_code == 201
    assert Hold.objects.get().reason == reason
    assert json.loads(started.content)["status"] == "held"
