"""Moves a visit for the practice, without a code and without the patient's time limit: to another
time, or to a colleague at the same time.

A patient moves in two steps: hold_slot with `replaces`, then the confirmation.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Func, TextField, Value
from uuid_utils.compat import uuid7

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.alternatives import next_free_times
from bookings.appointments.selectors.appointments import find_visit, visit_type_as_agreed
from bookings.appointments.selectors.colleagues import is_colleague, slot_at, visit_type_with
from bookings.appointments.services import transitions
from bookings.appointments.services.confirmed import write_confirmed
from bookings.engine.calls import Run, lock_and_find_overlap, run_of_slots
from bookings.engine.services import announce_release, end_other_moves, open_gate_after_commit
from bookings.errors import OutsideBookingWindow, PatientBusy, SlotTaken
from bookings.models import Appointment, Hold, HoldState
from bookings.states import PRACTICE, AppointmentStatus, step_to
from docbook.audit import services as audit
from docbook.errors import DomainError, FieldError, NotFound, VersionMismatch
from docbook.outbox.services import publish
from doctors.models import Doctor, VisitType
from doctors.services import claims


class _ReasonThatMoves(Func):
    """In bookings/engine/sql/hold_write.sql: reason, its clinic, the clinic that it moves to."""

    function = "bookings_reason_that_moves"
    output_field = TextField()


def move_appointment(
    *,
    appointment_id: UUID,
    slot_id: int,
    by: PracticeMember,
    version: transitions.Seen,
    reason: str,
    now: datetime,
) -> Appointment:
    """Moves the visit to the time that starts with this slot, at once; returns the new one.

    The practice may choose any free time of the same doctor that has not begun, even one that
    patients cannot book, and also while booking is paused. The patient gets the reason. Raises
    NotFound, FieldError (no reason, unknown slot), VersionMismatch, NotChangeable,
    OutsideBookingWindow (the time has begun), PatientBusy or SlotTaken; then nothing has changed.
    """
    old, actor = _find(appointment_id, by=by)
    reason = transitions.spoken(reason, by=actor)
    visit_type = visit_type_as_agreed(old)
    run = run_of_slots(visit_type, first=slot_id)
    if run is None or run.starts_at == old.starts_at:
        message = "There is no other time for this visit at this doctor."
        raise FieldError("slot", message, field_code="unknown")
    plan = _Plan(old, run, visit_type, by=actor, reason=reason, now=now)
    return _carry_out(plan, version=version)


def hand_over_appointment(
    *,
    appointment_id: UUID,
    to: Doctor,
    by: PracticeMember,
    version: int,
    reason: str,
    now: datetime,
) -> Appointment:
    """Makes the visit one with a colleague, at the same time and clinic; returns the new one.

    It is as long and in the same mode, and its price stays as agreed. The patient gets the reason.
    Raises what `move_appointment` raises. The FieldErrors about the colleague have the codes
    no-colleague, no-such-visit (none as long and in this mode) and no-such-time (the colleague does
    not work there then).
    """
    old, actor = _find(appointment_id, by=by)
    reason = transitions.spoken(reason, by=actor)
    if not is_colleague(to, of=old.doctor):
        raise _not_with_them("This doctor has another specialty.", "no-colleague")
    visit_type = visit_type_with(to, like=old)
    if visit_type is None:
        message = "This doctor has no visit of this length and kind."
        raise _not_with_them(message, "no-such-visit")
    first = slot_at(to, starts_at=old.starts_at, clinic_id=old.clinic_id)
    run = run_of_slots(visit_type, first=first) if first else None
    if run is None or run.ends_at != old.ends_at:
        message = "This doctor does not work at the clinic at that time."
        raise _not_with_them(message, "no-such-time")
    plan = _Plan(old, run, visit_type, by=actor, reason=reason, now=now)
    return _carry_out(plan, version=version)


def _find(appointment_id: UUID, *, by: PracticeMember) -> tuple[Hold, audit.Actor]:
    old, actor = transitions.find(appointment_id, by=by, to=AppointmentStatus.RESCHEDULED)
    if actor.kind not in PRACTICE:  # a patient's move always needs its code
        raise NotFound
    return old, actor


def _not_with_them(message: str, code: str) -> FieldError:
    return FieldError("colleague", message, field_code=code)


@dataclass(frozen=True)
class _Plan:
    """The visit `old` becomes one of this type, whose doctor it names, in these slots."""

    old: Hold
    run: Run
    visit_type: VisitType
    by: audit.Actor
    reason: str
    now: datetime


def _carry_out(plan: _Plan, *, version: transitions.Seen) -> Appointment:
    """All or nothing. Raises what `move_appointment` raises, but no FieldError."""
    old, run, actor = plan.old, plan.run, plan.by
    if run.starts_at <= plan.now:
        raise OutsideBookingWindow
    with transaction.atomic():
        claims.lock_slots(slot_ids=old.slot_ids + run.slot_ids)
        _refuse_overlap(old, run=run)
        visit = transitions.lock(old)
        if visit.patient_id != old.patient_id:  # two accounts were merged since
            raise VersionMismatch
        step = step_to(visit.status, AppointmentStatus.RESCHEDULED)
        step = transitions.allowed(step, visit, by=actor, version=version)
        new = _as_confirmed(plan, agreed=visit)
        if not claims.book_slots(slot_ids=run.slot_ids, hold_id=new.pk, replaces=old.pk):
            raise _taken(plan)
        transitions.make(
            step, visit, by=actor, now=plan.now, reason=plan.reason, replaced_by=new.pk
        )
        opened = claims.open_booked_slots(slot_ids=old.slot_ids, hold_id=old.pk)
        moved = write_confirmed(new, patient_name=visit.patient_name, by=actor)
        announce_release(doctor_id=old.doctor_id, slot_ids=opened)
        open_gate_after_commit(old)
        end_other_moves(appointment_id=old.pk, by=actor)
        publish(
            "appointment.moved",
            about=new.pk,
            appointment_id=new.pk,
            version=moved.version,
            previous_id=old.pk,
        )
    return moved


def _refuse_overlap(old: Hold, *, run: Run) -> None:
    other = lock_and_find_overlap(
        patient_id=old.patient_id or 0, start=run.starts_at, end=run.ends_at, apart_from=old.pk
    )
    if other is not None:
        pk, starts_at = other
        raise PatientBusy(find_visit(pk=pk, starts_at=starts_at))


def details_that_move(visit: Hold, *, clinic_id: int) -> dict[str, str]:
    """The details of a visit that moves to this clinic; `visit` is its hold. The patient and their
    contact details stay; the database says which reason does.
    """
    stay = {name: getattr(visit, name) for name in ("first_name", "last_name", "email", "phone")}
    moves = _ReasonThatMoves("reason", "clinic_id", Value(clinic_id))
    return stay | {"reason": Hold.objects.values_list(moves, flat=True).get(pk=visit.pk)}


def _as_confirmed(plan: _Plan, *, agreed: Appointment) -> Hold:
    """What was agreed stays; the database writes it into this row and the appointment's. Of another
    doctor's visit type it takes the name, and keeps the price that it finds.
    """
    old, run = plan.old, plan.run
    return Hold(
        id=uuid7(),
        doctor_id=plan.visit_type.doctor_id,
        visit_type_id=plan.visit_type.pk,
        clinic_id=run.clinic_id,
        slot_ids=run.slot_ids,
        starts_at=run.starts_at,
        ends_at=run.ends_at,
        patient_id=old.patient_id,
        state=HoldState.CONFIRMED,
        expires_at=run.starts_at,
        replaces=old.pk,
        price_cents=agreed.price_cents,
        currency=agreed.currency,
        **details_that_move(old, clinic_id=run.clinic_id),
    )


def _taken(plan: _Plan) -> DomainError:
    slot_id, old, now = plan.run.slot_ids[0], plan.old, plan.now
    found = next_free_times(
        slot_id=slot_id, visit_type_id=plan.visit_type.pk, moves=old.pk, now=now
    )
    times = found.times if found else []
    return SlotTaken(alternatives=times, starts_at=found.wanted_at if found else now)
