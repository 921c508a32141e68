"""Doctors, the people who act for them, and the visits that patients can book."""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from doctors.languages import language_name
from doctors.models.places import Clinic, Specialty
from doctors.models.schedule import Mode


class Doctor(models.Model):
    """Somebody who can be booked. `slot_minutes` is the step of their slot grid."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="doctor",
        verbose_name=_("login"),
    )
    slug = models.SlugField(max_length=120, unique=True)
    name = models.CharField(_("name"), max_length=120, help_text=_("As patients read it."))
    specialty = models.ForeignKey(
        Specialty, on_delete=models.PROTECT, related_name="doctors", verbose_name=_("specialty")
    )
    clinic = models.ForeignKey(
        Clinic, on_delete=models.PROTECT, related_name="doctors", verbose_name=_("main clinic")
    )
    languages = ArrayField(
        models.CharField(max_length=3),
        default=list,
        blank=True,
        verbose_name=_("languages"),
        help_text=_("ISO 639-1 codes, like nl, en."),
    )
    about = models.TextField(_("about"), blank=True, max_length=2000)
    slot_minutes = models.PositiveSmallIntegerField(_("slot length in minutes"), default=20)
    min_notice_minutes = models.PositiveIntegerField(
        _("minimum notice in minutes"),
        default=60,
        help_text=_("How long before its start a time can still be booked."),
    )
    horizon_days = models.PositiveSmallIntegerField(
        _("booking horizon in days"),
        default=60,
        help_text=_("How far ahead times are made and can be booked."),
    )
    most_visits_a_day = models.PositiveSmallIntegerField(
        _("most visits a day"),
        null=True,
        blank=True,
        help_text=_(
            "On a day with this many visits, patients find no more times; the practice does. "
            "Empty: as many as there are times."
        ),
    )
    change_notice_minutes = models.PositiveIntegerField(
        _("notice for changes in minutes"),
        default=24 * 60,
        db_default=24 * 60,
        help_text=_("How long before its start a patient can still move or cancel a visit."),
    )
    is_active = models.BooleanField(_("can be booked"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "id"]
        verbose_name = _("doctor")
        verbose_name_plural = _("doctors")
        indexes: ClassVar[list[models.Index]] = [
            GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="doctor_name_trigrams"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(slot_minutes__gte=5, slot_minutes__lte=240),
                name="doctor_slot_is_5_to_240_minutes",
                violation_error_message=_("A slot takes 5 to 240 minutes."),
            ),
            models.CheckConstraint(
                condition=models.Q(horizon_days__gte=1, horizon_days__lte=365),
                name="doctor_horizon_is_1_to_365_days",
                violation_error_message=_("Times can be made for 1 to 365 days ahead."),
            ),
            models.CheckConstraint(
                condition=models.Q(most_visits_a_day__isnull=True)
                | models.Q(most_visits_a_day__gte=1, most_visits_a_day__lte=300),
                name="doctor_has_1_to_300_visits_a_day",
                violation_error_message=_("Write a number from 1 to 300, or leave it empty."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def language_names(self) -> list[str]:
        return [str(language_name(code)) for code in self.languages]


class SecretaryAssignment(models.Model):
    """A user who runs this doctor's day."""

    secretary = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="secretary_assignments"
    )
    doctor = models.ForeignKey(Doctor, on_delete=models.CASCADE, related_name="secretaries")

    class Meta:
        verbose_name = _("secretary")
        verbose_name_plural = _("secretaries")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["secretary", "doctor"], name="one_assignment_per_secretary_and_doctor"
            ),
        ]

    def __str__(self) -> str:
        return f"assignment {self.pk}"


class VisitType(models.Model):
    """A kind of visit: its length in slots of the grid, its mode and its price."""

    doctor = models.ForeignKey(Doctor, on_delete=models.CASCADE, related_name="visit_types")
    name = models.CharField(_("name"), max_length=80)
    slots = models.PositiveSmallIntegerField(_("length in slots"), default=1)
    buffer_slots = models.PositiveSmallIntegerField(
        _("slots kept free afterwards"),
        default=0,
        db_default=0,
        help_text=_("Time to tidy up or write: nobody else is booked into it."),
    )
    mode = models.CharField(
        _("mode"), max_length=10, choices=Mode.for_visits(), default=Mode.IN_PERSON
    )
    price_cents = models.PositiveIntegerField(_("price in cents"), default=0)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("can be booked"), default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "id"]
        verbose_name = _("visit type")
        verbose_name_plural = _("visit types")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["doctor", "name"], name="one_visit_type_per_doctor_and_name"
            ),
            models.CheckConstraint(
                condition=models.Q(slots__gte=1, slots__lte=12),
                name="visit_type_takes_1_to_12_slots",
                violation_error_message=_("A visit takes 1 to 12 slots."),
            ),
            models.CheckConstraint(
                condition=models.Q(buffer_slots__lte=12),
                name="visit_type_keeps_at_most_12_slots_free",
                violation_error_message=_("At most 12 slots can be kept free."),
            ),
            models.CheckConstraint(
                condition=models.Q(mode__in=[value for value, _label in Mode.for_visits()]),
                name="visit_type_has_one_mode",
            ),
            models.CheckConstraint(
                condition=models.Q(currency__regex=r"^[A-Z]{3}$"),
                name="visit_type_currency_is_three_capital_letters",
                violation_error_message=_("Write the currency as three capital letters, like EUR."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def minutes(self) -> int:
        return self.slots * self.doctor.slot_minutes

    @property
    def duration(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    @property
    def buffer(self) -> timedelta:
        """The time kept free after the visit."""
        return timedelta(minutes=self.buffer_slots * self.doctor.slot_minutes)
