"""A lost second factor: a superuser removes it in the admin, and its owner sets up another."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user
from django.test import Client
from django.urls import reverse

from accounts.models import User
from docbook.audit.models import AuditEvent
from tests.accounts.post import deliver
from tests.accounts.test_second_factor import (
    DOOR,
    STAFF,
    code_of,
    recovery_codes,
    set_up,
    sign_in,
    sign_in_with,
    token,
)
from tests.admin.test_rights import clerk
from tests.api.client import Api, problem
from tests.factories import make_admin, make_patient, make_user
from tests.pages.browser import signed_in, words

pytestmark = pytest.mark.django_db


def page_of(user: User) -> str:
    return reverse("admin:accounts_user_second_factor", args=[user.pk])


def reset(user: User, *, by: User) -> Any:
    return signed_in(by).post(page_of(user))


@pytest.mark.parametrize("role", STAFF)
def test_superuser_removes_a_lost_second_factor_and_its_owner_sets_up_another(
    settings, role: str
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    user, admin = STAFF[role](), make_admin()
    set_up(user)
    door = sign_in_with(admin, code_of(set_up(admin)))
    asked = door.get(page_of(user))
    assert "Remove it only after you have checked who is asking." in words(asked)
    assert Authenticator.objects.filter(user=user).count() == 2
    answer = door.post(page_of(user), follow=True)
    assert "no longer has a second step" in words(answer)
    assert not Authenticator.objects.filter(user=user).exists()
    browser, _ = sign_in(user)
    asked = browser.get(DOOR[role])
    assert asked.headers["Location"].startswith("/accounts/2fa/totp/activate/")


def test_removal_ends_the_sessions_of_the_person_and_not_those_of_the_superuser() -> None:
    user, admin = make_user(is_staff=True), make_admin()
    secret = set_up(user)
    pair, other, door = token(user, otp=code_of(secret)).json(), signed_in(user), signed_in(admin)
    door.post(page_of(user))
    assert get_user(other).is_anonymous
    assert get_user(door) == admin
    refreshed = Api().post("auth/token/refresh", {"refresh": pair["refresh"]})
    assert refreshed.status_code == 401


def test_removal_is_in_the_audit_by_the_superuser_and_the_person_is_told_by_mail() -> None:
    user, admin = make_user(is_staff=True), make_admin()
    set_up(user)
    reset(user, by=admin)
    found = AuditEvent.objects.get(action="account.second_factor_reset")
    assert (found.actor_kind, found.actor_id, found.object_id) == ("staff", admin.pk, str(user.pk))
    letter = deliver()[-1]
    assert letter.to == [user.email]
    assert letter.subject == "The second step of your DocBook account was removed"
    assert "An administrator removed it" in letter.body


def test_recovery_codes_of_before_open_nothing_afterwards() -> None:
    user = make_user(is_staff=True)
    set_up(user)
    code = recovery_codes(user)[0]
    reset(user, by=make_admin())
    set_up(user)
    problem(token(user, otp=code), code="second-factor-wrong", status=401)


@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_with_every_right_of_djangos_remove_nobodys_second_factor(method: str) -> None:
    for user in (make_patient(), make_admin(), make_user(is_staff=True)):
        set_up(user)
        answer = getattr(signed_in(clerk()), method)(page_of(user))
        assert answer.status_code == 403
        assert Authenticator.objects.filter(user=user).count() == 2
    assert deliver() == []


def test_superuser_does_not_get_past_their_own_second_factor_here() -> None:
    """Otherwise a borrowed session could remove it without a code."""
    admin = make_admin()
    set_up(admin)
    assert reset(admin, by=admin).status_code == 403
    assert Authenticator.objects.filter(user=admin).count() == 2


def test_account_without_a_second_factor_has_nothing_to_remove_and_is_told_nothing() -> None:
    user, admin = make_user(is_staff=True), make_admin()
    assert "has no second step" in words(signed_in(admin).get(page_of(user)))
    reset(user, by=admin)
    assert not AuditEvent.objects.filter(action="account.second_factor_reset").exists()
    assert deliver() == []


def test_account_that_there_is_not_is_not_found() -> None:
    gone = make_user()
    url = page_of(gone)
    gone.delete()
    assert signed_in(make_admin()).get(url).status_code == 404


@pytest.mark.parametrize(
    ("who", "leads"), [(make_admin, True), (clerk, False)], ids=["superuser", "staff"]
)
def test_page_of_an_account_leads_superusers_there(who: Any, leads: bool) -> None:
    user = make_patient()
    door: Client = signed_in(who())
    page = door.get(reverse("admin:accounts_user_change", args=[user.pk]))
    assert (page_of(user) in page.content.decode()) is leads
