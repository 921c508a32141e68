"""The search form. It parses what was asked for, and holds no rules."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from docbook.http.dates import validate_day
from docbook.http.form_fields import ChoiceField, NumberField, TextField
from docbook.typed_text import plain_letters
from doctors.languages import language_name
from doctors.models.schedule import Mode
from doctors.selectors.choices import search_choices
from doctors.selectors.search import DoctorSearch
from doctors.templatetags.clinic_time import date_long, money

ORDER_LABELS = {"next_free": _("Earliest"), "fee": _("Lowest fee"), "name": _("Name")}


class SearchForm(forms.Form):
    """Every field is optional. An invalid value gets a message at its field and is ignored."""

    q = TextField(label=_("Doctor or specialty"), max_length=80, required=False)
    specialty = ChoiceField(
        label=_("What do you need?"),
        required=False,
        error_messages={"invalid_choice": _("We do not know this specialty.")},
    )
    city = ChoiceField(
        label=_("Where?"),
        required=False,
        error_messages={"invalid_choice": _("We have no clinic in %(value)s.")},
    )
    available_on = forms.DateField(
        label=_("When?"),
        required=False,
        # In other formats, people confuse day and month.
        input_formats=["%Y-%m-%d"],
        validators=[validate_day],
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    mode = ChoiceField(
        label=_("Visit"),
        required=False,
        error_messages={"invalid_choice": _("A visit is in person, by video or by phone.")},
    )
    language = ChoiceField(
        label=_("Speaks"),
        required=False,
        error_messages={"invalid_choice": _("We do not know this language.")},
    )
    max_fee = NumberField(label=_("Fee up to"), required=False, min_value=0, max_value=100_000)
    currency = ChoiceField(
        label=_("Currency of the fee"),
        required=False,
        error_messages={"invalid_choice": _("Nobody here charges in this currency.")},
    )
    order = ChoiceField(
        label=_("Order"),
        required=False,
        choices=list(ORDER_LABELS.items()),
        error_messages={"invalid_choice": _("You can sort by Earliest, Lowest fee or Name.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = search_choices()
        self._choices("specialty", _("Any specialty"), _in_order(found.specialties))
        self._choices("city", _("Anywhere"), _in_order((city, city) for city in found.cities))
        self._choices("mode", _("Any kind of visit"), Mode.for_visits())
        spoken = ((code, language_name(code)) for code in found.languages)
        self._choices("language", _("Any language"), _in_order(spoken))
        self.currencies = sorted(found.currencies)
        self._choices("currency", _("Local currency"), [(code, code) for code in self.currencies])

    def _choices(self, name: str, empty: Any, choices: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = [("", empty), *choices]

    def search(self) -> DoctorSearch:
        """What the valid fields ask for."""
        self.is_valid()
        self._keep_what_was_refused()
        given = {
            name: value for name, value in self.cleaned_data.items() if value not in ("", None)
        }
        return DoctorSearch(**given)

    def _keep_what_was_refused(self) -> None:
        """A list shows the refused value as one more choice, and the day field shows it as text."""
        for name in {"specialty", "city", "language", "currency"} & set(self.errors):
            field, typed = self.fields[name], str(self[name].value())
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
            field.choices = [*field.choices, (typed, typed)]  # type: ignore[misc]  # pairs
        if "available_on" in self.errors:
            self.fields["available_on"].widget.input_type = "text"

    @property
    def has_currencies(self) -> bool:
        """Whether there are several currencies to choose from."""
        return len(self.currencies) > 1

    def name_the_currency(self, search: DoctorSearch) -> None:
        """Fees are compared within one currency, and the label says which."""
        currency = search.currency or (self.currencies[0] if len(self.currencies) == 1 else "")
        if currency:
            label = gettext("Fee up to, in %(currency)s") % {"currency": currency}
            self["max_fee"].label = label

    def label_of(self, name: str, search: DoctorSearch) -> str:
        """A filter's value in words."""
        value = getattr(search, name)
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            labels = dict(field.choices)  # type: ignore[arg-type]  # always pairs here
            return str(capfirst(labels[value]))
        if name == "available_on":
            return date_long(value)
        if name == "max_fee":
            return gettext("Up to %(fee)s") % {"fee": money(value * 100, search.currency)}
        return str(value)

    def query(self, search: DoctorSearch) -> str:
        """The search as a query string, for links that change one part and keep the rest."""
        asked = {name: getattr(search, name) for name in self.fields}
        if asked["order"] == "next_free":
            del asked["order"]
        return urlencode({name: value for name, value in asked.items() if value not in ("", None)})


def _in_order(choices: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Sorted by label, as people look for them."""
    return sorted(choices, key=lambda choice: (plain_letters(choice[1]), choice[1]))
