"""A lost cache locks nobody out, and rushes are still slowed down."""

from collections.abc import Iterator

import pytest
from django.test import Client, RequestFactory

from docbook.http.throttling import enforce, enforce_together, limit_of
from tests.accounts.post import deliver
from tests.api.client import Api
from tests.factories import PASSWORD, make_patient
from tests.lost_redis import lost_redis

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["gone", "frozen"])
def redis_lost(settings, request) -> Iterator[None]:
    with lost_redis(settings, request.param):
        yield


@pytest.mark.usefixtures("redis_lost")
def test_patient_signs_in_without_redis() -> None:
    patient = make_patient()
    data = {"login": patient.email, "password": PASSWORD}
    assert Client().post("/accounts/login/", data).status_code == 302


@pytest.mark.usefixtures("redis_lost")
@pytest.mark.parametrize("page", ["password/reset/", "login/code/"])
def test_mail_to_come_back_is_sent_without_redis(page: str) -> None:
    patient = make_patient()
    assert Client().post(f"/accounts/{page}", {"email": patient.email}).status_code == 302
    assert deliver()[0].to == [patient.email]


@pytest.mark.usefixtures("redis_lost")
def test_rush_at_sign_in_is_slowed_down_without_redis() -> None:
    """Each process counts for itself."""
    wrong = {"login": make_patient().email, "password": "wrong"}
    answers = [Client().post("/accounts/login/", wrong).status_code for _ in range(25)]
    assert answers == [200] * 10 + [429] * 15


@pytest.mark.usefixtures("redis_lost")
def test_tokens_are_slowed_down_without_redis() -> None:
    data = {"email": make_patient().email, "password": PASSWORD}
    answers = [Api().post("auth/token", data).status_code for _ in range(25)]
    assert answers == [200] * 10 + [429] * 15


@pytest.mark.usefixtures("redis_lost")
@pytest.mark.parametrize("page", ["password/reset/", "login/code/"])
def test_mailbox_is_not_filled_without_redis(page: str) -> None:
    email = make_patient().email
    for number in range(25):
        browser = Client(headers={"X-Forwarded-For": f"192.0.2.{number}"})
        assert browser.post(f"/accounts/{page}", {"email": email}).status_code == 302
    assert len(deliver()) == 20


@pytest.mark.usefixtures("redis_lost")
def test_bookings_go_on_uncounted_without_redis() -> None:
    request = RequestFactory().get("/")
    for _ in range(40):
        enforce_together(limit_of("hold", request))
        enforce(limit_of("offer", request))


def test_guessing_one_account_is_answered_with_a_page_that_says_when_to_go_on() -> None:
    patient = make_patient()
    data = {"login": patient.email, "password": "wrong"}
    answers = [Client().post("/accounts/login/", data) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert "You can try again in" in answers[-1].content.decode()
