"""What a patient types to take an offered time."""

from typing import Any

from django import forms

from bookings.holding.forms import phone_field, require_phone


class NumberForm(forms.Form):
    """What an offer of a visit by phone asks for, where no number of the patient is known."""

    phone = phone_field()

    def __init__(self, *args: Any, caller: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        require_phone(self.fields["phone"], caller=caller)
