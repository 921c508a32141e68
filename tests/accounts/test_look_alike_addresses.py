"""An address that looks like somebody's is never taken for theirs."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from accounts.services import patient_with_proven_email
from bookings.models import Appointment, Hold
from tests.api.client import Api
from tests.bookings.acts import bookable
from tests.factories import PASSWORD, make_patient, make_user

pytestmark = pytest.mark.django_db

VICTIM = "victim@mail.example"
LOOK_ALIKE = "victim@ma\u0131l.example"  # dotless i: UPPER() makes both the same


def proven(email: str) -> User:
    return patient_with_proven_email(email=email, first_name="", last_name="", phone="")


def test_guest_cannot_book_with_a_letter_that_only_looks_like_another() -> None:
    make_user(email=VICTIM)
    browser = Client()
    visit_type, slots = bookable()
    page = browser.post("/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk})
    names = {"first_name": "Eve", "last_name": "Adder", "email": LOOK_ALIKE}
    response = browser.post(page.headers["Location"], names)
    assert response.status_code == 422
    assert "accents" in response.content.decode()
    assert Hold.objects.get().email == ""
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    "email", [LOOK_ALIKE, "\u0130" * 120 + "@example.org", "a@" + "é" * 60 + ".org"]
)
@pytest.mark.parametrize(
    "page", ["login/", "signup/", "password/reset/", "login/code/"], ids=lambda page: page
)
def test_account_pages_say_at_the_field_that_an_address_has_no_accents(
    page: str, email: str
) -> None:
    data = {"login": email, "email": email, "password": PASSWORD, "password1": PASSWORD}
    response = Client().post(f"/accounts/{page}", data | {"first_name": "E", "last_name": "A"})
    assert response.status_code == 200
    assert response.context["form"].errors


def test_api_sign_in_refuses_it_at_its_field() -> None:
    answer = Api().post("auth/token", {"email": LOOK_ALIKE, "password": PASSWORD})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/email"


def test_address_that_is_proven_as_a_second_one_finds_its_owner() -> None:
    owner = make_patient()
    EmailAddress.objects.create(user=owner, email="second@example.test", verified=True)
    assert proven("second@example.test") == owner
    assert User.objects.count() == 1


def test_booking_as_a_guest_never_touches_the_password_of_staff() -> None:
    admin = make_user(email="root@example.test", is_staff=True, verified=False)
    EmailAddress.objects.all().delete()
    assert proven("root@example.test") == admin
    admin.refresh_from_db()
    assert admin.check_password(PASSWORD)
