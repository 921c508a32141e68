"""A phone number in a body of the API."""

import re

from drf_spectacular.utils import extend_schema_field

from docbook.http.serializers import PatternField
from docbook.notify.phone_numbers import AS_WRITTEN, NOT_A_NUMBER


# As in AS_WRITTEN, or empty.
@extend_schema_field(
    {"type": "string", "maxLength": 32, "pattern": f"^$|{AS_WRITTEN}".replace(r"\Z", "$")}
)
class PhoneField(PatternField):
    pass


def phone_field(*, help_text: str) -> PatternField:
    return PhoneField(
        re.compile(AS_WRITTEN),
        required=False,
        allow_blank=True,
        default="",
        help_text=help_text,
        error_messages={"invalid": NOT_A_NUMBER},
    )
