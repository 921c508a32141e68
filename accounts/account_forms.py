"""django-allauth's forms: they accept only plain addresses and use our wording."""

from typing import Any, ClassVar

from allauth.account import forms
from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from django.contrib.auth.hashers import make_password
from django.forms import TextInput
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.codes import try_code
from accounts.limits import count_password
from accounts.models import AccountCode, User
from accounts.plain_email import MISSES_SOMETHING, validate_plain_email
from docbook.http.form_fields import fold_before
from docbook.http.throttling import give_back
from docbook.typed_text import folded_code, folded_text

_EMAIL = _("E-mail")
_TYPE_EMAIL = _("Enter your e-mail address.")
# The label of each field, and the message when it is empty.
_WORDS = {
    "login": (_EMAIL, _TYPE_EMAIL),
    "email": (_EMAIL, _TYPE_EMAIL),
    "password": (_("Password"), _("Enter your password.")),
    "oldpassword": (_("Current password"), _("Enter your current password.")),
    "password1": (_("Password"), _("Choose a password.")),
    "password2": (_("Repeat the password"), _("Enter the password again.")),
    "code": (_("Six-digit code"), _("Enter the six digits from the e-mail.")),
}
_HINTS = {
    "password1": _("At least 8 characters, not a common password."),
    "code": _("You can paste the code."),
}


class _PlainAddress:
    """Refuses addresses that no account can have, at the field and before any look-up."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("login", "email"):
            if name in self.fields:
                fold_before(self.fields[name], folded_text)
                self.fields[name].validators = [
                    validate_plain_email,
                    *self.fields[name].validators,
                ]


class _OurWords:
    """Gives fields our labels and messages, and drops placeholders that repeat the label."""

    fields: dict[str, Any]
    labels: ClassVar[dict[str, Any]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (label, required) in _WORDS.items():
            if name in self.fields:
                field = self.fields[name]
                field.label = self.labels.get(name, label)
                field.error_messages["required"] = required
                field.help_text = _HINTS.get(name, field.help_text)
                field.widget.attrs.pop("placeholder", None)
        for name in ("login", "email"):
            if name in self.fields:
                self.fields[name].error_messages["invalid"] = MISSES_SOMETHING


class _NewPassword(_OurWords):
    labels: ClassVar[dict[str, Any]] = {
        "password1": _("New password"),
        "password2": _("Repeat the new password"),
    }


class LoginForm(_OurWords, _PlainAddress, forms.LoginForm):  # type: ignore[misc]  # allauth has no types
    pass


class SignupForm(_OurWords, _PlainAddress, forms.SignupForm):  # type: ignore[misc]
    def try_save(self, request: HttpRequest) -> tuple[Any, Any]:
        """Hashes the password even if no account is created: the time must not reveal who
        exists.
        """
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        saved: tuple[Any, Any] = super().try_save(request)
        return saved


class ResetPasswordForm(_OurWords, _PlainAddress, forms.ResetPasswordForm):  # type: ignore[misc]
    def save(self, request: HttpRequest, **_options: Any) -> str:
        """The worker makes the link, so unknown addresses cause the same work."""
        email = str(self.cleaned_data["email"]).lower()
        adapter = get_adapter(request)
        for user in self.users:
            adapter.send_mail("account/email/password_reset_key", email, {"user": user})
        if self.users:
            # For unknown addresses django-allauth has queried this table too, with a cursor.
            list(User.objects.filter(email=email).iterator())
        else:
            adapter.send_mail("account/email/unknown_account", email, {})
        return email


class RequestLoginCodeForm(_OurWords, _PlainAddress, forms.RequestLoginCodeForm):  # type: ignore[misc]
    pass


class AddEmailForm(_OurWords, _PlainAddress, forms.AddEmailForm):  # type: ignore[misc]
    pass


class ChangePasswordForm(_NewPassword, forms.ChangePasswordForm):  # type: ignore[misc]
    def clean_oldpassword(self) -> str:
        """Counts tries as the sign-in does: nobody may guess the password in a borrowed session.

        Raises RateLimited.
        """
        tries = count_password(context.request, email=self.user.email, user=self.user)
        password: str = super().clean_oldpassword()
        give_back(*tries)
        return password


class SetPasswordForm(_NewPassword, forms.SetPasswordForm):  # type: ignore[misc]
    pass


class ReauthenticateForm(_OurWords, forms.ReauthenticateForm):  # type: ignore[misc]
    pass


class ResetPasswordKeyForm(_NewPassword, forms.ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class _EmptyAgain(TextInput):
    """Shows an empty field after a wrong code, so people type the new one from the start."""

    def format_value(self, value: Any) -> None:  # noqa: ARG002
        return None


class _CodeField:
    """Six digits, entered on a numeric keypad."""

    fields: dict[str, Any]
    cleaned_data: dict[str, Any]
    purpose: AccountCode.Purpose

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["code"]
        fold_before(field, folded_code)
        field.widget = _EmptyAgain(
            attrs=field.widget.attrs | {"inputmode": "numeric", "autofocus": True}
        )

    def clean_code(self) -> str:
        """django-allauth compares with a code in the session. Our codes are in no session."""
        code = normalize_user_code(self.cleaned_data["code"])
        refusal = try_code(context.request, purpose=self.purpose, code=code, now=timezone.now())
        if refusal:
            raise get_adapter().validation_error(refusal)
        self.expected_code = code
        checked: str = super().clean_code()  # type: ignore[misc]  # of the forms below
        return checked


class ConfirmLoginCodeForm(_CodeField, _OurWords, forms.ConfirmLoginCodeForm):  # type: ignore[misc]
    purpose = AccountCode.Purpose.SIGN_IN


class ConfirmEmailCodeForm(
    _CodeField,
    _OurWords,
    forms.ConfirmEmailVerificationCodeForm,  # type: ignore[misc]
):
    purpose = AccountCode.Purpose.ADDRESS
