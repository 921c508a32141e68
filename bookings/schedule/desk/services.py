"""The practice books a caller, at once and without a code."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.services import NewPatient, add_patient
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.alternatives import next_free_times
from bookings.appointments.selectors.appointments import appointment_of_hold, find_visit
from bookings.appointments.services.confirmed import write_confirmed
from bookings.engine.calls import (
    Run,
    broken_constraint,
    lock_and_find_overlap,
    run_of_slots,
)
from bookings.errors import NumberNeeded, OutsideBookingWindow, PatientBusy, SlotTaken
from bookings.models import Appointment, Hold, HoldState
from bookings.schedule.desk.selectors.patients import Found, find_callers, get_patient
from bookings.schedule.desk.typed_words import Typed
from docbook.audit import services as audit
from docbook.errors import FieldError, NotYours
from docbook.outbox.services import publish
from doctors.models import Doctor, Mode, VisitType
from doctors.services import claims

SALT = "bookings.caller"


def search_callers(
    typed: Typed, *, doctor: Doctor, doctors: Iterable[Doctor], by: PracticeMember, through: str
) -> list[Found]:
    """`doctors` are those whose patients the reader may know; `doctor` is the one to be booked.
    Records for each doctor whose patients are shown that somebody has read; strangers count for the
    doctor to be booked. Neither what was typed nor who was found is recorded.

    Raises NotYours for those who may not read who comes.
    """
    actor = by.actor_for(doctor)
    if actor is None or not by.may_read_patients(doctor):
        raise NotYours("doctor", doctor.pk)
    doctors = list(doctors)
    found = find_callers(typed, doctors=doctors)
    shown = Counter(each.doctor_id or doctor.pk for each in found)
    for each in doctors:
        if number := shown[each.pk]:
            audit.record(
                action="patients.read",
                by=by.actor_for(each) or actor,
                on=("doctor", each.pk),
                after={"through": through, "shown": number},
            )
    return found


def caller_key(found: Found, *, by: PracticeMember) -> str:
    """Stands for somebody this reader has found. Ids alone would let a practice book, and so
    name, people it has never found.
    """
    return Signer(salt=SALT).sign(f"{by.user.pk}.{found.id}")


def caller_behind(key: str, *, by: PracticeMember) -> User:
    """Raises FieldError for a key that is not theirs, or of an account that is closed."""
    try:
        reader, _dot, patient_id = Signer(salt=SALT).unsign(key).partition(".")
    except BadSignature:
        reader, patient_id = "", "0"
    patient = get_patient(int(patient_id)) if reader == str(by.user.pk) else None
    if patient is None:
        raise FieldError("caller", "Choose who is calling.", field_code="unknown")
    return patient


def book_for_patient(
    *,
    booking_id: UUID,
    doctor: Doctor,
    visit_type_id: int,
    slot_id: int,
    patient: User | NewPatient,
    phone: str,
    by: PracticeMember,
    now: datetime,
    reason: str = "",
) -> Appointment:
    """Books the time that starts with this slot. The visit gets `booking_id`: if the same booking
    comes twice, the second one returns the visit of the first.

    `phone` is for this visit; a visit by phone needs it.

    The practice may choose any free time of the doctor that has not begun, even one that patients
    cannot book, and also while booking is paused. Raises NotYours, FieldError (unknown visit type
    or slot; see `add_patient`), NumberNeeded, OutsideBookingWindow (the time has begun),
    PatientBusy or SlotTaken; then nothing has changed.
    """
    actor = by.actor_for(doctor)
    if actor is None:
        raise NotYours("doctor", doctor.pk)
    visit_types = doctor.visit_types.filter(is_active=True, doctor__is_active=True)
    visit_type = visit_types.filter(pk=visit_type_id).first()
    if visit_type is None:
        raise FieldError("visit_type", "This doctor has no such visit.", field_code="unknown")
    run = run_of_slots(visit_type, first=slot_id)
    if run is None:
        raise FieldError("slot", "There is no such time for this visit.", field_code="unknown")
    try:
        with transaction.atomic():
            claims.lock_slots(slot_ids=run.slot_ids)
            if first := _booked_before(booking_id, doctor=doctor):
                return first
            if run.starts_at <= now:
                raise OutsideBookingWindow
            given = {"phone": phone, "reason": reason}
            hold = _as_confirmed(booking_id, patient, visit_type, run=run, **given)
            if isinstance(patient, NewPatient):
                hold.patient = _added(patient, by=actor)
            _refuse_overlap(hold)
            if not claims.book_slots(slot_ids=run.slot_ids, hold_id=hold.pk):
                raise _taken(slot_id, visit_type=visit_type, now=now)
            return _write(hold, by=actor)
    except IntegrityError as error:
        return _after_refusal(error, booking_id=booking_id, doctor=doctor)


def _booked_before(booking_id: UUID, *, doctor: Doctor) -> Appointment | None:
    """The visit that this booking has made. Raises NotYours if another doctor has it."""
    hold = Hold.objects.filter(pk=booking_id).first()
    if hold is None:
        return None
    if hold.doctor_id != doctor.pk or hold.state != HoldState.CONFIRMED:
        raise NotYours("appointment", booking_id)
    return appointment_of_hold(hold)


def _as_confirmed(
    booking_id: UUID,
    patient: User | NewPatient,
    visit_type: VisitType,
    *,
    run: Run,
    phone: str,
    reason: str,
) -> Hold:
    """The database writes what is agreed into this row and the appointment's."""
    if visit_type.mode == Mode.PHONE and not phone:
        raise NumberNeeded
    return Hold(
        id=booking_id,
        doctor_id=visit_type.doctor_id,
        visit_type=visit_type,
        clinic_id=run.clinic_id,
        slot_ids=run.slot_ids,
        starts_at=run.starts_at,
        ends_at=run.ends_at,
        patient=patient if isinstance(patient, User) else None,
        first_name=patient.first_name,
        last_name=patient.last_name,
        email=(patient.email or "").lower(),
        phone=phone,
        reason=reason,
        state=HoldState.CONFIRMED,
        expires_at=run.starts_at,
    )


def _added(new: NewPatient, *, by: audit.Actor) -> User:
    patient = add_patient(new)
    audit.record(action="patient.added", by=by, on=("account", patient.pk))
    return patient


def _refuse_overlap(hold: Hold) -> None:
    other = lock_and_find_overlap(
        patient_id=hold.patient_id or 0,
        start=hold.starts_at,
        end=hold.ends_at,
        apart_from=hold.pk,
    )
    if other is not None:
        pk, starts_at = other
        raise PatientBusy(find_visit(pk=pk, starts_at=starts_at))
    if hold.patient_id and get_patient(hold.patient_id) is None:  # merged with another since
        raise FieldError("caller", "Choose who is calling.", field_code="unknown")


def _write(hold: Hold, *, by: audit.Actor) -> Appointment:
    name = f"{hold.first_name} {hold.last_name}".strip()
    visit = write_confirmed(hold, patient_name=name, by=by)
    publish(
        "appointment.confirmed",
        about=visit.pk,
        appointment_id=visit.pk,
        version=visit.version,
        booked_by="practice",
    )
    return visit


def _after_refusal(error: IntegrityError, *, booking_id: UUID, doctor: Doctor) -> Appointment:
    """What two bookings at one instant cannot see of each other, the database refuses."""
    name = broken_constraint(error)
    if name.startswith("no_overlapping_visits_of_a_patient"):
        raise PatientBusy from error
    first = _booked_before(booking_id, doctor=doctor)
    if first is None:
        raise error
    return first


def _taken(slot_id: int, *, visit_type: VisitType, now: datetime) -> SlotTaken:
    found = next_free_times(slot_id=slot_id, visit_type_id=visit_type.pk, now=now)
    times = found.times if found else []
    return SlotTaken(alternatives=times, starts_at=found.wanted_at if found else now)
