"""The people who run a doctor's day, and the role in which each of them acts."""

from dataclasses import dataclass

from accounts.models import User
from docbook.audit.services import Actor
from doctors.models import Doctor

READ_PATIENTS = "bookings.read_patient_details"


@dataclass(frozen=True)
class PracticeMember:
    user: User

    def may_read_patients(self, doctor: Doctor | None = None) -> bool:
        """Whether they may read who comes, how to reach them and why: the doctor, their secretaries
        and staff with the right may. Without a doctor: for all doctors.
        """
        actor = self.actor_for(doctor) if doctor else None
        if actor is not None and actor.kind != "staff":
            return True
        return self.user.is_staff and self.user.has_perm(READ_PATIENTS)

    def actor_for(self, doctor: Doctor) -> Actor | None:
        """The doctor, their secretary or staff; None for anybody else."""
        if doctor.user_id == self.user.pk:
            return Actor("doctor", self.user.pk)
        if doctor.secretaries.filter(secretary=self.user).exists():
            return Actor("secretary", self.user.pk)
        return Actor("staff", self.user.pk) if self.user.is_staff else None
