"""Somebody who waits for a time that is not free yet."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import TruncMinute
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from docbook.times_of_day import END_OF_DAY, whole_minutes
from doctors.models import Doctor, Mode, Specialty, VisitType


class WaitlistState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    OFFERED = "offered", _("has an offer")
    FULFILLED = "fulfilled", _("has a visit")
    WITHDRAWN = "withdrawn", _("withdrawn")
    ENDED = "ended", _("nothing left to wait for")


# Two entries with the same values are the same; a patient waits only once for each.
_WISH = (
    "patient", "doctor", "visit_type", "specialty", "city", "mode", "from_on", "until_on",
    "weekdays", "day_from", "day_until", "replaces",
)  # fmt: skip


class WaitlistEntry(models.Model):
    """With one doctor for one visit type, or with anybody of a specialty in a city.

    Days and times are on the clock of the slot's clinic; `from_on` and `until_on` are both
    included. No weekdays means all of them, no time of day means any; `day_until` 00:00 is the end
    of the day. With `replaces`, the patient has a visit and wants an earlier one: accepting an
    offer moves it.

    `state` follows the offer through a trigger on the holds, `offer_goes_to_somebody_who_waits`. A
    hold made for the entry turns waiting into offered (and is refused if nobody waits). Its end
    turns offered into fulfilled, or back into waiting.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    patient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="waitlist_entries",
        verbose_name=_("patient"),
    )
    doctor = models.ForeignKey(
        Doctor, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    visit_type = models.ForeignKey(
        VisitType, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    specialty = models.ForeignKey(
        Specialty, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    city = models.CharField(_("city"), max_length=80, blank=True)
    mode = models.CharField(
        _("mode"), max_length=10, choices=Mode.for_visits(), blank=True, help_text=_("Empty: any.")
    )
    from_on = models.DateField(_("from"))
    until_on = models.DateField(_("until"))
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(),
        default=list,
        blank=True,
        verbose_name=_("weekdays"),
        help_text=_("0 is Monday, 6 is Sunday."),
    )
    day_from = models.TimeField(_("not before"), null=True, blank=True, validators=[whole_minutes])
    day_until = models.TimeField(_("not after"), null=True, blank=True, validators=[whole_minutes])
    replaces = models.UUIDField(_("moves the appointment"), null=True, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=WaitlistState, default=WaitlistState.WAITING
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["created_at", "id"]
        verbose_name = _("waitlist entry")
        verbose_name_plural = _("waitlist")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["doctor", "created_at"],
                condition=Q(state="waiting", doctor__isnull=False),
                name="waitlist_of_a_doctor",
            ),
            models.Index(
                fields=["specialty", "city", "created_at"],
                condition=Q(state="waiting", specialty__isnull=False),
                name="waitlist_of_a_specialty",
            ),
            models.Index(
                fields=["created_at", "id"], condition=Q(state="waiting"), name="waitlist_in_order"
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=_WISH,
                condition=Q(state__in=("waiting", "offered")),
                nulls_distinct=False,
                name="one_live_waitlist_entry_per_wish",
            ),
            models.CheckConstraint(
                condition=Q(doctor__isnull=False, visit_type__isnull=False, specialty__isnull=True)
                | (
                    Q(doctor__isnull=True, visit_type__isnull=True, specialty__isnull=False)
                    & ~Q(city="")
                ),
                name="waitlist_names_a_doctor_or_a_specialty_in_a_city",
            ),
            models.CheckConstraint(
                condition=Q(until_on__gte=models.F("from_on")),
                name="waitlist_covers_at_least_a_day",
            ),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=[0, 1, 2, 3, 4, 5, 6]),
                name="waitlist_names_weekdays_0_to_6",
            ),
            models.CheckConstraint(
                condition=Q(day_from__isnull=True)
                | Q(day_until__isnull=True)
                | Q(day_until__gt=models.F("day_from"))
                | Q(day_until=END_OF_DAY),
                name="waitlist_day_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(Q(day_from__isnull=True) | Q(day_from=TruncMinute("day_from")))
                & Q(Q(day_until__isnull=True) | Q(day_until=TruncMinute("day_until"))),
                name="waitlist_has_whole_minutes",
            ),
            models.CheckConstraint(
                condition=Q(state__in=WaitlistState.values), name="waitlist_has_a_known_state"
            ),
        ]

    def __str__(self) -> str:
        return f"waitlist entry {self.pk}"
