"""Addresses at which calendars read a doctor's visits."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from doctors.models import Doctor


class CalendarFeed(models.Model):
    """One person's address for one doctor. It is as good as a key, so only its digest is kept.

    `last_read_on` is a day on the clock of the doctor's main clinic. A feed that was replaced or
    revoked stays, and opens nothing.
    """

    doctor = models.ForeignKey(Doctor, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("made by"),
    )
    digest = models.CharField(_("digest of the token"), max_length=24, editable=False)
    with_names = models.BooleanField(_("with patients' names"), default=False)
    created_at = models.DateTimeField(_("made at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    last_read_on = models.DateField(_("last read on"), null=True, blank=True)

    class Meta:
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["digest"], name="one_calendar_feed_per_token"),
            models.UniqueConstraint(
                fields=["doctor", "created_by"],
                condition=Q(revoked_at=None),
                name="one_active_calendar_feed_per_doctor_and_person",
            ),
        ]

    def __str__(self) -> str:
        return f"calendar feed {self.pk}"
