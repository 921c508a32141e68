"""Allauth's forms of the second factor, with our checks and our wording."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateForm
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import second_factor
from docbook.errors import RateLimited

_REQUIRED = _("Enter the six digits that your app shows.")
_TOO_MANY = _("Too many wrong codes. Wait a day, or ask your administrator.")


class _AppCode:
    """Entered on a numeric keypad. After a wrong code the field is empty."""

    fields: dict[str, Any]
    label: Any = _("Code from your app")
    hint: Any = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["code"]
        field.label, field.help_text = self.label, self.hint
        field.max_length = 20
        field.error_messages["required"] = _REQUIRED
        field.widget.attrs.pop("placeholder", None)
        field.widget.attrs |= {"inputmode": "numeric", "autofocus": True, "maxlength": 20}


class _Judged(_AppCode):
    hint = _("Six digits, or one of your recovery codes.")
    user: Any
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        try:
            found = second_factor.use_code(user=self.user, code=code[:20], now=timezone.now())
        except RateLimited as error:
            raise ValidationError(_TOO_MANY, code="rate-limited") from error
        if found is None:
            self._tell_of_failure()
            raise get_adapter().validation_error("incorrect_code")
        found.user = self.user
        self.authenticator = found
        return code

    def _tell_of_failure(self) -> None:
        main = Authenticator.objects.filter(user=self.user).order_by("-type").first()
        if main:
            self._emit_authentication_failed(main)  # type: ignore[attr-defined]


class AuthenticateForm(_Judged, forms.AuthenticateForm):  # type: ignore[misc]  # no types
    pass


class ReauthenticateForm(_Judged, forms.ReauthenticateForm):  # type: ignore[misc]
    pass


class ActivateTOTPForm(_AppCode, AllauthActivateForm):  # type: ignore[misc]
    hint = _("Six digits that change every half minute.")
