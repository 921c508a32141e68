"""The days of a card in the results."""

from html import escape

from django import template
from django.template.base import FilterExpression, Parser, Token
from django.template.context import Context
from django.utils.translation import gettext as _

from doctors.views.cards import CardDay, CardTime

register = template.Library()


@register.tag
def card_days(parser: Parser, token: Token) -> template.Node:
    """`{% card_days days is_paused %}`: list items, one for each CardDay.

    It uses no template, because a page of results draws fifty days with two hundred times: 16 ms of
    CPU as nodes and includes, 0.5 ms here.
    """
    _tag, *arguments = token.split_contents()
    return _Days(*map(parser.compile_filter, arguments))


class _Days(template.Node):
    def __init__(self, days: FilterExpression, is_paused: FilterExpression) -> None:
        self.days, self.is_paused = days, is_paused

    def render(self, context: Context) -> str:
        """Escapes all values here: the engine takes the result as it is."""
        draw = _paused if self.is_paused.resolve(context) else _free
        none = (
            '<p class="time time-none"><span aria-hidden="true">–</span>'
            f'<span class="visually-hidden">{escape(_("no free times"))}</span></p>'
        )
        days: list[CardDay] = self.days.resolve(context)
        return "".join(
            f'<li><h3 class="day-head"><strong>{escape(day.head.weekday)}</strong>'
            f" {escape(day.head.label)}</h3>"
            f"{_times(day, [draw(time) for time in day.times]) if day.times else none}</li>"
            for day in days
        )


def _times(day: CardDay, items: list[str]) -> str:
    if day.more:
        items.append(
            f'<a class="time time-more" href="{escape(day.url)}"'
            f' aria-label="{escape(day.more_spoken)}">{escape(day.more_label)}'
            f"{_note(day.more_cities)}</a>"
        )
    return f'<ul class="card-times">{"".join(f"<li>{item}</li>" for item in items)}</ul>'


def _free(time: CardTime) -> str:
    return (
        f'<a class="time time-free" href="{escape(time.url)}" aria-label="{escape(time.spoken)}">'
        f"<bdi>{escape(time.label)}</bdi>{_note(time.city)}</a>"
    )


def _paused(time: CardTime) -> str:
    return (
        f'<span class="time time-held"><bdi>{escape(time.label)}</bdi>{_note(time.city)}'
        f"{_note(_('paused'))}</span>"
    )


def _note(text: str) -> str:
    return f'<span class="time-note">{escape(text)}</span>' if text else ""
