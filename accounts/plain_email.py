"""Which e-mail addresses an account can have."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# The message for an incomplete address.
MISSES_SOMETHING = _("Enter a complete e-mail address, like name@example.org.")


def validate_plain_email(value: str) -> None:
    """Accepts ASCII only, like nearly every address (RFC 5321; not the letters of RFC 6531).

    Some Unicode letters look the same to one program and different to the next. The owner of
    `maıl.example` must never be taken for somebody at `mail.example`.
    """
    if not value.isascii():
        raise ValidationError(_("Use an address without accents."), code="not-plain")
