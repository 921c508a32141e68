"""Holds other times for the patient of a visit that should move, and moves it to the one that the
patient chooses.

The holds belong to the offer (`offer_key`), not to the patient, who may still hold as many other
times as before. The link in the mail went to the patient's address, so it proves the address like a
code.
"""

from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from uuid_utils.compat import uuid7

from bookings.actors.holder import Holder, keys_of
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.appointments import contact_of
from bookings.appointments.services import transitions
from bookings.appointments.services.moves import details_that_move
from bookings.engine import calls
from bookings.engine.calls import HoldCall
from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Appointment, Hold, RearrangedVisit
from bookings.rearranging.selectors import other_times, patient_of
from bookings.states import AppointmentStatus, step_to
from docbook.audit import services as audit
from docbook.errors import FieldError, NotFound
from docbook.observability import request_id
from docbook.outbox.services import publish
from doctors.rules import VisitTime

TOPIC = "times.offered"
OFFERED = 3
# How many times we try to hold in one look: a free time may be gone in a moment.
TRIES = 20


def offer_times(item: RearrangedVisit, now: datetime) -> None:
    """Holds up to three free times near that of the visit, and writes to the patient. The visit
    stays booked. Call it in a transaction.

    Raises NotFound, VersionMismatch, NotChangeable, or FieldError (no-address, no-other-times,
    booking-disabled, unknown-visit-type).
    """
    by = PracticeMember(item.rearrangement.decided_by)
    old, actor = transitions.find(item.visit_id, by=by, to=AppointmentStatus.RESCHEDULED)
    visit = transitions.lock(old)
    step = step_to(visit.status, AppointmentStatus.RESCHEDULED)
    transitions.allowed(step, visit, by=actor, version=item.version)
    if not contact_of(visit).email:  # the link in the mail is what proves who chooses
        raise FieldError("visits", "The patient has no e-mail address.", field_code="no-address")
    # After the visit has begun, nobody moves it any more.
    term = min(timedelta(seconds=settings.OTHER_TIMES_SECONDS), visit.starts_at - now)
    tries = islice(other_times(visit, now=now), TRIES)
    held = (_hold(each, item=item, visit=visit, term=term) for each in tries)
    found = list(islice((hold_id for hold_id in held if hold_id is not None), OFFERED))
    if not found:
        raise FieldError("visits", "No other time is free.", field_code="no-other-times")
    item.offered_until = max(_fill_in(each, old=old, by=actor, now=now) for each in found)
    publish(TOPIC, about=visit.pk, appointment_id=visit.pk, item_id=item.pk)


def take_offered_time(*, item: RearrangedVisit, hold_id: UUID) -> Appointment:
    """The patient's choice: moves the visit there, and gives the other times back. A repeat returns
    the same appointment. Raises NotFound for a time that was not offered with this item, and what
    confirm_booking raises.
    """
    if not Hold.objects.filter(pk=hold_id, guest_key=item.offer_key).exists():
        raise NotFound
    holder = Holder(patient=patient_of(item), guest_key=item.offer_key)
    return confirm_booking(hold_id=hold_id, holder=holder, code=None, guessers=())  # no guess


def _hold(
    time: VisitTime, *, item: RearrangedVisit, visit: Appointment, term: timedelta
) -> UUID | None:
    """None if the database refuses it, because somebody else was faster. It needs no gate: it waits
    for nobody, and nobody waits for it.
    """
    hold_id = uuid7()
    call = HoldCall(
        hold_id=hold_id,
        slot_id=time.slot_id,
        visit_type_id=visit.visit_type_id,
        patient_id=None,
        guest_key=item.offer_key,
        holder_key=keys_of(None, item.offer_key)[0],
        actor_kind=audit.SYSTEM.kind,
        address=None,
        seconds=term.total_seconds(),
        most_of_holder=OFFERED,
        most_of_address=settings.LIVE_HOLDS_PER_ADDRESS,
        most_visits=settings.COMING_VISITS_PER_PATIENT,
        replaces=visit.pk,
        waitlist_entry_id=None,
        request_id=request_id.current(),
    )
    try:
        answer = calls.hold(call)
    except IntegrityError:  # a hold that has ended, and that nobody has swept yet
        return None
    if answer.outcome in ("booking-disabled", "unknown-visit-type"):  # of no other time either
        raise FieldError("visits", "Nothing can be offered now.", field_code=answer.outcome)
    return hold_id if answer.outcome == "held" else None


def _fill_in(hold_id: UUID, *, old: Hold, by: audit.Actor, now: datetime) -> datetime:
    """Who comes is known, so one tap takes the time. Returns until when it is held."""
    hold = Hold.objects.get(pk=hold_id)
    details = details_that_move(old, clinic_id=hold.clinic_id)
    Hold.objects.filter(pk=hold_id).update(**details, code_sent_at=now)
    audit.record(
        action="hold.offered", by=by, on=("hold", hold_id), after={"replaces": str(old.pk)}
    )
    return hold.expires_at
