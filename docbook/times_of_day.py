"""Times of day as people write them: whole minutes, and 24:00 for the end of the day.

An end of 00:00 means the end of the day before. Neither Python nor PostgreSQL can both store and
return 24:00.
"""

import re
from datetime import time, timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

END_OF_DAY = time.min

_WRITTEN = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])(:00)?\Z")


def whole_minutes(value: time) -> None:
    """Raises ValidationError for a time that is not in whole minutes."""
    if value.second or value.microsecond:
        raise ValidationError(_("Write whole minutes, like 09:30."), code="whole-minutes")


def read_end(text: str) -> time | None:
    """Reads "17:30", "17:30:00", or "24:00", which is END_OF_DAY; None for anything else."""
    found = _WRITTEN.match(text)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2])
    if hour == 24:
        return END_OF_DAY if minute == 0 else None
    return time(hour, minute)


def read_start(text: str) -> time | None:
    """Like `read_end`, but nothing starts at 24:00."""
    return None if text.startswith("24") else read_end(text)


def end_in_words(ends: time) -> str:
    """Like "17:30", or "24:00" for the end of the day."""
    return "24:00" if ends == END_OF_DAY else f"{ends:%H:%M}"


def ends_after(ends: time, starts: time) -> bool:
    """Whether hours that end at `ends` still run at `starts`, on the clock of one day."""
    return ends == END_OF_DAY or ends > starts


def length_of_hours(starts: time, ends: time) -> timedelta:
    """From start to end on the clock of one day; 24 hours from 00:00 to END_OF_DAY."""
    end = timedelta(days=1) if ends == END_OF_DAY else _since_midnight(ends)
    return end - _since_midnight(starts)


def _since_midnight(moment: time) -> timedelta:
    return timedelta(hours=moment.hour, minutes=moment.minute)
