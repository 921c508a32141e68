"""What an entry wants, and when its patient may get mail, also when the clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.waitlist.rules import QuietHours, Wish

ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Amsterdam",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "UTC",
    )
]
UTRECHT = ZoneInfo("Europe/Amsterdam")
# A week around each clock change in Europe, and the same instants elsewhere.
NIGHTS = [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)]

zones = st.sampled_from(ZONES)
instants = st.builds(
    lambda night, minutes: night + timedelta(minutes=minutes),
    st.sampled_from(NIGHTS),
    st.integers(-7 * 1440, 7 * 1440),
)
lengths = st.integers(1, 240).map(lambda minutes: timedelta(minutes=minutes))
clocks = st.times().map(lambda at: at.replace(second=0, microsecond=0))
OPEN = Wish(from_on=date(2020, 1, 1), until_on=date(2030, 1, 1))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """On a clock in Utrecht, in November."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTRECHT)


def wants(wish: Wish, local: datetime, *, mode: str = "video") -> bool:
    """A visit of twenty minutes."""
    starts_at = local.astimezone(UTC)
    return wish.wants(
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=20),
        zone=UTRECHT,
        mode=mode,
    )


def wish(**changes: object) -> Wish:
    given = {"from_on": date(2026, 11, 2), "until_on": date(2026, 11, 6)}
    return Wish(**(given | changes))


def test_a_visit_that_ends_at_midnight_fits_into_a_day_that_ends_at_24_00() -> None:
    evening = wish(day_from=time(22), day_until=time(0))
    assert wants(evening, at(3, 23, 40))
    assert not wants(evening, at(3, 21, 40))
    assert not wants(evening, at(3, 23, 50))
    assert not wants(wish(day_until=time(23, 59)), at(3, 23, 40))


@pytest.mark.parametrize("zone", ["Asia/Beirut", "America/Santiago", "America/Havana"])
def test_the_day_ends_at_24_00_also_where_clocks_change_at_midnight(zone: str) -> None:
    there, evening = ZoneInfo(zone), Wish(date(2026, 1, 1), date(2026, 12, 31), day_until=time(0))
    for number in range(360):
        midnight = datetime(2026, 1, 3, tzinfo=there) + timedelta(days=number)
        ends_at = midnight.astimezone(UTC)
        starts_at = ends_at - timedelta(minutes=20)
        assert evening.wants(starts_at=starts_at, ends_at=ends_at, zone=there, mode="video")


@pytest.mark.parametrize(
    ("day", "is_wanted"), [(1, False), (2, True), (4, True), (6, True), (7, False)]
)
def test_both_days_are_included(day: int, is_wanted: bool) -> None:
    assert wants(wish(), at(day, 10)) is is_wanted


def test_day_is_that_of_the_clinic_and_not_of_utc() -> None:
    assert wants(wish(), at(2, 0, 30))
    assert not wants(wish(), at(7, 0, 30))


def test_weekdays_are_those_named() -> None:
    tuesdays = wish(weekdays=frozenset({1}))
    found = [day for day in range(2, 7) if wants(tuesdays, at(day, 10))]
    assert found == [3]


@pytest.mark.parametrize(
    ("start", "is_wanted"),
    [(time(8, 59), False), (time(9), True), (time(11, 40), True), (time(11, 41), False)],
)
def test_visit_lies_between_the_times_of_day(start: time, is_wanted: bool) -> None:
    mornings = wish(day_from=time(9), day_until=time(12))
    assert wants(mornings, at(3, start.hour, start.minute)) is is_wanted


def test_visit_over_midnight_is_not_over_in_the_evening() -> None:
    late = at(3, 23, 50)
    assert wants(wish(day_from=time(20)), late)
    assert not wants(wish(day_until=time(23, 59)), late)


@pytest.mark.parametrize(("mode", "is_wanted"), [("", True), ("video", True), ("phone", False)])
def test_mode_is_the_one_named(mode: str, is_wanted: bool) -> None:
    assert wants(wish(mode=mode), at(3, 10), mode="video") is is_wanted


def test_time_for_an_earlier_visit_begins_before_it() -> None:
    visit = at(4, 10)
    earlier = wish(earlier_than=visit)
    assert wants(earlier, at(4, 9, 59))
    assert not wants(earlier, at(4, 10))


@given(start=instants, length=lengths, zone=zones, first=clocks, last=clocks)
def test_wanted_time_reads_on_the_clinic_clock_as_was_asked_for(start, length, zone, first, last):
    asked = Wish(OPEN.from_on, OPEN.until_on, day_from=first, day_until=last)
    end = start + length
    if asked.wants(starts_at=start, ends_at=end, zone=zone, mode="video"):
        assert start.astimezone(zone).time() >= first
        assert last == time(0) or end.astimezone(zone).time() <= last


@given(start=instants, length=lengths, zone=zones)
def test_time_is_wanted_by_exactly_one_weekday_and_one_day(start, length, zone):
    def by(**changes: object) -> bool:
        asked = Wish(**({"from_on": OPEN.from_on, "until_on": OPEN.until_on} | changes))
        return asked.wants(starts_at=start, ends_at=start + length, zone=zone, mode="video")

    assert [by(weekdays=frozenset({day})) for day in range(7)].count(True) == 1
    local = start.astimezone(zone).date()
    days = [local + timedelta(days=number) for number in range(-2, 3)]
    assert [by(from_on=day, until_on=day) for day in days] == [False, False, True, False, False]


NIGHT = QuietHours(time(21), time(8))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (at(3, 20, 59), None),
        (at(3, 21), at(4, 8)),
        (at(4, 0, 30), at(4, 8)),
        (at(4, 7, 59), at(4, 8)),
        (at(4, 8), None),
    ],
)
def test_quiet_hours_run_over_midnight(now: datetime, until: datetime | None) -> None:
    assert NIGHT.running_until(now=now, zone=UTRECHT) == until


def test_equal_ends_mean_no_quiet_hours() -> None:
    never = QuietHours(time(0), time(0))
    assert never.running_until(now=datetime(2026, 11, 3, tzinfo=UTC), zone=UTRECHT) is None


def test_offer_at_night_is_for_a_time_that_is_over_in_the_morning() -> None:
    now = at(4, 5)
    soon, later = now.replace(hour=7, minute=59), now.replace(hour=8)
    assert NIGHT.allow_offer(starts_at=soon, now=now, zone=UTRECHT)
    assert not NIGHT.allow_offer(starts_at=later, now=now, zone=UTRECHT)


@given(now=instants, zone=zones, begin=clocks, end=clocks)
def test_quiet_hours_that_run_have_an_end_ahead_and_are_over_by_then(now, zone, begin, end):
    quiet = QuietHours(begin, end)
    until = quiet.running_until(now=now, zone=zone)
    clock = now.astimezone(zone).time()
    in_one_day, over_midnight = begin <= clock < end, begin > end and not end <= clock < begin
    assert (until is not None) == (in_one_day or over_midnight)
    if until is not None:
        # An hour more or less if the clocks change in between.
        assert -timedelta(hours=1) < until - now <= timedelta(hours=25)
        assert quiet.allow_offer(starts_at=until, now=now, zone=zone) is False
