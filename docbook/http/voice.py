"""Django's and REST framework's messages about wrong values, in our own words at both doors.

The stock sentences differ from ours and from each other: "Ensure this value has at most…", "A valid
integer is required.". We replace the defaults, so no field has to set its own.
"""

from typing import Any

from django import forms
from django.core import validators
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from rest_framework import serializers

_AT_MOST = ngettext_lazy(
    "Write at most %(limit_value)d character.",
    "Write at most %(limit_value)d characters.",
    "limit_value",
)
_AT_LEAST = ngettext_lazy(
    "Write at least %(limit_value)d character.",
    "Write at least %(limit_value)d characters.",
    "limit_value",
)
_LEAST, _MOST = _("The minimum is %(limit_value)s."), _("The maximum is %(limit_value)s.")

_OF_FORMS: dict[type[forms.Field], dict[str, Any]] = {
    forms.DateField: {"invalid": _("Write the day like 2026-12-31.")},
    forms.TimeField: {"invalid": _("Write the time like 08:30.")},
    forms.IntegerField: {"invalid": _("Write a whole number, like 60.")},
    forms.ChoiceField: {"invalid_choice": _("%(value)s is not one of the choices.")},
    forms.MultipleChoiceField: {"invalid_choice": _("%(value)s is not one of the choices.")},
}
_OF_THE_API: dict[type[serializers.Field[Any, Any, Any, Any]], dict[str, Any]] = {
    serializers.CharField: {
        "invalid": _("Write text."),
        "blank": _("Write something here."),
        "max_length": _("Write at most {max_length} characters."),
        "min_length": _("Write at least {min_length} characters."),
    },
    serializers.IntegerField: {
        "invalid": _("Write a whole number."),
        "max_value": _("The maximum is {max_value}."),
        "min_value": _("The minimum is {min_value}."),
        "max_string_length": _("This number is too long."),
    },
    serializers.UUIDField: {"invalid": _("Write an id with its hyphens, as we gave it.")},
    serializers.SlugField: {"invalid": _("Write letters, digits and hyphens.")},
    serializers.ListField: {
        "not_a_list": _("Write a list."),
        "max_length": _("Write at most {max_length} of them."),
        "min_length": _("Write at least {min_length} of them."),
    },
}


def use_our_voice() -> None:
    """Fields collect their messages when they are created, which is later."""
    for texts in (_OF_FORMS, _OF_THE_API):
        for field, messages in texts.items():
            own: Any = field
            own.default_error_messages = {**own.default_error_messages, **messages}
    messages_of: dict[Any, Any] = {
        validators.MaxLengthValidator: _AT_MOST,
        validators.MinLengthValidator: _AT_LEAST,
        validators.MinValueValidator: _LEAST,
        validators.MaxValueValidator: _MOST,
    }
    for validator, message in messages_of.items():
        validator.message = message
