"""Weekly hours become slots, also in the nights when clocks change."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
import recurring_ical_events
from hypothesis import example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Event

from docbook.times_of_day import ends_after, length_of_hours
from doctors.recurrence import (
    Period,
    WeeklyRule,
    blocks_of,
    instant,
    local_day,
    overlap,
    slots_in,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NEW_YORK = ZoneInfo("America/New_York")
CHICAGO = ZoneInfo("America/Chicago")
BERLIN = ZoneInfo("Europe/Berlin")
LONDON = ZoneInfo("Europe/London")
SYDNEY = ZoneInfo("Australia/Sydney")
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")  # fourteen hours ahead of UTC
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # moves its clocks by half an hour
CASABLANCA = ZoneInfo("Africa/Casablanca")  # winter time in Ramadan only
KOLKATA = ZoneInfo("Asia/Kolkata")
APIA = ZoneInfo("Pacific/Apia")  # had no 30 December 2011
HAVANA = ZoneInfo("America/Havana")
BEIRUT = ZoneInfo("Asia/Beirut")  # changes at midnight
ZONES = [AMSTERDAM, NEW_YORK, LORD_HOWE, CASABLANCA, KOLKATA, APIA, BEIRUT]

EVERY_DAY = frozenset(range(7))
MONDAY, FRIDAY = frozenset({0}), frozenset({4})
SPRING = date(2026, 3, 29)  # Amsterdam: 02:00 → 03:00
AUTUMN = date(2026, 10, 25)  # Amsterdam: 03:00 → 02:00


def weekly(*, starts, ends, zone=AMSTERDAM, slot_minutes=30, **fields) -> WeeklyRule:
    defaults = {"weekdays": EVERY_DAY, "valid_from": date(2000, 1, 1)}
    return WeeklyRule(
        starts=starts, ends=ends, zone=zone, slot_minutes=slot_minutes, **(defaults | fields)
    )


def block_on(*, rule, day) -> Period | None:
    return next(blocks_of(rule=rule, first=day, last=day), None)


def slot_periods(*, rule, first_day, days) -> Iterator[Period]:
    for block in blocks_of(rule=rule, first=first_day, last=first_day + timedelta(days=days - 1)):
        yield from slots_in(block=block, slot_minutes=rule.slot_minutes)


def on_day(rule, day) -> list[tuple[str, str]]:
    """The slots of a day as local wall-clock times with their offset."""
    return [
        tuple(each.astimezone(rule.zone).strftime("%H:%M%z") for each in period)
        for period in slot_periods(rule=rule, first_day=day, days=1)
    ]


def test_a_morning_becomes_its_whole_slots():
    rule = weekly(starts=time(9), ends=time(10, 50), slot_minutes=30)
    assert on_day(rule, date(2026, 11, 23)) == [
        ("09:00+0100", "09:30+0100"),
        ("09:30+0100", "10:00+0100"),
        ("10:00+0100", "10:30+0100"),
    ]


def test_hours_to_the_end_of_the_day_have_a_slot_that_ends_at_midnight():
    rule = weekly(starts=time(22), ends=time(0), slot_minutes=20)
    assert on_day(rule, date(2026, 11, 23))[-1] == ("23:40+0100", "00:00+0100")
    assert len(on_day(rule, date(2026, 11, 23))) == 6


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (AMSTERDAM, date(2026, 11, 23), 24),
        (AMSTERDAM, SPRING, 23),
        (AMSTERDAM, AUTUMN, 25),
        (LORD_HOWE, date(2026, 4, 5), 24.5),
        (BEIRUT, date(2026, 3, 29), 23),  # has no 00:00
        (BEIRUT, date(2026, 3, 28), 24),  # ends at a midnight that no clock shows
        (BEIRUT, date(2026, 10, 24), 25),  # has 23:00 twice
        (HAVANA, date(2026, 11, 1), 25),  # has 00:00 twice
        (HAVANA, date(2026, 10, 31), 24),  # ends at the first of them
        (APIA, date(2011, 12, 29), 24),  # the day before the one that was left out
    ],
)
def test_a_whole_day_is_from_midnight_to_midnight_whatever_the_clocks_do(zone, day, hours):
    rule = weekly(starts=time(0), ends=time(0), zone=zone)
    block = block_on(rule=rule, day=day)
    assert block == local_day(day=day, zone=zone)
    assert block.ends_at - block.starts_at == timedelta(hours=hours)


def test_a_day_that_a_zone_left_out_has_no_hours_to_its_end():
    rule = weekly(starts=time(22), ends=time(0), zone=APIA)
    assert block_on(rule=rule, day=date(2011, 12, 30)) is None


def test_a_slot_longer_than_the_block_is_not_offered():
    assert on_day(weekly(starts=time(9), ends=time(9, 20)), date(2026, 11, 23)) == []


def test_only_the_named_weekdays_count():
    rule = weekly(starts=time(9), ends=time(10), weekdays=frozenset({0, 5}))
    days = {p.starts_at.date() for p in slot_periods(rule=rule, first_day=SPRING, days=8)}
    assert days == {date(2026, 3, 30), date(2026, 4, 4)}


def test_validity_includes_its_first_and_its_last_day():
    day = date(2026, 11, 23)
    rule = weekly(starts=time(9), ends=time(9, 30), valid_from=day, valid_until=day)
    slots = list(slot_periods(rule=rule, first_day=day - timedelta(days=5), days=11))
    assert [p.starts_at for p in slots] == [datetime(2026, 11, 23, 8, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("every_weeks", "expected"), [(1, [23, 30]), (2, [23, 7]), (3, [23, 14]), (4, [23, 21])]
)
def test_weeks_are_counted_from_the_one_of_the_first_day(every_weeks, expected):
    wednesday = date(2026, 11, 25)
    rule = weekly(
        starts=time(9),
        ends=time(10),
        weekdays=frozenset({0, 2}),
        valid_from=wednesday,
        every_weeks=every_weeks,
    )
    far = [
        day for n in range(200) if (day := wednesday + timedelta(days=n)) and rule.days(day, day)
    ]
    assert far == rule.days(date.min, wednesday + timedelta(days=199))
    assert far[0] == wednesday  # its Monday was before the first day
    mondays = {day.toordinal() - day.weekday() for day in far}
    assert min(mondays) == date(2026, 11, 23).toordinal()
    assert {b - a for a, b in pairwise(sorted(mondays))} == {7 * every_weeks}


def test_weeks_a_and_b_fill_every_week_and_never_meet():
    a = weekly(starts=time(9), ends=time(12), every_weeks=2, valid_from=date(2026, 1, 5))
    b = replace(a, valid_from=date(2026, 1, 12))
    assert not overlap(a, b)
    assert overlap(a, replace(b, valid_from=date(2026, 1, 13 + 6)))
    assert overlap(a, replace(b, every_weeks=1))
    assert overlap(a, replace(b, every_weeks=3))  # in the fourth week
    whole = weekly(starts=time(9), ends=time(12), valid_from=date(2026, 1, 5))
    both = [*a.days(date.min, date(2026, 12, 31)), *b.days(date.min, date(2026, 12, 31))]
    assert sorted(both) == whole.days(date.min, date(2026, 12, 31))


def test_rules_that_skip_weeks_may_meet_after_more_than_a_year_of_another_zone():
    utrecht = weekly(
        starts=time(9),
        ends=time(12),
        weekdays=FRIDAY,
        valid_from=date(2026, 1, 2),
        every_weeks=3,
    )
    # Six hours apart only between the two changes of the clocks in March: two or three weeks.
    chicago = replace(utrecht, zone=CHICAGO, starts=time(5), ends=time(6), every_weeks=4)
    assert overlap(utrecht, chicago)
    assert not overlap(utrecht, replace(chicago, valid_until=date(2026, 3, 1)))


def test_nine_o_clock_stays_nine_o_clock_across_a_clock_change():
    rule = weekly(starts=time(9), ends=time(9, 30))
    slots = list(slot_periods(rule=rule, first_day=date(2026, 3, 28), days=2))
    assert [p.starts_at.hour for p in slots] == [8, 7]


def test_a_spring_night_has_an_hour_less():
    rule = weekly(starts=time(1), ends=time(4))
    assert on_day(rule, SPRING) == [
        ("01:00+0100", "01:30+0100"),
        ("01:30+0100", "03:00+0200"),
        ("03:00+0200", "03:30+0200"),
        ("03:30+0200", "04:00+0200"),
    ]


def test_an_autumn_night_has_an_hour_more():
    rule = weekly(starts=time(1, 30), ends=time(3, 30))
    assert on_day(rule, AUTUMN) == [
        ("01:30+0200", "02:00+0200"),
        ("02:00+0200", "02:30+0200"),
        ("02:30+0200", "02:00+0100"),
        ("02:00+0100", "02:30+0100"),
        ("02:30+0100", "03:00+0100"),
        ("03:00+0100", "03:30+0100"),
    ]


def test_an_ambiguous_time_means_its_first_occurrence():
    rule = weekly(starts=time(2, 15), ends=time(2, 45))
    assert on_day(rule, AUTUMN) == [("02:15+0200", "02:45+0200")]


def test_a_skipped_start_is_read_with_the_offset_before_the_gap():
    # RFC 5545, 3.3.5: 02:30 in the gap is 03:30 by the new time.
    assert instant(day=SPRING, at=time(2, 30), zone=AMSTERDAM) == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )
    assert on_day(weekly(starts=time(2, 30), ends=time(4)), SPRING) == [
        ("03:30+0200", "04:00+0200")
    ]


def test_a_block_that_the_gap_swallows_has_no_slots():
    assert on_day(weekly(starts=time(2, 30), ends=time(3)), SPRING) == []
    assert on_day(weekly(starts=time(2), ends=time(3)), SPRING) == []


def test_the_example_of_the_standard_in_new_york():
    # RFC 5545, 3.3.5: 2007-11-04 01:30 is EDT, 2007-03-11 02:30 is 03:30 EDT.
    twice = instant(day=date(2007, 11, 4), at=time(1, 30), zone=NEW_YORK)
    never = instant(day=date(2007, 3, 11), at=time(2, 30), zone=NEW_YORK)
    assert twice == datetime(2007, 11, 4, 5, 30, tzinfo=UTC)
    assert never == datetime(2007, 3, 11, 7, 30, tzinfo=UTC)


def test_half_an_hour_of_clock_change_in_lord_howe():
    rule = weekly(starts=time(1), ends=time(3), zone=LORD_HOWE)
    assert len(on_day(rule, date(2026, 4, 4))) == 4
    assert len(on_day(rule, date(2026, 4, 5))) == 5  # 02:00 → 01:30
    assert len(on_day(rule, date(2026, 10, 4))) == 3  # 02:00 → 02:30


def test_a_day_that_a_zone_left_out_has_no_slots():
    rule = weekly(starts=time(9), ends=time(10), zone=APIA)
    days = [p.starts_at for p in slot_periods(rule=rule, first_day=date(2011, 12, 29), days=3)]
    assert [day.astimezone(APIA).day for day in days] == [29, 29, 31, 31]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (AMSTERDAM, SPRING, 23),
        (AMSTERDAM, AUTUMN, 25),
        (NEW_YORK, date(2026, 3, 8), 23),
        (NEW_YORK, date(2026, 11, 1), 25),
        (KOLKATA, SPRING, 24),
        (LORD_HOWE, date(2026, 4, 5), 24.5),
        (APIA, date(2011, 12, 30), 0),
    ],
)
def test_a_local_day_has_the_hours_its_clocks_give_it(zone, day, hours):
    whole_day = local_day(day=day, zone=zone)
    assert whole_day.ends_at - whole_day.starts_at == timedelta(hours=hours)


def test_a_whole_day_of_slots_sums_to_the_hours_of_that_day():
    rule = weekly(starts=time(0), ends=time(23, 30), slot_minutes=30)
    counts = [len(on_day(rule, day)) for day in (SPRING, date(2026, 6, 1), AUTUMN)]
    assert counts == [45, 47, 49]


times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 5, 15, 20, 30, 45, 55]))
days = st.dates(date(2010, 1, 1), date(2040, 12, 31))
rules = st.builds(
    weekly,
    starts=times,
    ends=times | st.just(time(0)),
    zone=st.sampled_from(ZONES),
    slot_minutes=st.integers(5, 240),
    every_weeks=st.integers(1, 4),
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
).filter(lambda rule: ends_after(rule.ends, rule.starts))


@given(rule=rules, day=days)
@example(rule=weekly(starts=time(1), ends=time(4), slot_minutes=20), day=SPRING)
@example(rule=weekly(starts=time(1), ends=time(4), slot_minutes=20), day=AUTUMN)
@example(rule=weekly(starts=time(1), ends=time(3), zone=LORD_HOWE), day=date(2026, 4, 5))
@example(rule=weekly(starts=time(1), ends=time(4), zone=CASABLANCA), day=date(2026, 2, 15))
@example(rule=weekly(starts=time(0), ends=time(23), zone=APIA), day=date(2011, 12, 30))
@example(rule=weekly(starts=time(0), ends=time(2), zone=BEIRUT), day=date(2026, 3, 29))
def test_slots_are_of_exact_length_inside_their_block_and_fill_it(rule, day):
    length = timedelta(minutes=rule.slot_minutes)
    slots = list(slot_periods(rule=rule, first_day=day, days=1))
    block = block_on(rule=rule, day=day)
    assert (block is None) or rule.days(day, day)
    if block is None:
        assert slots == []
        return
    assert all(slot.ends_at - slot.starts_at == length for slot in slots)
    assert all(block.starts_at <= slot.starts_at < slot.ends_at <= block.ends_at for slot in slots)
    assert len(slots) == (block.ends_at - block.starts_at) // length
    assert all(before.ends_at == after.starts_at for before, after in pairwise(slots))


@given(rule=rules, day=days)
@example(rule=weekly(starts=time(0), ends=time(23, 55)), day=SPRING - timedelta(days=2))
@example(rule=weekly(starts=time(0), ends=time(23, 55)), day=AUTUMN - timedelta(days=2))
@example(rule=weekly(starts=time(0), ends=time(23, 55), zone=APIA), day=date(2011, 12, 28))
def test_slots_of_many_days_never_overlap_and_come_in_order(rule, day):
    slots = list(slot_periods(rule=rule, first_day=day, days=10))
    assert all(before.ends_at <= after.starts_at for before, after in pairwise(slots))


@given(rule=rules, day=days)
def test_a_slot_begins_on_the_local_day_it_belongs_to(rule, day):
    for slot in slot_periods(rule=rule, first_day=day, days=1):
        assert slot.starts_at.astimezone(rule.zone).date() == day


@given(rule=rules, day=days)
def test_every_period_is_in_utc(rule, day):
    for slot in slot_periods(rule=rule, first_day=day, days=2):
        assert slot.starts_at.tzinfo is slot.ends_at.tzinfo is UTC


@given(rule=rules, day=days)
def test_wall_clock_and_elapsed_time_agree_where_no_clock_changes(rule, day):
    whole_day = local_day(day=day, zone=rule.zone)
    if whole_day.ends_at - whole_day.starts_at != timedelta(hours=24):
        return
    rule = replace(rule, weekdays=EVERY_DAY, every_weeks=1)
    expected = length_of_hours(rule.starts, rule.ends) // timedelta(minutes=rule.slot_minutes)
    assert len(list(slot_periods(rule=rule, first_day=day, days=1))) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"starts": time(11), "ends": time(13)}, True),
        ({"starts": time(12), "ends": time(13)}, False),
        ({"starts": time(9, 30), "ends": time(10)}, True),
        ({"starts": time(11), "ends": time(13), "weekdays": MONDAY}, False),
        ({"starts": time(11), "ends": time(13), "zone": NEW_YORK}, False),
        ({"starts": time(11), "ends": time(13), "valid_until": date(2026, 1, 1)}, True),
        ({"starts": time(11), "ends": time(13), "valid_from": date(2027, 1, 1)}, False),
    ],
)
def test_hours_overlap_when_a_day_has_both(fields, expected):
    friday = weekly(starts=time(9), ends=time(12), weekdays=FRIDAY, valid_until=date(2026, 12, 31))
    other = weekly(**fields)
    assert overlap(friday, other) == overlap(other, friday) == expected


@pytest.mark.parametrize(
    ("zone", "fields", "expected"),
    [
        # Utrecht has Fridays from 09:00 to 12:00, which is 08:00 to 11:00 UTC in winter.
        (BERLIN, {"starts": time(9), "ends": time(11)}, True),
        (BERLIN, {"starts": time(12), "ends": time(13)}, False),
        (LONDON, {"starts": time(11), "ends": time(13)}, False),
        (LONDON, {"starts": time(10, 59), "ends": time(13)}, True),
        (SYDNEY, {"starts": time(21, 30), "ends": time(22)}, True),
        (SYDNEY, {"starts": time(22), "ends": time(0)}, False),
        (KIRITIMATI, {"starts": time(0), "ends": time(0), "weekdays": frozenset({5})}, True),
        (KIRITIMATI, {"starts": time(0), "ends": time(0), "weekdays": frozenset({3})}, False),
        # Offices seven hours apart, but six in the weeks between the two changes of the clocks.
        (CHICAGO, {"starts": time(5), "ends": time(6)}, True),
        (CHICAGO, {"starts": time(6), "ends": time(7)}, False),
        (CHICAGO, {"starts": time(1), "ends": time(2)}, False),
    ],
)
def test_hours_in_two_zones_overlap_when_they_share_an_instant(zone, fields, expected):
    utrecht = weekly(starts=time(9), ends=time(12), weekdays=FRIDAY, valid_from=date(2026, 1, 1))
    other = weekly(zone=zone, valid_from=date(2026, 1, 1), **fields)
    assert overlap(utrecht, other) == overlap(other, utrecht) == expected


def test_hours_until_midnight_overlap_the_next_day_of_another_zone():
    late = weekly(starts=time(22), ends=time(0), weekdays=MONDAY, zone=LONDON)
    early = weekly(starts=time(0, 30), ends=time(2), weekdays=frozenset({1}))
    assert overlap(late, early)
    assert not overlap(late, replace(early, starts=time(1)))
    assert not overlap(late, replace(early, weekdays=MONDAY))


def test_hours_to_the_end_of_a_day_touch_those_of_the_next_day():
    late = weekly(starts=time(22), ends=time(0))
    assert not overlap(late, weekly(starts=time(0), ends=time(2)))
    assert overlap(late, weekly(starts=time(23), ends=time(23, 30)))
    assert overlap(late, weekly(starts=time(0), ends=time(0)))


def test_hours_in_two_zones_overlap_in_a_season_only():
    morning = weekly(starts=time(9), ends=time(10), weekdays=FRIDAY, valid_from=date(2027, 1, 1))
    kolkata = weekly(
        starts=time(12, 30), ends=time(13, 30), zone=KOLKATA, valid_from=date(2027, 1, 1)
    )
    assert overlap(morning, kolkata)  # in summer, when Utrecht is three hours and a half behind
    assert not overlap(replace(morning, valid_until=date(2027, 3, 27)), kolkata)


def test_hours_in_two_zones_that_ended_long_ago_are_in_nobodys_way():
    over = weekly(starts=time(9), ends=time(12), valid_until=date(2025, 12, 31))
    elsewhere = weekly(starts=time(9), ends=time(12), zone=BERLIN)
    assert overlap(over, elsewhere)
    assert not overlap(over, elsewhere, since=date(2026, 11, 28))


def test_hours_that_share_a_few_days_only_overlap_only_if_a_weekday_is_among_them():
    until_tuesday = weekly(starts=time(9), ends=time(12), valid_until=date(2026, 11, 24))
    from_monday = weekly(
        starts=time(9), ends=time(12), weekdays=FRIDAY, valid_from=date(2026, 11, 23)
    )
    assert not overlap(until_tuesday, from_monday)


def first_day_of(rule: WeeklyRule) -> date:
    """Where a calendar file begins such an event, worked out without dateutil."""
    monday = rule.valid_from - timedelta(days=rule.valid_from.weekday())
    for week in (0, rule.every_weeks):
        for day in (monday + timedelta(weeks=week, days=number) for number in range(7)):
            if day >= rule.valid_from and day.weekday() in rule.weekdays:
                return day
    raise AssertionError


def as_calendar(rule: WeeklyRule) -> Calendar:
    """The hours as an event of a calendar file, for other programs to expand."""
    day = first_day_of(rule)
    event = Event()
    event.add("uid", "hours")
    event.add("dtstart", datetime.combine(day, rule.starts, tzinfo=rule.zone))
    event.add("duration", timedelta(minutes=5))
    names = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
    event.add(
        "rrule",
        {
            "FREQ": "WEEKLY",
            "INTERVAL": rule.every_weeks,
            "WKST": "MO",
            "BYDAY": [names[number] for number in sorted(rule.weekdays)],
        },
    )
    calendar = Calendar()
    calendar.add_component(event)
    return calendar


@settings(max_examples=300)
@given(
    rule=rules,
    zone=st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"})).map(ZoneInfo),
    valid_from=st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    day=st.dates(date(2026, 1, 1), date(2031, 12, 31)),
)
def test_another_program_finds_the_same_hours_in_every_zone(rule, zone, valid_from, day):
    rule = replace(rule, zone=zone, valid_from=valid_from)
    days_ahead = 35
    blocks = blocks_of(rule=rule, first=day, last=day + timedelta(days=days_ahead - 1))
    ours = {block.starts_at for block in blocks}
    since = datetime.combine(day, time.min, tzinfo=zone)
    found = recurring_ical_events.of(as_calendar(rule)).between(
        since, datetime.combine(day + timedelta(days=days_ahead), time.min, tzinfo=zone)
    )
    theirs = {each["DTSTART"].dt.astimezone(UTC) for each in found}
    theirs = {each for each in theirs if since <= each}
    # Hours that a gap of the clocks swallows are in their list, and are none.
    gone = {each for each in theirs - ours if swallows(rule, each.astimezone(zone).date())}
    assert theirs - gone == ours


def swallows(rule: WeeklyRule, day: date) -> bool:
    return block_on(rule=rule, day=day) is None


@given(first=rules, second=rules, day=days)
def test_hours_that_do_not_overlap_make_no_overlapping_slots(first, second, day):
    # In one zone whose clocks never change; in a gap of the clocks even separate hours may meet.
    first, second = (replace(rule, zone=KOLKATA) for rule in (first, second))
    slots = sorted(
        slot for rule in (first, second) for slot in slot_periods(rule=rule, first_day=day, days=8)
    )
    meet = any(before.ends_at > after.starts_at for before, after in pairwise(slots))
    assert overlap(first, second) or not meet


@given(first=rules, second=rules, ahead=st.integers(0, 350))
def test_hours_in_two_zones_that_do_not_overlap_make_no_overlapping_slots(first, second, ahead):
    if first.zone == second.zone:
        return
    since = date(2026, 11, 28)
    slots = sorted(
        slot
        for rule in (first, second)
        for slot in slot_periods(rule=rule, first_day=since + timedelta(days=ahead), days=8)
    )
    meet = any(before.ends_at > after.starts_at for before, after in pairwise(slots))
    assert overlap(first, second, since=since) or not meet
