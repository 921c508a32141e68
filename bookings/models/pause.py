"""The switch that stops new bookings."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class BookingPause(models.Model):
    """One row: whether new holds are refused, until when, and the message for people.

    Earlier holds may still be confirmed; appointments stay.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    is_on = models.BooleanField(_("booking is paused"), default=False)
    until = models.DateTimeField(
        _("until"),
        null=True,
        blank=True,
        help_text=_("When booking opens again by itself, in UTC. Empty: when it is switched on."),
    )
    message = models.CharField(
        _("message"), max_length=200, blank=True, help_text=_("Why, in a few words, for patients.")
    )

    class Meta:
        verbose_name = _("booking pause")
        verbose_name_plural = _("booking pause")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(id=1), name="there_is_one_booking_pause"),
        ]

    def __str__(self) -> str:
        return "booking pause"
