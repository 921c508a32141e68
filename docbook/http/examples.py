"""Requests and answers for the API's description. Each app adds its own."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

Json = dict[str, Any]

# A value for each required part of a request.
_OF_PARAMETERS = {
    "booking_id": "0190b4a2-7b1e-7c3d-9a55-3f0e6d1c2b4a",
    "date": "2027-01-11",
    "doctor_id": 7,
    "entry_id": "0190b4a2-8c11-7d02-8e4b-5b7d2a9c1f30",
    "offer_id": "0190b4a2-9d22-7e13-9f5c-6c8e3bad2041",
    "Idempotency-Key": "5f0c7d1a-3c0e-4a58-9a76-0c1f2f6f7b11",
    "If-Match": '"1"',
}


def request(name: str, value: Json) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


def answer(name: str, value: Json, *, status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=[str(status)])


def page(item: Json) -> Json:
    """A list with one item."""
    info = {"page": 1, "limit": 20, "totalPages": 1, "totalItems": 1, "nextCursor": None}
    return {"items": [item], "pageInfo": info}


def add_examples_of_parameters(result: Json, **_context: object) -> Json:
    """drf-spectacular's hook. A new required parameter needs a line above."""
    for operations in result["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter.get("required"):
                    parameter["example"] = _OF_PARAMETERS[parameter["name"]]
    return result
