"""Forms of the availability pages: a card of weekly hours, and time off or extra hours.

They parse what was typed and keep it when it is refused.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bookings.schedule.hours_words import effect_of, title_of, with_visit_types
from docbook.http.dates import validate_day
from docbook.http.form_fields import TextField
from doctors.models import (
    AvailabilityOverride,
    AvailabilityRule,
    Clinic,
    Doctor,
    OverrideKind,
    VisitType,
)
from doctors.models.overrides import LONGEST_NAME
from doctors.schedule_forms import NoOverlaps, OverrideForm, RuleForm

PREFIX = "hours"
# Every pair of them is compared, so the number has a limit.
MOST_RULES = 30
_CLOCK = {"autocomplete": "off", "maxlength": 8}


class DayField(forms.DateField):
    """A day picker. In other formats than this one, people confuse day and month."""

    def __init__(self, **given: Any) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(
            input_formats=["%Y-%m-%d"], validators=[validate_day], widget=widget, **given
        )


class _AtClinics(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """A mixin: a choice among given clinics, and days that keep what was refused."""

    days: tuple[str, ...] = ()

    def _offer(self, clinics: Sequence[Clinic], *, empty: str = "") -> None:
        by_id = {str(clinic.pk): clinic for clinic in clinics}
        choices = [(str(clinic.pk), clinic.name) for clinic in clinics]

        def read(value: Any) -> Clinic:
            if str(value) not in by_id:
                raise ValueError(value)
            return by_id[str(value)]

        self.fields["clinic"] = forms.TypedChoiceField(
            label=_("Clinic"),
            choices=[("", empty), *choices] if empty else choices,
            coerce=read,
            empty_value=None,
            required=not empty,
        )

    def show_what_was_refused(self) -> None:
        """A day that cannot be read is shown as text: a day picker would drop it."""
        for name in set(self.days) & set(self.errors):
            self.fields[name].widget.input_type = "text"

    def _get_validation_exclusions(self) -> set[str]:
        """All fields: the form's own checks say the same as the model's, which would look for the
        clinic again and ask the database for each constraint.
        """
        return {field.name for field in self.instance._meta.fields}


class HoursForm(RuleForm, _AtClinics):
    """A card. `saved` is the id of the rule that it was made from."""

    days = ("valid_from", "valid_until")
    saved = forms.IntegerField(required=False, widget=forms.HiddenInput)
    valid_from = DayField(label=gettext_lazy("Valid from"))
    valid_until = DayField(label=gettext_lazy("Valid until"), required=False)

    def __init__(self, *args: Any, clinics: Sequence[Clinic], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer(clinics)
        self.before: AvailabilityRule | None = None
        self.slot_minutes: int = self.instance.doctor.slot_minutes
        for name in ("starts", "ends"):
            self.fields[name].widget = forms.TextInput(attrs=_CLOCK)
        labels = {"weekdays": _("Days"), "starts": _("From"), "ends": _("Until")}
        labels |= {"every_weeks": _("Weeks"), "mode": _("Kind of visit")}
        labels["visit_types"] = _("Only for")
        for name, label in labels.items():
            self.fields[name].label = label
        for name in ("starts", "ends", "every_weeks"):
            self.fields[name].help_text = ""

    @property
    def is_for_some_visits(self) -> bool:
        """Whether there is anything to choose."""
        return len(self.visit_type_names) > 1 or bool(self["visit_types"].value())

    @property
    def is_removed(self) -> bool:
        return bool(self["DELETE"].value())

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def is_changed(self) -> bool:
        """Whether saving would change the rule that the card was made from."""
        return bool(self._readable and self.before and self.instance.facts != self.before.facts)

    @property
    def title(self) -> str:
        shown = self.instance if self._readable else self.before
        return title_of(shown) if shown else _("New hours")

    @property
    def effect(self) -> str:
        """Empty while the hours cannot be read."""
        if not self._readable:
            if self.before is None:
                return ""
            said = effect_of(self.before, slot_minutes=self.slot_minutes)
            return with_visit_types(said, self._names(self.before))
        said = effect_of(self.instance, slot_minutes=self.slot_minutes, before=self.before)
        return with_visit_types(said, self._names(self.instance))

    def _names(self, rule: AvailabilityRule) -> list[str]:
        return [name for pk, name in self.visit_type_names.items() if pk in rule.visit_types]

    @property
    def _readable(self) -> bool:
        return self.is_bound and self.counts()


class HoursFormSet(NoOverlaps, forms.BaseFormSet):  # type: ignore[type-arg]  # as above
    """All weekly hours of one doctor as they will be, not only those that change."""

    def __init__(
        self,
        data: Any = None,
        *,
        doctor: Doctor,
        rules: Sequence[AvailabilityRule],
        clinics: Sequence[Clinic],
        visit_types: Sequence[VisitType],
        today: date,
        **kwargs: Any,
    ) -> None:
        self._doctor, self._clinics, self._today = doctor, clinics, today
        self._visit_types = visit_types
        self._rules = {rule.pk: rule for rule in rules}
        if data is None:
            kwargs["initial"] = [_as_typed(rule) for rule in rules]
        super().__init__(data, prefix=PREFIX, **kwargs)
        for form in self.cards:
            form.before = self._rules.get(_number(form["saved"].value()) or 0)

    @property
    def cards(self) -> list[HoursForm]:
        return [form for form in self.forms if isinstance(form, HoursForm)]

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        given = super().get_form_kwargs(index)
        given |= {
            "instance": AvailabilityRule(doctor=self._doctor),
            "clinics": self._clinics,
            "visit_types": self._visit_types,
        }
        if index is None or index >= self.initial_form_count() or self.is_bound:
            given["initial"] = self.blank
        return given

    @property
    def blank(self) -> dict[str, Any]:
        """What a new card proposes."""
        return {"valid_from": self._today, "clinic": self._clinics[0].pk}

    def rules(self) -> list[AvailabilityRule]:
        """The hours as they will be. The formset must be valid."""
        return [form.instance for form in self.cards if form.counts()]

    def show_what_was_refused(self) -> None:
        for form in self.cards:
            form.show_what_was_refused()


WeeklyHoursForms: type[HoursFormSet] = forms.formset_factory(  # type: ignore[assignment]
    HoursForm,
    formset=HoursFormSet,
    extra=0,
    can_delete=True,
    max_num=MOST_RULES,
    absolute_max=MOST_RULES,
    validate_max=True,
)


def with_another_card(data: Any, *, blank: dict[str, Any]) -> Any:
    """The submitted cards and a new one, as if it had been typed."""
    more = data.copy()
    number = _number(data.get(f"{PREFIX}-TOTAL_FORMS")) or 0
    if number < MOST_RULES:
        more[f"{PREFIX}-TOTAL_FORMS"] = str(number + 1)
        for name, value in blank.items():
            more[f"{PREFIX}-{number}-{name}"] = str(value)
    return more


class TimeOffForm(OverrideForm, _AtClinics):
    """Time off or extra hours."""

    days = ("first_day", "last_day")
    first_day = DayField(label=gettext_lazy("First day"))
    last_day = DayField(label=gettext_lazy("Last day"))
    reason = TextField(
        label=gettext_lazy("Reason that patients read"),
        max_length=LONGEST_NAME,
        required=False,
        help_text=gettext_lazy("Leave it empty to say nothing."),
    )

    def __init__(
        self, data: Any = None, *, doctor: Doctor, clinics: Sequence[Clinic], today: date
    ) -> None:
        super().__init__(data, instance=AvailabilityOverride(doctor=doctor))
        self._today = today
        self._offer(clinics, empty=_("Every clinic"))
        self.fields["kind"].widget = forms.RadioSelect(
            choices=[(value, capfirst(label)) for value, label in OverrideKind.choices]
        )
        for name in ("starts", "ends"):
            self.fields[name].widget = forms.TextInput(attrs=_CLOCK)
        labels = {"starts": _("From"), "ends": _("Until"), "mode": _("Kind of extra visits")}
        for name, label in labels.items():
            self.fields[name].label = label
            self.fields[name].help_text = ""
        self.fields["mode"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        last = cleaned.get("last_day")
        if last and last < self._today and "last_day" not in self.errors:
            self.add_error("last_day", _("These days are over. Choose a day from today on."))
        cleaned["mode"] = cleaned.get("mode") or AvailabilityOverride.mode.field.default
        return cleaned


def _as_typed(rule: AvailabilityRule) -> dict[str, Any]:
    names = ("weekdays", "starts", "ends", "every_weeks", "mode", "valid_from", "valid_until")
    typed = {name: getattr(rule, name) for name in names}
    typed["visit_types"] = rule.visit_types
    return typed | {"clinic": rule.clinic_id, "saved": rule.pk}


def _number(value: Any) -> int | None:
    """None for anything that is no number of a row."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
