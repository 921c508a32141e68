"""Approves a doctor for booking, or suspends one. `Doctor.is_active` is the whole state."""

from django.db import transaction

from accounts.models import User
from docbook.audit import services as audit
from doctors.models import Doctor
from doctors.services.slot_expansions import ask_for_expansion


def set_bookable(*, doctor: Doctor, is_bookable: bool, by: audit.Actor, user: User) -> bool:
    """Shows the doctor to patients and lets them book, or neither; False if that was so already.

    It takes effect with the commit, also for times that are held but not confirmed. A worker then
    makes the doctor's times again, or takes the free ones away. Booked visits stay booked.
    """
    with transaction.atomic():
        # The lock closes this race: two people press at once, and the trail shows two changes.
        present = Doctor.objects.select_for_update(no_key=True).get(pk=doctor.pk)
        if present.is_active == is_bookable:
            return False
        Doctor.objects.filter(pk=doctor.pk).update(is_active=is_bookable)
        audit.record(
            action="doctor.approved" if is_bookable else "doctor.suspended",
            by=by,
            on=("doctor", doctor.pk),
            before={"is_active": present.is_active},
            after={"is_active": is_bookable},
        )
        ask_for_expansion(doctor_ids=[doctor.pk], by=user)
    return True
