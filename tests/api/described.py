"""Whether an answer matches the API's description, to the last member and header."""

import re
from functools import cache
from typing import Any

from django.http import HttpResponse
from django.urls import Resolver404, resolve
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from docbook.typed_text import folded_code

# Headers of every answer of Django or HTTP itself; no API client is written for them.
_OF_EVERY_ANSWER = {
    "allow",
    "cache-control",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "referrer-policy",
    "vary",
    "x-content-type-options",
    "x-frame-options",
}


@cache
def description() -> dict[str, Any]:
    made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return dict(made)


def operation_of(path: str, method: str) -> dict[str, Any]:
    """By an address without its root: bookings, bookings/…/cancel."""
    found = _template(f"/api/v1/{path}")
    return dict(description()["paths"][found][method])


def parameters_of(path: str, method: str) -> dict[tuple[str, str], dict[str, Any]]:
    """By their place and name."""
    parameters = operation_of(path, method).get("parameters", ())
    return {(each["in"], each["name"]): each for each in parameters}


def assert_described(response: HttpResponse, *, method: str, path: str) -> None:
    """For a described operation; other addresses and methods have no described answers."""
    operation = description()["paths"].get(_template(path), {}).get(method)
    if operation is not None:
        told = operation["responses"]
        answer = _resolved(told.get(str(response.status_code)) or told["default"])
        _assert_headers(response, answer.get("headers", {}))
        _assert_body(response, answer.get("content", {}))


def assert_request_described(
    *, method: str, path: str, query: dict[str, Any], headers: dict[str, str], body: Any
) -> None:
    """For a request that succeeded: nothing in it may break the description."""
    operation = description()["paths"].get(_template(path), {}).get(method)
    if operation is None:
        return
    asked = {(each["in"], each["name"]): each for each in operation.get("parameters", ())}
    sent = {("query", name): value for name, value in query.items()}
    sent |= {("path", name): str(value) for name, value in resolve(path).kwargs.items()}
    sent |= {("header", name): value for name, value in headers.items()}
    assert {key for key, each in asked.items() if each.get("required")} <= sent.keys()
    unknown = {key for key in sent.keys() - asked.keys() if key[0] == "query"}
    assert not unknown, f"not described: {unknown}"
    for key in sent.keys() & asked.keys():
        schema = asked[key]["schema"]
        value = int(sent[key]) if schema.get("type") == "integer" else sent[key]
        _valid(value, schema)
    if told := operation.get("requestBody"):
        _valid(body, told["content"]["application/json"]["schema"])


def _valid(value: Any, schema: dict[str, Any]) -> None:
    """Folds what a copied text brings along: no API client writes that on purpose."""
    if isinstance(value, dict):
        value = {
            name: folded_code(each) if isinstance(each, str) else each
            for name, each in value.items()
        }
    components = {"components": description()["components"]}
    Draft202012Validator(schema | components).validate(value)


def _template(path: str) -> str:
    """As the description has it: /api/v1/doctors/{doctor_id}."""
    try:
        route = resolve(path.partition("?")[0]).route
    except Resolver404:
        return ""
    return "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)


def _assert_headers(response: HttpResponse, told: dict[str, Any]) -> None:
    sent = {name.lower(): value for name, value in response.headers.items()}
    described = {name.lower(): _resolved(header) for name, header in told.items()}
    unknown = sent.keys() - described.keys() - _OF_EVERY_ANSWER
    assert not unknown, f"not described: {unknown}"
    missing = {name for name, each in described.items() if each.get("required")} - sent.keys()
    assert not missing, f"described, and not sent: {missing}"
    for name in described.keys() & sent.keys():
        schema = described[name]["schema"]
        value = int(sent[name]) if schema["type"] == "integer" else sent[name]
        Draft202012Validator(schema).validate(value)


def _assert_body(response: HttpResponse, told: dict[str, Any]) -> None:
    if not told:
        assert response.content == b""
        return
    kind = response.headers["Content-Type"]
    assert kind in told, f"{kind} is not described"
    schema = told[kind]["schema"]
    components = {"components": description()["components"]}
    Draft202012Validator(schema | components).validate(response.json())
    unknown = _unknown(response.json(), schema)
    assert not unknown, f"not described: {unknown}"


def _unknown(data: Any, schema: dict[str, Any]) -> list[str]:
    """The members, at any depth, that the schema does not name."""
    if isinstance(data, list):
        items = _resolved(schema).get("items", {})
        return [name for each in data for name in _unknown(each, items)]
    if not isinstance(data, dict):
        return []
    told = _properties(data, schema)
    return [
        name
        for member, value in data.items()
        for name in (_unknown(value, told[member]) if member in told else [member])
    ]


def _properties(data: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    schema = _resolved(schema)
    if "discriminator" in schema:
        chosen = schema["discriminator"]["mapping"][data["code"]]
        return _properties(data, {"$ref": chosen})
    found = dict(schema.get("properties", {}))
    for part in (*schema.get("allOf", ()), *schema.get("oneOf", ())):
        found |= _properties(data, part)
    return found


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        _root, *way = part["$ref"].split("/")
        part = description()
        for name in way:
            part = part[name]
    return part
