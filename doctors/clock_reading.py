"""What a clock on the wall shows, and when that does not identify one moment. Pure.

In the night when clocks go back, an hour is shown twice. Then a time is written with the name of
the clock, as in "02:40 CEST", or with its offset if the tz database has no name.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from doctors.recurrence import local_day


def is_shown_twice(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether the clock of `zone` shows this time twice. A moment is never in a gap."""
    first, second = (moment.astimezone(zone).replace(fold=fold) for fold in (0, 1))
    return first.utcoffset() != second.utcoffset()


def clock_name(moment: datetime, zone: ZoneInfo) -> str:
    """Like "CET" or "UTC-03". The two times that a clock shows alike have different names."""
    here = moment.astimezone(zone)
    name = here.tzname() or ""
    names = {here.replace(fold=fold).tzname() for fold in (0, 1)}
    if name[:1] in ("+", "-") or (is_shown_twice(moment, zone) and len(names) == 1):
        return f"UTC{_offset(here)}"
    return name


def name_all_day(day: date, zone: ZoneInfo) -> str:
    """The name of the clock on a local day, both midnights included; empty if it changes."""
    whole_day = local_day(day=day, zone=zone)
    names = {clock_name(moment, zone) for moment in whole_day}
    offsets = {moment.astimezone(zone).utcoffset() for moment in whole_day}
    return names.pop() if len(names) == len(offsets) == 1 else ""


def city_of(zone: ZoneInfo) -> str:
    """Like "New York"."""
    return zone.key.rsplit("/", 1)[-1].replace("_", " ")


def _offset(moment: datetime) -> str:
    """Like "+03", "-09:30"."""
    text = moment.strftime("%z")
    return text[:3] if text[3:] == "00" else f"{text[:3]}:{text[3:5]}"
