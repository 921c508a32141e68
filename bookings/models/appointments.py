"""A confirmed visit."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.models.agreed import Agreed, says_what_is_agreed
from bookings.states import ACTIVE, AppointmentStatus
from docbook.references import reference
from doctors.models import Clinic, Doctor, VisitType


class Appointment(Agreed):
    """Partitioned by month of `starts_at`; the database's key is `(id, starts_at)`.

    Django uses `id` as the key, because its admin and relations need a single column. So a read by
    id should include `starts_at` (the hold's row has it): then the planner reads only one month.

    These rules are in SQL alone (see the migrations): an exclusion constraint of each month,
    `no_overlapping_visits_of_a_patient`, and the triggers
    `appointment_status_follows_the_state_machine`, `change_of_status_is_the_next_version`,
    `appointment_keeps_its_doctor_and_time`, `appointment_changes_its_patient_by_a_merge_only` and
    `change_of_what_was_agreed_is_the_next_version`.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    doctor = models.ForeignKey(Doctor, on_delete=models.PROTECT, related_name="+", db_index=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_index=False)
    visit_type = models.ForeignKey(
        VisitType, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    patient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="appointments",
        db_index=False,
        verbose_name=_("patient"),
    )
    patient_name = models.CharField(
        _("who comes"), max_length=161, help_text=_("As given when booking.")
    )
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    status = models.CharField(
        _("status"),
        max_length=12,
        choices=AppointmentStatus,
        default=AppointmentStatus.CONFIRMED,
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    version = models.PositiveIntegerField(_("version"), default=1)
    created_at = models.DateTimeField(_("confirmed at"), auto_now_add=True)
    # The chain of a visit that was moved, in both directions.
    replaces = models.UUIDField(_("moved from"), null=True, blank=True, editable=False)
    replaced_by = models.UUIDField(_("moved to"), null=True, blank=True, editable=False)
    # The last change: when, by what kind of actor (as in the audit), and the reason given to the
    # other side.
    changed_at = models.DateTimeField(_("changed at"), null=True, blank=True, editable=False)
    changed_by_kind = models.CharField(
        _("changed by"), max_length=16, blank=True, default="", db_default="", editable=False
    )
    changed_by = models.BigIntegerField(_("user id"), null=True, blank=True, editable=False)
    change_reason = models.CharField(
        _("why"), max_length=500, blank=True, default="", db_default="", editable=False
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["starts_at", "id"]
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")
        permissions: ClassVar[list[tuple[str, Any]]] = [
            ("read_patient_details", _("Can read who comes, how to reach them and why")),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["patient", "starts_at"], name="appointment_of_a_patient"),
            models.Index(fields=["doctor", "starts_at"], name="appointment_of_a_doctor"),
            models.Index(
                fields=["starts_at"],
                condition=Q(status="confirmed"),
                name="appointment_confirmed_by_start",
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["doctor", "starts_at"],
                condition=Q(status__in=ACTIVE),
                name="one_active_appointment_per_doctor_and_start",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at")),
                name="appointment_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(status__in=AppointmentStatus.values),
                name="appointment_has_a_known_status",
            ),
            models.CheckConstraint(
                condition=says_what_is_agreed(), name="appointment_says_what_was_agreed"
            ),
        ]

    def __str__(self) -> str:
        return f"appointment {reference(self.pk)}"
