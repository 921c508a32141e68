"""Public holidays that a clinic may close on."""

from datetime import date
from typing import NamedTuple

import holidays

from doctors.models import Clinic
from doctors.models.overrides import LONGEST_NAME

# The library has most countries in English as well. The others come in their own language.
LANGUAGE = "en_US"


class PublicHoliday(NamedTuple):
    day: date
    name: str


def public_holidays(clinic: Clinic, *, first: date, last: date) -> list[PublicHoliday]:
    """Those of the clinic's whole country from `first` to `last`, both included, in order of time.
    Days on which the clinic is closed already are left out. Empty for a country that the library
    does not know.
    """
    try:
        found = holidays.country_holidays(
            clinic.country, years=range(first.year, last.year + 1), language=LANGUAGE
        )
    except NotImplementedError:
        return []
    closed = set(clinic.closed_days.filter(day__range=(first, last)).values_list("day", flat=True))
    return [
        PublicHoliday(day, name[:LONGEST_NAME])
        for day, name in sorted(found.items())
        if first <= day <= last and day not in closed
    ]
