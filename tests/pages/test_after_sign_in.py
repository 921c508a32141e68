"""A sign-in without a requested page leads to the page that fits the account."""

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import (
    PASSWORD,
    make_admin,
    make_doctor,
    make_patient,
    make_secretary,
    make_user,
)

pytestmark = pytest.mark.django_db


def landing(user: User, **more: str) -> str:
    browser = Client()
    data = {"login": user.email, "password": PASSWORD, **more}
    browser.post("/accounts/login/", data)
    return browser.get("/after-sign-in/").headers["Location"]


def test_doctor_comes_to_the_schedule() -> None:
    doctor = make_doctor(user=make_user())
    assert landing(doctor.user) == "/schedule/"


def test_secretary_comes_to_the_schedule() -> None:
    assert landing(make_secretary(doctor=make_doctor())) == "/schedule/"


def test_staff_come_to_the_admin() -> None:
    assert landing(make_admin()) == "/admin/"


def test_staff_who_run_a_schedule_come_to_the_schedule() -> None:
    doctor = make_doctor(user=make_admin())
    assert landing(doctor.user) == "/schedule/"


def test_patient_comes_to_their_visits() -> None:
    assert landing(make_patient()) == "/appointments/"


def test_page_that_was_asked_for_comes_first() -> None:
    doctor = make_doctor(user=make_user())
    data = {"login": doctor.user.email, "password": PASSWORD, "next": "/appointments/"}
    response = Client().post("/accounts/login/", data)
    assert response.headers["Location"] == "/appointments/"


def test_guest_is_asked_to_sign_in() -> None:
    answer = Client().get("/after-sign-in/")
    assert answer.headers["Location"].startswith("/accounts/login/")
