"""Tokens signed by our own key, with claims that we never write: refused, and never an error."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts import tokens
from accounts.models import RefreshSession, User
from tests.api.client import Api, problem
from tests.factories import make_user

pytestmark = pytest.mark.django_db

OF_BOTH = ("sub", "exp", "iat", "typ", "iss", "aud")
OF_REFRESH = (*OF_BOTH, "jti", "sid")
MISSING = object()

ODD: list[Any] = [
    MISSING, None, True, False, 0, -1, 1.5, 10**30, -(10**30), 2**63, float("inf"), float("nan"),
    "", " ", "7x", "-7", "+7", "٧", "1e3", "9" * 30, "2026-11-28", "1" * 5000, "\x00", "a\u0000b",
    [], [1], ["access"], [[]], {}, {"a": 1}, {"sub": "1"},
]  # fmt: skip


def honest(user: User, kind: str) -> dict[str, Any]:
    now = int(timezone.now().timestamp())
    claims: dict[str, Any] = {
        "sub": str(user.pk), "iss": tokens.ISSUER, "aud": tokens.AUDIENCE, "iat": now,
        "exp": now + 600, "typ": kind,
    }  # fmt: skip
    if kind == "access":
        return claims | {"mbx": "0" * 24}
    session = RefreshSession.objects.create(
        user=user,
        current_jti=uuid4(),
        auth_hash=user.get_session_auth_hash(),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return claims | {"jti": str(session.current_jti), "sid": str(session.pk)}


def signed(claims: dict[str, Any]) -> str:
    """As it is: PyJWT's own `encode` would refuse some of these."""
    kid, key = next(iter(tokens._keys().items()))
    payload = json.dumps({name: each for name, each in claims.items() if each is not MISSING})
    return jwt.api_jws.encode(payload.encode(), key, algorithm="HS256", headers={"kid": kid})


def use(kind: str, token: str) -> Any:
    if kind == "access":
        return Api().get("me", Authorization=f"Bearer {token}")
    return Api().post("auth/token/refresh", {"refresh": token})


CODES = {"access": "unauthenticated", "refresh": "token-invalid"}


@pytest.mark.parametrize("kind", CODES)
def test_honest_claims_are_accepted_so_that_the_refusals_below_mean_something(kind: str) -> None:
    assert use(kind, signed(honest(make_user(), kind))).status_code == 200


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize(
    ("kind", "claim"),
    [("access", claim) for claim in OF_BOTH] + [("refresh", claim) for claim in OF_REFRESH],
)
def test_token_with_an_odd_claim_is_refused(kind: str, claim: str, value: Any) -> None:
    token = signed(honest(make_user(), kind) | {claim: value})
    if kind == "refresh" and len(token) > 2000:
        return
    problem(use(kind, token), code=CODES[kind], status=401)


_flat = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_values = _flat | st.lists(_flat, max_size=3) | st.dictionaries(st.text(max_size=5), _flat)


@pytest.mark.parametrize("kind", CODES)
def test_no_claims_at_all_make_an_error(kind: str) -> None:
    names = st.sampled_from((*OF_REFRESH, "mbx", "nbf", "crit"))
    start = honest(make_user(), kind)

    @given(st.dictionaries(names, _values, max_size=4))
    def holds(changed: dict[str, Any]) -> None:
        from_us = tokens.AccessToken if kind == "access" else tokens.RefreshToken
        try:
            from_us(signed(start | changed).encode())
        except tokens.TokenError:
            return

    holds()


@pytest.mark.parametrize("payload", ["[]", '"text"', "7", "null", "{", "", "[" * 10_000, "{}"])
@pytest.mark.parametrize("kind", CODES)
def test_payload_that_is_no_object_is_refused(kind: str, payload: str) -> None:
    kid, key = next(iter(tokens._keys().items()))
    token = jwt.api_jws.encode(payload.encode(), key, algorithm="HS256", headers={"kid": kid})
    if kind == "refresh" and len(token) > 2000:
        return
    problem(use(kind, token), code=CODES[kind], status=401)


def test_access_token_that_names_no_mailbox_gets_no_code() -> None:
    user = make_user()
    token = signed(honest(user, "access") | {"mbx": MISSING})
    body = {"slotId": 1, "visitTypeId": 1}
    headers = {"Authorization": f"Bearer {token}", "Idempotency_Key": str(uuid4())}
    problem(Api().post("bookings", body, **headers), code="unauthenticated", status=401)


@pytest.mark.parametrize("value", [None, 7, [], {}, "x" * 65])
def test_access_token_with_an_odd_mailbox_is_refused(value: Any) -> None:
    token = signed(honest(make_user(), "access") | {"mbx": value})
    problem(use("access", token), code="unauthenticated", status=401)
