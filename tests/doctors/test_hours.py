"""Weekly hours, closed days, time off and extra hours of one doctor together."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doctors.hours import Hours, Override, WeeklyHours
from doctors.recurrence import Period, WeeklyRule

UTRECHT, LONDON = 1, 2
ZONES = {UTRECHT: ZoneInfo("Europe/Amsterdam"), LONDON: ZoneInfo("Europe/London")}
MONDAY = date(2026, 11, 23)
TUESDAY = MONDAY + timedelta(days=1)
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)


def hours(
    *overrides: Override,
    starts: time = time(9),
    ends: time = time(11),
    closed: Sequence[tuple[int, date]] = (),
    at: int = UTRECHT,
) -> Hours:
    """Every day in slots of half an hour."""
    rule = WeeklyRule(
        weekdays=frozenset(range(7)),
        starts=starts,
        ends=ends,
        zone=ZONES[at],
        slot_minutes=30,
        valid_from=date(2026, 1, 1),
    )
    return Hours(
        slot_minutes=30,
        weekly=[WeeklyHours(at, "any", rule)],
        overrides=overrides,
        zones=ZONES,
        closed=closed,
    )


def override(*, is_extra: bool = False, clinic: int | None = None, **fields: Any) -> Override:
    defaults: dict[str, Any] = {
        "first_day": MONDAY,
        "last_day": MONDAY,
        "starts": time.min,
        "ends": time.min,
        "mode": "any",
    }
    return Override(is_extra=is_extra, clinic_id=clinic, **(defaults | fields))


def off(**fields: Any) -> Override:
    return override(**fields)


def extra(**fields: Any) -> Override:
    return override(**({"is_extra": True, "clinic": UTRECHT} | fields))


def starts(of: Hours, *, days: int = 1) -> list[str]:
    """On the clocks of the clinics, with the clinic where it is not the one in Utrecht."""
    found = sorted(of.slots(now=NOW, days=days), key=lambda slot: slot.period)
    return [
        f"{slot.period.starts_at.astimezone(ZONES[slot.clinic_id]):%a %H:%M}"
        + (" London" if slot.clinic_id == LONDON else "")
        for slot in found
    ]


def test_weekly_hours_alone() -> None:
    assert starts(hours()) == ["Mon 09:00", "Mon 09:30", "Mon 10:00", "Mon 10:30"]


def test_day_off_has_no_times_and_the_next_day_has() -> None:
    assert starts(hours(off()), days=2) == ["Tue 09:00", "Tue 09:30", "Tue 10:00", "Tue 10:30"]


def test_time_off_takes_every_slot_that_it_touches_and_the_others_stay_where_they_are() -> None:
    lunch = off(starts=time(9, 40), ends=time(10))
    assert starts(hours(lunch)) == ["Mon 09:00", "Mon 10:00", "Mon 10:30"]


def test_weeks_off_count_on_each_of_their_days() -> None:
    away = off(last_day=MONDAY + timedelta(days=1), starts=time(9, 30))
    assert starts(hours(away), days=3)[:3] == ["Mon 09:00", "Tue 09:00", "Wed 09:00"]


def test_time_off_at_one_clinic_leaves_the_other() -> None:
    both = hours(off(clinic=LONDON), extra(clinic=LONDON, starts=time(12), ends=time(13)))
    assert starts(both) == ["Mon 09:00", "Mon 09:30", "Mon 10:00", "Mon 10:30"]


def test_time_off_everywhere_counts_on_each_clock() -> None:
    both = hours(
        off(starts=time(9, 30), ends=time(12, 30)),
        extra(clinic=LONDON, starts=time(12), ends=time(13)),
    )
    assert starts(both) == ["Mon 09:00", "Mon 12:30 London"]


def test_closed_day_has_no_weekly_hours_but_extra_ones() -> None:
    holiday = hours(extra(starts=time(15), ends=time(16)), closed=[(UTRECHT, MONDAY)])
    assert starts(holiday) == ["Mon 15:00", "Mon 15:30"]


def test_day_that_another_clinic_is_closed_is_a_day_like_any_other() -> None:
    assert len(starts(hours(closed=[(LONDON, MONDAY)]))) == 4


def test_extra_hours_over_weekly_ones_add_what_is_missing() -> None:
    longer = hours(extra(starts=time(10, 15), ends=time(12, 15), mode="video"))
    assert starts(longer)[2:] == ["Mon 10:00", "Mon 10:30", "Mon 11:15", "Mon 11:45"]


def test_extra_hours_over_others_add_what_is_missing() -> None:
    twice = hours(
        extra(starts=time(14), ends=time(15)), extra(starts=time(14, 30), ends=time(15, 30))
    )
    assert starts(twice)[4:] == ["Mon 14:00", "Mon 14:30", "Mon 15:00"]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ((9, 0), (11, 0), True),
        ((9, 15), (10, 45), True),
        ((8, 59), (10, 0), False),
        ((10, 0), (11, 1), True),
        ((11, 0), (12, 0), True),  # the extra hours follow at once
        ((10, 30), (12, 30), True),
        ((12, 0), (13, 1), False),
        ((15, 0), (15, 30), False),
    ],
)
def test_visit_is_within_hours_that_follow_each_other(
    start: tuple[int, int], end: tuple[int, int], expected: bool
) -> None:
    works = hours(extra(starts=time(11), ends=time(13)))
    zone = ZONES[UTRECHT]
    moments = (datetime.combine(MONDAY, time(*each), tzinfo=zone) for each in (start, end))
    assert works.works_from_to(UTRECHT, *moments) is expected


def test_visit_in_time_off_or_on_a_closed_day_or_elsewhere_is_outside() -> None:
    nine, ten = (datetime(2026, 11, 23, hour, tzinfo=ZONES[UTRECHT]) for hour in (9, 10))
    assert hours(off(starts=time(10))).works_from_to(UTRECHT, nine, ten)
    assert not hours(off(starts=time(9, 59))).works_from_to(UTRECHT, nine, ten)
    assert not hours(closed=[(UTRECHT, MONDAY)]).works_from_to(UTRECHT, nine, ten)
    assert not hours().works_from_to(LONDON, nine, ten)
    assert not hours().works_from_to(3, nine, ten)


def test_visit_over_midnight_is_within_hours_of_two_days() -> None:
    night = hours(extra(starts=time(0), ends=time(1)), starts=time(22), ends=time(0))
    zone = ZONES[UTRECHT]
    late, early = datetime(2026, 11, 22, 23, tzinfo=zone), datetime(2026, 11, 23, 1, tzinfo=zone)
    assert night.works_from_to(UTRECHT, late, early)
    assert not night.works_from_to(UTRECHT, late, early + timedelta(minutes=1))


times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 10, 30, 45]))
overrides = st.builds(
    override,
    is_extra=st.booleans(),
    clinic=st.sampled_from([UTRECHT, LONDON]),
    first_day=st.dates(MONDAY, MONDAY + timedelta(days=3)),
    last_day=st.dates(MONDAY + timedelta(days=3), MONDAY + timedelta(days=6)),
    starts=times,
    ends=times,
).filter(lambda each: each.ends == time.min or each.ends > each.starts)


@given(st.lists(overrides, max_size=5))
def test_slots_of_a_doctor_never_overlap_and_lie_within_the_hours(given_: list[Override]) -> None:
    of = hours(*given_)
    slots = sorted(of.slots(now=NOW, days=7), key=lambda slot: slot.period)
    assert all(a.period.ends_at <= b.period.starts_at for a, b in pairwise(slots))
    assert all(of.works_from_to(slot.clinic_id, *slot.period) for slot in slots)


def test_many_visits_are_judged_as_each_alone() -> None:
    of = hours(extra(starts=time(11), ends=time(12)), off(first_day=TUESDAY, last_day=TUESDAY))
    zone = ZONES[UTRECHT]
    periods = [
        Period(*(datetime.combine(day, at, tzinfo=zone).astimezone(UTC) for at in (begin, end)))
        for day in (MONDAY, MONDAY + timedelta(days=2))
        for begin, end in ((time(9), time(10)), (time(10, 30), time(11, 30)), (time(8), time(9)))
    ]
    together = of.works_during(UTRECHT, periods)
    assert together == [of.works_from_to(UTRECHT, *each) for each in periods]
    assert together == [True, True, False, True, False, False]


def test_days_from_a_date_on_are_the_same_at_every_clinic() -> None:
    of = hours()
    found = of.slots_from(MONDAY, days=1)
    assert len(list(found)) == 4
