"""Which e-mail addresses an account can have."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# What a form says of half an address.
MISSES_SOMETHING = _("Enter a complete e-mail address, like name@example.org.")


def validate_plain_email(value: str) -> None:
    """ASCII only, as nearly every address is (RFC 5321; not the letters of RFC 6531).

    Among all of Unicode there are letters that one program takes for each other and the next does
    not: the owner of `maıl.example` must never be taken for somebody at `mail.example`.
    """
    if not value.isascii():
        raise ValidationError(_("Use an address without accents."), code="not-plain")
