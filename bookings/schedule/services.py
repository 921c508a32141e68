"""What reading a doctor's day leaves behind."""

from datetime import date

from bookings.actors.practice_member import PracticeMember
from docbook.audit import services as audit
from doctors.models import Doctor


def record_reading_of_day(
    *, reader: PracticeMember, doctor: Doctor, day: date, through: str
) -> None:
    """Records that somebody has read who comes on this day, and why. Names no patient."""
    audit.record(
        action="patients.read",
        by=reader.actor_for(doctor) or audit.Actor("staff", reader.user.pk),
        on=("doctor", doctor.pk),
        after={"date": day.isoformat(), "through": through},
    )
