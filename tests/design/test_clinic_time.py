"""How times, money and people are written on the pages."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import time_machine

from doctors.names import initials_of
from doctors.templatetags import clinic_time

UTRECHT = "Europe/Amsterdam"
# 23:40 UTC is already the next day at the clinic.
LATE = datetime(2026, 11, 23, 23, 40, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_2026():
    with time_machine.travel(LATE, tick=False):
        yield


def test_a_time_is_read_off_the_clock_of_the_clinic() -> None:
    assert clinic_time.clock(LATE, UTRECHT) == "00:40"
    assert clinic_time.day_long(LATE, UTRECHT) == "Tuesday 24 November"
    assert clinic_time.day_short(LATE, UTRECHT) == "Tue 24 Nov"
    assert clinic_time.local_date(LATE, UTRECHT) == date(2026, 11, 24)
    assert clinic_time.iso(LATE, UTRECHT) == "2026-11-24T00:40:00+01:00"


@pytest.mark.parametrize(
    ("zone", "at", "label"),
    [
        (UTRECHT, date(2026, 7, 1), "Amsterdam time (CEST)"),
        (UTRECHT, LATE, "Amsterdam time (CET)"),
        ("America/New_York", LATE, "New York time (EST)"),
        ("America/Sao_Paulo", LATE, "Sao Paulo time (UTC-03)"),
    ],
)
def test_a_zone_is_named_by_its_city_and_the_clock_in_force(
    zone: str, at: date, label: str
) -> None:
    assert clinic_time.zone_label(zone, at) == label


SUMMER, WINTER = datetime(2027, 10, 31, 0, 40, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)


def test_an_hour_that_is_shown_twice_is_told_with_its_clock() -> None:
    assert clinic_time.clock(SUMMER, UTRECHT) == "02:40 CEST"
    assert clinic_time.clock(WINTER, UTRECHT) == "02:00 CET"
    assert clinic_time.clock(WINTER + timedelta(hours=1), UTRECHT) == "03:00"
    assert clinic_time.clock(SUMMER - timedelta(hours=1), UTRECHT) == "01:40"
    assert clinic_time.clock(SUMMER, "Asia/Kolkata") == "06:10"


def test_local_moments_that_one_clock_shows_alike_are_told_apart() -> None:
    """Python compares them as equal, and so would the keys of a cache."""
    first = SUMMER.astimezone(ZoneInfo(UTRECHT))
    second = first.replace(fold=1)
    assert first == second
    assert clinic_time.clock(first, UTRECHT) == "02:40 CEST"
    assert clinic_time.clock(second, UTRECHT) == "02:40 CET"


@pytest.mark.parametrize(
    ("zone", "at", "text"),
    [
        ("America/New_York", datetime(2027, 11, 7, 5, 40, tzinfo=UTC), "01:40 EDT"),
        ("America/New_York", datetime(2027, 11, 7, 6, 0, tzinfo=UTC), "01:00 EST"),
        ("Australia/Lord_Howe", datetime(2027, 4, 3, 14, 40, tzinfo=UTC), "01:40 UTC+11"),
        ("Australia/Lord_Howe", datetime(2027, 4, 3, 15, 10, tzinfo=UTC), "01:40 UTC+10:30"),
        ("America/Santiago", datetime(2027, 4, 4, 2, 40, tzinfo=UTC), "23:40 UTC-03"),
        ("America/Santiago", datetime(2027, 4, 4, 3, 40, tzinfo=UTC), "23:40 UTC-04"),
        ("America/Havana", datetime(2027, 11, 7, 5, 0, tzinfo=UTC), "00:00 CST"),
    ],
)
def test_a_clock_without_a_name_is_told_by_its_offset(zone: str, at: datetime, text: str) -> None:
    assert clinic_time.clock(at, zone) == text


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        (UTRECHT, date(2027, 10, 31)),
        (UTRECHT, date(2027, 3, 28)),
        ("America/New_York", date(2027, 11, 7)),
    ],
)
def test_a_day_on_which_clocks_change_has_the_name_of_none(zone: str, day: date) -> None:
    place = zone.rpartition("/")[2].replace("_", " ")
    assert clinic_time.zone_label(zone, day) == f"{place} time"
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    assert clinic_time.zone_label(zone, noon) == f"{place} time"


def test_every_day_of_another_year_has_its_year() -> None:
    day, at = date(2027, 11, 24), LATE.replace(year=2027)
    assert clinic_time.date_long(day) == "Wednesday 24 November 2027"
    assert clinic_time.date_medium(day) == "Wed 24 November 2027"
    assert clinic_time.date_short(day) == "Wed 24 Nov 2027"
    assert clinic_time.day_of_month(day) == "24 November 2027"
    assert clinic_time.month_name(day) == "November 2027"
    assert clinic_time.day_long(at, UTRECHT) == "Wednesday 24 November 2027"
    assert clinic_time.day_medium(at, UTRECHT) == "Wed 24 November 2027"
    assert clinic_time.day_short(at, UTRECHT) == "Wed 24 Nov 2027"
    assert clinic_time.day_and_clock(at, UTRECHT) == "Wed 24 Nov 2027, 00:40"
    assert clinic_time.when(at, UTRECHT) == "Wed 24 Nov 2027, 00:40"
    assert clinic_time.clock_or_day(at, UTRECHT) == "Wed 24 Nov 2027, 00:40"
    assert clinic_time.day_short(LATE.replace(year=2025), UTRECHT) == "Mon 24 Nov 2025"


def test_the_year_is_that_of_the_clock_of_the_clinic() -> None:
    """When the year has begun in Sydney, its days need no year there, but those of 2026 do."""
    with time_machine.travel(datetime(2026, 12, 31, 15, tzinfo=UTC), tick=False):
        assert clinic_time.date_short(date(2027, 1, 1), "Australia/Sydney") == "Fri 1 Jan"
        assert clinic_time.date_short(date(2026, 12, 31), "Australia/Sydney") == "Thu 31 Dec 2026"
        assert clinic_time.date_short(date(2027, 1, 1), "America/New_York") == "Fri 1 Jan 2027"


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (datetime(2026, 11, 24, 8, 0, tzinfo=UTC), "today, 00:40"),
        (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), "tomorrow, 00:40"),
        (datetime(2026, 11, 20, 8, 0, tzinfo=UTC), "Tue 24 Nov, 00:40"),
    ],
)
def test_today_and_tomorrow_are_those_of_the_clinic(now: datetime, words: str) -> None:
    with time_machine.travel(now, tick=False):
        assert clinic_time.when(LATE, UTRECHT) == words


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (datetime(2026, 11, 28, 21, 0, tzinfo=UTC), "Sun 29 Nov, 08:00"),
        (datetime(2026, 11, 29, 21, 0, tzinfo=UTC), "Mon 30 Nov, 08:00"),
    ],
)
def test_a_day_is_named_where_it_is_today_or_tomorrow_only_at_the_clinic(
    at: datetime, words: str
) -> None:
    """In the evening of the 28th on the site's clock, Sydney's today is the 29th."""
    with time_machine.travel(datetime(2026, 11, 28, 20, 0, tzinfo=UTC), tick=False):
        assert clinic_time.when(at, "Australia/Sydney") == words


def test_days_in_a_row_have_the_year_once() -> None:
    days = [date(2026, 12, 30) + timedelta(days=n) for n in range(4)]
    assert clinic_time.days_in_a_row(days) == ["30 Dec", "31 Dec", "1 Jan 2027", "2 Jan"]
    assert clinic_time.days_in_a_row(days[2:]) == ["1 Jan 2027", "2 Jan"]
    assert clinic_time.days_in_a_row(days[:2]) == ["30 Dec", "31 Dec"]


@pytest.mark.parametrize(
    ("cents", "currency", "text"),
    [
        (6200, "EUR", "€62"),
        (6250, "EUR", "€62.50"),
        (8000, "GBP", "£80"),
        (9500, "USD", "$95"),
        (120_000, "INR", "INR\N{NO-BREAK SPACE}1,200"),
    ],
)
def test_money_shows_cents_only_where_there_are_some(cents: int, currency: str, text: str) -> None:
    assert clinic_time.money(cents, currency) == text
    assert clinic_time.money(SimpleNamespace(price_cents=cents, currency=currency)) == text


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Dr Emma Visser", "EV"), ("Dr Joost van den Berg", "JB"), ("Alba", "A"), ("", "")],
)
def test_initials_leave_the_title_out(name: str, letters: str) -> None:
    assert initials_of(name) == letters


def test_an_avatar_keeps_its_colour() -> None:
    assert clinic_time.avatar(11) == clinic_time.avatar("11")
    assert {clinic_time.avatar(n) for n in range(200)} == {f"avatar-{n}" for n in range(1, 9)}


def test_a_countdown_never_runs_below_zero() -> None:
    assert clinic_time.minutes_and_seconds(243) == "4:03"
    assert clinic_time.minutes_and_seconds(-2) == "0:00"
