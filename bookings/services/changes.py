"""Changing an appointment: calling it off, and what became of the visit.

Every change is one step of `bookings.states`, made by somebody who may make it, on the version that
they have seen; status, version, who and when, audit and message are written together. Slots are
locked before the appointment, as in a confirmation that moves it.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from bookings.errors import ChangeWindowPassed, NotChangeable
from bookings.holder import Holder
from bookings.models import Appointment, Hold, HoldState
from bookings.practice import PracticeMember
from bookings.rules import changeable_until
from bookings.selectors.appointments import with_parts
from bookings.services.holds import open_gate_after_commit
from bookings.services.releases import announce_release
from bookings.states import (
    PATIENT_SIDE,
    PRACTICE,
    AppointmentStatus,
    Transition,
    may_make,
    transition,
    undo_of,
)
from docbook.audit import services as audit
from docbook.errors import FieldError, NotFound, VersionMismatch
from docbook.outbox.services import publish
from doctors.services import claims

# Further back nobody looks for missed visits: so the search reads two months of the table at most.
MISSED_AT_MOST = timedelta(days=31)


def cancel_appointment(
    *,
    appointment_id: UUID,
    by: Holder | PracticeMember,
    version: int,
    now: datetime,
    reason: str = "",
) -> Appointment:
    """Calls the visit off and opens its slots, as far as they have not begun.

    The other side is told the reason; the practice has to give one. A visit that is cancelled
    already is answered as it stands, and nothing is written. Raises NotFound, FieldError (no
    reason), VersionMismatch, NotChangeable or, for the patient, ChangeWindowPassed.
    """
    hold, actor = _find(appointment_id, by=by, to=AppointmentStatus.CANCELLED)
    if actor.kind in PRACTICE and not reason.strip():
        raise FieldError("reason", "Say why: the patient is told.", field_code="required")
    with transaction.atomic():
        claims.lock_slots(slot_ids=hold.slot_ids)
        appointment = _lock(hold)
        if appointment.status == AppointmentStatus.CANCELLED:
            return appointment
        step = _step_to(AppointmentStatus.CANCELLED, appointment, by=actor, version=version)
        _check_window(appointment, by=actor, now=now)
        _make(step, appointment, by=actor, now=now, reason=reason.strip())
        opened = claims.open_booked_slots(slot_ids=hold.slot_ids, hold_id=hold.pk)
        announce_release(doctor_id=hold.doctor_id, slot_ids=opened)
        open_gate_after_commit(hold)
        publish("appointment.cancelled", about=appointment.pk, appointment_id=appointment.pk)
    return appointment


def find_changeable_appointment(
    *, appointment_id: UUID, by: Holder | PracticeMember, version: int | None, now: datetime
) -> Appointment:
    """The visit, where it could be moved or cancelled now; changes nothing. A version of None is
    any.

    Raises NotFound, VersionMismatch, NotChangeable or, for the patient, ChangeWindowPassed.
    """
    hold, actor = _find(appointment_id, by=by, to=AppointmentStatus.RESCHEDULED)
    appointment = _read(hold)
    seen = appointment.version if version is None else version
    _step_to(AppointmentStatus.RESCHEDULED, appointment, by=actor, version=seen)
    _check_window(appointment, by=actor, now=now)
    return appointment


def mark_arrived(
    *, appointment_id: UUID, by: PracticeMember, version: int, now: datetime
) -> Appointment:
    """The patient is here, also one who was thought to be missing. Raises as `cancel_appointment`,
    without a reason and at any time.
    """
    return _mark(appointment_id, AppointmentStatus.ARRIVED, by=by, version=version, now=now)


def mark_completed(
    *, appointment_id: UUID, by: PracticeMember, version: int, now: datetime
) -> Appointment:
    """The visit is over."""
    return _mark(appointment_id, AppointmentStatus.COMPLETED, by=by, version=version, now=now)


def mark_no_show(
    *, appointment_id: UUID, by: PracticeMember, version: int, now: datetime
) -> Appointment:
    """The patient did not come."""
    return _mark(appointment_id, AppointmentStatus.NO_SHOW, by=by, version=version, now=now)


def undo(*, appointment_id: UUID, by: PracticeMember, version: int, now: datetime) -> Appointment:
    """Takes the last mark back: somebody has slipped. Raises as the marks do."""
    hold, actor = _find(appointment_id, by=by)
    with transaction.atomic():
        appointment = _lock(hold)
        step = _allowed(undo_of(appointment.status), appointment, by=actor, version=version)
        _make(step, appointment, by=actor, now=now)
    return appointment


def mark_missed(*, now: datetime, limit: int = 200) -> int:
    """Marks up to `limit` visits as missed that nobody has said anything of; returns how many.

    They are over since MISSED_AFTER_HOURS, and nobody has touched them for as long: what somebody
    has just taken back must not be marked again behind their back.
    """
    silent_since = now - timedelta(hours=settings.MISSED_AFTER_HOURS)
    step = transition(AppointmentStatus.CONFIRMED, AppointmentStatus.NO_SHOW)
    assert step is not None  # noqa: S101 - for the type checker; tests hold the states
    silent = Appointment.objects.filter(
        Q(changed_at__isnull=True) | Q(changed_at__lte=silent_since),
        status=AppointmentStatus.CONFIRMED,
        # What has ended has begun: the index of confirmed visits goes by the start.
        starts_at__range=(now - MISSED_AT_MOST, silent_since),
        ends_at__lte=silent_since,
    )
    with transaction.atomic():
        # Whoever works on one of them just now is about to say something of it.
        found = list(silent.select_for_update(skip_locked=True).order_by("starts_at", "id")[:limit])
        for appointment in found:
            _make(step, appointment, by=audit.SYSTEM, now=now)
    return len(found)


def _mark(
    appointment_id: UUID,
    status: AppointmentStatus,
    *,
    by: PracticeMember,
    version: int,
    now: datetime,
) -> Appointment:
    hold, actor = _find(appointment_id, by=by, to=status)
    with transaction.atomic():
        appointment = _lock(hold)
        if appointment.status != status:
            step = _step_to(status, appointment, by=actor, version=version)
            _make(step, appointment, by=actor, now=now)
    return appointment


def _find(
    appointment_id: UUID, *, by: Holder | PracticeMember, to: AppointmentStatus | None = None
) -> tuple[Hold, audit.Actor]:
    """The confirmed hold, which knows the slots and the month, and the role of the one who acts.

    Raises NotFound for a stranger, and for whoever has no business with visits of that status.
    """
    confirmed = Hold.objects.filter(pk=appointment_id, state=HoldState.CONFIRMED)
    hold = confirmed.select_related("doctor").first()
    if hold is None:
        raise NotFound
    if isinstance(by, PracticeMember):
        actor = by.actor_for(hold.doctor)
    else:
        actor = by.actor if by.owns(hold) else None
    if actor is None or (to is not None and not may_make(actor.kind, to)):
        raise NotFound
    return hold, actor


def _read(hold: Hold) -> Appointment:
    return with_parts(Appointment.objects.all()).get(pk=hold.pk, starts_at=hold.starts_at)


def _lock(hold: Hold) -> Appointment:
    """Two changes at one instant follow each other, and the second sees what the first has made."""
    rows = Appointment.objects.select_for_update(of=("self",))
    return with_parts(rows).get(pk=hold.pk, starts_at=hold.starts_at)


def _step_to(
    status: AppointmentStatus, appointment: Appointment, *, by: audit.Actor, version: int
) -> Transition:
    step = transition(appointment.status, status)
    forward = None if step and step.is_undo else step
    return _allowed(forward, appointment, by=by, version=version)


def _allowed(
    step: Transition | None, appointment: Appointment, *, by: audit.Actor, version: int
) -> Transition:
    if appointment.version != version:
        raise VersionMismatch
    if step is None:
        raise NotChangeable(status=appointment.status)
    if by.kind not in step.by:
        raise NotFound
    return step


def _check_window(appointment: Appointment, *, by: audit.Actor, now: datetime) -> None:
    notice = appointment.doctor.change_notice_minutes
    until = changeable_until(starts_at=appointment.starts_at, notice_minutes=notice)
    if by.kind in PATIENT_SIDE and now >= until:
        raise ChangeWindowPassed(notice_minutes=notice, phone=appointment.clinic.phone)


def _make(
    step: Transition,
    appointment: Appointment,
    *,
    by: audit.Actor,
    now: datetime,
    reason: str = "",
) -> None:
    """Writes the step into the locked row, and who has made it. Names the start: see the model."""
    before = {"status": appointment.status, "version": appointment.version}
    changed = {
        "status": step.after,
        "version": appointment.version + 1,
        "changed_at": now,
        "changed_by_kind": by.kind,
        "changed_by": by.user_id,
        "change_reason": reason,
    }
    row = Appointment.objects.filter(pk=appointment.pk, starts_at=appointment.starts_at)
    row.update(**changed)
    for name, value in changed.items():
        setattr(appointment, name, value)
    audit.record(
        action=f"appointment.{'undone' if step.is_undo else step.after.value}",
        by=by,
        on=("appointment", appointment.pk),
        before=before,
        after={"status": appointment.status, "version": appointment.version},
    )
