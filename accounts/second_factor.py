"""The second factor: six digits of an authenticator app, or one of the recovery codes.

allauth keeps the secrets and provides the pages. Codes are checked here, in the database: each
counts once, and wrong ones are counted per account, whichever door they come through. allauth would
keep used codes in Redis, by name, and refuse all codes without Redis.
"""

from collections.abc import Iterable
from datetime import datetime

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.db import transaction

from accounts import account_events, mails
from accounts.models import User
from accounts.roles import works_here
from docbook.errors import RateLimited
from docbook.http.rate_policies import POLICIES

PERIOD_SECONDS = 30
# The codes of the period before and after are accepted as well: phones' clocks differ.
PERIODS = (0, -1, 1)
POLICY = "second-factor"


def has_one(user: User) -> bool:
    apps = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP)
    return bool(apps.exists())


def is_missing(user: User) -> bool:
    """Whether this account must set up a second factor before it may act here."""
    return settings.REQUIRE_SECOND_FACTOR and works_here(user) and not has_one(user)


def reset(*, user: User, by: User) -> bool:
    """Removes a lost second factor and its recovery codes; the owner can then set up another.

    Their sessions end, and a mail tells them. False if there was nothing to remove.
    """
    with transaction.atomic():
        rows = Authenticator.objects.select_for_update().filter(user=user)
        if not rows:
            return False
        rows.delete()
        account_events.record("second_factor_reset", user, by=by)
        account_events.end_sessions(user)
        mails.note_mail("second_factor_reset", email=user.address, user=user, context={})
    return True


def use_code(*, user: User, code: str, now: datetime) -> Authenticator | None:
    """Returns which kind of code this is; None for a wrong or used one.

    Raises RateLimited after ten wrong codes in a day.
    """
    code = code.replace(" ", "")
    with transaction.atomic():
        # One code at a time: of several requests with the same code, one wins.
        rows = list(Authenticator.objects.select_for_update().filter(user=user).order_by("pk"))
        counter = next((row for row in rows if row.type == Authenticator.Type.TOTP), None)
        if counter is None:
            return None
        _refuse_after_many(counter, now=now)
        found = _matching(rows, code=code, now=now)
        _count(counter, was_right=found is not None, now=now)
    return found


def _matching(rows: Iterable[Authenticator], *, code: str, now: datetime) -> Authenticator | None:
    for row in rows:
        is_totp = row.type == Authenticator.Type.TOTP
        if _takes_totp(row, code=code, now=now) if is_totp else _takes_recovery(row, code=code):
            return row
    return None


def _takes_totp(row: Authenticator, *, code: str, now: datetime) -> bool:
    secret = get_adapter().decrypt(row.data["secret"])
    last = row.data.get("last_period", 0)
    this = int(now.timestamp()) // PERIOD_SECONDS
    for period in (this + each for each in PERIODS):
        if period > last and format_hotp_value(hotp_value(secret, period)) == code:
            row.data["last_period"] = period
            return True
    return False


def _takes_recovery(row: Authenticator, *, code: str) -> bool:
    return row.type == Authenticator.Type.RECOVERY_CODES and bool(row.wrap().validate_code(code))


def _refuse_after_many(counter: Authenticator, *, now: datetime) -> None:
    since = counter.data.get("wrong_since", 0)
    passed = now.timestamp() - since
    most, seconds = POLICIES[POLICY].rate
    if passed >= seconds:
        counter.data |= {"wrong": 0, "wrong_since": now.timestamp()}
    elif counter.data.get("wrong", 0) >= most:
        wait = int(seconds - passed) + 1
        raise RateLimited(retry_after=wait, limit=POLICY, most=most, seconds=seconds)


def _count(counter: Authenticator, *, was_right: bool, now: datetime) -> None:
    if was_right:  # wrong ones expire with their day: somebody else may have entered them
        counter.last_used_at = now
    else:
        counter.data["wrong"] = counter.data.get("wrong", 0) + 1
    counter.save(update_fields=["data", "last_used_at"])
