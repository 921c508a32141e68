"""Requests that are too long, too deep or have too many parts are refused early, by counting."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.test import Client

from docbook.http import parsers
from docbook.http.limits import LONGEST_LINE
from tests.api.client import problem

pytestmark = pytest.mark.django_db
TOKEN = "/api/v1/auth/token"


def _sent(body: Any, *, path: str = TOKEN) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return Client().post(path, text, content_type="application/json")


def _nested(depth: int) -> Any:
    return [_nested(depth - 1)] if depth else "x"


@pytest.mark.parametrize(
    "body",
    [
        {f"key{number}": 1 for number in range(101)},
        {"email": {f"key{number}": 1 for number in range(60)}, "more": {"a": [{"b": {}}] * 41}},
        {"email": ["x"] * 201},
        {"email": [["x"] * 20] * 10},
        {"email": _nested(10)},
    ],
    ids=["keys", "keys of all objects", "items", "items of all lists", "depth"],
)
def test_body_with_too_many_parts_cannot_be_read(body: Any) -> None:
    problem(_sent(body), code="malformed", status=400)


@pytest.mark.parametrize("number", ["9" * 41, "1." + "9" * 40, "1e400", "-1e999"])
def test_number_that_nobody_can_hold_is_no_json_of_ours(number: str) -> None:
    problem(_sent(f'{{"email": {number}}}'), code="malformed", status=400)


@pytest.mark.parametrize("text", ["[" * 60_000, '{"a":' * 10_000, "1" * 63_000])
def test_depth_and_digits_without_end_are_malformed(text: str) -> None:
    problem(_sent(text), code="malformed", status=400)


@pytest.mark.parametrize("path", [TOKEN, "/api/v1/auth/token/refresh"])
def test_sixty_thousand_unknown_keys_are_too_large_and_the_answer_is_small(path: str) -> None:
    response = _sent({f"key-{number}": 1 for number in range(60_000)}, path=path)
    problem(response, code="too-large", status=413)
    assert len(response.content) < 1000


def test_no_more_of_a_body_is_read_than_may_be_sent(monkeypatch) -> None:
    read = []

    class Stream(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            read.append(size)
            return super().read(size)

    with pytest.raises(parsers.TooLarge):
        parsers.StrictJSONParser().parse(Stream(b" " * 10_000_000))
    assert read == [parsers.LARGEST + 1]


def test_of_a_hundred_mistakes_twenty_are_told() -> None:
    answer = problem(
        _sent({f"key{number}": 1 for number in range(100)}), code="validation", status=422
    )
    assert len(answer["errors"]) == 20


def test_long_names_and_values_are_not_sent_back() -> None:
    named = _sent({"x" * 50_000: 1})
    assert len(named.content) < 1000
    errors = problem(named, code="validation", status=422)["errors"]
    assert max(len(error["pointer"]) for error in errors) == 100


@pytest.mark.parametrize(
    "query", ["order", "mode", "specialty", "city", "language", "available_on", "max_fee", "cursor"]
)
def test_what_a_filter_does_not_know_is_not_sent_back_whole(query: str) -> None:
    response = Client().get("/api/v1/doctors", {query: "y" * 7000})
    assert response.status_code in (200, 422)
    assert len(response.content) < 1000


def test_query_with_more_names_than_any_list_has_is_refused() -> None:
    query = "&".join(f"a{number}=" for number in range(600))
    problem(Client().get(f"/api/v1/doctors?{query}"), code="malformed", status=400)
    assert Client().get(f"/doctors/?{query}").status_code == 400


@pytest.mark.parametrize("path", ["/doctors/", "/accounts/login/", "/healthz"])
def test_query_that_is_too_long_is_refused_before_it_is_read(path: str) -> None:
    assert Client().get(f"{path}?q={'x' * (LONGEST_LINE + 1)}").status_code == 431
    assert Client().get(f"{path}?q={'x' * 7000}").status_code == 200


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "Idempotency-Key", "If-Match", "X"])
def test_header_that_is_too_long_is_refused_before_it_is_read(name: str) -> None:
    response = Client().get("/api/v1/me", headers={name: "a=1; " * (LONGEST_LINE // 4)})
    problem(response, code="headers-too-large", status=431)


def test_many_headers_are_refused_together() -> None:
    headers = {f"X-{number}": "x" * 7000 for number in range(5)}
    problem(Client().get("/api/v1/me", headers=headers), code="headers-too-large", status=431)


@pytest.mark.parametrize("path", ["/book/", "/accounts/login/", "/accounts/signup/"])
@pytest.mark.parametrize("is_multipart", [True, False])
def test_form_with_more_fields_than_any_of_ours_is_refused(path: str, is_multipart: bool) -> None:
    fields = {f"a{number}": "1" for number in range(600)}
    if is_multipart:
        response = Client().post(path, fields)
    else:
        body = "&".join(f"{name}=1" for name in fields)
        response = Client().post(path, body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 400


def test_limit_is_counted_before_the_body_is_read() -> None:
    answers = [_sent("[" * 60_000) for _ in range(11)]
    assert [each.status_code for each in answers] == [400] * 10 + [429]
