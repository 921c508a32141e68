"""Opening accounts, and signing in to them through the API."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import account_events, second_factor
from accounts.first_proof import secure_first_proof
from accounts.models import PatientMerge, User
from accounts.roles import works_here
from accounts.tokens import TokenPair, start_session
from docbook.errors import DomainError, FieldError

# Read together with the password: the first proof removes a password that is being checked.
_PROOF = EmailAddress.objects.filter(user=OuterRef("pk"), email=OuterRef("email"), verified=True)


class SecondFactorRequired(DomainError):
    """The password was right, but the code of the second factor is missing or not set up yet."""

    code = "second-factor-required"


class SecondFactorWrong(DomainError):
    """A wrong code, or one that was used before."""

    code = "second-factor-wrong"


class SignInRefused(DomainError):
    """Unknown account, wrong password, unproven address or disabled account: all look alike."""

    code = "unauthenticated"


def sign_in_with_password(
    *, email: str, password: str, second_factor_code: str, now: datetime
) -> TokenPair:
    """Starts a session of a mobile app. The code is empty for accounts without a second factor.

    Raises SignInRefused, SecondFactorRequired, SecondFactorWrong, or RateLimited after many codes.
    """
    user = User.objects.filter(email=email).annotate(is_proven=Exists(_PROOF)).first()
    if user is None:
        account_events.sign_in_failed(email=email, through="api")
        make_password(password)  # as slow as a check: the time must not reveal who exists
        raise SignInRefused
    if not (user.check_password(password) and user.is_active and user.is_proven):
        account_events.sign_in_failed(email=email, through="api")
        raise SignInRefused
    _ask_second_factor(user, code=second_factor_code, now=now)
    with transaction.atomic():
        account_events.signed_in(user, through="api")
        return start_session(user=user, now=now)


def _ask_second_factor(user: User, *, code: str, now: datetime) -> None:
    if second_factor.is_missing(user):
        raise SecondFactorRequired(_("Set up a second step on the website first."))
    if not second_factor.has_one(user):
        return
    if not code:
        raise SecondFactorRequired
    found = second_factor.use_code(user=user, code=code, now=now)
    if found is None:
        account_events.sign_in_failed(email=user.address, through="second factor")
        raise SecondFactorWrong
    if found.type == Authenticator.Type.RECOVERY_CODES:
        account_events.record("recovery_code_used", user)


def patient_with_proven_email(*, email: str, first_name: str, last_name: str, phone: str) -> User:
    """Returns the account of this address, and opens it if there is none. The caller has seen the
    proof.

    An unproven account loses its password and every session (accounts.first_proof). Accounts of
    staff are left alone: a booking does not open them.

    If the account was merged into another, the other is returned: both belong to one person.

    Addresses are compared exactly, in lower case: PostgreSQL's UPPER() and others confuse some
    letters that belong to different addresses. Runs in the caller's transaction.
    """
    email = email.lower()
    proven = EmailAddress.objects.filter(email=email, verified=True).first()
    if proven is not None:
        return _who_stayed(User.objects.get(pk=proven.user_id))
    user, created = User.objects.get_or_create(
        email=email,
        defaults={
            "first_name": first_name,
            "last_name": last_name,
            "phone": phone,
            "password": make_password(None),
        },
    )
    if not created:
        if user.is_staff:
            return user
        if (kept := _who_stayed(user)) != user:
            return kept
        secure_first_proof(user)
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )
    return user


def _who_stayed(user: User) -> User:
    """The account into which this one was merged, and so on; the same one if it was not."""
    while not user.is_active:
        into = PatientMerge.objects.filter(merged=user, undone_at=None).select_related("kept")
        merge = into.first()
        if merge is None:
            break
        user = merge.kept
    return user


@dataclass(frozen=True)
class NewPatient:
    """What somebody says about themselves on the phone. They need no e-mail address."""

    first_name: str
    last_name: str
    phone: str = ""
    email: str = ""
    born_on: date | None = None


def add_patient(new: NewPatient) -> User:
    """Somebody who has no account yet. They cannot sign in before they prove their address.

    Raises FieldError if they have no name, if there is no way to reach them, if they are not born
    yet or too long ago, or if the address has an account: a visit must not reach its owner by
    surprise. Runs in the caller's transaction.
    """
    for name in ("first_name", "last_name"):
        if not getattr(new, name):
            raise FieldError(name, _("Enter the name."), field_code="required")
    if not (new.phone or new.email):
        raise FieldError("phone", _("Give a phone number or an e-mail address."))
    # Tomorrow, because it has begun in some places.
    if new.born_on and not 1900 <= new.born_on.year <= _tomorrow().year:
        raise FieldError("born_on", _("Enter the whole year."))
    if new.born_on and new.born_on > _tomorrow():
        raise FieldError("born_on", _("This day is still to come."))
    user = User(
        first_name=new.first_name,
        last_name=new.last_name,
        phone=new.phone,
        email=new.email.lower() or None,
        born_on=new.born_on,
        password=make_password(None),
    )
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        text = _("Somebody has an account with this address. Search for it, and choose them.")
        raise FieldError("email", text, field_code="known") from error
    return user


def _tomorrow() -> date:
    return timezone.now().date() + timedelta(days=1)


def is_first_visit(user: User) -> bool:
    """Whether a booking opened the account and nobody has signed in to it yet."""
    return user.last_login is None and not user.has_usable_password() and not works_here(user)
