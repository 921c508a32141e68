"""Limits for the days that callers may ask for."""

from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

FIRST, LAST = date(1900, 1, 1), date(8999, 12, 31)


def validate_day(day: date) -> None:
    """Refuses days at the ends of the calendar, which have no day before or after them."""
    if not FIRST <= day <= LAST:
        raise ValidationError(_("This day is too far away."), code="out-of-range")
