"""What an account loses when its address is proven for the first time.

Anybody can open an account for an address that is not theirs, and choose a password. Only the code
in the mailbox proves the address. If the proof comes another way than by the code of the sign-up,
somebody else may know the password. So the password stops working, and every session ends.
"""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.account.signals import authentication_step_completed
from django.contrib import messages
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import account_events
from accounts.models import User


@transaction.atomic
def secure_first_proof(user: User, *, by: User | None = None) -> bool:
    """Removes the password and ends every session. Returns whether there was a password.

    A second factor stays, because only an owner who had proven the address could set one up. `by`
    names a superuser who proves the address for the owner.
    """
    had_password = user.has_usable_password()
    user.set_unusable_password()
    user.save(update_fields=["password"])
    if had_password:
        account_events.record("password_removed", user, by=by)
    account_events.end_sessions(user)
    return had_password


def has_proven(user: User, email: str) -> bool:
    addresses = EmailAddress.objects.filter(user=user, email=email.lower(), verified=True)
    return bool(addresses.exists())


@receiver(authentication_step_completed)
def _signed_in_by_code(
    request: HttpRequest, user: User, method: str, email: str | None = None, **_: Any
) -> None:
    """Allauth sends this before it marks the address as proven. So the old password never opens
    a proven account.
    """
    if method != "code" or email is None or has_proven(user, email):
        return
    if secure_first_proof(user):
        text = "account/messages/password_removed.txt"
        get_adapter().add_message(request, messages.WARNING, text)
