"""What is filled in at the desk while a caller speaks. Forms parse; the services have the rules."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.forms import NamesForm, phone_field
from accounts.plain_email import MISSES_SOMETHING, validate_plain_email
from accounts.services import NewPatient
from bookings.schedule.desk.typed_words import Typed
from docbook.http.form_fields import EmailField, TextField

NEW = "new"
LONGEST_WORDS = 200
# Never with two digits for the year: the century would be a guess.
WHOLE_DATES = ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y"]
_PARTS_OF_A_NAME = ("first_name", "last_name")


class DeskForm(NamesForm):
    """`booking` becomes the visit's id, so a form that comes twice books once. `slot` is a time and
    a visit type, as OfferedTime.value. `caller` is a key, or NEW for somebody who is not known.
    """

    booking = forms.UUIDField(widget=forms.HiddenInput)
    words = TextField(max_length=LONGEST_WORDS, required=False, widget=forms.HiddenInput)
    caller = forms.CharField(error_messages={"required": _("Choose who is calling.")})
    slot = forms.RegexField(
        regex=r"\A[0-9]{1,18}-[0-9]{1,18}\Z",
        error_messages={
            "required": _("Choose a time."),
            "invalid": _("Choose a time."),
        },
    )
    phone = phone_field()
    email = EmailField(
        label=_("E-mail"),
        max_length=254,
        required=False,
        validators=[validate_plain_email],
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"invalid": MISSES_SOMETHING},
    )
    born_on = forms.DateField(
        label=_("Born on"),
        required=False,
        input_formats=WHOLE_DATES,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "off"}),
    )
    # For somebody known whose account has no number; a visit by phone needs one.
    visit_phone = phone_field()
    reason = TextField(
        label=_("Reason"), max_length=500, required=False, help_text=_("The patient can read it.")
    )

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        for name in (*_PARTS_OF_A_NAME, "phone"):  # another person's, not the browser's owner's
            self.fields[name].widget.attrs["autocomplete"] = "off"
        self.is_new = self._value_of("caller") == NEW
        missing = {"first_name": _("Enter the first name."), "last_name": _("Enter the last name.")}
        for name, message in missing.items():
            self.fields[name].required = self.is_new
            self.fields[name].error_messages["required"] = message

    @classmethod
    def after_search(cls, typed: Typed, *, caller: str) -> "DeskForm":
        """With what was typed in the fields of a new patient."""
        first, last = typed.names
        new = {"first_name": first, "last_name": last, "phone": typed.phone, "email": typed.email}
        return cls(initial=new | {"born_on": typed.born_on, "booking": uuid7(), "caller": caller})

    @property
    def chosen_slot(self) -> tuple[int, int]:
        """The ids of the first slot and the visit type."""
        slot_id, _hyphen, visit_type_id = self.cleaned_data["slot"].partition("-")
        return int(slot_id), int(visit_type_id)

    @property
    def new_patient(self) -> NewPatient:
        names = (*_PARTS_OF_A_NAME, "phone", "email", "born_on")
        return NewPatient(**{name: self.cleaned_data[name] for name in names})

    def _value_of(self, name: str) -> Any:
        return self.data.get(name) if self.is_bound else self.initial.get(name)


class TimesForm(forms.Form):
    """Which times are shown."""

    visit_type = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    anybody = forms.BooleanField(required=False)
    from_on = forms.DateField(
        label=_("Not before"),
        required=False,
        input_formats=WHOLE_DATES,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "off"}),
    )

    def clean_from_on(self) -> date | None:
        day: date | None = self.cleaned_data["from_on"]
        if day and not 1900 < day.year < 9000:
            raise forms.ValidationError(_("Enter a day of the next months."))
        return day
