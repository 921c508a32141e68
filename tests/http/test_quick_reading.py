"""The API's shortcuts give the results of REST framework's own ways."""

import json
from typing import Any

import pytest
from django.http import Http404
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from bookings.holding.serializers import BookingIn, CodeIn
from docbook.http.negotiation import QuickNegotiation
from docbook.http.serializers import read_body

ACCEPTS = [
    None, "", "*/*", "application/json", "application/json; indent=8", "text/html", "text/*",
    "text/html, application/json;q=0.5", "application/xml", "nonsense",
]  # fmt: skip


def asked(accept: str | None, query: str) -> Request:
    headers = {} if accept is None else {"HTTP_ACCEPT": accept}
    return Request(APIRequestFactory().get(f"/{query}", **headers))


def chosen(negotiation: DefaultContentNegotiation, request: Request, suffix: str | None) -> Any:
    renderers = [JSONRenderer(), BrowsableAPIRenderer()]
    try:
        renderer, media_type = negotiation.select_renderer(request, renderers, suffix)
    except (APIException, Http404) as error:
        return type(error)
    return type(renderer), media_type


@pytest.mark.parametrize("suffix", [None, "api"])
@pytest.mark.parametrize("query", ["", "?format=api", "?format=", "?format=csv"])
@pytest.mark.parametrize("accept", ACCEPTS)
def test_format_of_an_answer_is_the_one_of_rest_framework(accept, query, suffix) -> None:
    request = asked(accept, query)

    assert chosen(QuickNegotiation(), request, suffix) == chosen(
        DefaultContentNegotiation(), request, suffix
    )


GOOD = {"slotId": 1, "visitTypeId": 2}
BODIES = [
    GOOD, GOOD | {"reason": " A rash ", "phone": "+31 6 12345678"}, GOOD | {"slotId": "1"},
    GOOD | {"slotId": None, "more": 1}, {"slotId": 0}, {}, None, [], "text", 7,
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_body_is_read_as_a_new_serializer_reads_it(body: Any) -> None:
    found: list[Any] = []
    for _n in range(2):
        try:
            found.append(read_body(BookingIn, sent(body)))
        except ValidationError as error:
            found.append(error.get_full_details())
    fresh = BookingIn(data=body)
    expected = dict(fresh.validated_data) if fresh.is_valid() else errors_of(fresh)
    assert found == [expected, expected]


def test_body_that_is_no_json_stays_that_error() -> None:
    request = APIRequestFactory().post("/", "{", content_type="application/json")
    with pytest.raises(APIException) as refused:
        read_body(CodeIn, Request(request, parsers=[JSONParser()]))
    assert refused.value.status_code == 400


def sent(body: Any) -> Request:
    request = APIRequestFactory().post("/", json.dumps(body), content_type="application/json")
    return Request(request, parsers=[JSONParser()])


def errors_of(serializer: Any) -> Any:
    return ValidationError(serializer.errors).get_full_details()
