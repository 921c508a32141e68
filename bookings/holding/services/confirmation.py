"""The moment a hold becomes an appointment."""

import re
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import guesses
from accounts.services import SignInRefused, patient_with_proven_email
from bookings.actors.holder import Holder, keys_of
from bookings.appointments.selectors.appointments import find_visit
from bookings.engine import slot_gate
from bookings.engine.calls import ConfirmCall, ConfirmResult, broken_constraint, decide
from bookings.engine.services import end_other_moves
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
from docbook.http.keyed_digest import digest
from docbook.http.rate_policies import POLICIES
from docbook.observability import request_id


def confirm_booking(
    *, hold_id: UUID, holder: Holder, code: str, guessers: guesses.Guessers | None = None
) -> Appointment:
    """Checks the code and books, in one transaction: slots, appointment, audit and message.

    A repeat of a confirmed attempt returns the same appointment. A wrong code is counted and stays
    counted: in the hold, and for a day by `guessers` against its target. Without them, a guest
    counts among all strangers, and a patient counts separately. With `replaces`, the old visit is
    given up in the same transaction.

    Raises NotFound, HoldExpired, DetailsMissing, OtpInvalid, OtpLocked, TooManyGuesses,
    PatientBusy, AppointmentLimit, NotChangeable (the visit to be moved has changed in the meantime)
    or SignInRefused (the account of the address is disabled).
    """
    result = confirm(hold_id=hold_id, holder=holder, code=code, guessers=guessers)
    found = find_visit(pk=hold_id, starts_at=result.starts_at)
    if found is None:
        raise NotFound
    return found


def confirm(
    *,
    hold_id: UUID,
    holder: Holder,
    code: str,
    guessers: guesses.Guessers | None = None,
    body: str | None = None,
) -> ConfirmResult:
    """Like confirm_booking, for a door that does not read the appointment. `body` is its answer: it
    comes back as `words`, with "{name}" filled in from the appointment.
    """
    patient_id = holder.patient.pk if holder.patient else None
    if guessers is None:
        guessers = [guesses.STRANGERS if patient_id is None else guesses.OWNER]
    code = re.sub(r"[\s-]", "", code).upper()  # typed in groups, or in small letters
    call = ConfirmCall(
        hold_id=hold_id,
        patient_id=patient_id,
        guest_key=holder.guest_key,
        account_id=None,
        # The database knows which one was sent last. No statement contains the code itself,
        # which a server may write into its log.
        matching=[
            resend
            for resend in range(MAX_CODE_RESENDS + 1)
            if codes.matches(code=code, keys=settings.OTP_KEYS, hold_id=hold_id, resend=resend)
        ],
        most_attempts=MAX_CODE_ATTEMPTS,
        most_visits=settings.COMING_VISITS_PER_PATIENT,
        request_id=request_id.current(),
        body=body,
        own_target=None if patient_id is None else digest(f"own-{patient_id}"),
        guessers=[name for name, _policy in guessers],
        most_guesses=[POLICIES[policy].rate.most for _name, policy in guessers],
        is_long=len(code) == codes.LONG,
    )
    try:
        result = decide(call)
        if result.outcome == "account-needed":
            result = _confirm_with_account(call, result)
    except IntegrityError as error:
        raise _refusal_of_the_database(error) from error
    if result.slot_ids:
        # Nobody is confirming it any more. The same applies if it raises: a refusal commits what it
        # counted.
        first, keys = result.slot_ids[0], keys_of(result.patient_id, result.guest_key)
        transaction.on_commit(
            lambda: slot_gate.leave(slot_id=first, hold_id=hold_id, holder_keys=keys)
        )
    if result.outcome != "confirmed":
        raise _refusal(result, hold_id=hold_id)
    if result.other_id:
        end_other_moves(appointment_id=result.other_id, by=holder.actor)
    return result


def _confirm_with_account(call: ConfirmCall, wanted: ConfirmResult) -> ConfirmResult:
    """A guest has proved the address: its account is opened or found, and gets the visit.

    Both or neither: a refusal opens no account. The code is checked again, because nothing kept the
    hold locked in between.
    """
    with transaction.atomic():
        account = patient_with_proven_email(
            email=wanted.email,
            first_name=wanted.first_name,
            last_name=wanted.last_name,
            phone=wanted.phone,
        )
        result = decide(call._replace(account_id=account.pk))
        if result.outcome not in ("confirmed", "otp-invalid", "otp-locked"):
            transaction.set_rollback(True)
    return result


def _refusal(result: ConfirmResult, *, hold_id: UUID) -> DomainError:
    refusals: dict[str, Callable[[], DomainError]] = {
        "not-found": lambda: _not_found(hold_id),
        "unauthenticated": SignInRefused,
        "hold-expired": HoldExpired,
        "details-missing": DetailsMissing,
        "otp-invalid": lambda: OtpInvalid(attempts_left=result.attempts_left),
        "otp-locked": OtpLocked,
        "too-many-guesses": lambda: TooManyGuesses(retry_after=result.attempts_left),
        "patient-busy": lambda: PatientBusy(
            find_visit(pk=result.other_id, starts_at=result.other_starts_at)
        ),
        "appointment-limit": lambda: AppointmentLimit(limit=result.attempts_left),
        "not-changeable": lambda: NotChangeable(status=result.words or ""),
    }
    return refusals[result.outcome]()


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
