"""Accounts: one user table for patients, doctors, secretaries and staff."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.plain_email import validate_plain_email


class UserManager(BaseUserManager["User"]):
    """Creates users; the e-mail address is the login name."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username or "")


class User(AbstractBaseUser, PermissionsMixin):
    """What somebody may do follows from what refers to them: a doctor's profile, a secretary's
    assignment, `is_staff`. Everybody may be a patient.

    A patient who was booked by phone may have no e-mail address (null), and cannot sign in.
    """

    email = models.EmailField(
        _("e-mail"), max_length=254, null=True, blank=True, validators=[validate_plain_email]
    )
    first_name = models.CharField(_("first name"), max_length=80, blank=True)
    last_name = models.CharField(_("last name"), max_length=80, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    born_on = models.DateField(_("born on"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    # How often all sessions were ended at once, for example by a new address.
    sessions_ended = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        # Two more, of trigrams, are in SQL alone: see accounts.patient_keys.
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["born_on"], condition=Q(born_on__isnull=False), name="patient_born_on"
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["email"],
                name="one_user_per_email",
                violation_error_message=_("There is an account with this e-mail address already."),
            ),
            models.CheckConstraint(
                condition=Q(email__regex=r"^[!-~]+$") & Q(email=Lower("email")),
                name="user_email_is_plain_and_in_lower_case",
                violation_error_message=_("Please use lower case and no accents."),
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or f"user {self.pk}"

    @property
    def address(self) -> str:
        """The e-mail address; empty for a patient without one."""
        return self.email or ""

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's hash of the password, mixed with the number of times all sessions were ended."""
        ends: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        if not self.sessions_ended:
            return ends
        return salted_hmac(f"sessions-{self.sessions_ended}", ends, secret=secret).hexdigest()

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class PatientMerge(models.Model):
    """Two accounts of one person that became one: `merged` went into `kept`, until it is undone.

    `moved` lists what has moved, by id and as it was then, so that it can go back. It names nobody.
    """

    kept = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("stays")
    )
    merged = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("went")
    )
    by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    merged_at = models.DateTimeField(_("merged at"))
    moved = models.JSONField(default=dict)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undone_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["merged"],
                condition=Q(undone_at__isnull=True),
                name="patient_goes_into_one_other",
            ),
            models.CheckConstraint(
                condition=~Q(kept=models.F("merged")), name="merge_is_of_two_patients"
            ),
        ]

    def __str__(self) -> str:
        return f"merge {self.pk}"


class RefreshSession(models.Model):
    """One sign-in of a mobile app: a family of refresh tokens of which only the newest is valid.

    `current_jti` is exchanged by compare-and-swap: of several requests with the same refresh token,
    one wins. A token that was already exchanged ends the whole family.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="refresh_sessions")
    current_jti = models.UUIDField()
    # Made from the user's password at sign-in; a new password ends the session.
    auth_hash = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"refresh session {self.pk}"


class AccountMail(models.Model):
    """A mail about an account that waits to be sent. The row is deleted once the mail is out.

    `facts` are words that the text needs and no table has. They never include a code or the key of
    a link: the worker derives these from the row's id, or from the user's current state.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    template = models.CharField(max_length=64)
    email = models.EmailField(max_length=254)
    # Null if the address has no account.
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"account mail {self.pk}"


class AccountCode(models.Model):
    """A code that one browser may enter to sign in or to prove an address.

    Addresses without an account have rows as well. Such a row opens nothing, and from outside it
    looks like any other.
    """

    class Purpose(models.TextChoices):
        SIGN_IN = "sign-in"
        ADDRESS = "address"

    MOST_ATTEMPTS = 3

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    # Digests of the mailbox that the code went to, and of what a guess would open.
    mailbox = models.CharField(max_length=24)
    target = models.CharField(max_length=24)
    # The code is derived from the id of the mail that carries it: another mail, another code.
    mail_id = models.UUIDField()
    attempts = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["mailbox", "purpose"], name="account_code_of_mailbox"),
            models.Index(fields=["mail_id"], name="account_code_of_mail"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(attempts__lte=3), name="account_code_has_three_attempts"
            ),
        ]

    def __str__(self) -> str:
        return f"account code {self.pk}"


class CodeGuesses(models.Model):
    """How many wrong codes somebody has entered against one target in the last day.

    `guesser` is a network, a browser that has signed in before, or all strangers together.
    """

    target = models.CharField(max_length=24)
    guesser = models.CharField(max_length=40)
    count = models.PositiveSmallIntegerField(default=0)
    since = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["target", "guesser"], name="one_count_of_guesses_per_guesser"
            ),
        ]

    def __str__(self) -> str:
        return f"guesses {self.pk}"
