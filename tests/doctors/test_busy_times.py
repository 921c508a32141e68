"""Calendar files → busy times: what counts as busy, on which clock, and what is refused."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doctors.busy_times import MOST_PERIODS, Unreadable, busy_times
from doctors.calendar_troubles import TROUBLES, CalendarTrouble
from doctors.models import Clinic, Doctor
from doctors.recurrence import WeeklyRule, blocks_of
from doctors.services.calendar_reading import MOST_BYTES, read_file
from tests.doctors.calendars import HEAD, calendar

ZONE = ZoneInfo("Europe/Amsterdam")
FIRST, LAST = datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)
SERIES = "DTSTART:20261110T090000Z|DURATION:PT1H|RRULE:FREQ=WEEKLY;INTERVAL=2"
EVERY_60 = ",".join(map(str, range(60)))
EVERY_24 = ",".join(map(str, range(24)))
NEW_YORK = f"{HEAD}X-WR-TIMEZONE:America/New_York\r\n"


def busy(content: bytes, *, last: datetime = LAST) -> list[str]:
    """In UTC, like "10 09:00-10:00"; with both days if they differ."""
    found = busy_times(content, first=FIRST, last=last, zone=ZONE)
    moments = [[datetime.fromtimestamp(each, UTC) for each in pair] for pair in found]
    return [
        f"{begin:%d %H:%M}-{end:%H:%M}"
        if begin.date() == end.date()
        else f"{begin:%d %H:%M}-{end:%d %H:%M}"
        for begin, end in moments
    ]


def refusal(content: bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        busy(content)
    assert refused.value.code in TROUBLES
    return refused.value.code


@pytest.mark.parametrize(
    ("event", "times"),
    [
        ("DTSTART:20261110T090000Z|DTEND:20261110T100000Z", ["10 09:00-10:00"]),
        ("DTSTART:20261110T090000Z|DURATION:PT30M", ["10 09:00-09:30"]),
        # On the clinic's clock: floating, and in a zone that nobody knows.
        ("DTSTART:20261110T090000|DTEND:20261110T100000", ["10 08:00-09:00"]),
        ("DTSTART;TZID=Moon/Sea:20261110T090000|DURATION:PT1H", ["10 08:00-09:00"]),
        ("DTSTART;TZID=America/New_York:20261110T090000|DURATION:PT1H", ["10 14:00-15:00"]),
        ("DTSTART;TZID=W. Europe Standard Time:20261110T090000|DURATION:PT1H", ["10 08:00-09:00"]),
        # Whole days: 24 hours, and 25 in the night when the clocks go back.
        ("DTSTART;VALUE=DATE:20261110", ["09 23:00-10 23:00"]),
        ("DTSTART;VALUE=DATE:20261110|DTEND;VALUE=DATE:20261112", ["09 23:00-11 23:00"]),
        ("DTSTART;VALUE=DATE:20261025", ["24 22:00-25 23:00"]),
        # Without an end, or with the same one: no time at all.
        ("DTSTART:20261110T090000Z", []),
        ("DTSTART:20261110T090000Z|DTEND:20261110T090000Z", []),
        # Free.
        ("DTSTART:20261110T090000Z|DURATION:PT1H|TRANSP:TRANSPARENT", []),
        ("DTSTART:20261110T090000Z|DURATION:PT1H|STATUS:CANCELLED", []),
        ("DTSTART:20261110T090000Z|DURATION:PT1H|X-MICROSOFT-CDO-BUSYSTATUS:FREE", []),
        ("DTSTART:20261110T090000Z|DURATION:PT1H|STATUS:TENTATIVE", ["10 09:00-10:00"]),
        # Before and after the days that are looked at, and across their end.
        ("DTSTART:20200110T090000Z|DURATION:PT1H", []),
        ("DTSTART:20300110T090000Z|DURATION:PT1H", []),
        ("DTSTART:20260930T230000Z|DURATION:PT2H", ["30 23:00-01 01:00"]),
        # Recurring.
        (
            f"{SERIES};COUNT=2|EXDATE:20261124T090000Z|RDATE:20261118T090000Z",
            ["10 09:00-10:00", "18 09:00-10:00"],
        ),
        (
            "DTSTART;TZID=Europe/Amsterdam:20261023T090000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=4",
            ["23 07:00-08:00", "24 07:00-08:00", "25 08:00-09:00", "26 08:00-09:00"],
        ),
    ],
)
def test_event_is_busy_at_its_times(event: str, times: list[str]) -> None:
    assert busy(calendar(event)) == times


def test_whole_days_follow_the_clock_that_the_calendar_names() -> None:
    assert busy(calendar("DTSTART;VALUE=DATE:20261110", head=NEW_YORK)) == ["10 05:00-11 05:00"]
    odd = f"{HEAD}X-WR-TIMEZONE:Moon/Sea\r\n"
    assert busy(calendar("DTSTART;VALUE=DATE:20261110", head=odd)) == ["09 23:00-10 23:00"]


def test_zone_that_the_file_itself_defines_is_known() -> None:
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Own\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
        "TZOFFSETFROM:+0530\r\nTZOFFSETTO:+0530\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    found = calendar("DTSTART;TZID=Own:20261110T090000|DURATION:PT1H", head=HEAD + zone)
    assert busy(found) == ["10 03:30-04:30"]


def test_changed_instance_of_a_series_is_busy_where_it_moved_to() -> None:
    series = "DTSTART:20261110T090000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=3"
    moved = "RECURRENCE-ID:20261111T090000Z|DTSTART:20261111T150000Z|DURATION:PT1H"
    freed = "RECURRENCE-ID:20261112T090000Z|DTSTART:20261112T090000Z|DURATION:PT1H"
    content = calendar(series, moved, f"{freed}|STATUS:CANCELLED")
    one = content.replace(b"UID:1@", b"UID:0@").replace(b"UID:2@", b"UID:0@")
    assert busy(one) == ["10 09:00-10:00", "11 15:00-16:00"]


def test_times_that_overlap_or_touch_are_one() -> None:
    hours = [f"DTSTART:20261110T{hour:02}0000Z|DURATION:PT90M" for hour in (9, 10, 14)]
    assert busy(calendar(*hours)) == ["10 09:00-11:30", "10 14:00-15:30"]


def test_calendar_that_tells_only_when_somebody_is_busy_is_read() -> None:
    lines = (
        "BEGIN:VFREEBUSY\r\nUID:1\r\nDTSTAMP:20261101T000000Z\r\n"
        "FREEBUSY:20261110T090000Z/20261110T100000Z,20261111T090000Z/PT1H\r\n"
        "FREEBUSY;FBTYPE=FREE:20261112T090000Z/PT1H\r\nEND:VFREEBUSY\r\n"
    )
    assert busy(calendar(head=HEAD + lines)) == ["10 09:00-10:00", "11 09:00-10:00"]


def test_visits_of_docbook_in_another_calendar_are_not_busy() -> None:
    """Somebody has imported the feed of their schedule into it."""
    content = calendar("DTSTART:20261110T090000Z|DURATION:PT1H")
    assert busy(content.replace(b"UID:0@example.test", b"UID:0-practice@docbook")) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not-a-calendar"),
        (b"<!doctype html><title>Sign in</title>", "not-a-calendar"),
        (b"\x1f\x8b\x00", "not-a-calendar"),
        (b"BEGIN:VCARD\r\nEND:VCARD\r\n", "not-a-calendar"),
        (b"BEGIN:VCALENDAR\r\n", "unreadable"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" * 100, "unreadable"),
        (calendar() * 2, "unreadable"),
        (calendar("SUMMARY:no time"), "unreadable"),
        (calendar("DTSTART:yesterday"), "unreadable"),
        (calendar("DTSTART:20261110T090000Z|RRULE:FREQ=SOMETIMES"), "unreadable"),
        (calendar("DTSTART:20261110T090000Z|DURATION:PT1S|RRULE:FREQ=SECONDLY"), "too-often"),
        (calendar("DTSTART:20261110T090000Z|DURATION:PT1S|RRULE:FREQ=MINUTELY"), "too-often"),
        (calendar(head="PRODID:-//DocBook//DocBook//EN\r\nVERSION:2.0\r\n"), "own-feed"),
    ],
)
def test_file_that_is_no_calendar_or_asks_too_much_is_refused(content: bytes, code: str) -> None:
    assert refusal(content) == code


def test_more_busy_times_than_anybody_has_are_refused() -> None:
    every = "DTSTART:20261001T000000Z|DURATION:PT1M|RRULE:FREQ=HOURLY;BYMINUTE=0,30"
    assert MOST_PERIODS < 182 * 48
    assert refusal(calendar(every)) == "too-many-events"


def test_calendar_with_a_mark_before_its_first_line_is_read() -> None:
    content = calendar("DTSTART:20261110T090000Z|DURATION:PT1H")
    assert busy(b"\xef\xbb\xbf\r\n" + content) == ["10 09:00-10:00"]


DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@given(
    weekdays=st.sets(st.integers(0, 6), min_size=1),
    begins=st.integers(0, 22),
    zone=st.sampled_from(["Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    every_weeks=st.integers(1, 3),
    first=st.dates(date(2025, 1, 1), date(2026, 12, 31)),
)
def test_weekly_events_are_busy_when_weekly_hours_would_be(
    weekdays: set[int], begins: int, zone: str, every_weeks: int, first: date
) -> None:
    """Across the nights when clocks change; but no hour begins or ends inside the change."""
    own_zone = ZoneInfo(zone)
    begins = max(begins, 4)
    rule = WeeklyRule(
        weekdays=frozenset(weekdays),
        starts=time(begins),
        ends=time(begins + 1),
        zone=own_zone,
        slot_minutes=60,
        valid_from=first,
        every_weeks=every_weeks,
    )
    begin = next(day for day in rule.days(first, first + timedelta(days=30)))
    named = ",".join(DAYS[day] for day in sorted(weekdays))
    line = f"FREQ=WEEKLY;INTERVAL={every_weeks};BYDAY={named};WKST=MO"
    content = calendar(
        f"DTSTART;TZID={zone}:{begin:%Y%m%d}T{begins:02}0000|DURATION:PT1H|RRULE:{line}"
    )
    found = busy_times(content, first=FIRST, last=LAST, zone=ZONE)
    blocks = blocks_of(rule=rule, first=begin, last=LAST.date() + timedelta(days=1))
    wanted = [tuple(int(each.timestamp()) for each in block) for block in blocks]
    assert found == [(a, b) for a, b in wanted if a < LAST.timestamp() and b > FIRST.timestamp()]


# -- in a process of its own

DOCTOR = Doctor(horizon_days=60, clinic=Clinic(time_zone="Europe/Amsterdam"))
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def trouble(content: bytes) -> str:
    with pytest.raises(CalendarTrouble) as refused:
        read_file(content, doctor=DOCTOR, now=NOW)
    return refused.value.code


def test_file_is_read_from_yesterday_on_for_a_year() -> None:
    content = calendar("DTSTART:20200101T090000Z|DURATION:PT1H|RRULE:FREQ=DAILY")
    found = read_file(content, doctor=DOCTOR, now=NOW)
    assert found.until == datetime(2027, 11, 24, tzinfo=UTC)
    assert found.periods[0].starts_at == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert found.periods[-1].ends_at == datetime(2027, 11, 23, 10, tzinfo=UTC)
    assert len(found.periods) == 367


@pytest.mark.parametrize(
    "rule",
    [
        # Every second, in other words.
        f"FREQ=DAILY;BYHOUR={EVERY_24};BYMINUTE={EVERY_60};BYSECOND={EVERY_60}",
        # Never: the second full hour within an hour is looked for until the year 9999.
        "FREQ=HOURLY;BYMINUTE=0;BYSECOND=0;BYSETPOS=2",
    ],
)
def test_work_without_an_end_is_ended(rule: str) -> None:
    assert trouble(calendar(f"DTSTART:20261110T090000Z|DURATION:PT1S|RRULE:{rule}")) in (
        "too-much-work",
        "too-many-events",
    )


def test_what_is_wrong_comes_back_from_the_process() -> None:
    assert trouble(b"<html>") == "not-a-calendar"
    assert trouble(b" " * (MOST_BYTES + 1)) == "too-large"
