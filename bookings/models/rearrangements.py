"""What the practice decides about booked visits outside a doctor's hours."""

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.models.holds import Hold
from doctors.models import Doctor


class Choice(models.TextChoices):
    OFFER = "offer", _("Offer other times")
    HAND_OVER = "hand-over", _("Hand over to a colleague")
    CANCEL = "cancel", _("Cancel")
    KEEP = "keep", _("Keep")


class ItemState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    DONE = "done", _("done")
    FAILED = "failed", _("not done")


class Rearrangement(models.Model):
    """One decision of one person about some of a doctor's visits. A worker carries it out, visit by
    visit. Patients read the reason.
    """

    doctor = models.ForeignKey(Doctor, on_delete=models.PROTECT, related_name="+")
    choice = models.CharField(_("choice"), max_length=10, choices=Choice)
    colleague = models.ForeignKey(
        Doctor,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("colleague"),
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"))

    class Meta:
        verbose_name = _("rearrangement")
        verbose_name_plural = _("rearrangements")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(choice__in=Choice.values), name="rearrangement_has_a_known_choice"
            ),
            models.CheckConstraint(
                condition=Q(choice="hand-over", colleague__isnull=False)
                | (~Q(choice="hand-over") & Q(colleague=None)),
                name="rearrangement_names_a_colleague_to_hand_over",
            ),
            models.CheckConstraint(
                condition=Q(choice="keep") | ~Q(reason=""),
                name="rearrangement_tells_patients_why",
            ),
        ]

    def __str__(self) -> str:
        return f"rearrangement {self.pk}"


class RearrangedVisit(models.Model):
    """One visit of a rearrangement, and what became of it. `visit` is the visit's hold, which has
    the same id and a key of one column. `version` is the one at the decision: a visit
    that changes later is left alone.

    `failure` is the code of the refusal. `day_hours` is a digest of the hours of that day when the
    visit was kept. Times that are offered are held for `offer_key`, not for the patient: they must
    not use up what the patient may hold.
    """

    rearrangement = models.ForeignKey(Rearrangement, on_delete=models.CASCADE, related_name="items")
    visit = models.ForeignKey(Hold, on_delete=models.CASCADE, related_name="+")
    version = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=8, choices=ItemState, default=ItemState.WAITING)
    failure = models.CharField(_("why not"), max_length=40, blank=True)
    day_hours = models.CharField(_("hours of the day"), max_length=16, blank=True)
    offer_key = models.UUIDField(default=uuid4, editable=False)
    offered_until = models.DateTimeField(_("offered until"), null=True, blank=True)

    class Meta:
        verbose_name = _("rearranged visit")
        verbose_name_plural = _("rearranged visits")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["rearrangement", "visit"], name="one_item_per_rearrangement_and_visit"
            ),
            models.UniqueConstraint(
                fields=["visit"],
                condition=Q(state="waiting"),
                name="one_waiting_rearrangement_per_visit",
            ),
            models.CheckConstraint(
                condition=Q(state="failed", failure__gt="") | (~Q(state="failed") & Q(failure="")),
                name="rearranged_visit_says_why_it_failed",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ItemState.values), name="rearranged_visit_has_a_known_state"
            ),
        ]

    def __str__(self) -> str:
        return f"rearranged visit {self.pk}"
