"""The API as a mobile app calls it, through Django's test client."""

import json
from typing import Any
from uuid import uuid4

from django.http import HttpResponse, QueryDict
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.tokens import access_token
from tests.api.described import assert_described, assert_request_described

ROOT = "/api/v1/"
PROBLEM = "application/problem+json"


class Api:
    """Calls of one user, or of nobody. Every answer must match its description."""

    def __init__(self, user: User | None = None) -> None:
        self.client = Client()
        self.headers: dict[str, str] = {}
        if user is not None:
            token = access_token(user_id=user.pk, email=user.email, now=timezone.now())
            self.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, query: Any = None, **headers: str) -> HttpResponse:
        return self._call("get", path, query or {}, headers=self._with(headers))

    def delete(self, path: str) -> HttpResponse:
        return self._call("delete", path, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.send(path, json.dumps(body or {}), **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self._call(
            "patch",
            path,
            json.dumps(body or {}),
            content_type="application/json",
            headers=self._with(headers),
        )

    def cancel(
        self, booking_id: Any, *, version: int = 1, key: str = "", **body: Any
    ) -> HttpResponse:
        headers = {"If_Match": f'"{version}"'} | ({"Idempotency_Key": key} if key else {})
        return self.patch(f"bookings/{booking_id}/cancel", body, **headers)

    def times_to_move_to(
        self, booking_id: Any, query: str = "", *, version: int = 1
    ) -> HttpResponse:
        path = f"bookings/{booking_id}/reschedule?{query}"
        return self.patch(path, If_Match=f'"{version}"')

    def send(
        self,
        path: str,
        text: str | bytes,
        *,
        content_type: str = "application/json",
        **headers: str,
    ) -> HttpResponse:
        """Sends a body exactly as given."""
        headers = self._with(headers)
        return self._call("post", path, text, content_type=content_type, headers=headers)

    def start(
        self, *, slot_id: Any, visit_type_id: Any, key: str = "", **more: Any
    ) -> HttpResponse:
        """POST bookings with a new key."""
        body = {"slotId": slot_id, "visitTypeId": visit_type_id, **more}
        return self.post("bookings", body, Idempotency_Key=key or str(uuid4()))

    def verify(self, hold_id: Any, code: Any) -> HttpResponse:
        return self.post(f"bookings/{hold_id}/verify-otp", {"code": code})

    def _call(self, method: str, path: str, *data: Any, **options: Any) -> HttpResponse:
        path = f"{ROOT}{path}"
        response: HttpResponse = getattr(self.client, method)(path, *data, **options)
        assert_described(response, method=method, path=path)
        if response.status_code < 300:
            self._assert_asked_as_described(method, path, data, options)
        return response

    @staticmethod
    def _assert_asked_as_described(method: str, path: str, data: Any, options: Any) -> None:
        where, _mark, text = path.partition("?")
        query = QueryDict(text).dict()
        if method == "get" and data:
            query |= {name: str(value) for name, value in dict(data[0]).items()}
        body = json.loads(data[0]) if data and method in ("post", "patch") and data[0] else None
        headers = options["headers"]
        assert_request_described(method=method, path=where, query=query, headers=headers, body=body)

    def _with(self, headers: dict[str, str]) -> dict[str, str]:
        """Underscores of keyword names stand for the hyphens of header names."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return {**self.headers, **named}


def problem(response: HttpResponse, *, code: str, status: int) -> dict[str, Any]:
    """The members of a refusal, after checking what every problem must have (RFC 9457)."""
    assert response.status_code == status, response.content[:500]
    assert response.headers["Content-Type"] == PROBLEM
    body: dict[str, Any] = response.json()
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["type"] == f"urn:docbook:problem:{code}"
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == response.headers["X-Request-ID"]
    if status in {429, 503}:
        assert int(response.headers["Retry-After"]) >= 1
    if status == 401:
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    return body


def pointers(body: dict[str, Any]) -> list[str]:
    return [error["pointer"] for error in body["errors"]]
