"""Forms that connect a calendar elsewhere: by its address, or as a file. They only parse."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from docbook.http.form_fields import TextField
from docbook.http.outside import LONGEST_ADDRESS

LONGEST_NAME = 80


class AddressForm(forms.Form):
    name = TextField(label=_("Name"), max_length=LONGEST_NAME)
    address = forms.CharField(
        label=_("Secret address"),
        max_length=LONGEST_ADDRESS,
        help_text=_("It begins with https:// or webcal:// and often ends with .ics."),
        widget=forms.TextInput(
            attrs={
                "inputmode": "url",
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="address_%s")


class FileForm(forms.Form):
    name = TextField(label=_("Name"), max_length=LONGEST_NAME)
    file = forms.FileField(
        label=_("Calendar file"),
        allow_empty_file=True,  # it is no calendar, which is all there is to say
        help_text=_("An .ics file of at most 2 MB. It is read once, and again when you upload it."),
        widget=forms.FileInput(attrs={"accept": ".ics,text/calendar"}),
    )

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, auto_id="file_%s")
