"""The form with which a patient cancels a visit."""

from django import forms
from django.utils.translation import gettext_lazy as _

from docbook.http.form_fields import TextField


class CancelForm(forms.Form):
    """`version` is the version of the visit that the patient has seen."""

    version = forms.IntegerField(min_value=1, max_value=2**31 - 1)
    reason = TextField(
        label=_("Why?"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Only the clinic reads it."),
    )
