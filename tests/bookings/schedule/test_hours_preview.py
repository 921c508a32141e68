"""What the preview of a change of hours counts, and what it draws. No database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from bookings.appointments.selectors.outside_hours import BookedVisit
from bookings.schedule.hours_preview import HoursPreview, Kind, preview_of
from bookings.schedule.hours_words import sentence_of, week_in_words
from doctors.hours import Hours, Override, WeeklyHours
from doctors.recurrence import WeeklyRule

UTRECHT = 1
ZONE = ZoneInfo("Europe/Amsterdam")
MONDAY = date(2026, 11, 30)
TUESDAY = MONDAY + timedelta(days=1)
NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)


def rule(starts: time, ends: time, *, weekdays: Sequence[int] = range(5), **more: Any) -> Any:
    defaults = {"slot_minutes": 20, "zone": ZONE, "valid_from": date(2020, 1, 1)}
    given = defaults | more
    weekly = WeeklyRule(weekdays=frozenset(weekdays), starts=starts, ends=ends, **given)
    return WeeklyHours(UTRECHT, "any", weekly)


MORNING, AFTERNOON = rule(time(9), time(12)), rule(time(13), time(16))


def hours(*weekly: WeeklyHours, slot_minutes: int = 20, **more: Any) -> Hours:
    given = {"overrides": [], "zones": {UTRECHT: ZONE}, "closed": frozenset()} | more
    return Hours(slot_minutes=slot_minutes, weekly=weekly, **given)


def visit(day: date, at: time, *, minutes: int = 20) -> BookedVisit:
    starts_at = datetime.combine(day, at, tzinfo=ZONE).astimezone(UTC)
    ends_at = starts_at + timedelta(minutes=minutes)
    return BookedVisit(uuid4(), UTRECHT, starts_at, ends_at, "Wilma Buiten", ZONE.key, 1)


def preview(
    present: Hours, planned: Hours, *visits: BookedVisit, first: date = MONDAY, **more: Any
) -> HoursPreview:
    return preview_of(present=present, planned=planned, visits=visits, first=first, now=NOW, **more)


def test_hours_that_stay_change_nothing() -> None:
    found = preview(hours(MORNING), hours(MORNING))
    assert (found.times, found.new, found.gone, found.outside) == (180, 0, 0, [])
    assert sentence_of(found, is_near=True) == "The next four weeks: 180 times, nothing changes"


def test_times_that_come_and_go_are_counted_over_four_weeks() -> None:
    found = preview(hours(MORNING), hours(rule(time(9), time(11)), AFTERNOON))
    assert (found.times, found.new, found.gone) == (300, 180, 60)


def test_visit_outside_the_planned_hours_is_listed_even_after_the_four_weeks() -> None:
    inside = visit(TUESDAY, time(9))
    lost = visit(TUESDAY, time(11, 40))
    far = visit(MONDAY + timedelta(days=50), time(11, 40))
    found = preview(hours(MORNING), hours(rule(time(9), time(11))), inside, lost, far)
    assert found.outside == [lost, far]
    said = sentence_of(found, is_near=True)
    assert said == (
        "The next four weeks: 120 times, 60 go, 2 booked visits are outside the new hours"
    )


def test_visit_that_reaches_over_the_new_end_is_outside() -> None:
    long = visit(MONDAY, time(10, 40), minutes=40)
    assert preview(hours(MORNING), hours(rule(time(9), time(11))), long).outside == [long]


def test_time_off_lists_only_the_visits_that_it_touches() -> None:
    touched, outside_already = visit(MONDAY, time(9)), visit(MONDAY, time(20))
    off = Override(
        is_extra=False,
        clinic_id=None,
        mode="any",
        first_day=MONDAY,
        last_day=MONDAY,
        starts=time.min,
        ends=time.min,
    )
    planned = replace(hours(MORNING), overrides=[off])
    found = preview(hours(MORNING), planned, touched, outside_already, only_newly_outside=True)
    assert found.outside == [touched]
    assert (found.times, found.gone) == (171, 9)


def test_times_that_have_begun_are_left_out() -> None:
    now = datetime(2026, 11, 30, 9, 50, tzinfo=UTC)  # 10:50 in Utrecht
    found = preview_of(
        present=hours(MORNING), planned=hours(MORNING), visits=[], first=MONDAY, now=now
    )
    assert found.times == 180 - 6


def test_kind_of_visit_that_changes_makes_other_times() -> None:
    by_video = MORNING._replace(mode="video")
    found = preview(hours(MORNING), hours(by_video))
    assert (found.new, found.gone) == (180, 180)


def test_four_weeks_that_begin_in_the_middle_of_a_week_touch_five_weeks() -> None:
    found = preview(hours(MORNING), hours(MORNING), first=MONDAY + timedelta(days=2))
    first, last = found.week(0), found.week(99)
    assert (first.days[0], first.earlier, first.later) == (MONDAY, None, 1)
    assert (last.number, last.earlier, last.later) == (4, 3, None)
    assert sum(found.week(n).counts[Kind.NOW] for n in range(5)) == found.times


def test_grid_has_a_row_for_each_time_and_draws_visits_over_times() -> None:
    booked, lost = visit(MONDAY, time(9)), visit(MONDAY, time(13))
    week = preview(hours(MORNING, AFTERNOON), hours(MORNING), booked, lost).week(0)
    monday = [row.cells[0].kind for row in week.rows]
    assert [row.hour for row in week.rows][::3] == [9, 10, 11, 12, 13, 14, 15]
    assert monday == ["booked", *["now"] * 8, *[""] * 3, "outside", *["gone"] * 8]
    assert all(row.cells[6].kind == "" for row in week.rows)


def test_short_times_share_a_row() -> None:
    short = hours(rule(time(9), time(10), slot_minutes=5), slot_minutes=5)
    assert len(preview(short, short).week(0).rows) == 4


def test_hours_until_midnight_end_at_24() -> None:
    late = hours(rule(time(22), time.min))
    week = preview(late, late).week(0)
    assert week_in_words(week)[0].text == "22:00 to 24:00 as now"


def test_words_join_times_of_one_kind() -> None:
    booked = visit(MONDAY, time(10))
    week = preview(hours(MORNING, AFTERNOON), hours(MORNING), booked).week(0)
    monday = week_in_words(week)[0]
    assert monday.name == "Monday 30 November"
    assert monday.text == (
        "09:00 to 10:00 as now, 10:00 to 10:20 booked, 10:20 to 12:00 as now,"
        " 13:00 to 16:00 removed"
    )


def test_doctor_without_hours_has_an_empty_grid() -> None:
    found = preview(hours(), hours())
    assert found.times == 0
    assert found.week(0).rows == []
