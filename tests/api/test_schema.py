"""The OpenAPI description is valid, and requests that follow it are answered as it says.

The members of each refusal are checked wherever tests meet one: see tests.api.described.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import schemathesis
import yaml
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bookings.models import Hold
from docbook.http.problem_schema import MEMBERS
from docbook.http.rate_policies import POLICIES
from tests.api.client import Api, problem
from tests.bookings.acts import as_patient, book, bookable
from tests.factories import make_patient
from tests.limits import allow

pytestmark = pytest.mark.django_db
SCHEMA = "/api/v1/schema/"
AS_DESCRIBED = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


def description() -> dict[str, Any]:
    response = Client().get(SCHEMA)
    assert response.status_code == 200
    return dict(yaml.safe_load(response.content))


def test_schema_is_valid_openapi_3_1() -> None:
    schema = description()
    validate_schema(schema)
    assert schema["openapi"].startswith("3.1")


def test_schema_names_the_refusals_of_every_operation_as_problems() -> None:
    for path, operations in description()["paths"].items():
        for method, operation in operations.items():
            refusals = {
                status: each for status, each in operation["responses"].items() if status >= "4"
            }
            assert refusals.pop("default") == {"$ref": "#/components/responses/AnyTime"}
            assert "503" in refusals, (method, path)
            for each in refusals.values():
                assert list(each["content"]) == ["application/problem+json"], (method, path)


def test_every_refusal_of_an_operation_is_a_type_that_its_code_names() -> None:
    schemas = description()["components"]["schemas"]
    named = {
        each["discriminator"]["mapping"][code]: code
        for operations in description()["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
        for media in response.get("content", {}).values()
        if "discriminator" in (each := media["schema"])
        for code in each["discriminator"]["mapping"]
    }
    assert MEMBERS.keys() <= set(named.values())
    for ref, code in named.items():
        _all, own = schemas[ref.rpartition("/")[2]]["allOf"]
        assert own["properties"]["code"]["enum"] == [code]
        assert own["properties"].keys() - {"code"} == MEMBERS.get(code, {}).keys()


def test_limit_of_a_network_tells_when_to_come_again(settings) -> None:
    settings.LIVE_HOLDS_PER_ADDRESS = 1
    visit_type, slots = bookable()
    for slot in slots[:2]:
        answer = Api(make_patient()).start(slot_id=slot.pk, visit_type_id=visit_type.pk)
    refusal = problem(answer, code="hold-limit", status=409)
    assert datetime.fromisoformat(refusal["retryAt"]) == Hold.objects.get().expires_at


def test_documentation_is_shown_under_our_policy() -> None:
    page = Client().get("/api/v1/docs/")
    assert page.status_code == 200
    assert "<script>" not in page.content.decode()
    assert "https://" not in page.content.decode()


def operations() -> list[Any]:
    """Found when the tests are collected: describing them takes no database."""
    schema = schemathesis.openapi.from_wsgi(SCHEMA, get_wsgi_application())
    return [each.ok() for each in schema.get_all_operations()]


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """A request of the real server ends by closing its connection, and with it our transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def _no_limits(monkeypatch) -> None:
    """A refusal by a limit says nothing about the request."""
    allow(monkeypatch, **dict.fromkeys(POLICIES, 10_000))


@pytest.mark.usefixtures("_one_connection")
@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.label)
def test_whatever_is_sent_is_answered_as_described(operation: Any) -> None:
    _ask(operation, GenerationMode.POSITIVE, checks=AS_DESCRIBED)


@pytest.mark.usefixtures("_one_connection", "_no_limits")
@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.label)
def test_what_breaks_the_description_is_refused(operation: Any) -> None:
    checks = [*AS_DESCRIBED, negative_data_rejection]
    _ask(operation, GenerationMode.NEGATIVE, checks=checks, most=25)


def _ask(operation: Any, mode: GenerationMode, *, checks: list[Any], most: int = 15) -> None:
    patient = make_patient()
    visit_type, slots = bookable()
    book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    headers = Api(patient).headers

    @settings(
        max_examples=most,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        response = case.call(headers=headers)
        assert response.status_code < 500, response.text
        case.validate_response(response, checks=checks)

    ask()


def test_every_body_of_a_request_refuses_what_it_does_not_name() -> None:
    schemas = description()["components"]["schemas"]
    bodies = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
        for operations in description()["paths"].values()
        for operation in operations.values()
        if "requestBody" in operation
    }
    for name in bodies:
        assert schemas[name]["additionalProperties"] is False, name
        fields = schemas[name]["properties"].values()
        assert not [field for field in fields if "default" in field], name


def test_every_id_is_of_64_bits_wherever_it_stands() -> None:
    found = [
        (name, schema)
        for name, schema in _integers(description())
        if name == "id" or name.lower().endswith(("id", "visit_type"))
    ]
    assert len(found) > 12
    assert [name for name, schema in found if schema.get("format") != "int64"] == []


def _integers(part: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, list):
        for each in part:
            yield from _integers(each, name)
    if isinstance(part, dict):
        if "integer" in (
            part.get("type"),
            *(part["type"] if isinstance(part.get("type"), list) else ()),
        ):
            yield name, part
        here = part.get("name") if isinstance(part.get("name"), str) else name
        for key, each in part.items():
            yield from _integers(each, str(here) if key == "schema" else key)


def test_what_the_description_bounds_is_refused_beyond() -> None:
    door, doctor = Api(make_patient()), bookable()[0].doctor
    day = {"date": "2026-12-01"}
    for path, query in (("doctors", {}), (f"doctors/{doctor.pk}/slots", day), ("bookings", {})):
        for beyond in ({"page": 0}, {"limit": 0}, {"limit": 101}, {"offset": -1}, {"cursor": ""}):
            answer = door.get(path, query | beyond)
            told = problem(answer, code="validation", status=422)
            assert told["errors"][0]["pointer"] == f"/{next(iter(beyond))}"


@pytest.mark.parametrize("path", ["doctors", "bookings", "waitlist"])
def test_part_of_a_query_that_nobody_knows_is_refused_by_its_name(path: str) -> None:
    answer = Api(make_patient()).get(path, {"specialy": "dermatology"})
    told = problem(answer, code="validation", status=422)
    assert [(error["pointer"], error["code"]) for error in told["errors"]] == [
        ("/specialy", "unknown")
    ]
