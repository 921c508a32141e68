"""How early and how late patients can book a doctor. The form parses; the service has the rules."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from doctors.services.booking_rules import BookingRules

NOTICES = (0, 15, 30, 60, 120, 240, 480, 1440, 2880, 4320, 10080)
DAY, HOUR = 24 * 60, 60
_LONGEST_HORIZON, _MOST_VISITS = 365, 300


def _number(label: Any, *, most: int, **given: Any) -> forms.IntegerField:
    message = gettext_lazy("Write a number from 1 to %(most)s.") % {"most": most}
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=most,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), message),
        **given,
    )


class BookingRulesForm(forms.Form):
    min_notice_minutes = forms.TypedChoiceField(
        label=gettext_lazy("Shortest notice"),
        help_text=gettext_lazy("How long before it begins a time can still be booked."),
        coerce=int,
    )
    horizon_days = _number(
        gettext_lazy("Days ahead"),
        most=_LONGEST_HORIZON,
        help_text=gettext_lazy("How many days can be booked, with today."),
    )
    change_notice_minutes = forms.TypedChoiceField(
        label=gettext_lazy("Notice for changes"),
        help_text=gettext_lazy("How long before it begins a patient can move or cancel a visit."),
        coerce=int,
    )
    most_visits_a_day = _number(
        gettext_lazy("Most visits a day"),
        most=_MOST_VISITS,
        required=False,
        help_text=gettext_lazy("Then patients find no more times on that day. You still do."),
    )

    def __init__(self, data: Any = None, *, present: BookingRules) -> None:
        super().__init__(data, initial=present._asdict())
        for name in ("min_notice_minutes", "change_notice_minutes"):
            choices = sorted({*NOTICES, getattr(present, name)})
            self.fields[name].choices = [(each, notice_in_words(each)) for each in choices]  # type: ignore[attr-defined]

    @property
    def rules(self) -> BookingRules:
        return BookingRules(**self.cleaned_data)


def notice_in_words(minutes: int) -> str:
    """Like "2 hours"; in minutes where nothing larger fits."""
    if minutes == 0:
        return _("None")
    if minutes % DAY == 0:
        number = minutes // DAY
        return ngettext("%(number)d day", "%(number)d days", number) % {"number": number}
    if minutes % HOUR == 0:
        number = minutes // HOUR
        return ngettext("%(number)d hour", "%(number)d hours", number) % {"number": number}
    return ngettext("%(number)d minute", "%(number)d minutes", minutes) % {"number": minutes}
