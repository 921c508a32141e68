"""The days that somebody asks for. The form parses; it has no rule of the booking."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bookings.schedule.numbers.periods import (
    LONGEST_DAYS,
    Days,
    Period,
    Span,
    custom_period,
    period_of,
)
from docbook.http.dates import validate_day


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        input_formats=["%Y-%m-%d"],
        validators=[validate_day],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Choose a day."),
            "invalid": gettext_lazy("Write a day like 2026-01-31."),
        },
    )


class DaysForm(forms.Form):
    """Two days, both included; at most two years, and none that is still to come."""

    first = _day(gettext_lazy("From"))
    last = _day(gettext_lazy("To"))

    def __init__(self, *args: Any, today: date, **given: Any) -> None:
        super().__init__(*args, **given)
        self.today = today

    def clean_first(self) -> date:
        first: date = self.cleaned_data["first"]
        if first > self.today:
            raise ValidationError(_("This day is still to come."), code="to-come")
        return first

    def clean(self) -> None:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first is None or last is None:
            return
        if last < first:
            message = _("The last day must not be before the first.")
            self.add_error("last", ValidationError(message, code="before-first"))
        elif Days(first, last).number > LONGEST_DAYS:
            message = _("Choose two years at most.")
            self.add_error("last", ValidationError(message, code="too-long"))

    @property
    def period(self) -> Period:
        """Ends today if the last day is still to come."""
        last = min(self.cleaned_data["last"], self.today)
        return custom_period(first=self.cleaned_data["first"], last=last)


def span_of(text: str) -> Span:
    """The last 13 weeks if the text names no span."""
    return Span(text) if text in list(Span) else Span.QUARTER


def named_period(span: Span, *, today: date) -> Period:
    return period_of(Span.QUARTER if span is Span.CUSTOM else span, today=today)
