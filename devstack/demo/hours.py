"""Weekly hours of invented doctors. Pure."""

from datetime import time
from random import Random
from typing import NamedTuple

from doctors.models import Mode

SLOT_LENGTHS = (10, 15, 15, 20, 20, 20, 30)
_EVENING = 17 * 60
_LAST_MINUTE = 20 * 60 + 30
_WORKDAYS = (0, 1, 2, 3, 4)
_SATURDAY = 5


class Hours(NamedTuple):
    """One rule: weekdays (0 is Monday), start and end on the wall clock, the mode, and in which
    weeks. Weeks A and B are both every second week; `first_week` is 0 for A and 1 for B.

    `only` names the visit types that can be booked; empty: all. `clinic` is the name of a clinic of
    the doctor's; empty: the main one.
    """

    weekdays: list[int]
    starts: time
    ends: time
    mode: str = Mode.ANY
    every_weeks: int = 1
    first_week: int = 0
    only: tuple[str, ...] = ()
    clinic: str = ""


def draw_hours(rng: Random, *, slot_minutes: int, has_video: bool) -> list[Hours]:
    """A morning and an afternoon of 16 to 24 slots in all, some evenings, some Saturdays."""
    days = _working_days(rng)
    wanted = rng.randint(16, 18) if slot_minutes == 30 else rng.randint(18, 24)
    opens, lunch = rng.choice((480, 510, 540)), rng.choice((720, 735, 750))
    morning = min(wanted, (lunch - opens) // slot_minutes)
    hours = [_hours(days, opens, morning, slot_minutes)]
    rest = wanted - morning
    if rest:
        evenings = [rng.choice(days)] if rng.random() < 0.3 else []
        back = lunch + rng.choice((30, 45, 60))
        mode = Mode.VIDEO if has_video and rng.random() < 0.15 else Mode.ANY
        hours.append(_hours([d for d in days if d not in evenings], back, rest, slot_minutes, mode))
        if evenings:
            hours.append(_hours(evenings, _EVENING, rest, slot_minutes))
    if rng.random() < 0.4:
        saturdays = _hours([_SATURDAY], 540, 180 // slot_minutes, slot_minutes)
        hours.append(saturdays._replace(every_weeks=rng.choice((1, 2))))
    return hours


def _working_days(rng: Random) -> list[int]:
    free = rng.choice(_WORKDAYS) if rng.random() < 0.15 else None
    return [day for day in _WORKDAYS if day != free]


def _hours(
    days: list[int], starts: int, slots: int, slot_minutes: int, mode: str = Mode.ANY
) -> Hours:
    """`slots` of them from `starts` (minutes since midnight), none after half past eight."""
    ends = min(starts + slots * slot_minutes, _LAST_MINUTE)
    return Hours(days, _clock(starts), _clock(ends), mode)


def _clock(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)
