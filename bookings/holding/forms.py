"""What a patient enters while booking. Forms parse; the services decide."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import NamesForm, phone_field
from accounts.plain_email import MISSES_SOMETHING, validate_plain_email
from docbook.http.form_fields import EmailField, PatternField, TextField
from docbook.http.templatetags.fixed import ForEverybody


class StartForm(forms.Form):
    """The tap on a time. `instead_of` is a hold that is given back for it, and `replaces` is the
    visit that moves there.
    """

    slot = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    visit_type = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    instead_of = forms.UUIDField(required=False)
    replaces = forms.UUIDField(required=False)


def require_phone(field: forms.Field, *, caller: str) -> None:
    """For a visit in which `caller`, the doctor, calls."""
    field.required = True
    field.help_text = _("%(doctor)s calls you on this number.") % {"doctor": caller}


class DetailsForm(NamesForm):
    """Who comes."""

    email = EmailField(
        label=_("E-mail"),
        max_length=254,
        validators=[validate_plain_email],
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": _("Enter your e-mail address."),
            "invalid": MISSES_SOMETHING,
        },
        help_text=_("We send the code and the confirmation here."),
    )
    phone = phone_field()
    reason = TextField(
        label=_("What would you like help with?"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Only the clinic reads it."),
    )


class PatientDetailsForm(DetailsForm):
    """A signed-in patient's address is known, and not asked again."""

    email = None  # type: ignore[assignment]  # how Django leaves a field out


class CodeForm(forms.Form):
    """Six digits, or a long code. Spaces and hyphens of a pasted code are ignored.

    The texts fit both kinds, because the newest mail may be newer than the page.
    """

    # What the page showed about the visit; the practice may have changed it since.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    code = PatternField(
        label=_("Six-digit code"),
        regex=r"\A[\s-]*(?:(?:[0-9][\s-]*){6}|(?:[A-Za-z2-7][\s-]*){12})\Z",
        strip=True,
        widget=forms.TextInput(
            attrs={
                "maxlength": 20,
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "autofocus": True,
            }
        ),
        help_text=_("You can paste the code."),
        error_messages={
            "required": _("Enter the code that we sent you."),
            "invalid": _("Enter the whole code as we sent it."),
        },
    )

    @classmethod
    def after_wrong_code(cls, message: str) -> "CodeForm":
        """An empty form with a message about the code before."""
        form = cls({})
        form.errors["code"] = form.error_class([message])
        return form

    def ask_for_long_code(self) -> None:
        """People type it on a keyboard with letters."""
        field = self.fields["code"]
        field.label = _("Code, six digits or twelve characters")
        field.widget.attrs |= {"inputmode": "text", "autocapitalize": "characters"}


class _UntouchedCodeForm(CodeForm, ForEverybody):
    """Before anybody has typed a code. It never changes."""


UNTOUCHED = _UntouchedCodeForm()
