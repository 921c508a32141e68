"""The moment a hold becomes an appointment."""

from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from accounts.services import patient_with_proven_email
from bookings import codes
from bookings.errors import (
    DetailsMissing,
    HoldExpired,
    OtpInvalid,
    OtpLocked,
    PatientBusy,
)
from bookings.holder import Holder
from bookings.models import Appointment, Hold, HoldState
from bookings.models.holds import MAX_CODE_ATTEMPTS
from bookings.selectors.appointments import appointment_of_hold, busy_with
from bookings.selectors.holds import get_hold, is_over
from bookings.services.holds import end_hold, lock_hold, open_gate_after_commit
from bookings.states import AppointmentStatus
from docbook.audit import services as audit
from docbook.errors import DomainError
from docbook.outbox.services import publish
from doctors.services import claims


def confirm_booking(*, hold_id: UUID, holder: Holder, code: str) -> Appointment:
    """Checks the code and books, in one transaction: slots, appointment, audit and message.

    A repeat of a confirmed attempt answers with the same appointment. A wrong code is counted and
    stays counted. Raises NotFound, HoldExpired, DetailsMissing, OtpInvalid, OtpLocked, PatientBusy.
    """
    hold = get_hold(hold_id=hold_id, holder=holder)
    refusal: DomainError | None = None
    try:
        with transaction.atomic():
            lock_hold(hold)
            if hold.state != HoldState.CONFIRMED:
                refusal = _check_state(hold) or _check_code(hold, code=code, holder=holder)
                if refusal is None:
                    _book(hold, holder=holder)
    except IntegrityError as error:
        raise _refusal_of_the_database(error) from error
    # Raised only after the transaction, which has to keep the count of wrong codes.
    if refusal is not None:
        raise refusal
    return appointment_of_hold(hold)


def _check_state(hold: Hold) -> DomainError | None:
    if hold.otp_attempts >= MAX_CODE_ATTEMPTS:
        return OtpLocked()
    if hold.state != HoldState.HELD or is_over(hold.pk):
        return HoldExpired()
    return DetailsMissing() if hold.code_sent_at is None else None


def _check_code(hold: Hold, *, code: str, holder: Holder) -> DomainError | None:
    """Counts a wrong code in the locked row: parallel guesses queue up and get five in all."""
    if codes.matches(code=code, keys=settings.OTP_KEYS, hold_id=hold.pk, resend=hold.otp_resends):
        return None
    hold.otp_attempts += 1
    hold.save(update_fields=["otp_attempts"])
    if hold.otp_attempts < MAX_CODE_ATTEMPTS:
        return OtpInvalid(attempts_left=MAX_CODE_ATTEMPTS - hold.otp_attempts)
    end_hold(hold, state=HoldState.RELEASED, by=holder.actor)
    return OtpLocked()


def _book(hold: Hold, *, holder: Holder) -> None:
    # A guest may have signed in while the code was on its way: then it is their visit.
    patient = (
        hold.patient
        or holder.patient
        or patient_with_proven_email(
            email=hold.email, first_name=hold.first_name, last_name=hold.last_name, phone=hold.phone
        )
    )
    _one_confirmation_at_a_time(patient)
    if other := busy_with(patient=patient, starts_at=hold.starts_at, ends_at=hold.ends_at):
        raise PatientBusy(other)
    if not claims.book_slots(slot_ids=hold.slot_ids, hold_id=hold.pk):
        raise HoldExpired
    hold.patient = patient
    hold.state = HoldState.CONFIRMED
    hold.save(update_fields=["patient", "state"])
    appointment = _make_appointment(hold, patient=patient)
    audit.record(
        action="appointment.confirmed",
        by=holder.actor if holder.patient else audit.Actor("guest", patient.pk),
        on=("appointment", appointment.pk),
        after={"status": appointment.status, "version": appointment.version},
    )
    open_gate_after_commit(hold)
    publish("appointment.confirmed", about=appointment.pk, appointment_id=appointment.pk)


def _one_confirmation_at_a_time(patient: User) -> None:
    """Two visits of one patient that overlap across a month's end (UTC) lie in two partitions,
    whose constraints do not see each other: the second must look after the first has committed.
    """
    with connection.cursor() as cursor:
        lock = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
        cursor.execute(lock, [f"visits-of:{patient.pk}"])


def _make_appointment(hold: Hold, *, patient: User) -> Appointment:
    return Appointment.objects.create(
        id=hold.pk,
        doctor_id=hold.doctor_id,
        clinic_id=hold.clinic_id,
        visit_type=hold.visit_type,
        patient=patient,
        patient_name=f"{hold.first_name} {hold.last_name}".strip(),
        starts_at=hold.starts_at,
        ends_at=hold.ends_at,
        status=AppointmentStatus.CONFIRMED,
        reason=hold.reason,
        price_cents=hold.visit_type.price_cents,
        currency=hold.visit_type.currency,
    )


def _refusal_of_the_database(error: IntegrityError) -> Exception:
    """Two visits of one patient confirmed at one instant: the month's constraint says no."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
    return PatientBusy() if name.startswith("no_overlapping_visits_of_a_patient") else error
