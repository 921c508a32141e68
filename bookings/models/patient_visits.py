"""When patients are busy."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models

from doctors.models.schedule import TimeRange


class PatientVisit(models.Model):
    """The time of a visit that takes place, for its patient: one row for each active appointment
    until a week after it (see bookings.upkeep.retention). A trigger of the appointments writes it.

    Appointments are partitioned by month. Here those of all months are together: one look at the
    key finds what a patient does at a time, and one constraint sees two visits that overlap.
    """

    pk = models.CompositePrimaryKey("patient_id", "starts_at", "appointment_id")
    patient_id = models.BigIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    appointment_id = models.UUIDField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            ExclusionConstraint(
                name="no_overlapping_visits_of_a_patient",
                expressions=[
                    ("patient_id", RangeOperators.EQUAL),
                    (TimeRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"visit {self.appointment_id}"
