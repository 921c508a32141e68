"""What people do while booking, through the services, for tests that begin half-way."""

from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from bookings.actors.holder import Holder, keys_of
from bookings.engine import slot_gate
from bookings.holding.codes import derive
from bookings.holding.services.codes import Details, request_code
from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.services.holds import hold_slot
from bookings.models import Appointment, Hold
from doctors.models import Slot, VisitType
from tests.factories import make_doctor, make_slots, make_visit_type


def guest() -> Holder:
    """A browser in which nobody has signed in."""
    return Holder(guest_key=uuid4())


def as_patient(user: User) -> Holder:
    return Holder(patient=user)


def key_of(holder: Holder) -> str:
    """What locks of this holder are known by."""
    return keys_of(holder.patient.pk if holder.patient else None, holder.guest_key)[0]


def details(**changes: str) -> Details:
    given = {
        "first_name": "Saskia",
        "last_name": "Kuipers",
        "email": "saskia.kuipers@example.test",
        "phone": "+31 6 5550 1234",
        "reason": "A rash on the elbow",
    }
    return Details(**(given | changes))


def bookable(*, slots: int = 1, count: int = 4, **doctor: object) -> tuple[VisitType, list[Slot]]:
    """A doctor with free slots that are far enough ahead for changes, and a visit type."""
    found = make_doctor(**doctor)
    return make_visit_type(doctor=found, slots=slots), make_slots(doctor=found, count=count)


def take(slot: Slot, *, visit_type: VisitType, holder: Holder) -> Hold:
    """Holds the time that begins with this slot."""
    return hold_slot(
        slot_id=slot.pk, visit_type_id=visit_type.pk, holder=holder, now=timezone.now()
    )


def ask_for_code(hold: Hold, *, holder: Holder, **changes: str) -> Hold:
    return request_code(
        hold_id=hold.pk, holder=holder, details=details(**changes), now=timezone.now()
    )


def attempt(slot: Slot, *, visit_type: VisitType, holder: Holder, **changes: str) -> Hold:
    """A hold whose code was requested."""
    return ask_for_code(take(slot, visit_type=visit_type, holder=holder), holder=holder, **changes)


def book(slot: Slot, *, visit_type: VisitType, holder: Holder, **changes: str) -> Appointment:
    hold = attempt(slot, visit_type=visit_type, holder=holder, **changes)
    appointment = confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    # As after the commit, which the transaction around a test never reaches.
    open_gate(hold)
    return appointment


def open_gate(hold: Hold) -> None:
    keys = keys_of(hold.patient_id, hold.guest_key)
    slot_gate.leave(slot_id=hold.slot_ids[0], hold_id=hold.pk, holder_keys=keys)


def hold_instead(visit: Appointment, slot: Slot, **changes: str) -> Hold:
    """The patient's attempt to move the visit there, with its code on the way."""
    holder = as_patient(visit.patient)
    hold = hold_slot(
        slot_id=slot.pk,
        visit_type_id=visit.visit_type_id,
        holder=holder,
        replaces=visit.pk,
        now=timezone.now(),
    )
    return ask_for_code(hold, holder=holder, **changes)


def code_of(hold: Hold) -> str:
    """The code in the holder's mail."""
    resend = Hold.objects.values_list("otp_resends", flat=True).get(pk=hold.pk)
    return derive(key=settings.OTP_KEYS[0], hold_id=hold.pk, resend=resend)


def wrong_code(hold: Hold) -> str:
    return f"{(int(code_of(hold)) + 1) % 10**6:06d}"


def let_expire(hold: Hold) -> None:
    """The five minutes are over, and no sweeper has run."""
    ended = Now() - timedelta(seconds=1)
    Hold.objects.filter(pk=hold.pk).update(expires_at=ended)
    Slot.objects.filter(hold_id=hold.pk).update(held_until=ended)


def allow_resend(hold: Hold) -> None:
    """Half a minute has passed since the last code."""
    sent_at = timezone.now() - timedelta(seconds=settings.CODE_RESEND_SECONDS + 1)
    Hold.objects.filter(pk=hold.pk).update(code_sent_at=sent_at)
