"""Those who run a doctor's day, and in which role each of them acts."""

from dataclasses import dataclass

from accounts.models import User
from docbook.audit.services import Actor
from doctors.models import Doctor


@dataclass(frozen=True)
class PracticeMember:
    user: User

    def actor_for(self, doctor: Doctor) -> Actor | None:
        """The doctor, their secretary or staff; None for anybody else."""
        if doctor.user_id == self.user.pk:
            return Actor("doctor", self.user.pk)
        if doctor.secretaries.filter(secretary=self.user).exists():
            return Actor("secretary", self.user.pk)
        return Actor("staff", self.user.pk) if self.user.is_staff else None
