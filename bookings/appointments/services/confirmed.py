"""Writes a visit that the practice makes at once: no hold of five minutes and no code before it."""

from bookings.appointments.selectors.appointments import appointment_of_hold
from bookings.models import Appointment, Hold
from docbook.audit import services as audit


def write_confirmed(hold: Hold, *, patient_name: str, by: audit.Actor) -> Appointment:
    """Writes the hold, which is confirmed from the start, and its appointment. The caller has
    locked and booked the slots, in the same transaction.
    """
    if hold.patient_id is None:
        raise ValueError("A confirmed visit has its patient.")
    hold.save(force_insert=True)
    audit.record(
        action="hold.created",
        by=by,
        on=("hold", hold.pk),
        after={"state": hold.state, "slots": hold.slot_ids},
    )
    Appointment.objects.create(
        id=hold.pk,
        doctor_id=hold.doctor_id,
        clinic_id=hold.clinic_id,
        visit_type_id=hold.visit_type_id,
        patient_id=hold.patient_id,
        patient_name=patient_name,
        starts_at=hold.starts_at,
        ends_at=hold.ends_at,
        reason=hold.reason,
        replaces=hold.replaces,
        price_cents=hold.price_cents,
        currency=hold.currency,
    )
    moved = {"replaces": str(hold.replaces)} if hold.replaces else {}
    audit.record(
        action="appointment.confirmed",
        by=by,
        on=("appointment", hold.pk),
        after={"status": "confirmed", "version": 1, **moved},
    )
    return appointment_of_hold(hold)
