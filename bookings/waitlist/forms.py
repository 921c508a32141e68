"""What a patient enters to take an offered time."""

from typing import Any

from django import forms

from accounts.forms import phone_field
from bookings.holding.forms import require_phone


class NumberForm(forms.Form):
    """Asks for a number if an offered visit is by phone and no number of the patient is known."""

    phone = phone_field()

    def __init__(self, *args: Any, caller: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        require_phone(self.fields["phone"], caller=caller)
