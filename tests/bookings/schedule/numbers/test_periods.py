"""Periods, figures and charts: arithmetic without a database."""

from datetime import date, timedelta
from statistics import median_low

from hypothesis import given
from hypothesis import strategies as st

from bookings.models.doctor_days import LEADS
from bookings.schedule.numbers.charts import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    fill_chart,
    share_chart,
    spark_lines,
)
from bookings.schedule.numbers.csv_file import as_text
from bookings.schedule.numbers.figures import Figures
from bookings.schedule.numbers.periods import (
    LONGEST_DAYS,
    Span,
    custom_period,
    period_of,
)

DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))
SPANS = st.sampled_from([Span.WEEK, Span.MONTH, Span.QUARTER, Span.YEAR])
ONE_DAY = timedelta(days=1)


@given(SPANS, DAYS)
def test_a_period_ends_today_and_does_not_meet_the_one_before(span: Span, today: date) -> None:
    period = period_of(span, today=today)
    assert period.days.last == today
    assert period.before.last < period.days.first
    assert period.before.number <= period.days.number
    if span is not Span.MONTH:
        assert period.before.number == period.days.number
        assert period.before.first.weekday() == period.days.first.weekday() == 0


@given(DAYS, st.integers(0, LONGEST_DAYS - 1))
def test_parts_cover_every_day_once(first: date, more: int) -> None:
    period = custom_period(first=first, last=first + more * ONE_DAY)
    days = [each.first + n * ONE_DAY for each in period.parts for n in range(each.number)]
    assert days == [first + n * ONE_DAY for n in range(more + 1)]
    assert len(period.parts) <= 28
    assert period.before.last + ONE_DAY == first
    assert period.before.number == period.days.number


def test_month_is_compared_with_the_same_days_of_a_shorter_month() -> None:
    period = period_of(Span.MONTH, today=date(2027, 3, 31))
    assert (period.before.first, period.before.last) == (date(2027, 2, 1), date(2027, 2, 28))


@given(st.lists(st.integers(0, LEADS - 1), min_size=1))
def test_median_is_that_of_the_single_bookings(leads: list[int]) -> None:
    figures = Figures(lead_days=[leads.count(days) for days in range(LEADS)])
    assert figures.median_lead == median_low(leads)
    assert sum(figures.lead_groups) == len(leads)


def test_nothing_has_no_share_and_no_median() -> None:
    figures = Figures()
    shares = (figures.fill_rate, figures.no_show_rate, figures.cancelled_rate)
    assert {*shares, figures.median_lead} == {None}
    assert figures.is_empty


@given(st.lists(st.tuples(st.integers(0, 9_000), st.floats(0, 1)), max_size=28))
def test_bars_stay_inside_the_axes(parts: list[tuple[int, float]]) -> None:
    counts = [("x", offered, int(offered * part), 100 * part) for offered, part in parts]
    for chart in (fill_chart(counts), share_chart([("x", (each[3], None)) for each in counts])):
        for bar in (bar for group in chart.groups for bar in group.bars):
            assert bar.x >= LEFT
            assert bar.x + bar.width <= RIGHT
            assert TOP <= bar.y <= bar.y + bar.height == BOTTOM
        assert len(chart.lines) <= 6


def test_line_ends_where_nothing_was_counted() -> None:
    assert len(spark_lines([1, 2, None, 3, 4])) == 2
    assert spark_lines([None, 5.0]) == []


@given(st.text())
def test_no_cell_begins_a_formula(text: str) -> None:
    assert not as_text(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
