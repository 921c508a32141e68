"""The form that makes the address of a calendar feed."""

from django import forms
from django.utils.translation import gettext_lazy as _


class FeedForm(forms.Form):
    with_names = forms.BooleanField(
        label=_("With patients' names"),
        required=False,
        widget=forms.CheckboxInput(attrs={"aria-describedby": "names-hint"}),
    )
