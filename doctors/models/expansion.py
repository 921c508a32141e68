"""A change of hours that is being applied to the slots."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class SlotExpansion(models.Model):
    """Somebody has changed hours: the doctors whose slots must follow, and the progress.

    `done` grows with each chunk of doctors. A worker that starts again continues there.
    """

    doctor_ids = ArrayField(models.BigIntegerField(), verbose_name=_("doctors"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("asked for by"),
    )
    asked_at = models.DateTimeField(_("asked for at"), auto_now_add=True)
    done = models.PositiveIntegerField(_("doctors done"), default=0)
    added = models.PositiveIntegerField(_("times added"), default=0)
    removed = models.PositiveIntegerField(_("times removed"), default=0)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        verbose_name = _("change of bookable times")
        verbose_name_plural = _("changes of bookable times")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(done__lte=models.Func("doctor_ids", function="cardinality")),
                name="expansion_does_no_more_doctors_than_it_has",
            ),
        ]

    def __str__(self) -> str:
        return f"change {self.pk}"
