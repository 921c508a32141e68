"""Days as a page shows them, computed a second time: with the year only if it is another one."""

from datetime import UTC, date, datetime, tzinfo

from django.utils import timezone

from tests.factories import CLINIC_ZONE


def day_said(day: date, weekday: str = "%a", month: str = "%b") -> str:
    """Like "Tue 24 Nov", or "Fri 1 Jan 2027" in December 2026. An instant uses the clock of its
    zone or, if that is UTC, of the tests' clinic. A day uses the clock of the site (UTC).
    """
    zone: tzinfo = UTC
    if isinstance(day, datetime):
        zone = CLINIC_ZONE if day.tzinfo in (None, UTC) else day.tzinfo
    year = "" if day.year == timezone.now().astimezone(zone).year else f" {day.year}"
    return f"{day:{weekday}} {day.day} {day:{month}}{year}"
