"""Codes to sign in with and to prove an address with.

A code belongs to the browser that asked for it; the session holds the id of its row. The code is
derived from the id of the mail that carries it, as the code of a booking is derived from its hold
(decision records 0002 and 0015). No table, session, queue or log contains it.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from uuid_utils.compat import uuid7

from accounts import guesses
from accounts.known_browsers import name_of_browser
from accounts.models import AccountCode, User
from docbook import six_digits
from docbook.http.keyed_digest import mailbox_of, network_digest, target_of

Purpose = AccountCode.Purpose
_NO_ROW = str(UUID(int=0))

# django-allauth's adapter has these names for refused codes.
WRONG, LOCKED, NO_GUESSES_LEFT = "incorrect_code", "too_many_login_attempts", "no_guesses_left"


def code_of_mail(mail_id: UUID) -> str:
    """Derived when the mail is written, and stored nowhere."""
    return six_digits.derive(key=settings.OTP_KEYS[0], text=_text(mail_id))


def is_open(mail_id: UUID, *, now: datetime) -> bool:
    """Whether the code of this mail still works."""
    return AccountCode.objects.filter(mail_id=mail_id, expires_at__gt=now).exists()


def give_code(
    request: HttpRequest,
    *,
    purpose: AccountCode.Purpose,
    email: str,
    user: User | None,
    mail_id: UUID | None,
    again: bool,
    now: datetime,
) -> None:
    """Allows this browser to enter the code that the mail carries.

    If strangers have asked for too many codes, no mail is sent. Then this browser may enter the
    newest code already on its way to the mailbox. `again` keeps the row and the tries already used.
    """
    mailbox = mailbox_of(email)
    expires_at = now + timedelta(seconds=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT)
    if mail_id is None:
        same = AccountCode.objects.filter(mailbox=mailbox, purpose=purpose, user=user)
        newest = same.filter(expires_at__gt=now).order_by("-expires_at").first()
        mail_id = newest.mail_id if newest else uuid7()
        expires_at = newest.expires_at if newest else expires_at
    values = {"mail_id": mail_id, "expires_at": expires_at, "mailbox": mailbox, "user": user}
    if again and AccountCode.objects.filter(pk=_row_of(request, purpose)).update(**values):
        return
    # Every address of an account stands for the same account.
    opens = user.address if user and purpose == Purpose.SIGN_IN else email
    row = AccountCode.objects.create(purpose=purpose, target=target_of(opens), **values)
    request.session[_session_key(purpose)] = str(row.pk)


def try_code(
    request: HttpRequest, *, purpose: AccountCode.Purpose, code: str, now: datetime
) -> str | None:
    """Returns what is wrong with this code, or None. A right code works once.

    A try is counted before the code is checked, both in the row of the code and for the account. So
    of many tries at once, no more than the limit are checked.
    """
    mine = AccountCode.objects.filter(
        pk=_row_of(request, purpose), purpose=purpose, expires_at__gt=now
    )
    row = mine.select_related("user").first()
    if row is None:
        return WRONG
    if not mine.filter(attempts__lt=AccountCode.MOST_ATTEMPTS).update(attempts=F("attempts") + 1):
        return LOCKED
    guessers = guesses.guessers_of(
        network=network_digest(request), browser=name_of_browser(request, row.user)
    )
    if not guesses.count_guess(target=row.target, guessers=guessers, now=now):
        return NO_GUESSES_LEFT
    if not _is_right(row, code):
        return WRONG
    with transaction.atomic():
        won, _by_model = mine.filter(mail_id=row.mail_id).delete()
        if won:
            guesses.give_back(target=row.target, guessers=guessers)
    return None if won else WRONG


def _is_right(row: AccountCode, code: str) -> bool:
    """Also compares for an address without an account, so the time reveals nothing."""
    fits = six_digits.matches(code=code, keys=settings.OTP_KEYS, text=_text(row.mail_id))
    return fits and row.user is not None


def _text(mail_id: UUID) -> str:
    return f"account-code:{mail_id}"


def _session_key(purpose: AccountCode.Purpose) -> str:
    return f"account_code:{purpose}"


def _row_of(request: HttpRequest, purpose: AccountCode.Purpose) -> UUID:
    """An id that no row has if this browser has asked for no code."""
    return UUID(request.session.get(_session_key(purpose), _NO_ROW))
