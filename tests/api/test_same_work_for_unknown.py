"""The time of a refused sign-in does not reveal which accounts exist: a password is always
hashed.
"""

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher

from tests.api.client import Api
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """The passwords that were hashed, by the only hasher of the tests."""
    passwords: list[str] = []
    encode = MD5PasswordHasher.encode

    def noted(self, password, salt):
        passwords.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", noted)
    return passwords


def accounts() -> dict[str, str]:
    bare = make_user()
    bare.set_unusable_password()
    bare.save()
    return {
        "unknown": "nobody@example.test",
        "known": make_user().email,
        "disabled": make_user(is_active=False).email,
        "without a password": bare.email,
    }


@pytest.mark.parametrize("whose", ["unknown", "known", "disabled", "without a password"])
def test_password_is_hashed_once_for_known_and_unknown_accounts(whose, hashed):
    email = accounts()[whose]
    hashed.clear()
    answer = Api().post("auth/token", {"email": email, "password": f"not {PASSWORD}"})
    assert answer.status_code == 401
    assert len(hashed) == 1
