"""Nobody is locked out because a cache is gone; and with it, rushes are slowed down."""

from collections.abc import Iterator

import pytest
from django.conf import settings as current
from django.test import Client, RequestFactory

from devstack.ports import LOOPBACK, free_port
from docbook.http.throttling import limit_by_address
from tests.accounts.post import deliver
from tests.api.client import Api
from tests.factories import PASSWORD, make_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def redis_gone(settings) -> Iterator[None]:
    url = f"redis://{LOOPBACK}:{free_port()}/0"
    settings.CACHES = {"default": current.CACHES["default"] | {"LOCATION": url}}
    yield
    del settings.CACHES


@pytest.mark.usefixtures("redis_gone")
def test_patient_signs_in_while_redis_is_gone() -> None:
    patient = make_patient()
    data = {"login": patient.email, "password": PASSWORD}
    assert Client().post("/accounts/login/", data).status_code == 302


@pytest.mark.usefixtures("redis_gone")
@pytest.mark.parametrize("page", ["password/reset/", "login/code/"])
def test_mail_to_come_back_is_sent_while_redis_is_gone(page: str) -> None:
    patient = make_patient()
    assert Client().post(f"/accounts/{page}", {"email": patient.email}).status_code == 302
    assert deliver()[0].to == [patient.email]


@pytest.mark.usefixtures("redis_gone")
def test_rush_at_sign_in_is_slowed_down_while_redis_is_gone() -> None:
    """Each process counts by itself."""
    wrong = {"login": make_patient().email, "password": "wrong"}
    answers = [Client().post("/accounts/login/", wrong).status_code for _ in range(25)]
    assert answers == [200] * 10 + [429] * 15


@pytest.mark.usefixtures("redis_gone")
def test_tokens_are_slowed_down_while_redis_is_gone() -> None:
    data = {"email": make_patient().email, "password": PASSWORD}
    answers = [Api().post("auth/token", data).status_code for _ in range(25)]
    assert answers == [200] * 10 + [429] * 15


@pytest.mark.usefixtures("redis_gone")
@pytest.mark.parametrize("page", ["password/reset/", "login/code/"])
def test_mailbox_is_not_filled_while_redis_is_gone(page: str) -> None:
    email = make_patient().email
    for number in range(25):
        browser = Client(headers={"X-Forwarded-For": f"192.0.2.{number}"})
        assert browser.post(f"/accounts/{page}", {"email": email}).status_code == 302
    assert len(deliver()) == 20


@pytest.mark.usefixtures("redis_gone")
def test_bookings_go_on_uncounted_while_redis_is_gone() -> None:
    request = RequestFactory().get("/")
    for _ in range(10):
        limit_by_address(request, group="hold", rate="3/m")


def test_guessing_one_account_is_answered_with_a_page_that_says_when_to_go_on() -> None:
    patient = make_patient()
    data = {"login": patient.email, "password": "wrong"}
    answers = [Client().post("/accounts/login/", data) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert "You can go on in" in answers[-1].content.decode()
