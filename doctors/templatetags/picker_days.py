"""The days and times of the picker."""

from collections.abc import Sequence
from functools import lru_cache
from html import escape

from django import template
from django.template.base import FilterExpression, Parser, Token
from django.template.context import Context
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doctors.views.picker_page import DayCell, TimeChip

register = template.Library()


@register.tag
def month_days(parser: Parser, token: Token) -> template.Node:
    """`{% month_days weeks %}`: rows of a table, with a DayCell or nothing for each day.

    It uses no template, because a page draws the days of two months: 0.6 ms of CPU as a template,
    0.07 here.
    """
    _tag, weeks = token.split_contents()
    return _Weeks(parser.compile_filter(weeks))


@register.tag
def weekday_names(_parser: Parser, _token: Token) -> template.Node:
    """`{% weekday_names %}`: the cells above the days of a month, from Monday on."""
    return _WeekdayNames()


@register.tag
def times_of_day(parser: Parser, token: Token) -> template.Node:
    """`{% times_of_day times is_long is_paused %}`: list items, one for each TimeChip.

    It uses no template, because a day has dozens: 25 µs of CPU each as a template, 2 here.
    """
    _tag, *arguments = token.split_contents()
    return _Times(*map(parser.compile_filter, arguments))


class _Weeks(template.Node):
    """Escapes all values here: the engine takes the result as it is."""

    def __init__(self, weeks: FilterExpression) -> None:
        self.weeks = weeks

    def render(self, context: Context) -> str:
        weeks: Sequence[Sequence[DayCell | None]] = self.weeks.resolve(context)
        rows = ("".join(f"<td>{_day(cell)}</td>" for cell in week) for week in weeks)
        return "".join(f"<tr>{row}</tr>" for row in rows)


def _day(cell: DayCell | None) -> str:
    if cell is None:
        return ""
    if not cell.free:
        return f'<span class="{cell.css}">{cell.number}</span>'
    url = escape(cell.url)
    current = ' aria-current="date"' if cell.chosen else ""
    return (
        f'<a class="{cell.css}" id="day-{cell.iso}" href="{url}#times"{current} hx-get="{url}"'
        ' hx-target="#picker" hx-sync="#picker:replace" hx-swap="outerHTML"'
        f' hx-push-url="{url}" data-then-focus="times-heading"'
        f' aria-label="{escape(cell.spoken)}">{cell.number}</a>'
    )


class _WeekdayNames(template.Node):
    def render(self, _context: Context) -> str:
        return _weekday_names(get_language())


@lru_cache
def _weekday_names(_language: str | None) -> str:
    return "".join(
        f'<th scope="col"><span class="visually-hidden">{escape(str(WEEKDAYS[n]))}</span>'
        f'<span aria-hidden="true">{escape(str(WEEKDAYS_ABBR[n])[:2])}</span></th>'
        for n in range(7)
    )


class _Times(template.Node):
    """Escapes all values here: the engine takes the result as it is."""

    def __init__(
        self, times: FilterExpression, is_long: FilterExpression, is_paused: FilterExpression
    ) -> None:
        self.times, self.is_long, self.is_paused = times, is_long, is_paused

    def render(self, context: Context) -> str:
        times: Sequence[TimeChip] = self.times.resolve(context)
        css, note = "time time-free", ""
        if self.is_long.resolve(context):
            css, note = f"{css} time-long", _note(_("long visit"))
        is_paused = bool(self.is_paused.resolve(context))
        items = (
            _free(time, css=css, note=note)
            if time.state == "free" and not is_paused
            else _not_free(time)
            for time in times
        )
        return "".join(f"<li>{item}</li>" for item in items)


def _free(time: TimeChip, *, css: str, note: str) -> str:
    return (
        f'<button class="{css}" type="submit" name="slot" value="{time.slot_id}"'
        f' aria-label="{escape(time.spoken)}"><bdi>{escape(time.label)}</bdi>{note}</button>'
    )


def _not_free(time: TimeChip) -> str:
    label = f"<bdi>{escape(time.label)}</bdi>"
    if time.state == "yours":
        inner = f"{label}{_note(_('yours'))}"
        return f'<a class="time time-yours" href="{escape(time.url)}">{inner}</a>'
    if time.state == "just_taken":
        return f'<span class="time time-taken">{label}{_note(_("just taken"))}</span>'
    note = _("paused") if time.state == "free" else _("on hold")
    return f'<span class="time time-held">{label}{_note(note)}</span>'


def _note(text: str) -> str:
    return f'<span class="time-note">{escape(text)}</span>'
