"""A booking's code opens an account for the owner of the address, and for nobody who opened it
earlier.
"""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from accounts.services import is_first_visit, patient_with_proven_email
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
ADDRESS = "victim@example.test"


def proven(email: str = ADDRESS) -> User:
    return patient_with_proven_email(
        email=email, first_name="Saskia", last_name="Kuipers", phone="+31 6 5550 1234"
    )


def test_unknown_address_gets_an_account_that_waits_for_its_first_visit() -> None:
    user = proven()
    assert (user.get_full_name(), user.phone) == ("Saskia Kuipers", "+31 6 5550 1234")
    assert EmailAddress.objects.get(user=user).verified
    assert is_first_visit(user)


def test_proven_account_keeps_its_password_its_name_and_its_sessions() -> None:
    owner = make_user(email=ADDRESS)
    browser = Client()
    browser.force_login(owner)
    assert proven() == owner
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)
    assert owner.get_full_name() == "Noor Bakker"
    assert browser.get("/appointments/").status_code == 200
    assert not is_first_visit(owner)


def test_account_that_somebody_opened_for_a_foreign_address_loses_password_and_sessions() -> None:
    """Pre-hijacking: the thief signs up with the victim's address and waits for their booking."""
    account = make_user(email=ADDRESS, verified=False)
    thief = Client()
    thief.force_login(account)
    assert proven() == account
    account.refresh_from_db()
    assert not account.has_usable_password()
    assert thief.get("/appointments/").status_code == 302
    assert EmailAddress.objects.get(user=account).verified


def test_address_is_the_same_whatever_the_case_of_its_letters() -> None:
    owner = make_user(email=ADDRESS)
    assert proven("Victim@Example.TEST") == owner
    assert User.objects.count() == 1


@pytest.mark.parametrize("privilege", ["is_staff", "is_superuser"])
def test_account_of_staff_is_never_opened_by_a_booking(privilege: str) -> None:
    user = make_user(email=ADDRESS, **{privilege: True})
    user.set_unusable_password()
    user.save()
    assert not is_first_visit(user)


def test_account_that_was_used_before_is_not_opened_by_a_booking() -> None:
    user = proven()
    Client().force_login(user)
    user.refresh_from_db()
    assert not is_first_visit(user)
