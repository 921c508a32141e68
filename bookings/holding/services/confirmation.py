"""The moment a hold becomes an appointment."""

import re
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import guesses
from accounts.services import SignInRefused, patient_with_proven_email
from bookings.actors.holder import Holder
from bookings.appointments.selectors.appointments import find_visit
from bookings.engine import calls
from bookings.engine.calls import ConfirmAnswer, ConfirmCall, broken_constraint
from bookings.engine.services import end_other_moves, open_gate_after_commit
from bookings.errors import (
    AppointmentLimit,
    DetailsMissing,
    HoldExpired,
    NotChangeable,
    OtpInvalid,
    OtpLocked,
    PatientBusy,
    TooManyGuesses,
)
from bookings.holding import codes
from bookings.models import Appointment, Hold
from bookings.models.holds import MAX_CODE_ATTEMPTS, MAX_CODE_RESENDS
from docbook.errors import DomainError, NotFound, NotYours
from docbook.fibers import aside
from docbook.http.keyed_digest import digest
from docbook.http.rate_policies import POLICIES
from docbook.observability import request_id


def confirm_booking(
    *, hold_id: UUID, holder: Holder, code: str | None, guessers: guesses.Guessers | None = None
) -> Appointment:
    """Checks the code and books, in one transaction: slots, appointment, audit and message. A code
    of None needs no check: the holder has proved their address by the link of an offer, or is
    signed in.

    A repeat of a confirmed attempt returns the same appointment. A wrong code is counted and stays
    counted: in the hold, and for a day by `guessers` against its target. Without them, a guest
    counts among all strangers, and a patient counts separately. With `replaces`, the old visit is
    given up in the same transaction.

    Raises NotFound, HoldExpired, DetailsMissing, OtpInvalid, OtpLocked, TooManyGuesses,
    PatientBusy, AppointmentLimit, NotChangeable (the visit to be moved has changed in the meantime)
    or SignInRefused (the account of the address is disabled).
    """
    call = _call_of(hold_id=hold_id, holder=holder, code=code, guessers=guessers)
    try:
        answer = calls.confirm(call)
        if answer.outcome == "account-needed":
            wanted = answer
            answer = aside(lambda: _confirm_with_account(call, wanted))
    except IntegrityError as error:
        raise _refusal_of_the_database(error) from error
    if answer.has_ended:
        # Nobody is confirming it any more. The same applies if it raises: a refusal commits what it
        # counted.
        open_gate_after_commit(_own(answer))
    if answer.outcome != "confirmed" or answer.visit is None:
        raise aside(lambda: _refusal(answer, hold_id=hold_id))
    if answer.other_id:
        moved, by = answer.other_id, holder.actor
        aside(lambda: end_other_moves(appointment_id=moved, by=by))
    return answer.visit


def _call_of(
    *, hold_id: UUID, holder: Holder, code: str | None, guessers: guesses.Guessers | None
) -> ConfirmCall:
    patient_id = holder.patient.pk if holder.patient else None
    if guessers is None:
        guessers = [guesses.STRANGERS if patient_id is None else guesses.OWNER]
    if code is not None:
        code = re.sub(r"[\s-]", "", code).upper()  # typed in groups, or in small letters
    return ConfirmCall(
        hold_id=hold_id,
        patient_id=patient_id,
        guest_key=holder.guest_key,
        account_id=None,
        # The database knows which one was sent last. No statement contains the code itself,
        # which a server may write into its log.
        matching=[
            resend
            for resend in range(MAX_CODE_RESENDS + 1)
            if code is None
            or codes.matches(code=code, keys=settings.OTP_KEYS, hold_id=hold_id, resend=resend)
        ],
        most_attempts=MAX_CODE_ATTEMPTS,
        most_visits=settings.COMING_VISITS_PER_PATIENT,
        request_id=request_id.current(),
        own_target=None if patient_id is None else digest(f"own-{patient_id}"),
        guessers=[name for name, _policy in guessers],
        most_guesses=[POLICIES[policy].rate.most for _name, policy in guessers],
        is_long=code is not None and len(code) == codes.LONG,
    )


def _own(answer: ConfirmAnswer) -> Hold:
    """The hold of an answer that can only be given to its holder."""
    if answer.hold is None:
        raise AssertionError(answer.outcome)
    return answer.hold


def _confirm_with_account(call: ConfirmCall, wanted: ConfirmAnswer) -> ConfirmAnswer:
    """A guest has proved the address: its account is opened or found, and gets the visit.

    Both or neither: a refusal opens no account. The code is checked again, because nothing kept the
    hold locked in between.
    """
    hold = _own(wanted)
    with transaction.atomic():
        account = patient_with_proven_email(
            email=hold.email,
            first_name=hold.first_name,
            last_name=hold.last_name,
            phone=hold.phone,
        )
        answer = calls.confirm(call._replace(account_id=account.pk))
        if answer.outcome not in ("confirmed", "otp-invalid", "otp-locked"):
            transaction.set_rollback(True)
    return answer


def _refusal(answer: ConfirmAnswer, *, hold_id: UUID) -> DomainError:
    refusals: dict[str, Callable[[], DomainError]] = {
        "not-found": lambda: _not_found(hold_id),
        "unauthenticated": SignInRefused,
        "hold-expired": HoldExpired,
        "details-missing": DetailsMissing,
        "otp-invalid": lambda: OtpInvalid(attempts_left=answer.amount),
        "otp-locked": OtpLocked,
        "too-many-guesses": lambda: TooManyGuesses(retry_after=answer.amount),
        "patient-busy": lambda: PatientBusy(
            find_visit(pk=answer.other_id, starts_at=answer.other_starts_at)
        ),
        "appointment-limit": lambda: AppointmentLimit(limit=answer.amount),
        "not-changeable": lambda: NotChangeable(status=answer.status or ""),
    }
    return refusals[answer.outcome]()


def _not_found(hold_id: UUID) -> NotFound:
    """The database gives one answer for an unknown hold and for somebody else's."""
    is_known = Hold.objects.filter(pk=hold_id).exists()
    return NotYours("hold", hold_id) if is_known else NotFound()


def _refusal_of_the_database(error: IntegrityError) -> Exception:
    """What the call could not see, the database's constraints refuse: two visits of one patient
    confirmed at the same instant, or a time that has an appointment although its slot was free.
    """
    name = broken_constraint(error)
    if name.startswith("no_overlapping_visits_of_a_patient"):
        return PatientBusy()
    if name.startswith("one_active_appointment_per_doctor_and_start"):
        return HoldExpired()
    return error
