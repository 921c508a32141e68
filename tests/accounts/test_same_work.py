"""The time of an answer does not reveal who has an account: the work is always the same."""

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import make_patient
from tests.pages.browser import signed_in

pytestmark = pytest.mark.django_db
NAMES = {"first_name": "E", "last_name": "A", "password1": "a long and honest password"}
# How much longer writing a new account takes than noting that one exists, next to 50 ms of hashing.
NEW_ACCOUNT = 14
DOORS = {
    "/accounts/signup/": ("email", NAMES, NEW_ACCOUNT),
    "/accounts/login/": ("login", {"password": "wrong password"}, 1),
    "/accounts/login/code/": ("email", {}, 0),
    "/accounts/password/reset/": ("email", {}, 0),
}


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


@pytest.mark.parametrize("path", DOORS)
def test_same_work_for_known_and_unknown_addresses(path: str, hashed: list[str]) -> None:
    name, data, more = DOORS[path]
    known = make_patient().email
    work = {}
    for email in (known, "nobody@example.test"):
        hashed.clear()
        with CaptureQueriesContext(connection) as queries:
            Client().post(path, data | {name: email})
        work[email] = (len(hashed), len(queries))
    (known_hashes, known_queries), (hashes, queries_) = work[known], work["nobody@example.test"]
    assert known_hashes == hashes == (1 if "password" in str(data) else 0)
    assert abs(known_queries - queries_) <= more, work
    assert mail.outbox == []  # no door waits for a mail server


def test_address_of_another_account_is_added_with_the_same_work() -> None:
    counts = []
    for email in (make_patient().email, "nobody@example.test"):
        browser = signed_in(make_patient())
        with CaptureQueriesContext(connection) as queries:
            browser.post("/accounts/email/", {"action_add": "", "email": email})
        counts.append(len(queries))
    assert abs(counts[0] - counts[1]) <= 1
    assert mail.outbox == []
