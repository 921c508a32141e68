"""django-allauth's forms, which ask for plain addresses and speak as ours do."""

from typing import Any

from allauth.account import forms
from django.forms import TextInput
from django.utils.translation import gettext_lazy as _

from accounts.plain_email import MISSES_SOMETHING, validate_plain_email
from docbook.http.form_fields import fold_before
from docbook.typed_text import folded_code, folded_text

_EMAIL = _("E-mail")
_TYPE_EMAIL = _("Please type your e-mail address.")
# What each field is called, and what is said when nothing was typed into it.
_WORDS = {
    "login": (_EMAIL, _TYPE_EMAIL),
    "email": (_EMAIL, _TYPE_EMAIL),
    "password": (_("Password"), _("Please type your password.")),
    "oldpassword": (_("Your password until now"), _("Please type your password until now.")),
    "password1": (_("Password"), _("Please choose a password.")),
    "password2": (_("The same password again"), _("Please type the password once more.")),
    "code": (_("Six-digit code"), _("Please type the six digits from the e-mail.")),
}
_HINTS = {
    "password1": _("At least 8 characters, not a common password."),
    "code": _("You can paste the code."),
}


class _PlainAddress:
    """Refuses at its field what no account can have, before anything looks it up."""

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
    """A label says what belongs into a field; a placeholder that says it again goes."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (label, required) in _WORDS.items():
            if name in self.fields:
                field = self.fields[name]
                field.label, field.error_messages["required"] = label, required
                field.help_text = _HINTS.get(name, field.help_text)
                field.widget.attrs.pop("placeholder", None)
        for name in ("login", "email"):
            if name in self.fields:
                self.fields[name].error_messages["invalid"] = MISSES_SOMETHING


class LoginForm(_OurWords, _PlainAddress, forms.LoginForm):  # type: ignore[misc]  # allauth has no types
    pass


class SignupForm(_OurWords, _PlainAddress, forms.SignupForm):  # type: ignore[misc]
    pass


class ResetPasswordForm(_OurWords, _PlainAddress, forms.ResetPasswordForm):  # type: ignore[misc]
    pass


class RequestLoginCodeForm(_OurWords, _PlainAddress, forms.RequestLoginCodeForm):  # type: ignore[misc]
    pass


class AddEmailForm(_OurWords, _PlainAddress, forms.AddEmailForm):  # type: ignore[misc]
    pass


class ChangePasswordForm(_OurWords, forms.ChangePasswordForm):  # type: ignore[misc]
    pass


class SetPasswordForm(_OurWords, forms.SetPasswordForm):  # type: ignore[misc]
    pass


class ReauthenticateForm(_OurWords, forms.ReauthenticateForm):  # type: ignore[misc]
    pass


class ResetPasswordKeyForm(_OurWords, forms.ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class _EmptyAgain(TextInput):
    """A code that was refused is typed anew, not between its old digits."""

    def format_value(self, value: Any) -> None:  # noqa: ARG002
        return None


class _CodeField:
    """Six digits, typed on a keypad of digits."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["code"]
        fold_before(field, folded_code)
        field.widget = _EmptyAgain(
            attrs=field.widget.attrs | {"inputmode": "numeric", "autofocus": True}
        )


class ConfirmLoginCodeForm(_CodeField, _OurWords, forms.ConfirmLoginCodeForm):  # type: ignore[misc]
    pass


class ConfirmEmailCodeForm(
    _CodeField,
    _OurWords,
    forms.ConfirmEmailVerificationCodeForm,  # type: ignore[misc]
):
    pass
