"""Forms about who you are."""

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from docbook.http.form_fields import PatternField, TextField
from docbook.notify.phone_numbers import AS_WRITTEN


class NamesForm(forms.Form):
    """What a person is called."""

    first_name = TextField(
        label=_("First name"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
        error_messages={"required": _("Enter your first name.")},
    )
    last_name = TextField(
        label=_("Last name"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
        error_messages={"required": _("Enter your last name.")},
    )


def phone_field() -> PatternField:
    return PatternField(
        label=_("Phone"),
        regex=AS_WRITTEN,
        strip=True,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel", "type": "tel"}),
        error_messages={
            "required": _("Enter your phone number."),
            "invalid": _("Enter at least five digits. Spaces and + ( ) / . - are allowed."),
        },
    )


class SignupNames(NamesForm):
    """The names on the sign-up page. django-allauth puts them before e-mail and password."""

    field_order = ("first_name", "last_name", "email", "password1")

    def signup(self, request: HttpRequest, user: User) -> None:  # noqa: ARG002 - allauth's hook
        user.first_name = self.cleaned_data["first_name"]
        user.last_name = self.cleaned_data["last_name"]
        user.save(update_fields=["first_name", "last_name"])
