"""The OpenAPI description is valid, and whatever is sent along it is answered, never by a 5xx."""

from collections.abc import Iterator
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

from tests.api.client import Api
from tests.bookings.acts import as_patient, book, bookable
from tests.factories import make_patient

pytestmark = pytest.mark.django_db
SCHEMA = "/api/v1/schema/"


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
            refusals = [each for status, each in operation["responses"].items() if status >= "4"]
            assert refusals, (method, path)
            for each in refusals:
                assert list(each["content"]) == ["application/problem+json"], (method, path)


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


@pytest.mark.usefixtures("_one_connection")
@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.label)
def test_whatever_is_sent_is_answered_without_a_server_error(operation: Any) -> None:
    patient = make_patient()
    visit_type, slots = bookable()
    book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    headers = Api(patient).headers

    @settings(
        max_examples=15,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        response = case.call(headers=headers)
        assert response.status_code < 500, response.text

    ask()
