"""Where the lines of a day stand in the grid of the schedule."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bookings.schedule.day_schedule import ScheduleLine
from bookings.schedule.time_grid import Column, TimeGrid, entries_of
from doctors.rules import Place

UTRECHT = Place(1, "Huid & Haar", "Maliebaan 42", "3581 CR", "Utrecht", "Europe/Amsterdam")
LISBON = Place(2, "Pele", "Rua Augusta 1", "1100", "Lisbon", "Europe/Lisbon")
DAY = date(2027, 3, 2)


def line(
    start: str, minutes: int = 20, *, kind: str = "free", place: Place = UTRECHT
) -> ScheduleLine:
    """At this time of the clock in Utrecht."""
    hour, minute = map(int, start.split(":"))
    starts_at = datetime(2027, 3, 2, hour, minute, tzinfo=UTRECHT.zone).astimezone(UTC)
    return ScheduleLine(starts_at, starts_at + timedelta(minutes=minutes), place, kind)


def grid(*lines: ScheduleLine) -> TimeGrid:
    return TimeGrid([Column(1, DAY, "", "/", entries_of(lines))])


def test_entry_stands_where_the_clock_of_its_own_place_puts_it() -> None:
    here, there = entries_of([line("09:40"), line("10:00", kind="confirmed", place=LISBON)])
    assert here.classes == "h-9 m-40 lh-0 lm-20"
    assert there.classes.startswith("h-9 m-0 ")


def test_free_times_in_a_row_are_one_entry_that_knows_how_many() -> None:
    joined, alone = entries_of([line("09:00"), line("09:20"), line("10:00")])
    assert (joined.starts, joined.ends, joined.times) == (540, 580, 2)
    assert alone.times == 1


def test_visits_in_a_row_stay_apart() -> None:
    assert len(entries_of([line("09:00", kind="confirmed"), line("09:20", kind="confirmed")])) == 2


def test_free_times_of_two_places_stay_apart() -> None:
    assert len(entries_of([line("09:00"), line("09:20", place=LISBON)])) == 2


def test_entry_that_overlaps_another_has_a_lane_of_its_own() -> None:
    first, second, third = entries_of(
        [
            line("09:00", 60, kind="confirmed"),
            line("10:30", kind="confirmed", place=LISBON),
            line("11:00", kind="confirmed"),
        ]
    )
    assert (first.lane, second.lane, third.lane) == (1, 2, 1)


def test_usual_hours_are_drawn_and_more_where_somebody_works_longer() -> None:
    assert grid(line("10:00")).hours == list(range(8, 16))
    assert grid(line("07:30"), line("18:50")).hours == list(range(7, 20))
    assert grid().hours == list(range(8, 16))


def test_time_that_ends_at_midnight_is_drawn_to_the_end_of_its_day() -> None:
    (entry,) = entries_of([line("23:40", 20, kind="confirmed")])
    assert (entry.starts, entry.ends) == (1420, 1440)
    assert grid(line("23:40")).hours[-1] == 23


def test_visit_in_the_hour_that_comes_twice_is_still_to_be_seen() -> None:
    starts_at = datetime(2027, 10, 31, 0, 50, tzinfo=UTC)  # 02:50, and ten minutes later 02:00
    twice = ScheduleLine(starts_at, starts_at + timedelta(minutes=20), UTRECHT, "confirmed")
    (entry,) = entries_of([twice])
    assert (entry.starts, entry.ends) == (170, 175)


def test_shortest_visit_says_how_high_a_minute_is() -> None:
    assert grid(line("09:00", 40, kind="confirmed")).scale == 20
    assert grid(line("09:00", 12, kind="confirmed")).scale == 10
    assert grid(line("09:00", 3, kind="held")).scale == 5
    assert grid(line("09:00", 5)).scale == 20  # free times are joined


def test_present_moment_is_drawn_only_within_the_hours() -> None:
    assert replace(grid(), now=9 * 60 + 5).now_classes == "h-9 m-5"
    assert replace(grid(), now=6 * 60).now_classes == ""
    assert grid().now_classes == ""


def test_column_counts_visits_and_free_times() -> None:
    column = grid(line("09:00"), line("09:20"), line("10:00", kind="arrived")).columns[0]
    assert (column.visits, column.free) == (1, 2)
