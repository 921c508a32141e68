"""What the practice notes about a visit, for itself."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from bookings.models.holds import Hold


class VisitNote(models.Model):
    """Patients never see it. It belongs to the visit's hold, which has the same id and, unlike the
    visit, a key of one column. It is not in the audit, which nobody could then forget.
    """

    LONGEST: ClassVar[int] = 2000

    hold = models.OneToOneField(
        Hold, on_delete=models.CASCADE, primary_key=True, related_name="note", editable=False
    )
    text = models.CharField(_("note"), max_length=LONGEST, blank=True)
    version = models.PositiveIntegerField(_("version"), default=0)
    changed_at = models.DateTimeField(_("changed at"))
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")

    def __str__(self) -> str:
        return f"note of {self.pk}"
