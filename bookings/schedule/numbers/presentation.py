"""The page of a doctor's numbers, in words and charts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, time

from django.utils import formats
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings.models.doctor_days import LEADS, DoctorDay
from bookings.schedule.numbers.charts import (
    BarChart,
    HeatMap,
    LeadBar,
    fill_chart,
    heat_map,
    lead_bars,
    share_chart,
    spark_lines,
)
from bookings.schedule.numbers.figures import (
    Figures,
    HourCount,
    figures_of,
    hours_of_week,
    share,
)
from bookings.schedule.numbers.periods import Days, Period
from doctors.templatetags.clinic_time import date_range, date_short, days_in_a_row, month_name

NOTHING = "–"


@dataclass(frozen=True)
class Card:
    """A key figure. `change` is empty if there is nothing to compare with; `tone` is better, worse
    or even, and `arrow` the icon that says up or down.
    """

    name: str
    meaning: str
    value: str
    change: str
    arrow: str
    tone: str
    lines: list[str]


@dataclass(frozen=True)
class Part:
    """A day, week or month of the period, in the tables under the charts."""

    name: str
    figures: Figures
    fill_rate: str
    no_show_rate: str
    cancelled_rate: str


@dataclass(frozen=True)
class Busy:
    """How full each hour of the week is. `rows` of the table: weekday, and a share for each of
    `hours`.
    """

    chart: HeatMap
    hours: list[str]
    rows: list[tuple[str, list[str]]]
    finding: str


@dataclass(frozen=True)
class Lead:
    bars: list[LeadBar]
    rows: list[tuple[str, int, str]]
    finding: str


@dataclass(frozen=True)
class Numbers:
    period: Period
    dates: str
    dates_before: str
    cards: list[Card]
    parts: list[Part]
    part_name: str
    fill: BarChart
    fill_finding: str
    lost: BarChart
    lost_finding: str
    busy: Busy | None
    lead: Lead
    total: Figures


def numbers_of(rows: Iterable[DoctorDay], *, period: Period) -> Numbers | None:
    """From the rows of both periods; None if neither has anything to show."""
    rows = list(rows)
    current = [each for each in rows if each.day in period.days]
    total = figures_of(current)
    before = figures_of(each for each in rows if each.day in period.before)
    if total.is_empty and before.is_empty:
        return None
    parts = [_part(days, current, unit=period.unit) for days in period.parts]
    labels = days_in_a_row(days.first for days in period.parts)
    figures = [each.figures for each in parts]
    return Numbers(
        period=period,
        dates=_dates(period.days),
        dates_before=_dates(period.before),
        cards=_cards(total, before, parts=figures),
        parts=parts,
        part_name={"day": _("Day"), "week": _("Week"), "month": _("Month")}[period.unit],
        fill=fill_chart(
            [
                (label, each.offered, each.booked, each.fill_rate)
                for label, each in zip(labels, figures, strict=True)
            ]
        ),
        fill_finding=_fill_finding(total),
        lost=share_chart(
            [
                (label, (each.cancelled_rate, each.no_show_rate))
                for label, each in zip(labels, figures, strict=True)
            ]
        ),
        lost_finding=_lost_finding(total),
        busy=_busy(hours_of_week(current)),
        lead=_lead(total),
        total=total,
    )


def percent(value: float | None, digits: int = 0) -> str:
    """Like "87 %"; a dash for nothing."""
    if value is None:
        return NOTHING
    return _("%(number)s\N{NO-BREAK SPACE}%%") % {"number": _number(value, digits)}


def _number(value: float, digits: int) -> str:
    """With `digits` after the decimal sign, but none for a whole number."""
    rounded = round(value, digits)
    return formats.number_format(rounded, 0 if rounded == int(rounded) else digits)


def days(number: int | None) -> str:
    if number is None:
        return NOTHING
    if number >= LEADS - 1:
        return _("over %(number)s days") % {"number": LEADS - 2}
    if number == 0:
        return _("same day")
    return ngettext("%(number)s day", "%(number)s days", number) % {"number": number}


def _dates(of: Days) -> str:
    return date_short(of.first) if of.number == 1 else date_range(of.first, of.last)


def _part(of: Days, rows: Iterable[DoctorDay], *, unit: str) -> Part:
    figures = figures_of(each for each in rows if each.day in of)
    return Part(
        name=_name_of_part(of.first, unit),
        figures=figures,
        fill_rate=percent(figures.fill_rate),
        no_show_rate=percent(figures.no_show_rate, 1),
        cancelled_rate=percent(figures.cancelled_rate, 1),
    )


def _name_of_part(first: date, unit: str) -> str:
    if unit == "month":
        return month_name(first)
    return date_short(first)


def _cards(total: Figures, before: Figures, *, parts: list[Figures]) -> list[Card]:
    return [
        _share_card(
            _("Fill rate"),
            _("Booked of offered times"),
            lambda each: each.fill_rate,
            total=total,
            before=before,
            parts=parts,
            digits=0,
            more_is="better",
        ),
        _share_card(
            _("No-shows"),
            _("Of visits that were due"),
            lambda each: each.no_show_rate,
            total=total,
            before=before,
            parts=parts,
        ),
        _lead_card(total, before, parts=parts),
        _share_card(
            _("Cancelled"),
            _("Of all visits agreed"),
            lambda each: each.cancelled_rate,
            total=total,
            before=before,
            parts=parts,
        ),
        _share_card(
            _("Came too late"),
            _("Picked a time that somebody else had just got"),
            lambda each: each.refused_rate,
            total=total,
            before=before,
            parts=parts,
        ),
    ]


def _share_card(
    name: str,
    meaning: str,
    read: Callable[[Figures], float | None],
    *,
    total: Figures,
    before: Figures,
    parts: list[Figures],
    digits: int = 1,
    more_is: str = "worse",
) -> Card:
    value, earlier = read(total), read(before)
    difference = None if value is None or earlier is None else round(value - earlier, digits)
    words = ""
    if difference is not None:
        number = _number(abs(difference), digits)
        one = 1 if abs(difference) == 1 else 2
        words = ngettext("%(number)s point", "%(number)s points", one) % {"number": number}
    return Card(
        name=name,
        meaning=meaning,
        value=percent(value, digits),
        lines=spark_lines(map(read, parts)),
        **_change(difference, words, more_is=more_is),
    )


def _lead_card(total: Figures, before: Figures, *, parts: list[Figures]) -> Card:
    value, earlier = total.median_lead, before.median_lead
    difference = None if value is None or earlier is None else value - earlier
    number = abs(difference or 0)
    words = ngettext("%(number)s day", "%(number)s days", number) % {"number": number}
    return Card(
        name=_("Median lead time"),
        meaning=_("From booking to visit"),
        value=days(value),
        lines=spark_lines(each.median_lead for each in parts),
        **_change(difference, words, more_is="worse"),
    )


def _change(difference: float | None, words: str, *, more_is: str) -> dict[str, str]:
    if difference is None:
        return {"change": "", "arrow": "", "tone": "even"}
    if not difference:
        return {"change": _("as before"), "arrow": "", "tone": "even"}
    less_is = "worse" if more_is == "better" else "better"
    is_up = difference > 0
    return {
        "change": words,
        "arrow": "arrow-up" if is_up else "arrow-down",
        "tone": more_is if is_up else less_is,
    }


def _fill_finding(total: Figures) -> str:
    if total.fill_rate is None:
        return _("No times were offered in these days.")
    return _("%(booked)s of %(offered)s offered times were booked: %(share)s.") % {
        "booked": formats.number_format(total.booked, force_grouping=True),
        "offered": formats.number_format(total.offered, force_grouping=True),
        "share": percent(total.fill_rate),
    }


def _lost_finding(total: Figures) -> str:
    if not total.agreed:
        return _("No visits were agreed for these days.")
    return _(
        "Patients cancelled %(by_patient)s visits and the practice %(by_practice)s; in"
        " %(no_show)s the patient did not come."
    ) % {
        "by_patient": total.cancelled_by_patient,
        "by_practice": total.cancelled_by_practice,
        "no_show": total.no_show,
    }


def _busy(counts: dict[tuple[int, int], HourCount]) -> Busy | None:
    """None if no times were offered."""
    if not counts:
        return None
    hours = sorted({hour for _weekday, hour in counts})
    weekdays = sorted({weekday for weekday, _hour in counts} | set(range(5)))
    names = [f"{time(hour):%H:%M}" for hour in hours]
    rates = {
        weekday: [_rate(counts.get((weekday, hour))) for hour in hours] for weekday in weekdays
    }
    chart = heat_map(
        columns=names, rows=[(str(WEEKDAYS_ABBR[day]), rates[day]) for day in weekdays]
    )
    rows = [(str(WEEKDAYS[day]), [percent(each) for each in rates[day]]) for day in weekdays]
    return Busy(chart, names, rows, _busy_finding(counts))


def _rate(count: HourCount | None) -> float | None:
    return count.fill_rate if count else None


def _busy_finding(counts: dict[tuple[int, int], HourCount]) -> str:
    rates = {place: count.fill_rate or 0 for place, count in counts.items()}
    fullest = min(rates, key=lambda place: (-rates[place], place))
    emptiest = min(rates, key=lambda place: (rates[place], place))
    return _("Fullest: %(fullest)s. Most room: %(emptiest)s.") % {
        "fullest": _hour_in_words(*fullest),
        "emptiest": _hour_in_words(*emptiest),
    }


def _hour_in_words(weekday: int, hour: int) -> str:
    return _("%(day)s, %(time)s") % {"day": WEEKDAYS[weekday], "time": f"{time(hour):%H:%M}"}


def _lead(total: Figures) -> Lead:
    names = (_("Same day"), _("1–3 days"), _("4–7 days"), _("1–2 weeks"), _("Longer"))
    counts = total.lead_groups
    shares = [share(each, total.bookings) for each in counts]
    rows = [
        (name, number, percent(each))
        for name, number, each in zip(names, counts, shares, strict=True)
    ]
    bars = lead_bars(
        [(name, each, percent(each)) for name, each in zip(names, shares, strict=True)]
    )
    return Lead(bars, rows, _lead_finding(total.median_lead))


def _lead_finding(median: int | None) -> str:
    if median is None:
        return _("No bookings for these days.")
    if median == 0:
        return _("At least half of the bookings are made on the same day.")
    if median >= LEADS - 1:
        return _("Half of the bookings are made more than %(number)s days ahead.") % {
            "number": LEADS - 2
        }
    return ngettext(
        "Half of the bookings are made %(number)s day ahead or later.",
        "Half of the bookings are made %(number)s days ahead or later.",
        median,
    ) % {"number": median}
