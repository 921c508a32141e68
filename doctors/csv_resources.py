"""Doctors and their weekly hours as tables of a file, by django-import-export.

A resource writes the table of what there is, and checks the table of a file row by row with the
forms of the admin. Checking saves nothing; `save` does, all or nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from hashlib import sha256
from itertools import combinations
from typing import Any, ClassVar, NamedTuple
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import Result, RowResult

from accounts.models import User
from docbook.audit.services import Actor
from docbook.times_of_day import end_in_words
from doctors.models import (
    AvailabilityRule,
    Clinic,
    Doctor,
    Mode,
    SlotExpansion,
    Specialty,
    VisitType,
)
from doctors.recurrence import overlap
from doctors.schedule_forms import RuleForm
from doctors.services.hours import difference
from doctors.services.imports import facts_of, rules_of_each, save_doctors, save_hours

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Every two rows of a doctor are compared.
MOST_ROWS_OF_A_DOCTOR = 50
_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}

Errors = dict[str, list[str]]


class Totals(NamedTuple):
    """How many rows of the database would be new, different and gone."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    kept: int = 0


class CheckedResource(ModelResource):  # type: ignore[misc]  # no types
    """Reads rows without saving them. Cells left blank keep what is there."""

    required: ClassVar[tuple[str, ...]] = ()

    def known(self) -> list[str]:
        return list(self.get_export_order())

    def before_import(self, dataset: Any, **_more: Any) -> None:
        self.clinics = {str(clinic.pk): clinic for clinic in Clinic.objects.all()}
        self.prepare(dataset)

    def prepare(self, dataset: Any) -> None:
        raise NotImplementedError

    def check(self, row: dict[str, str]) -> Errors:
        """What is wrong with the row, by column. A row without errors is remembered."""
        raise NotImplementedError

    def import_row(self, row: dict[str, str], _loader: Any, **_more: Any) -> RowResult:
        result = RowResult()
        result.import_type = RowResult.IMPORT_TYPE_NEW
        if errors := self.check(row):
            result.import_type = RowResult.IMPORT_TYPE_INVALID
            result.validation_error = ValidationError(errors)
        return result

    def totals(self) -> Totals:
        raise NotImplementedError

    def version(self) -> str:
        """The same as long as the rows that a file replaces stay as they are."""
        raise NotImplementedError

    def save(self, *, by: Actor, user: User) -> SlotExpansion | None:
        raise NotImplementedError

    def clinic_of(self, row: dict[str, str], errors: Errors) -> Clinic | None:
        """Finds it by number. A zone beside it must be its own: then no file moves hours."""
        clinic, zone = self.clinics.get(row.get("clinic", "")), row.get("time_zone")
        if clinic is None:
            errors["clinic"] = [_("There is no clinic with this number.")]
        if zone and zone not in available_timezones():
            errors["time_zone"] = [_("This is not an IANA time zone, like Europe/Amsterdam.")]
        elif zone and clinic and zone != clinic.time_zone:
            text = _("The clock of this clinic is that of %(zone)s.")
            errors["time_zone"] = [text % {"zone": clinic.time_zone}]
        return clinic


class _WithoutQueries:
    """A mixin for forms of thousands of rows.

    Django would ask the database about every constraint of every row. The forms know the same
    rules, and the database checks its constraints when it saves.
    """

    instance: Any

    def _post_clean(self) -> None:
        self.instance.get_constraints = list
        super()._post_clean()  # type: ignore[misc]  # the form's
        del self.instance.get_constraints

    def validate_unique(self) -> None:
        """The resource knows which rows there are."""


class HoursRowForm(_WithoutQueries, RuleForm):
    """Days are written as ISO 8601 has them: 03/04 is another day in another country."""

    class Meta:
        model = AvailabilityRule
        fields = (
            "weekdays", "starts", "ends", "every_weeks", "mode", "visit_types", "valid_from",
            "valid_until",
        )  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("valid_from", "valid_until"):
            field = self.fields[name]
            field.input_formats = ["%Y-%m-%d"]  # type: ignore[attr-defined]
            field.error_messages["invalid"] = _("Write the day like 2026-11-23.")


class HoursResource(CheckedResource):
    """The hours of each doctor in a file become those of the file."""

    doctor = Field("doctor__slug", "doctor")
    doctor_name = Field("doctor__name", "doctor_name")
    clinic = Field("clinic_id", "clinic")
    clinic_name = Field("clinic__name", "clinic_name")
    time_zone = Field("clinic__time_zone", "time_zone")
    weekdays = Field(column_name="weekdays")
    starts = Field(column_name="starts")
    ends = Field(column_name="ends")
    every_weeks = Field("every_weeks", "every_weeks")
    mode = Field("mode", "mode")
    visit_types = Field(column_name="visit_types")
    valid_from = Field(column_name="valid_from")
    valid_until = Field(column_name="valid_until")
    required = ("doctor", "clinic", "weekdays", "starts", "ends", "valid_from")

    class Meta:
        model = AvailabilityRule
        fields = (
            "doctor", "doctor_name", "clinic", "clinic_name", "time_zone", "weekdays", "starts",
            "ends", "every_weeks", "mode", "visit_types", "valid_from", "valid_until",
        )  # fmt: skip
        export_order = fields
        import_id_fields = ("doctor",)

    def get_queryset(self) -> QuerySet[AvailabilityRule]:
        rules = AvailabilityRule.objects.select_related("doctor", "clinic")
        rules = rules.prefetch_related("doctor__visit_types")
        return rules.order_by("doctor__slug", "valid_from", "starts", "pk")

    def dehydrate_weekdays(self, rule: AvailabilityRule) -> str:
        return " ".join(WEEKDAYS[day] for day in sorted(rule.weekdays))

    def dehydrate_starts(self, rule: AvailabilityRule) -> str:
        return f"{rule.starts:%H:%M}"

    def dehydrate_ends(self, rule: AvailabilityRule) -> str:
        return end_in_words(rule.ends)

    def dehydrate_visit_types(self, rule: AvailabilityRule) -> str:
        names = {each.pk: each.name for each in rule.doctor.visit_types.all()}
        return "; ".join(names[pk] for pk in rule.visit_types if pk in names)

    def dehydrate_valid_from(self, rule: AvailabilityRule) -> str:
        return rule.valid_from.isoformat()

    def dehydrate_valid_until(self, rule: AvailabilityRule) -> str:
        return rule.valid_until.isoformat() if rule.valid_until else ""

    def prepare(self, dataset: Any) -> None:
        doctors = Doctor.objects.filter(slug__in=set(dataset["doctor"]))
        doctors = doctors.prefetch_related("visit_types")
        self.doctors = {doctor.slug: doctor for doctor in doctors}
        self.rules: dict[int, list[AvailabilityRule]] = defaultdict(list)
        # Where in the file each of the rules stands.
        self.positions: dict[int, list[int]] = defaultdict(list)
        self.position = 0
        self.seen: dict[str, tuple[Errors, dict[str, Any]]] = {}

    def check(self, row: dict[str, str]) -> Errors:
        self.position += 1
        errors: Errors = {}
        doctor, clinic = self.doctors.get(row["doctor"]), self.clinic_of(row, errors)
        if doctor is None:
            errors["doctor"] = [_("There is no doctor with this slug.")]
        visit_types = list(doctor.visit_types.all()) if doctor else []
        wrong, values = self._read(row, visit_types)
        errors |= wrong
        if doctor and clinic and not errors:
            rule = AvailabilityRule(doctor=doctor, clinic=clinic, **values)
            errors |= self._remember(doctor.pk, rule)
        return errors

    def _read(
        self, row: dict[str, str], visit_types: list[VisitType]
    ) -> tuple[Errors, dict[str, Any]]:
        """The errors and the values of the hours. Few hours of a large file are unlike all others,
        and a form takes a millisecond.
        """
        data = self._data(row, {each.name: each.pk for each in visit_types})
        key = repr(data)
        if key not in self.seen:
            form = HoursRowForm(data, visit_types=visit_types)
            errors = {name: list(map(str, texts)) for name, texts in form.errors.items()}
            self.seen[key] = errors, form.cleaned_data
        return self.seen[key]

    def _data(self, row: dict[str, str], visit_types: dict[str, int]) -> dict[str, Any]:
        """As the form sends it. Words that are not known stay, and get their message there."""
        days = row["weekdays"].casefold().replace(",", " ").replace(";", " ").split()
        names = [name.strip() for name in row.get("visit_types", "").split(";")]
        return {
            "weekdays": [WEEKDAYS.index(day) if day in WEEKDAYS else day for day in days],
            "starts": row["starts"],
            "ends": row["ends"],
            "every_weeks": row.get("every_weeks") or "1",
            "mode": row.get("mode", "").casefold() or Mode.ANY,
            "visit_types": [visit_types.get(name, name) for name in names if name],
            "valid_from": row["valid_from"],
            "valid_until": row.get("valid_until", ""),
        }

    def _remember(self, doctor_id: int, rule: AvailabilityRule) -> Errors:
        if len(self.rules[doctor_id]) == MOST_ROWS_OF_A_DOCTOR:
            text = _("A file may have %(most)d rows for a doctor.")
            return {"doctor": [text % {"most": MOST_ROWS_OF_A_DOCTOR}]}
        self.rules[doctor_id].append(rule)
        self.positions[doctor_id].append(self.position)
        return {}

    def after_import(self, _dataset: Any, result: Result, **_more: Any) -> None:
        """Says of hours that overlap earlier ones of the same doctor that they do."""
        yesterday = timezone.now().date() - timedelta(days=1)
        found = {
            position
            for doctor_id, rules in self.rules.items()
            for earlier, (position, later) in combinations(
                zip(self.positions[doctor_id], [rule.weekly() for rule in rules], strict=True), 2
            )
            if overlap(earlier[1], later, since=yesterday)
        }
        for position in sorted(found):
            text = _("These hours overlap other hours of this doctor.")
            result.append_invalid_row(position, {}, ValidationError({"starts": [text]}))

    def totals(self) -> Totals:
        present = rules_of_each(self.rules)
        differs = [difference(present[pk], rules) for pk, rules in self.rules.items()]
        added = sum(len(added) for _removed, added in differs)
        return Totals(
            added=added,
            removed=sum(len(removed) for removed, _added in differs),
            kept=sum(map(len, self.rules.values())) - added,
        )

    def version(self) -> str:
        present = rules_of_each(self.rules)
        return _digest((pk, [rule.facts for rule in present[pk]]) for pk in sorted(self.rules))

    def save(self, *, by: Actor, user: User) -> SlotExpansion | None:
        return save_hours(wanted=self.rules, by=by, user=user)


class DoctorRowForm(_WithoutQueries, forms.ModelForm):
    class Meta:
        model = Doctor
        fields = (
            "slug", "name", "languages", "about", "slot_minutes", "min_notice_minutes",
            "horizon_days", "most_visits_a_day", "change_notice_minutes",
        )  # fmt: skip

    # As the constraints of the table have them.
    limits: ClassVar[dict[str, tuple[int, int, str]]] = {
        "slot_minutes": (5, 240, "doctor_slot_is_5_to_240_minutes"),
        "horizon_days": (1, 365, "doctor_horizon_is_1_to_365_days"),
        "most_visits_a_day": (1, 300, "doctor_has_1_to_300_visits_a_day"),
    }

    def clean(self) -> Any:
        cleaned = super().clean()
        texts = {each.name: each.violation_error_message for each in Doctor._meta.constraints}
        for name, (least, most, constraint) in self.limits.items():
            number = self.cleaned_data.get(name)
            if number is not None and not least <= number <= most:
                self.add_error(name, ValidationError(texts[constraint] or "", code="out-of-range"))
        return cleaned


class DoctorResource(CheckedResource):
    """Doctors are known by their slug. New ones wait for approval."""

    slug = Field("slug", "slug")
    name = Field("name", "name")
    specialty = Field("specialty__slug", "specialty")
    clinic = Field("clinic_id", "clinic")
    clinic_name = Field("clinic__name", "clinic_name")
    time_zone = Field("clinic__time_zone", "time_zone")
    languages = Field(column_name="languages")
    about = Field("about", "about")
    can_be_booked = Field(column_name="can_be_booked")
    required = ("slug", "name", "specialty", "clinic")

    class Meta:
        model = Doctor
        fields = (
            "slug", "name", "specialty", "clinic", "clinic_name", "time_zone", "languages",
            "about", "slot_minutes", "min_notice_minutes", "horizon_days", "most_visits_a_day",
            "change_notice_minutes", "can_be_booked",
        )  # fmt: skip
        export_order = fields
        import_id_fields = ("slug",)

    def get_queryset(self) -> QuerySet[Doctor]:
        return Doctor.objects.select_related("specialty", "clinic").order_by("slug")

    def dehydrate_languages(self, doctor: Doctor) -> str:
        return " ".join(doctor.languages)

    def dehydrate_can_be_booked(self, doctor: Doctor) -> str:
        return "yes" if doctor.is_active else "no"

    def prepare(self, dataset: Any) -> None:
        doctors = Doctor.objects.filter(slug__in=set(dataset["slug"]))
        self.present = {doctor.slug: doctor for doctor in doctors}
        self.before = {slug: facts_of(doctor) for slug, doctor in self.present.items()}
        self.specialties = {each.slug: each for each in Specialty.objects.all()}
        self.read: dict[str, Doctor] = {}

    def check(self, row: dict[str, str]) -> Errors:
        errors: Errors = {}
        specialty, clinic = self.specialties.get(row["specialty"]), self.clinic_of(row, errors)
        if specialty is None:
            errors["specialty"] = [_("There is no specialty with this slug.")]
        doctor = self.present.get(row["slug"]) or Doctor(is_active=False)
        errors |= self._check_state(row.get("can_be_booked", ""), doctor)
        form = DoctorRowForm(self._data(row), instance=doctor)
        for name in self._left_alone(row):
            del form.fields[name]
        errors |= {name: list(map(str, texts)) for name, texts in form.errors.items()}
        if row["slug"] in self.read:
            errors["slug"] = [_("An earlier row has the same slug.")]
        if not errors and specialty and clinic:
            doctor.specialty, doctor.clinic = specialty, clinic
            self.read[row["slug"]] = doctor
        return errors

    def _check_state(self, said: str, doctor: Doctor) -> Errors:
        if said and _YES_NO.get(said.casefold()) != doctor.is_active:
            text = _("No file approves or suspends a doctor. Do this on the doctor's page.")
            return {"can_be_booked": [text]}
        return {}

    def _data(self, row: dict[str, str]) -> dict[str, Any]:
        languages = row.get("languages", "").replace(",", " ").replace(";", " ").split()
        return row | {"languages": ",".join(languages)}

    def _left_alone(self, row: dict[str, str]) -> list[str]:
        """Columns that the file has not, and numbers that every doctor must have."""
        numbers = (
            "slot_minutes",
            "min_notice_minutes",
            "horizon_days",
            "change_notice_minutes",
        )
        return [
            name
            for name in DoctorRowForm.base_fields
            if name not in row or (name in numbers and not row[name])
        ]

    def _changed(self) -> list[tuple[dict[str, Any], Doctor]]:
        read = [(self.before[slug], each) for slug, each in self.read.items() if each.pk]
        return [(before, doctor) for before, doctor in read if facts_of(doctor) != before]

    def _added(self) -> list[Doctor]:
        return [doctor for doctor in self.read.values() if not doctor.pk]

    def totals(self) -> Totals:
        added, changed = len(self._added()), len(self._changed())
        return Totals(added=added, changed=changed, kept=len(self.read) - added - changed)

    def version(self) -> str:
        known = {slug for slug, doctor in self.read.items() if doctor.pk}
        return _digest((slug, self.before[slug]) for slug in sorted(known))

    def save(self, *, by: Actor, user: User) -> SlotExpansion | None:
        return save_doctors(added=self._added(), changed=self._changed(), by=by, user=user)


def _digest(facts: Iterable[Sequence[Any]]) -> str:
    return sha256("\n".join(map(repr, facts)).encode()).hexdigest()[:32]
