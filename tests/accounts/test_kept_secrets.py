"""The database keeps secrets of the second factor encrypted, under a ring of keys."""

from collections.abc import Sequence

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from celery import current_app
from django.conf import settings as current
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts import kept_secrets, second_factor, tasks
from accounts.models import User
from tests.accounts.test_second_factor import (
    code_of,
    recovery_codes,
    set_up,
    sign_in_with,
)
from tests.factories import make_user

assert tasks  # known to Celery by its import
pytestmark = pytest.mark.django_db

NEW = ["n" * 40, *current.SECOND_FACTOR_KEYS]


def written() -> str:
    """The whole content of the table, as a copy of the database shows it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, ' ') FROM mfa_authenticator")
        [text] = cursor.fetchone()
    return str(text)


def written_before(user: User) -> str:
    """A second factor with plain secrets, as allauth writes them."""
    secret: str = generate_totp_secret()
    rows = {"TOTP": {"secret": secret}, "RECOVERY_CODES": {"seed": "ab" * 40, "used_mask": 0}}
    for name, data in rows.items():
        Authenticator.objects.create(user=user, type=Authenticator.Type[name], data=data)
    return secret


def is_right(user: User, code: str) -> bool:
    return second_factor.use_code(user=user, code=code, now=timezone.now()) is not None


def renew() -> None:
    current_app.tasks["accounts.renew_kept_secrets"]()


def test_copy_of_the_database_shows_neither_the_secret_nor_what_recovery_codes_come_from() -> None:
    user = make_user()
    secret = set_up(user)
    codes = recovery_codes(user)
    found = written()
    assert secret not in found
    for row in Authenticator.objects.filter(user=user):
        kept = row.data.get("secret") or row.data["seed"]
        assert kept.startswith(kept_secrets.ENCRYPTED)
        assert kept_secrets.decrypt(kept) not in found
    assert is_right(user, code_of(secret))
    assert is_right(user, codes[0])


def test_same_secret_is_never_written_the_same_way_twice() -> None:
    assert kept_secrets.encrypt("JBSWY3DP") != kept_secrets.encrypt("JBSWY3DP")


def test_secret_from_before_opens_the_account_and_is_encrypted_by_night() -> None:
    user = make_user(is_staff=True)
    secret = written_before(user)
    codes = recovery_codes(user)
    assert is_right(user, code_of(secret, periods=-1))
    renew()
    assert secret not in written()
    assert "ab" * 40 not in written()
    assert sign_in_with(user, code_of(secret)).get("/admin/").status_code == 200
    assert recovery_codes(user) == codes


@pytest.mark.parametrize("ring", [NEW, NEW[:1]], ids=["both", "the new one alone"])
def test_older_key_opens_secrets_until_the_night_and_can_leave_the_ring_then(
    settings, ring: Sequence[str]
) -> None:
    user = make_user()
    secret = set_up(user)
    settings.SECOND_FACTOR_KEYS = NEW
    assert is_right(user, code_of(secret, periods=-1))
    renew()
    settings.SECOND_FACTOR_KEYS = ring
    assert is_right(user, code_of(secret))
    assert is_right(user, recovery_codes(user)[0])


def test_night_after_writes_nothing_again() -> None:
    set_up(make_user())
    renew()
    before = written()
    renew()
    assert written() == before
    assert kept_secrets.renew_all() == 0


def test_use_of_a_code_and_the_count_of_wrong_ones_stay_over_a_new_key(settings) -> None:
    user = make_user()
    code = code_of(set_up(user))
    first, second, *_ = recovery_codes(user)
    assert is_right(user, code)
    assert is_right(user, first)
    assert not is_right(user, "000000 no")
    settings.SECOND_FACTOR_KEYS = NEW
    renew()
    assert not is_right(user, code)
    assert not is_right(user, first)
    assert is_right(user, second)
    counter = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
    assert counter.data["wrong"] == 3


def test_key_that_left_the_ring_too_early_is_missed_by_name(settings) -> None:
    user = make_user()
    secret = set_up(user)
    settings.SECOND_FACTOR_KEYS = NEW[:1]
    with pytest.raises(ImproperlyConfigured, match="SECOND_FACTOR_KEYS"):
        is_right(user, code_of(secret))


def test_release_before_reads_every_secret_once_the_command_was_run(settings, capsys) -> None:
    user, colleague = make_user(), make_user(is_staff=True)
    secret, old_secret = set_up(user), written_before(colleague)
    codes = recovery_codes(user)
    call_command("decrypt_second_factors")
    assert capsys.readouterr().out.startswith("2 rows decrypted.")
    assert secret in written()
    assert kept_secrets.ENCRYPTED not in written()
    settings.MFA_ADAPTER = "allauth.mfa.adapter.DefaultMFAAdapter"  # which keeps secrets plain
    assert is_right(user, code_of(secret))
    assert is_right(user, codes[0])
    assert is_right(colleague, code_of(old_secret))


def test_secrets_are_encrypted_again_in_the_night_after_coming_back() -> None:
    user = make_user()
    secret = set_up(user)
    call_command("decrypt_second_factors")
    renew()
    assert secret not in written()
    assert is_right(user, code_of(secret))


def test_command_misses_a_key_by_name_and_leaves_everything_as_it_was(settings) -> None:
    settings.SECOND_FACTOR_KEYS = NEW
    set_up(make_user())
    settings.SECOND_FACTOR_KEYS = NEW[1:]
    set_up(make_user())
    settings.SECOND_FACTOR_KEYS = NEW[:1]
    before = written()
    with pytest.raises(CommandError, match="SECOND_FACTOR_KEYS"):
        call_command("decrypt_second_factors")
    assert written() == before
