"""Access and refresh tokens: what opens the API, and what a copy of one is worth."""

import base64
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings as current
from django.db import connection, transaction
from django.utils import timezone

from accounts import tokens
from accounts.models import RefreshSession, User
from tests.api.client import Api, pointers, problem
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def bearer(token: str) -> Any:
    return Api().get("me", Authorization=f"Bearer {token}")


def sign_in(user: User) -> dict[str, Any]:
    response = Api().post("auth/token", {"email": user.email, "password": PASSWORD})
    assert response.status_code == 200
    return response.json()


def refresh(token: Any) -> Any:
    return Api().post("auth/token/refresh", {"refresh": token})


def forge(user: User, *, key: str = "", headers: Any = None, **claims: Any) -> str:
    """A token like ours with some change; a claim of None is left out."""
    now = timezone.now()
    ring = tokens._keys()
    kid, first = next(iter(ring.items()))
    honest = {
        "sub": str(user.pk),
        "iss": tokens.ISSUER,
        "aud": tokens.AUDIENCE,
        "iat": now,
        "exp": now + timedelta(minutes=10),
        "typ": "access",
    }
    changed = {name: value for name, value in (honest | claims).items() if value is not None}
    return jwt.encode(changed, key or first, algorithm="HS256", headers=headers or {"kid": kid})


def test_password_gives_a_pair_that_works_and_is_kept_by_no_cache() -> None:
    user = make_user()
    response = Api().post("auth/token", {"email": user.email.upper(), "password": PASSWORD})
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json()["expiresIn"] == 600
    me = bearer(response.json()["access"])
    assert me.json() == {
        "id": user.pk,
        "email": user.email,
        "firstName": "Noor",
        "lastName": "Bakker",
        "phone": "",
    }


def test_honest_forgery_of_the_tests_works_so_that_the_refusals_below_mean_something() -> None:
    assert bearer(forge(make_user())).status_code == 200


FORGERIES: dict[str, Callable[[User], str]] = {
    "wrong key": lambda user: forge(user, key="k" * 40),
    "wrong audience": lambda user: forge(user, aud="other-api"),
    "wrong issuer": lambda user: forge(user, iss="evil"),
    "no audience": lambda user: forge(user, aud=None),
    "no expiry": lambda user: forge(user, exp=None),
    "no subject": lambda user: forge(user, sub=None),
    "no type": lambda user: forge(user, typ=None),
    "expired": lambda user: forge(user, exp=timezone.now() - timedelta(seconds=31)),
    "from the future": lambda user: forge(user, iat=timezone.now() + timedelta(minutes=5)),
    "refresh as access": lambda user: forge(user, typ="refresh", jti=str(uuid4())),
    "unknown kid": lambda user: forge(user, headers={"kid": "ffffffffffff"}),
    "kid that is a path": lambda user: forge(user, headers={"kid": "../../etc/passwd"}),
    "no kid": lambda user: forge(user, headers={"x": "y"}),
    "unknown user": lambda user: forge(user, sub="987654321"),
    "subject beyond a bigint": lambda user: forge(user, sub="9" * 30),
    "algorithm none": lambda user: jwt.encode(
        {"sub": str(user.pk)}, None, algorithm="none", headers={"kid": next(iter(tokens._keys()))}
    ),
    "changed payload": lambda user: _with_other_payload(forge(user)),
    "not three parts": lambda _user: "abc.def",
    "nothing": lambda _user: "",
    "kid that is a list": lambda user: _with_header(forge(user), {"alg": "HS256", "kid": [1]}),
    "header that is a list": lambda user: _with_header(forge(user), []),
    "not ASCII": lambda _user: "törichter.tökén.x",
}


def _with_other_payload(token: str) -> str:
    head, _payload, signature = token.split(".")
    payload = base64.urlsafe_b64encode(b'{"sub":"1"}').decode().rstrip("=")
    return f"{head}.{payload}.{signature}"


def _with_header(token: str, header: Any) -> str:
    _head, payload, signature = token.split(".")
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{head}.{payload}.{signature}"


@pytest.mark.parametrize("make", FORGERIES.values(), ids=FORGERIES)
def test_forged_token_is_refused(make: Callable[[User], str]) -> None:
    problem(bearer(make(make_user())), code="unauthenticated", status=401)


@pytest.mark.parametrize("scheme", ["", "Token x", "Basic YTpi", "Bearer", "bearer  "])
def test_authorization_without_a_token_is_refused(scheme: str) -> None:
    problem(Api().get("me", Authorization=scheme), code="unauthenticated", status=401)


def test_clocks_of_two_servers_may_differ_by_half_a_minute() -> None:
    user = make_user()
    assert bearer(forge(user, exp=timezone.now() - timedelta(seconds=25))).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(625, 200), (631, 401)])
def test_token_that_was_seen_before_still_expires(seconds: int, status: int, time_machine) -> None:
    token = forge(make_user())
    assert [bearer(token).status_code for _n in range(2)] == [200, 200]
    time_machine.move_to(timezone.now() + timedelta(seconds=seconds))
    assert bearer(token).status_code == status


def test_token_that_differs_from_a_good_one_in_its_signature_is_refused() -> None:
    token = forge(make_user())
    assert bearer(token).status_code == 200
    head, body, signature = token.split(".")
    other = ("A" if signature[0] != "A" else "B") + signature[1:]
    assert bearer(f"{head}.{body}.{other}").status_code == 401


def test_token_of_an_older_key_verifies_until_the_key_leaves_the_ring(settings) -> None:
    token = forge(make_user())
    settings.JWT_KEYS = ["n" * 40, *current.JWT_KEYS]
    assert bearer(token).status_code == 200
    settings.JWT_KEYS = ["n" * 40]
    assert bearer(token).status_code == 401


def test_newest_key_of_the_ring_signs(settings) -> None:
    settings.JWT_KEYS = ["n" * 40, *current.JWT_KEYS]
    pair = sign_in(make_user())
    settings.JWT_KEYS = ["n" * 40]
    assert bearer(pair["access"]).status_code == 200


@pytest.mark.parametrize("what", ["switched off", "deleted"])
def test_token_of_an_account_that_is_gone_opens_nothing(what: str) -> None:
    user = make_user()
    pair = sign_in(user)
    if what == "deleted":
        user.delete()
    else:
        User.objects.filter(pk=user.pk).update(is_active=False)
    problem(bearer(pair["access"]), code="unauthenticated", status=401)
    problem(refresh(pair["refresh"]), code="token-invalid", status=401)


def test_refresh_gives_a_new_pair_and_works_once() -> None:
    first = sign_in(make_user())
    second = refresh(first["refresh"]).json()
    assert bearer(second["access"]).status_code == 200
    assert second["refresh"] != first["refresh"]
    assert refresh(second["refresh"]).status_code == 200


def test_refresh_token_used_twice_ends_its_whole_family_and_no_other() -> None:
    user = make_user()
    stolen, other_phone = sign_in(user), sign_in(user)
    newest = refresh(stolen["refresh"]).json()
    problem(refresh(stolen["refresh"]), code="token-invalid", status=401)
    problem(refresh(newest["refresh"]), code="token-invalid", status=401)
    assert refresh(other_phone["refresh"]).status_code == 200


def test_refresh_token_does_not_outlive_fourteen_days_however_often_it_is_rotated() -> None:
    pair = sign_in(make_user())
    ends = jwt.decode(pair["refresh"], options={"verify_signature": False})["exp"]
    rotated = refresh(pair["refresh"]).json()
    assert jwt.decode(rotated["refresh"], options={"verify_signature": False})["exp"] == ends
    RefreshSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    problem(refresh(rotated["refresh"]), code="token-invalid", status=401)


@pytest.mark.parametrize(
    "claims",
    [
        {"typ": "access"},
        {"typ": "refresh", "jti": str(uuid4()), "sid": str(uuid4())},
        {"typ": "refresh", "jti": 7, "sid": [1]},
    ],
)
def test_refresh_token_that_names_no_session_is_refused(claims: dict[str, Any]) -> None:
    problem(refresh(forge(make_user(), **claims)), code="token-invalid", status=401)


@pytest.mark.parametrize("value", [None, [], {}, "", "x" * 2001])
def test_refresh_that_is_no_text_is_a_problem_of_its_field(value: Any) -> None:
    assert pointers(problem(refresh(value), code="validation", status=422)) == ["/refresh"]


@pytest.mark.django_db(transaction=True)
def test_twelve_at_once_with_one_refresh_token_have_one_winner_and_the_family_ends() -> None:
    token = sign_in(make_user())["refresh"]

    def use(_number: int) -> Any:
        try:
            return refresh(token)
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        # All of them must have looked before the first may write: then only the swap decides.
        with transaction.atomic():
            RefreshSession.objects.select_for_update().get()
            answers = pool.map(use, range(12))
            wait_until_blocked(12)
        found = sorted(answers, key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in found] == [200] + [401] * 11
    problem(refresh(found[0].json()["refresh"]), code="token-invalid", status=401)


def wait_until_blocked(number: int) -> None:
    """Until this many connections wait for a lock; at most a second, because they give up
    after two.
    """
    deadline = time.monotonic() + 1
    sql = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with connection.cursor() as cursor:
        while cursor.execute(sql).fetchone()[0] < number and time.monotonic() < deadline:
            time.sleep(0.01)
