"""Anybody can open an account for somebody else's address. Nothing that they left there works once
the owner of the mailbox proves the address.
"""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.services import is_first_visit, patient_with_proven_email
from docbook.audit.models import AuditEvent
from tests.accounts.post import code_in, deliver
from tests.accounts.test_second_factor import code_of, set_up, token
from tests.api.client import Api
from tests.factories import PASSWORD, make_admin, make_patient, make_user
from tests.pages.browser import signed_in, words
from tests.pages.test_accounts import path_of_the_link

pytestmark = pytest.mark.django_db
ADDRESS = "victim@example.test"
CHOSEN = "a long and honest password"
FORM = {"first_name": "E", "last_name": "A", "email": ADDRESS, "password1": CHOSEN}
OURS = "a password of my own choice"


def sign_up() -> Client:
    """A browser that has opened an account, and now waits for a code."""
    browser = Client()
    browser.post("/accounts/signup/", FORM)
    deliver()
    return browser


def sign_in_by_code(email: str = ADDRESS) -> Client:
    browser = Client()
    browser.post("/accounts/login/code/", {"email": email})
    code = code_in(deliver()[-1])
    browser.post("/accounts/login/code/confirm/", {"code": code})
    return browser


def opens_page(password: str, email: str = ADDRESS) -> bool:
    browser = Client()
    browser.post("/accounts/login/", {"login": email, "password": password})
    return bool(get_user(browser).is_authenticated)


def opens_api(password: str, email: str = ADDRESS) -> bool:
    answer = Api().post("auth/token", {"email": email, "password": password})
    return bool(answer.status_code == 200)


@pytest.mark.parametrize("opens", [opens_page, opens_api])
def test_password_of_somebody_else_does_not_survive_a_sign_in_by_code(opens) -> None:
    sign_up()
    assert not opens(CHOSEN)
    owner = sign_in_by_code()
    assert get_user(owner).email == ADDRESS
    assert EmailAddress.objects.get(email=ADDRESS).verified
    assert not opens(CHOSEN)


@pytest.mark.parametrize("opens", [opens_page, opens_api])
def test_password_that_the_same_browser_chose_survives_its_own_code(opens) -> None:
    browser = Client()
    browser.post("/accounts/signup/", FORM)
    browser.post("/accounts/confirm-email/", {"code": code_in(deliver()[-1])})
    assert get_user(browser).is_authenticated
    assert opens(CHOSEN)


@pytest.mark.parametrize("opens", [opens_page, opens_api])
def test_password_of_a_proven_account_survives_a_sign_in_by_code(opens) -> None:
    user = make_patient(email=ADDRESS)
    assert get_user(sign_in_by_code()) == user
    assert opens(PASSWORD)


def test_sessions_and_apps_do_not_survive_a_first_proof() -> None:
    """A superuser took the proof away, so these are from before."""
    user = make_patient(email=ADDRESS)
    browser, pair = signed_in(user), token(user).json()
    EmailAddress.objects.filter(user=user).update(verified=False)
    sign_in_by_code()
    assert get_user(browser).is_anonymous
    assert Api().post("auth/token/refresh", {"refresh": pair["refresh"]}).status_code == 401
    assert not user.refresh_sessions.filter(ended_at=None).exists()


def test_address_without_a_row_is_not_proven_either() -> None:
    """Superusers create such accounts in the admin."""
    user = make_user(email=ADDRESS)
    EmailAddress.objects.all().delete()
    browser = sign_in_by_code()
    browser.post("/accounts/confirm-email/", {"code": code_in(deliver()[-1])})
    assert get_user(browser) == user
    assert not opens_page(PASSWORD)


def test_account_of_staff_that_was_opened_in_advance_loses_its_password_too() -> None:
    sign_up()
    User.objects.filter(email=ADDRESS).update(is_staff=True)
    sign_in_by_code()
    assert not User.objects.get(email=ADDRESS).has_usable_password()


def test_browser_that_waits_for_its_code_gets_nowhere_after_the_owner_has_signed_in() -> None:
    thief = sign_up()
    letter = deliver()[-1]
    sign_in_by_code()
    for form in ({"action": "resend"}, {"code": code_in(letter)}, {"code": code_in(letter)}):
        answer = thief.post("/accounts/confirm-email/", form)
        assert answer.status_code in (200, 302)
        assert get_user(thief).is_anonymous
    assert thief.get("/appointments/").status_code == 302


def test_owner_who_signed_up_and_then_used_a_code_is_told_how_to_choose_a_password() -> None:
    waiting = sign_up()
    owner = sign_in_by_code()
    said = words(owner.get("/doctors/"))
    assert "The password of this account no longer works" in said
    assert "You can choose a new one under “How you sign in”." in said
    assert "no longer works" not in words(owner.get("/doctors/"))
    page = owner.get("/accounts/password/change/", follow=True)
    assert "Choose a password" in words(page)
    owner.post(page.request["PATH_INFO"], {"password1": OURS, "password2": OURS})
    assert get_user(owner).is_authenticated
    assert opens_page(OURS)
    assert opens_api(OURS)
    assert waiting.get("/appointments/").status_code == 302


def test_nobody_is_told_of_a_password_that_there_was_not() -> None:
    user = make_patient(email=ADDRESS, password=None, verified=False)
    owner = sign_in_by_code()
    assert get_user(owner) == user
    assert "no longer works" not in words(owner.get("/doctors/"))


def test_audit_says_that_an_account_lost_its_password() -> None:
    sign_up()
    sign_in_by_code()
    (event,) = AuditEvent.objects.filter(action="account.password_removed")
    assert event.object_id == str(User.objects.get(email=ADDRESS).pk)


def test_new_password_by_link_leaves_nothing_of_what_was_there() -> None:
    thief = sign_up()
    Client().post("/accounts/password/reset/", {"email": ADDRESS})
    browser = Client()
    form = browser.get(path_of_the_link(deliver()[-1]), follow=True)
    browser.post(form.request["PATH_INFO"], {"password1": OURS, "password2": OURS})
    assert not opens_api(OURS)  # the code is still missing
    browser.post("/accounts/login/", {"login": ADDRESS, "password": OURS})
    browser.post("/accounts/confirm-email/", {"code": code_in(deliver()[-1])})
    assert get_user(browser).email == ADDRESS
    assert (opens_page(OURS), opens_page(CHOSEN)) == (True, False)
    assert thief.get("/appointments/").status_code == 302


def test_session_of_an_unproven_account_sets_up_no_second_factor() -> None:
    user = make_patient(verified=False)
    browser = signed_in(user)
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    browser.get("/accounts/2fa/totp/activate/")
    browser.post("/accounts/2fa/totp/activate/", {"code": "000000"})
    assert not Authenticator.objects.exists()


def test_code_by_mail_removes_no_second_factor() -> None:
    """Only somebody who had proven the address could set one up, and the mailbox alone is not
    enough.
    """
    user = make_patient(email=ADDRESS)
    signed_in(user)
    secret = set_up(user)
    EmailAddress.objects.filter(user=user).update(verified=False)
    browser = sign_in_by_code()
    assert get_user(browser).is_anonymous
    user.refresh_from_db()
    assert not is_first_visit(user)
    browser.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert get_user(browser) == user


def prove_in_the_admin(client: Client, user: User, email: str) -> str:
    client.force_login(make_admin())
    row = EmailAddress.objects.filter(user=user, email=email).first()
    name = "admin:account_emailaddress_change" if row else "admin:account_emailaddress_add"
    form = {"user": user.pk, "email": email, "verified": "on"}
    form |= {"primary": "on"} if row else {}
    return words(client.post(reverse(name, args=[row.pk] if row else []), form, follow=True))


@pytest.mark.parametrize("opens", [opens_page, opens_api])
def test_password_of_somebody_else_does_not_survive_a_superuser_who_proves_the_address(
    client, opens
) -> None:
    sign_up()
    said = prove_in_the_admin(client, User.objects.get(email=ADDRESS), ADDRESS)
    assert EmailAddress.objects.get(email=ADDRESS).verified
    assert "This account lost its password" in said
    assert not opens(CHOSEN)


def test_superuser_who_adds_an_address_to_a_proven_account_leaves_its_password(client) -> None:
    user = make_patient(email=ADDRESS)
    said = prove_in_the_admin(client, user, "second@example.test")
    assert EmailAddress.objects.filter(user=user, verified=True).count() == 2
    assert "lost its password" not in said
    assert opens_api(PASSWORD)


def test_superuser_who_saves_a_proven_address_again_leaves_the_password(client) -> None:
    user = make_patient(email=ADDRESS)
    assert "lost its password" not in prove_in_the_admin(client, user, ADDRESS)
    assert opens_api(PASSWORD)


def test_owner_who_proves_the_address_while_a_password_is_checked_is_first(monkeypatch) -> None:
    sign_up()
    verify = MD5PasswordHasher.verify

    def while_the_owner_books(self, password, encoded):
        right = verify(self, password, encoded)
        patient_with_proven_email(email=ADDRESS, first_name="", last_name="", phone="")
        return right

    monkeypatch.setattr(MD5PasswordHasher, "verify", while_the_owner_books)
    assert not opens_api(CHOSEN)
