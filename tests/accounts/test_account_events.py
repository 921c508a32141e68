"""Events of accounts are in the audit, their owner gets a mail, and other sessions end."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user
from django.test import Client, TestCase
from django.urls import reverse

from accounts.models import User
from docbook.audit.models import AuditEvent
from docbook.observability import metrics
from tests.accounts.post import deliver
from tests.accounts.test_second_factor import code_of, recovery_codes, set_up, sign_in, token
from tests.admin.test_rights import clerk
from tests.api.client import Api
from tests.factories import (
    PASSWORD,
    make_admin,
    make_appointment,
    make_doctor,
    make_patient,
    make_secretary,
    make_slots,
)
from tests.pages.browser import signed_in, words
from tests.pages.test_accounts import code_from_mail

pytestmark = pytest.mark.django_db

NEW = "a new and honest password"


def told() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def event(action: str) -> AuditEvent:
    return AuditEvent.objects.get(action=action)


def confirm_password(browser: Client) -> None:
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})


def change_address(browser: Client, new: str) -> Any:
    browser.post("/accounts/email/", {"action_add": "", "email": new})
    browser.post("/accounts/confirm-email/", {"code": code_from_mail()})
    return browser.post("/accounts/email/", {"action_primary": "", "email": new})


# -- a borrowed session


def test_borrowed_session_changes_no_address_without_the_password() -> None:
    user = make_patient()
    answer = signed_in(user).post(
        "/accounts/email/", {"action_add": "", "email": "thief@example.test"}
    )
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.filter(email="thief@example.test").exists()
    assert deliver() == []


@pytest.mark.parametrize("path", ["/accounts/email/", "/accounts/password/set/"])
def test_borrowed_session_of_an_account_without_a_password_asks_for_a_code(path: str) -> None:
    user = make_patient()
    user.set_unusable_password()
    user.save()
    browser = signed_in(user)
    form = {"action_add": "", "email": "thief@example.test", "password1": NEW, "password2": NEW}
    answer = browser.post(path, form)
    assert answer.headers["Location"] == "/accounts/reauthenticate/code/"
    assert "Sign in again first" in words(browser.get("/accounts/reauthenticate/code/"))
    browser.post("/accounts/reauthenticate/code/")
    assert get_user(browser).is_anonymous
    assert deliver()[-1].to == [user.email]
    browser.post("/accounts/login/code/confirm/", {"code": code_from_mail()})
    assert browser.get(path).status_code == 200


def test_new_address_is_told_to_the_old_one_and_ends_the_other_sessions() -> None:
    user = make_patient(email="old@example.test")
    other, pair = signed_in(user), token(user).json()
    browser = signed_in(user)
    confirm_password(browser)
    change_address(browser, "new@example.test")
    user.refresh_from_db()
    assert user.email == "new@example.test"
    assert "old@example.test" in [each for message in deliver()[-3:] for each in message.to]
    assert get_user(browser) == user
    assert get_user(other).is_anonymous
    refreshed = Api().post("auth/token/refresh", {"refresh": pair["refresh"]})
    assert refreshed.status_code == 401
    assert "account.email_changed" in told()


def test_new_password_is_told_by_mail_and_ends_the_other_sessions() -> None:
    user = make_patient()
    other, browser = signed_in(user), signed_in(user)
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    browser.post("/accounts/password/change/", form)
    assert deliver()[-1].to == [user.email]
    assert "password" in deliver()[-1].subject
    assert (get_user(browser), get_user(other).is_anonymous) == (user, True)
    assert "account.password_changed" in told()


def test_password_that_a_superuser_sets_is_told_to_its_owner() -> None:
    user = make_patient()
    url = reverse("admin:auth_user_password_change", args=[user.pk])
    new = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    signed_in(make_admin()).post(url, new)
    assert deliver()[-1].to == [user.email]
    assert event("account.password_changed").actor_kind == "staff"


def change_in_admin(user: User, *, by: User, **fields: str) -> None:
    form = {"first_name": "Noor", "last_name": "Bakker", "is_active": "on", "phone": user.phone}
    door = signed_in(by)
    door.post(reverse("admin:accounts_user_change", args=[user.pk]), form | fields)


@pytest.mark.parametrize(
    ("old", "new"), [("", "+31 6 1234 5678"), ("+31 6 1234 5678", "+31 6 9"), ("+31 6 9", "")]
)
def test_phone_number_that_staff_change_is_told_to_the_owner_and_in_the_audit(
    old: str, new: str
) -> None:
    user, staff = make_patient(phone=old), clerk()
    browser = signed_in(user)
    change_in_admin(user, by=staff, phone=new)
    [letter] = deliver()
    assert letter.to == [user.email]
    assert letter.subject == "The phone number of your DocBook account has changed"
    assert "If you did not, choose a new password now" in letter.body
    found = event("account.phone_changed")
    assert (found.actor_kind, found.actor_id) == ("staff", staff.pk)
    assert found.object_id == str(user.pk)
    assert "31" not in f"{letter.subject}{letter.body}{found.after}"
    assert get_user(browser) == user


def test_change_of_a_name_says_nothing_of_a_phone_number() -> None:
    user = make_patient(phone="+31 6 1234 5678")
    change_in_admin(user, by=clerk(), first_name="Anna")
    user.refresh_from_db()
    assert user.first_name == "Anna"
    assert deliver() == []
    assert "account.phone_changed" not in told()


def test_sessions_from_before_stay_until_something_ends_them() -> None:
    user = make_patient()
    before = super(User, user)._get_session_auth_hash()
    assert user.get_session_auth_hash() == before


# -- the audit


def test_sign_in_and_out_are_in_the_audit_at_both_doors() -> None:
    user = make_patient()
    browser, _ = sign_in(user)
    browser.post("/accounts/logout/")
    token(user)
    assert told() == ["account.signed_in", "account.signed_out", "account.signed_in"]
    assert {each.object_id for each in AuditEvent.objects.all()} == {str(user.pk)}


@pytest.mark.parametrize("door", ["page", "api"])
def test_refused_sign_in_names_the_account_by_its_id_and_an_unknown_address_not_at_all(
    door: str,
) -> None:
    user = make_patient()
    for email in (user.email, "nobody@example.test"):
        if door == "page":
            Client().post("/accounts/login/", {"login": email, "password": "wrong one"})
        else:
            Api().post("auth/token", {"email": email, "password": "wrong one"})
    found = AuditEvent.objects.filter(action="account.sign_in_failed").order_by("id")
    assert [each.object_id for each in found] == [str(user.pk), ""]
    assert "@" not in str(list(found.values()))
    assert "docbook_sign_ins_failed_total 2.0" in metrics.exposition().decode()


def test_guessing_all_day_does_not_fill_the_audit() -> None:
    user = make_patient()
    for number in range(30):
        Api().post(
            "auth/token",
            {"email": f"nobody-{number}@example.test", "password": "x"},
            X_Forwarded_For=f"192.0.2.{number}",
        )
    assert AuditEvent.objects.count() == 20
    Api().post("auth/token", {"email": user.email, "password": "x"})
    assert AuditEvent.objects.count() == 21


def test_second_factor_that_comes_and_goes_is_in_the_audit_with_the_code_that_was_used() -> None:
    user = make_admin()
    set_up(user)
    token(user, otp=recovery_codes(user)[0])
    user.authenticator_set.all().delete()
    assert told() == [
        "account.second_factor_added",
        "account.recovery_code_used",
        "account.signed_in",
        "account.second_factor_removed",
    ]


def test_second_factor_ends_the_sessions_from_before() -> None:
    user = make_patient()
    pair, browser = token(user).json(), signed_in(user)
    secret = set_up(user)
    assert get_user(browser).is_anonymous
    assert Api().post("auth/token/refresh", {"refresh": pair["refresh"]}).status_code == 401
    assert token(user, otp=code_of(secret)).status_code == 200


def test_rights_that_a_superuser_gives_are_in_the_audit() -> None:
    user, admin = make_patient(), make_admin()
    form = {"first_name": "Noor", "last_name": "Bakker", "is_active": "on", "is_staff": "on"}
    signed_in(admin).post(reverse("admin:accounts_user_change", args=[user.pk]), form)
    found = event("account.rights_changed")
    assert (found.actor_id, found.object_id) == (admin.pk, str(user.pk))
    assert found.after["is_staff"] is True


def test_what_staff_and_the_practice_read_of_patients_is_in_the_audit() -> None:
    visit = make_appointment(slots=make_slots(doctor=make_doctor()))
    door = signed_in(make_admin())
    door.get(reverse("admin:bookings_appointment_change", args=[visit.pk]))
    door.get(reverse("admin:accounts_user_change", args=[visit.patient_id]))
    found = AuditEvent.objects.filter(action="patient.read").order_by("id")
    assert [(each.object_type, each.object_id) for each in found] == [
        ("appointment", str(visit.pk)),
        ("account", str(visit.patient_id)),
    ]
    day = visit.starts_at.astimezone(visit.clinic.zone).date().isoformat()
    secretary = make_secretary(doctor=visit.doctor)
    Api(secretary).get(f"doctors/{visit.doctor_id}/appointments", {"date": day})
    assert (event("patients.read").actor_kind, event("patients.read").actor_id) == (
        "secretary",
        secretary.pk,
    )


# -- passwords


@pytest.mark.parametrize(
    "password", ["Summer2024", "Password1!", "docbook-demo", "Bakker2024", "qwertyuiop12"]
)
def test_password_that_is_soon_guessed_is_refused_at_its_field(password: str) -> None:
    form = {
        "first_name": "Noor",
        "last_name": "Bakker",
        "email": "noor.bakker@example.test",
        "password1": password,
    }
    page = Client().post("/accounts/signup/", form)
    assert re.search(r'id="id_password1_error"', page.content.decode())
    assert not User.objects.exists()


def test_long_password_is_judged_by_its_beginning_and_taken_whole() -> None:
    long = "a long and honest password " * 4
    user = make_patient()
    form = {"oldpassword": PASSWORD, "password1": long, "password2": long}
    signed_in(user).post("/accounts/password/change/", form)
    user.refresh_from_db()
    assert user.check_password(long)


def test_second_factor_is_told_by_mail_in_our_words() -> None:
    user = make_patient()
    browser = signed_in(user)
    confirm_password(browser)
    page = browser.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    with TestCase.captureOnCommitCallbacks(execute=True):
        browser.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    letter = deliver()[-1]
    assert (letter.to, letter.subject) == (
        [user.email],
        "Your DocBook account now has a second step",
    )
    assert "If it was not you, choose a new password now" in letter.body
    assert "account.second_factor_added" in told()
