"""`POST auth/token`: who gets in, and how often somebody may try."""

import pytest

from accounts.models import User
from tests.api.client import Api, pointers, problem
from tests.factories import PASSWORD, make_user
from tests.limits import allow

pytestmark = pytest.mark.django_db


def sign_in(email: str, password: str = PASSWORD, **headers: str):
    return Api().post("auth/token", {"email": email, "password": password}, **headers)


def bodies(email: str, password: str = PASSWORD) -> dict[str, object]:
    body = problem(sign_in(email, password), code="unauthenticated", status=401)
    return {name: value for name, value in body.items() if name != "instance"}


def test_wrong_password_unknown_unproven_and_disabled_accounts_look_alike() -> None:
    known = make_user()
    disabled = make_user(is_active=False)
    unproven = make_user(verified=False)
    wrong = bodies(known.email, "wrong-password")
    assert bodies("nobody@example.test") == wrong
    assert bodies(disabled.email) == wrong
    assert bodies(unproven.email) == wrong


def test_account_without_a_password_is_not_opened_by_an_empty_one() -> None:
    user = make_user()
    user.set_unusable_password()
    user.save()
    problem(sign_in(user.email, user.password), code="unauthenticated", status=401)
    problem(sign_in(user.email, ""), code="validation", status=422)


def test_password_is_taken_letter_by_letter() -> None:
    user = make_user(password="  Spaces count  ")
    assert sign_in(user.email, "  Spaces count  ").status_code == 200
    problem(sign_in(user.email, "Spaces count"), code="unauthenticated", status=401)


def test_eleventh_try_of_an_address_in_a_minute_is_refused() -> None:
    user = make_user()
    answers = [sign_in(f"somebody-{number}@example.test") for number in range(10)]
    assert {answer.status_code for answer in answers} == {401}
    problem(sign_in(user.email), code="rate-limited", status=429)


@pytest.fixture
def _few_tries(monkeypatch) -> None:
    """All strangers together have ten password tries for an account, instead of a hundred."""
    allow(monkeypatch, password_strangers=10)


@pytest.mark.usefixtures("_few_tries")
def test_last_try_of_strangers_at_an_account_is_the_last_whatever_the_address() -> None:
    user = make_user()
    for number in range(10):
        sign_in(user.email, "guess", X_Forwarded_For=f"192.0.2.{number}")
    answer = sign_in(user.email, X_Forwarded_For="192.0.2.99")
    problem(answer, code="rate-limited", status=429)
    other = make_user()
    assert sign_in(other.email, X_Forwarded_For="192.0.2.99").status_code == 200


@pytest.mark.usefixtures("_few_tries")
def test_limit_of_an_account_does_not_depend_on_the_case_of_its_letters() -> None:
    user = make_user()
    for number in range(10):
        sign_in(user.email.upper(), "guess", X_Forwarded_For=f"192.0.2.{number}")
    answer = sign_in(user.email, X_Forwarded_For="192.0.2.99")
    problem(answer, code="rate-limited", status=429)


def test_owner_elsewhere_gets_in_after_ten_guesses_of_a_stranger() -> None:
    user = make_user()
    for _ in range(10):
        sign_in(user.email, "guess", X_Forwarded_For="192.0.2.1")
    assert sign_in(user.email, X_Forwarded_For="192.0.2.99").status_code == 200


def test_fields_that_nobody_asked_for_are_named_and_change_nothing() -> None:
    user = make_user()
    body = {"email": user.email, "password": PASSWORD, "isStaff": True, "is_active": False}
    answer = problem(Api().post("auth/token", body), code="validation", status=422)
    assert sorted(pointers(answer)) == ["/isStaff", "/is_active"]
    assert not User.objects.get(pk=user.pk).is_staff


def test_refusal_says_which_limit_is_used_up_and_for_how_long() -> None:
    for number in range(11):
        answer = sign_in(f"somebody-{number}@example.test")
    assert answer.headers["RateLimit-Policy"] == '"sign-in";q=10;w=60'
    assert answer.headers["RateLimit"] == f'"sign-in";r=0;t={answer.headers["Retry-After"]}'
