"""Forms for hours. They parse the hours and show errors at the fields."""

from collections.abc import Sequence
from datetime import UTC, time, timedelta
from itertools import combinations, groupby, product
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.admin.widgets import AdminTimeWidget
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from docbook.times_of_day import END_OF_DAY, end_in_words, ends_after, read_end, whole_minutes
from doctors.models import AvailabilityOverride, AvailabilityRule, OverrideKind, VisitType
from doctors.models.places import validate_time_zone
from doctors.recurrence import WeeklyRule, overlap

LONGEST_OVERRIDE = timedelta(days=366)


class StartOfHoursField(forms.TimeField):
    """The time when hours start, shown without seconds."""

    widget = AdminTimeWidget

    def prepare_value(self, value: Any) -> Any:
        return f"{value:%H:%M}" if isinstance(value, time) and not value.second else value


class EndOfHoursField(forms.TimeField):
    """The time when hours end. 24:00 and 00:00 both mean the end of the day, shown as 24:00."""

    widget = AdminTimeWidget
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": _("Write the time like 08:30, or 24:00 for the end of the day."),
    }

    def to_python(self, value: Any) -> time | None:
        if isinstance(value, str) and read_end(value.strip()) == END_OF_DAY:
            return END_OF_DAY
        return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        return end_in_words(value) if isinstance(value, time) and not value.second else value


class RuleForm(forms.ModelForm):
    """`visit_types` are those of the doctor, which the hours may be for."""

    weekdays = forms.TypedMultipleChoiceField(
        label=_("weekdays"),
        choices=[(number, name) for number, name in WEEKDAYS.items()],
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )
    starts = StartOfHoursField(label=_("from"), validators=[whole_minutes])
    ends = EndOfHoursField(
        label=_("to"), validators=[whole_minutes], help_text=_("24:00 is the end of the day.")
    )

    visit_types = forms.TypedMultipleChoiceField(
        label=_("visit types"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only these can be booked in these hours. None chosen: all."),
    )

    class Meta:
        model = AvailabilityRule
        fields = (
            "weekdays",
            "starts",
            "ends",
            "every_weeks",
            "clinic",
            "mode",
            "visit_types",
            "valid_from",
            "valid_until",
        )

    def __init__(self, *args: Any, visit_types: Sequence[VisitType] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.visit_type_names = {each.pk: each.name for each in visit_types}
        self.fields["visit_types"].choices = list(self.visit_type_names.items())  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        starts, ends = cleaned.get("starts"), cleaned.get("ends")
        if starts is not None and ends is not None and not ends_after(ends, starts):
            self.add_error("ends", _("The end must be later than the start."))
        first, last = cleaned.get("valid_from"), cleaned.get("valid_until")
        if first and last and last < first:
            self.add_error("valid_until", _("The last day must not be before the first."))
        return cleaned

    def counts(self) -> bool:
        """Whether these hours will exist: not an empty, invalid or removed row."""
        is_kept = not self.instance._state.adding or self.has_changed()
        return self.is_valid() and is_kept and not self.cleaned_data.get("DELETE")

    def weekly(self) -> WeeklyRule:
        """The hours in the form, for calendar arithmetic.

        Read from the row: it also exists for staff who may only look, and it stays when a field has
        an error.
        """
        rule: AvailabilityRule = self.instance
        return rule.weekly()


class OverrideForm(forms.ModelForm):
    """Left alone, the times are those of the whole day."""

    starts = StartOfHoursField(label=_("from"), validators=[whole_minutes], initial=time.min)
    ends = EndOfHoursField(
        label=_("to"),
        validators=[whole_minutes],
        initial=END_OF_DAY,
        help_text=_("24:00 is the end of the day."),
    )

    class Meta:
        model = AvailabilityOverride
        fields = ("kind", "first_day", "last_day", "starts", "ends", "clinic", "mode", "reason")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day must not be before the first."))
        elif first and last and last - first > LONGEST_OVERRIDE:
            self.add_error("last_day", _("At most a year can be entered at once."))
        starts, ends = cleaned.get("starts"), cleaned.get("ends")
        if starts is not None and ends is not None and not ends_after(ends, starts):
            self.add_error("ends", _("The end must be later than the start."))
        if (
            cleaned.get("kind") == OverrideKind.EXTRA
            and "clinic" in cleaned
            and not cleaned["clinic"]
        ):
            self.add_error("clinic", _("Choose the clinic of the extra hours."))
        return cleaned


class ClinicForm(forms.ModelForm):
    """Hours follow the clinic's clock, so another zone moves them."""

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        validate_time_zone(name)
        if self.instance.pk and "time_zone" in self.changed_data:
            self._refuse_overlaps(ZoneInfo(name))
        return name

    def _refuse_overlaps(self, zone: ZoneInfo) -> None:
        """Refuses overlaps with hours at other clinics. The hours of this clinic all move
        together.
        """
        yesterday = timezone.now().date() - timedelta(days=1)
        rules = AvailabilityRule.objects.filter(doctor__in=self.instance.rules.values("doctor"))
        rules = rules.select_related("clinic", "doctor").order_by("doctor__name", "doctor", "pk")
        for doctor, all_hours in groupby(rules, key=lambda rule: rule.doctor):
            hours = list(all_hours)
            here = [each.weekly(zone=zone) for each in hours if each.clinic_id == self.instance.pk]
            elsewhere = [each.weekly() for each in hours if each.clinic_id != self.instance.pk]
            if any(overlap(a, b, since=yesterday) for a, b in product(here, elsewhere)):
                text = _("In this zone, the hours of %(name)s overlap those at another clinic.")
                raise ValidationError(text, code="overlap", params={"name": doctor.name})


class NoOverlaps:
    """A mixin for all the hours of one doctor. No two of them may overlap."""

    def clean(self) -> None:
        super().clean()  # type: ignore[misc]  # the formset's
        typed = [form for form in self.forms if isinstance(form, RuleForm) and form.counts()]  # type: ignore[attr-defined]
        # Past hours conflict with nothing. One day earlier, it may still be today somewhere.
        yesterday = timezone.now().date() - timedelta(days=1)
        overlapping = {
            later: None
            for earlier, later in combinations(typed, 2)
            if overlap(earlier.weekly(), later.weekly(), since=yesterday)
        }
        for form in overlapping:
            form.add_error("starts", _("These hours overlap other hours of this doctor."))


class RuleFormSet(NoOverlaps, forms.BaseInlineFormSet):
    @cached_property
    def _visit_types(self) -> list[VisitType]:
        """None before the doctor is saved for the first time."""
        return list(self.instance.visit_types.all()) if self.instance.pk else []

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """New hours begin today, on the main clinic's clock, unless somebody enters another day."""
        given: dict[str, Any] = super().get_form_kwargs(index)
        given["visit_types"] = self._visit_types
        if index is not None and index < self.initial_form_count():
            return given
        zone = self.instance.clinic.zone if self.instance.clinic_id else UTC
        today = timezone.now().astimezone(zone).date()
        return given | {"initial": {"valid_from": today}}
