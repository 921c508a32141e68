"""When a doctor can be booked: recurring rules, and the slots made from them."""

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import TruncMinute
from django.utils.translation import gettext_lazy as _

from docbook.http.dates import validate_day
from docbook.times_of_day import END_OF_DAY, whole_minutes
from doctors.hours import WeeklyHours
from doctors.recurrence import WeeklyRule

# Weeks A and B are two rules of every 2nd week, whose first days are a week apart.
EVERY_WEEKS = (
    (1, _("every week")),
    (2, _("every 2nd week")),
    (3, _("every 3rd week")),
    (4, _("every 4th week")),
)


class Mode(models.TextChoices):
    """How doctor and patient meet. A rule may leave it open; a visit has exactly one mode."""

    IN_PERSON = "in_person", _("in person")
    VIDEO = "video", _("video")
    PHONE = "phone", _("phone")
    ANY = "any", _("any")

    @classmethod
    def for_visits(cls) -> list[tuple[str, Any]]:
        return [(mode.value, mode.label) for mode in (cls.IN_PERSON, cls.VIDEO, cls.PHONE)]


class SlotState(models.TextChoices):
    OPEN = "open", _("open")
    HELD = "held", _("held")
    BOOKED = "booked", _("booked")
    BLOCKED = "blocked", _("blocked")


class TimeRange(Func):
    """The half-open period [starts_at, ends_at) of a row."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class AvailabilityRule(models.Model):
    """Weekly hours: on these weekdays, from `starts` to `ends` on the clinic's wall clock.

    An end of 00:00 is the end of the day.
    """

    doctor = models.ForeignKey("Doctor", on_delete=models.CASCADE, related_name="rules")
    clinic = models.ForeignKey("Clinic", on_delete=models.PROTECT, related_name="rules")
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(),
        verbose_name=_("weekdays"),
        help_text=_("0 is Monday, 6 is Sunday."),
    )
    starts = models.TimeField(_("from"), validators=[whole_minutes])
    ends = models.TimeField(_("to"), validators=[whole_minutes])
    mode = models.CharField(_("mode"), max_length=10, choices=Mode, default=Mode.ANY)
    visit_types = ArrayField(
        models.BigIntegerField(),
        verbose_name=_("visit types"),
        default=list,
        db_default=[],
        blank=True,
        help_text=_("Only these can be booked in these hours. None chosen: all."),
    )
    valid_from = models.DateField(_("valid from"), validators=[validate_day])
    valid_until = models.DateField(
        _("valid until"), null=True, blank=True, validators=[validate_day]
    )
    every_weeks = models.PositiveSmallIntegerField(
        _("weeks"),
        choices=EVERY_WEEKS,
        default=1,
        db_default=1,
        help_text=_("Counted from the week of the first day; weeks begin on Monday."),
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["doctor", "starts", "id"]
        verbose_name = _("availability rule")
        verbose_name_plural = _("availability rules")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(ends__gt=models.F("starts")) | Q(ends=END_OF_DAY),
                name="rule_ends_after_it_starts",
                violation_error_message=_("The end must be later than the start."),
            ),
            models.CheckConstraint(
                condition=Q(starts=TruncMinute("starts"), ends=TruncMinute("ends")),
                name="rule_has_whole_minutes",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=models.F("valid_from")),
                name="rule_is_valid_for_at_least_a_day",
                violation_error_message=_("The last day must not be before the first."),
            ),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=[0, 1, 2, 3, 4, 5, 6], weekdays__len__gte=1),
                name="rule_names_weekdays_0_to_6",
            ),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="rule_has_a_known_mode"),
            models.CheckConstraint(
                condition=Q(every_weeks__in=[weeks for weeks, _label in EVERY_WEEKS]),
                name="rule_holds_every_1_to_4_weeks",
            ),
        ]

    def __str__(self) -> str:
        return f"rule {self.pk}"

    @property
    def facts(self) -> dict[str, Any]:
        """What the rule says, for comparison and for the audit trail."""
        return {
            "clinic": self.clinic_id,
            "weekdays": sorted(self.weekdays),
            "starts": f"{self.starts:%H:%M}",
            "ends": f"{self.ends:%H:%M}",
            "mode": str(self.mode),
            "visit_types": sorted(self.visit_types),
            "valid_from": self.valid_from.isoformat(),
            "valid_until": self.valid_until and self.valid_until.isoformat(),
            "every_weeks": self.every_weeks,
        }

    def hours(self, weekly: WeeklyRule) -> WeeklyHours:
        """These hours with what can be booked in them."""
        return WeeklyHours(self.clinic_id, self.mode, weekly, tuple(sorted(self.visit_types)))

    def weekly(self, *, zone: ZoneInfo | None = None, slot_minutes: int = 1) -> WeeklyRule:
        """The rule for calendar arithmetic, on the clinic's clock or another one. `slot_minutes`
        matters only for making slots.
        """
        return WeeklyRule(
            weekdays=frozenset(self.weekdays),
            starts=self.starts,
            ends=self.ends,
            zone=zone or self.clinic.zone,
            slot_minutes=slot_minutes,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            every_weeks=self.every_weeks,
        )


class Slot(models.Model):
    """One bookable unit in a doctor's grid. Only future and recent ones are kept.

    The row decides who has the time: one conditional UPDATE claims it. `hold_id` is the id of the
    hold, which is also the id of the later appointment. It is no foreign key, because bookings is
    above doctors.
    """

    # No index of its own: `one_slot_per_doctor_and_start` begins with the doctor.
    doctor = models.ForeignKey(
        "Doctor", on_delete=models.CASCADE, related_name="slots", db_index=False
    )
    clinic = models.ForeignKey("Clinic", on_delete=models.PROTECT, related_name="+", db_index=False)
    mode = models.CharField(_("mode"), max_length=10, choices=Mode)
    # Of the rule. NULL for all, as with most slots. No foreign keys: a visit type that is gone can
    # be booked nowhere anyway.
    visit_types = ArrayField(
        models.BigIntegerField(), null=True, blank=True, verbose_name=_("visit types")
    )
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    state = models.CharField(
        _("state"), max_length=8, choices=SlotState, default=SlotState.OPEN, db_default="open"
    )
    held_until = models.DateTimeField(_("held until"), null=True, blank=True)
    hold_id = models.UUIDField(_("hold"), null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["starts_at", "id"]
        verbose_name = _("slot")
        verbose_name_plural = _("slots")
        indexes: ClassVar[list[models.Index]] = [
            # No index may contain state, held_until or hold_id. Then claiming and giving back are
            # heap-only updates, which touch neither the B-trees nor the exclusion constraint.
            models.Index(fields=["starts_at"], name="slot_starts_at"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["doctor", "starts_at"], name="one_slot_per_doctor_and_start"
            ),
            ExclusionConstraint(
                name="no_overlapping_slots_of_a_doctor",
                expressions=[
                    ("doctor", RangeOperators.EQUAL),
                    (TimeRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at")), name="slot_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=~Q(state="held") | Q(held_until__isnull=False, hold_id__isnull=False),
                name="held_slot_has_its_hold_and_its_end",
            ),
            models.CheckConstraint(
                condition=~Q(state="booked") | Q(held_until__isnull=True, hold_id__isnull=False),
                name="booked_slot_has_its_appointment",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["open", "blocked"])
                | Q(held_until__isnull=True, hold_id__isnull=True),
                name="free_or_blocked_slot_belongs_to_nobody",
            ),
            models.CheckConstraint(
                condition=Q(state__in=SlotState.values), name="slot_has_a_known_state"
            ),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="slot_has_a_known_mode"),
        ]

    def __str__(self) -> str:
        return f"slot {self.pk}"
