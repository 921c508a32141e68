"""Days that differ from the weekly hours: time off, extra hours and closed days of a clinic."""

from datetime import time
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import TruncMinute
from django.utils.translation import gettext_lazy as _

from docbook.http.dates import validate_day
from docbook.times_of_day import END_OF_DAY, whole_minutes
from doctors.hours import Override
from doctors.models.places import Clinic
from doctors.models.schedule import Mode

LONGEST_NAME = 80


class OverrideKind(models.TextChoices):
    OFF = "off", _("time off")
    EXTRA = "extra", _("extra hours")


class AvailabilityOverride(models.Model):
    """A doctor's time off or extra hours: on each of these days, from `starts` to `ends`.

    Days and times are those of the clinic's clock. An end of 00:00 is the end of the day, so that
    00:00 to 00:00 is the whole day. Visits that are booked stay booked.
    """

    doctor = models.ForeignKey("Doctor", on_delete=models.CASCADE, related_name="overrides")
    kind = models.CharField(_("kind"), max_length=5, choices=OverrideKind, default=OverrideKind.OFF)
    clinic = models.ForeignKey(
        Clinic,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="overrides",
        verbose_name=_("clinic"),
        help_text=_("Time off without a clinic counts at every clinic."),
    )
    first_day = models.DateField(_("first day"), validators=[validate_day])
    last_day = models.DateField(_("last day"), validators=[validate_day])
    starts = models.TimeField(_("from"), default=time.min, validators=[whole_minutes])
    ends = models.TimeField(_("to"), default=END_OF_DAY, validators=[whole_minutes])
    mode = models.CharField(
        _("mode"),
        max_length=10,
        choices=Mode,
        default=Mode.ANY,
        help_text=_("Of extra hours only."),
    )
    reason = models.CharField(
        _("reason"),
        max_length=LONGEST_NAME,
        blank=True,
        help_text=_("Patients read it on the days without times. Leave it empty to say nothing."),
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["doctor", "first_day", "starts", "id"]
        verbose_name = _("time off or extra hours")
        verbose_name_plural = _("time off and extra hours")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["doctor", "last_day"], name="override_of_a_doctor_by_day"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")),
                name="override_has_a_day",
                violation_error_message=_("The last day must not be before the first."),
            ),
            models.CheckConstraint(
                condition=Q(ends__gt=F("starts")) | Q(ends=END_OF_DAY),
                name="override_ends_after_it_starts",
                violation_error_message=_("The end must be later than the start."),
            ),
            models.CheckConstraint(
                condition=Q(starts=TruncMinute("starts"), ends=TruncMinute("ends")),
                name="override_has_whole_minutes",
            ),
            models.CheckConstraint(
                condition=~Q(kind=OverrideKind.EXTRA) | Q(clinic__isnull=False),
                name="extra_hours_are_at_a_clinic",
                violation_error_message=_("Choose the clinic of the extra hours."),
            ),
            models.CheckConstraint(
                condition=Q(kind__in=OverrideKind.values), name="override_has_a_known_kind"
            ),
            models.CheckConstraint(
                condition=Q(mode__in=Mode.values), name="override_has_a_known_mode"
            ),
        ]

    def __str__(self) -> str:
        return f"override {self.pk}"

    @property
    def facts(self) -> dict[str, Any]:
        """What it says, for comparison and for the audit trail, which holds no reasons."""
        return {
            "kind": str(self.kind),
            "clinic": self.clinic_id,
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
            "starts": f"{self.starts:%H:%M}",
            "ends": f"{self.ends:%H:%M}",
            "mode": str(self.mode),
        }

    @property
    def values(self) -> Override:
        """For calendar arithmetic."""
        return Override(
            is_extra=self.kind == OverrideKind.EXTRA,
            clinic_id=self.clinic_id,
            mode=self.mode,
            first_day=self.first_day,
            last_day=self.last_day,
            starts=self.starts,
            ends=self.ends,
        )


class ClosedDay(models.Model):
    """A holiday of a clinic: no weekly hours there. Extra hours of a doctor count all the same."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="closed_days")
    day = models.DateField(_("day"), validators=[validate_day])
    name = models.CharField(
        _("name"), max_length=LONGEST_NAME, help_text=_("Patients read it, like King\u2019s Day.")
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["day", "clinic"]
        verbose_name = _("closed day")
        verbose_name_plural = _("closed days")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["clinic", "day"],
                name="one_closed_day_per_clinic_and_day",
                violation_error_message=_("This day is in the list already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name
