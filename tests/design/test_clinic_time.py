"""How times, money and people are written on the pages."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
import time_machine

from doctors.names import initials_of
from doctors.templatetags import clinic_time

UTRECHT = "Europe/Amsterdam"
# 23:40 UTC is already the next day at the clinic.
LATE = datetime(2026, 11, 23, 23, 40, tzinfo=UTC)


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


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (datetime(2026, 11, 23, 23, 30, tzinfo=UTC), "today, 00:40"),
        (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), "tomorrow, 00:40"),
        (datetime(2026, 11, 20, 8, 0, tzinfo=UTC), "Tue 24 Nov, 00:40"),
    ],
)
def test_today_and_tomorrow_are_those_of_the_clinic(now: datetime, words: str) -> None:
    with time_machine.travel(now, tick=False):
        assert clinic_time.when(LATE, UTRECHT) == words


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
