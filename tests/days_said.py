"""Days as a page says them, worked out a second time: the year only where it is another one."""

from datetime import UTC, date, datetime

from django.utils import timezone


def day_said(day: date, weekday: str = "%a", month: str = "%b") -> str:
    """Like "Tue 24 Nov", or "Fri 1 Jan 2027" in December 2026, by the clock of the day's zone."""
    zone = (day.tzinfo if isinstance(day, datetime) else None) or UTC
    year = "" if day.year == timezone.now().astimezone(zone).year else f" {day.year}"
    return f"{day:{weekday}} {day.day} {day:{month}}{year}"
