"""A time held for one patient while they confirm; the API calls it an attempt."""

from hashlib import sha256
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from bookings.models.agreed import AGREED, Agreed, says_what_is_agreed
from bookings.models.waitlist import WaitlistEntry
from doctors.models import Clinic, Doctor, Mode, VisitType
from doctors.models.schedule import TimeRange

MAX_CODE_ATTEMPTS = 5
MAX_CODE_RESENDS = 3


class HoldState(models.TextChoices):
    HELD = "held", _("held")
    CONFIRMED = "confirmed", _("confirmed")
    RELEASED = "released", _("given back")
    EXPIRED = "expired", _("expired")


class Hold(Agreed):
    """The appointment of a confirmed hold has the hold's id.

    `slot_ids` has no foreign key: old slots are deleted, and the hold stays as the record of who
    asked. A guest's hold belongs to `guest_key`, a random value in the browser's session. The
    personal fields are empty until the details are given (`code_sent_at`).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    doctor = models.ForeignKey(Doctor, on_delete=models.PROTECT, related_name="+", db_index=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_index=False)
    visit_type = models.ForeignKey(
        VisitType, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    slot_ids = ArrayField(models.BigIntegerField(), verbose_name=_("slots"))
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    patient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="holds",
        verbose_name=_("patient"),
    )
    guest_key = models.UUIDField(_("guest session"), null=True, blank=True)
    first_name = models.CharField(_("first name"), max_length=80, blank=True)
    last_name = models.CharField(_("last name"), max_length=80, blank=True)
    email = models.EmailField(_("e-mail"), max_length=254, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=HoldState, default=HoldState.HELD)
    expires_at = models.DateTimeField(_("expires at"))
    code_sent_at = models.DateTimeField(_("code sent at"), null=True, blank=True)
    # The appointment that this one replaces once it is confirmed.
    replaces = models.UUIDField(_("moves the appointment"), null=True, blank=True)
    # A hold made for somebody on the waitlist is their offer.
    waitlist_entry = models.ForeignKey(
        WaitlistEntry,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="offers",
        db_index=False,
        verbose_name=_("offered to"),
    )
    # A keyed hash of the client's address, to count its holds; names nobody.
    made_from = models.BigIntegerField(null=True, blank=True, editable=False)
    # What a guest's code opens: the mailbox that it went to. Wrong codes are counted against it.
    guess_target = models.CharField(
        max_length=24, blank=True, default="", db_default="", editable=False
    )
    otp_attempts = models.PositiveSmallIntegerField(_("wrong codes"), default=0)
    otp_resends = models.PositiveSmallIntegerField(_("codes sent again"), default=0)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    # Whether it had expired when it was read; see JUDGED in bookings.engine.selectors.
    is_over: bool
    # Whether strangers may have used up the guesses against its mailbox, if get_hold has read it.
    has_many_guesses: bool | None = None

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at", "id"]
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["guest_key"],
                condition=Q(state="held", guest_key__isnull=False),
                name="hold_live_by_guest",
            ),
            models.Index(
                fields=["made_from"],
                condition=Q(state="held", made_from__isnull=False),
                name="hold_live_by_address",
            ),
            models.Index(fields=["expires_at"], condition=Q(state="held"), name="hold_live_until"),
            models.Index(
                fields=["replaces"],
                condition=Q(state="held", replaces__isnull=False),
                name="hold_live_by_visit_to_move",
            ),
            models.Index(
                fields=["waitlist_entry"],
                condition=Q(waitlist_entry__isnull=False),
                name="hold_offered_to_an_entry",
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(state__in=("released", "expired")),
                name="hold_ended_at",
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            ExclusionConstraint(
                name="one_live_hold_on_a_slot",
                expressions=[
                    ("doctor", RangeOperators.EQUAL),
                    (TimeRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state="held"),
            ),
            models.UniqueConstraint(
                fields=["waitlist_entry"],
                condition=Q(state="held", waitlist_entry__isnull=False),
                name="one_live_offer_per_waitlist_entry",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at")), name="hold_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(slot_ids__len__gte=1), name="hold_keeps_at_least_one_slot"
            ),
            models.CheckConstraint(
                condition=Q(patient__isnull=False) | Q(guest_key__isnull=False),
                name="hold_belongs_to_a_patient_or_a_guest",
            ),
            models.CheckConstraint(
                condition=Q(otp_attempts__lte=MAX_CODE_ATTEMPTS),
                name="hold_takes_at_most_five_codes",
            ),
            models.CheckConstraint(
                condition=Q(otp_resends__lte=MAX_CODE_RESENDS),
                name="hold_resends_its_code_at_most_three_times",
            ),
            models.CheckConstraint(
                condition=Q(state__in=HoldState.values), name="hold_has_a_known_state"
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(patient__isnull=False),
                name="confirmed_hold_has_its_patient",
            ),
            models.CheckConstraint(
                condition=says_what_is_agreed(), name="hold_says_what_is_agreed"
            ),
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"

    @property
    def digest(self) -> str:
        """Shows whether what is agreed is still what somebody has seen."""
        said = [str(getattr(self, name)) for name in AGREED]
        return sha256("\n".join(said).encode()).hexdigest()[:16]

    @property
    def needs_number(self) -> bool:
        """The doctor calls, and nobody has given a number."""
        return self.mode == Mode.PHONE and not self.phone
