"""What a doctor's days came to, in counts."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from doctors.models import Clinic, Doctor

HOURS = 24
# Days between booking and visit, one by one from 0 on. The last count is of all that are longer.
LEADS = 62


def _counts(name: str, length: int) -> "ArrayField[list[int], list[int]]":
    return ArrayField(
        models.PositiveSmallIntegerField(),
        verbose_name=name,
        db_default=models.Value([0] * length, ArrayField(models.SmallIntegerField())),
    )


class DoctorDay(models.Model):
    """One doctor, clinic and local day of that clinic, which a task keeps up to date.

    Two statements fill it (bookings/schedule/numbers/services.py). `offered` and `booked` count
    slots. They stay when the slots are deleted, a month after their day; a day whose slots nobody
    has counted has 0 of both. The other columns count visits, on the day for which they were
    booked. `lead_days` leaves out visits that replace a moved one. `refused` is added up: how often
    somebody picked a time of this day that somebody else had.
    """

    doctor = models.ForeignKey(Doctor, on_delete=models.CASCADE, related_name="+", db_index=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(_("day"))

    offered = models.PositiveSmallIntegerField(_("times offered"), db_default=0)
    booked = models.PositiveSmallIntegerField(_("times booked"), db_default=0)
    offered_by_hour = _counts("times offered, by hour", HOURS)
    booked_by_hour = _counts("times booked, by hour", HOURS)

    unmarked = models.PositiveSmallIntegerField(_("not marked"), db_default=0)
    came = models.PositiveSmallIntegerField(_("came"), db_default=0)
    no_show = models.PositiveSmallIntegerField(_("did not come"), db_default=0)
    cancelled_by_patient = models.PositiveSmallIntegerField(
        _("cancelled by the patient"), db_default=0
    )
    cancelled_by_practice = models.PositiveSmallIntegerField(
        _("cancelled by the practice"), db_default=0
    )
    moved = models.PositiveSmallIntegerField(_("moved to another time"), db_default=0)
    refused = models.PositiveIntegerField(_("picked too late"), db_default=0)
    lead_days = _counts("first bookings, by days ahead", LEADS)

    class Meta:
        verbose_name = _("day in numbers")
        verbose_name_plural = _("days in numbers")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["day"], name="doctor_day_by_day"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            # In this order: a page reads some days of one doctor, whatever the clinics.
            models.UniqueConstraint(
                fields=["doctor", "day", "clinic"], name="one_doctor_day_per_clinic"
            ),
            models.CheckConstraint(
                condition=Q(booked__lte=F("offered")),
                name="doctor_day_books_no_more_than_it_offers",
            ),
            models.CheckConstraint(
                condition=Q(
                    offered_by_hour__len=HOURS, booked_by_hour__len=HOURS, lead_days__len=LEADS
                ),
                name="doctor_day_counts_every_hour_and_lead",
            ),
        ]

    def __str__(self) -> str:
        return f"day {self.day} of doctor {self.doctor_id}"
