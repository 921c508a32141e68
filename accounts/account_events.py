"""Records what happens to accounts in the audit, and ends sessions that must not outlive it.

Signals of Django and allauth report the events. No record names a person.
"""

from typing import Any

from allauth.account import signals as account
from allauth.core import context
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.db import transaction
from django.db.models import F
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts.known_networks import remember_network
from accounts.models import User
from docbook.audit import services as audit
from docbook.http.throttling import count, limit_of
from docbook.observability import metrics


def record(action: str, user: User, *, by: User | None = None, **after: object) -> None:
    """Records one event about an account. The actor is its owner unless `by` names somebody
    else.
    """
    actor = by or user
    kind = "staff" if actor.is_staff else "user"
    audit.record(
        action=f"account.{action}",
        by=audit.Actor(kind, actor.pk),
        on=("account", user.pk),
        after=dict(after),
    )


def signed_in(user: User, *, through: str) -> None:
    record("signed_in", user, through=through)


def sign_in_failed(*, email: str, through: str) -> None:
    """The audit event has the account's id if the address is known, otherwise no id."""
    metrics.count("docbook_sign_ins_failed")
    user_id = User.objects.filter(email=email.lower()).values_list("pk", flat=True).first()
    if count(limit_of("audit-failures", named=str(user_id))):
        return
    audit.record(
        action="account.sign_in_failed",
        by=audit.Actor("anonymous"),
        on=("account", user_id or ""),
        after={"through": through},
    )


def end_sessions(user: User) -> None:
    """Signs out all browsers and apps except the one that asks, which stays known."""
    with transaction.atomic():
        # Two browsers may end each other at once. The row stays locked until this one has read its
        # own count, so only the last one stays signed in.
        User.objects.filter(pk=user.pk).update(sessions_ended=F("sessions_ended") + 1)
        user.refresh_from_db(fields=["sessions_ended"])
        user.refresh_sessions.filter(ended_at=None).update(ended_at=timezone.now())
    request = context.request
    if request is not None and request.user.is_authenticated and request.user.pk == user.pk:
        update_session_auth_hash(request, user)
        request.user = user
        request.stays_known = user  # accounts.middleware reads this: it has the response
        remember_network(request, user=user)


@receiver(account.user_logged_in)
def _signed_in(user: User, **_: Any) -> None:
    signed_in(user, through="page")


@receiver(user_login_failed)
def _failed(credentials: dict[str, Any], **_: Any) -> None:
    sign_in_failed(email=str(credentials.get("email") or ""), through="page")


@receiver(user_logged_out)
def _signed_out(user: User | None, **_: Any) -> None:
    if user is not None:
        record("signed_out", user)


@receiver(account.email_changed)
def _new_address(user: User, **_: Any) -> None:
    record("email_changed", user)
    end_sessions(user)


@receiver(account.email_added)
def _one_more_address(user: User, **_: Any) -> None:
    record("email_added", user)


@receiver(account.email_removed)
def _one_address_less(user: User, **_: Any) -> None:
    record("email_removed", user)
    end_sessions(user)


@receiver(account.password_changed)
@receiver(account.password_set)
@receiver(account.password_reset)
def _new_password(user: User, **_: Any) -> None:
    record("password_changed", user)
    end_sessions(user)


@receiver(post_save, sender=Authenticator)
def _second_factor_set(instance: Authenticator, created: bool, **_: Any) -> None:
    if created and instance.type == Authenticator.Type.TOTP:
        record("second_factor_added", instance.user, by=_asking(instance.user))
        end_sessions(instance.user)


@receiver(post_delete, sender=Authenticator)
def _second_factor_gone(instance: Authenticator, **_: Any) -> None:
    user = User.objects.filter(pk=instance.user_id).first()
    if user is not None and instance.type == Authenticator.Type.TOTP:
        record("second_factor_removed", user, by=_asking(user))
        end_sessions(user)


@receiver(mfa.authenticator_used)
def _second_factor_used(user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        record("recovery_code_used", user)


@receiver(mfa.authentication_failed)
def _second_factor_failed(user: User, **_: Any) -> None:
    sign_in_failed(email=user.address, through="second factor")


def _asking(user: User) -> User:
    """The user who is signed in. A superuser may reset the second factor of others."""
    request: HttpRequest | None = context.request
    asking = getattr(request, "user", None)
    return asking if isinstance(asking, User) else user
