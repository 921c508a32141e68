"""Changes an appointment: cancels it, or records how the visit went.

Every change is one step of `bookings.states`. An allowed actor makes it, on the version that they
have seen; see services.transitions.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from bookings.actors.holder import Holder
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.appointments import appointment_of_hold
from bookings.appointments.services import transitions
from bookings.engine.services import announce_release, end_other_moves, open_gate_after_commit
from bookings.models import Appointment
from bookings.states import AppointmentStatus, step_to, undo_of
from docbook.audit import services as audit
from docbook.outbox.services import publish
from doctors.services import claims

# How far back the search for missed visits goes: it reads at most two months of the table.
MISSED_AT_MOST = timedelta(days=31)


def cancel_appointment(
    *,
    appointment_id: UUID,
    by: Holder | PracticeMember,
    version: transitions.Seen,
    now: datetime,
    reason: str = "",
) -> Appointment:
    """Cancels the visit and opens its slots that have not begun.

    The other side gets the reason; the practice must give one. A visit that is already cancelled is
    returned unchanged, and nothing is written. Raises NotFound, FieldError (no reason),
    VersionMismatch, NotChangeable or, for the patient, ChangeWindowPassed.
    """
    hold, actor = transitions.find(appointment_id, by=by, to=AppointmentStatus.CANCELLED)
    reason = transitions.spoken(reason, by=actor)
    with transaction.atomic():
        claims.lock_slots(slot_ids=hold.slot_ids)
        appointment = transitions.lock(hold)
        if appointment.status == AppointmentStatus.CANCELLED:
            return appointment
        step = step_to(appointment.status, AppointmentStatus.CANCELLED)
        step = transitions.allowed(step, appointment, by=actor, version=version)
        transitions.check_window(appointment, by=actor, now=now)
        transitions.make(step, appointment, by=actor, now=now, reason=reason)
        opened = claims.open_booked_slots(slot_ids=hold.slot_ids, hold_id=hold.pk)
        announce_release(doctor_id=hold.doctor_id, slot_ids=opened)
        open_gate_after_commit(hold)
        end_other_moves(appointment_id=appointment.pk, by=actor)
        publish(
            "appointment.cancelled",
            about=appointment.pk,
            appointment_id=appointment.pk,
            version=appointment.version,
        )
    return appointment


def find_changeable_appointment(
    *,
    appointment_id: UUID,
    by: Holder | PracticeMember,
    version: transitions.Seen | None,
    now: datetime,
) -> Appointment:
    """The visit, if it can be moved or cancelled now; changes nothing. A version of None accepts
    any version.

    Raises NotFound, VersionMismatch, NotChangeable or, for the patient, ChangeWindowPassed.
    """
    hold, actor = transitions.find(appointment_id, by=by, to=AppointmentStatus.RESCHEDULED)
    appointment = appointment_of_hold(hold)
    seen = appointment.version if version is None else version
    step = step_to(appointment.status, AppointmentStatus.RESCHEDULED)
    transitions.allowed(step, appointment, by=actor, version=seen)
    transitions.check_window(appointment, by=actor, now=now)
    return appointment


def mark_arrived(
    *, appointment_id: UUID, by: PracticeMember, version: transitions.Seen, now: datetime
) -> Appointment:
    """The patient is here, even if they were marked as missing. Raises like `cancel_appointment`,
    but needs no reason and works at any time.
    """
    return _mark(appointment_id, AppointmentStatus.ARRIVED, by=by, version=version, now=now)


def mark_completed(
    *, appointment_id: UUID, by: PracticeMember, version: transitions.Seen, now: datetime
) -> Appointment:
    """The visit is over."""
    return _mark(appointment_id, AppointmentStatus.COMPLETED, by=by, version=version, now=now)


def mark_no_show(
    *, appointment_id: UUID, by: PracticeMember, version: transitions.Seen, now: datetime
) -> Appointment:
    """The patient did not come."""
    return _mark(appointment_id, AppointmentStatus.NO_SHOW, by=by, version=version, now=now)


def undo(
    *, appointment_id: UUID, by: PracticeMember, version: transitions.Seen, now: datetime
) -> Appointment:
    """Takes back the last mark, which was a mistake. Raises the same errors as the marks."""
    hold, actor = transitions.find(appointment_id, by=by)
    with transaction.atomic():
        appointment = transitions.lock(hold)
        step = transitions.allowed(
            undo_of(appointment.status), appointment, by=actor, version=version
        )
        transitions.make(step, appointment, by=actor, now=now)
    return appointment


def mark_missed(*, now: datetime, limit: int = 200) -> int:
    """Marks up to `limit` visits as missed that nobody has marked; returns how many.

    They ended at least MISSED_AFTER_HOURS ago, and nobody has changed them for as long: a mark that
    somebody has just undone must not return unnoticed.
    """
    silent_since = now - timedelta(hours=settings.MISSED_AFTER_HOURS)
    step = step_to(AppointmentStatus.CONFIRMED, AppointmentStatus.NO_SHOW)
    assert step is not None  # noqa: S101 - for the type checker; tests hold the states
    silent = Appointment.objects.filter(
        Q(changed_at__isnull=True) | Q(changed_at__lte=silent_since),
        status=AppointmentStatus.CONFIRMED,
        # A visit that has ended has begun: the index of confirmed visits is sorted by start.
        starts_at__range=(now - MISSED_AT_MOST, silent_since),
        ends_at__lte=silent_since,
    )
    with transaction.atomic():
        # Skip rows that somebody is changing.
        found = list(silent.select_for_update(skip_locked=True).order_by("starts_at", "id")[:limit])
        for appointment in found:
            transitions.make(step, appointment, by=audit.SYSTEM, now=now)
    return len(found)


def _mark(
    appointment_id: UUID,
    status: AppointmentStatus,
    *,
    by: PracticeMember,
    version: transitions.Seen,
    now: datetime,
) -> Appointment:
    hold, actor = transitions.find(appointment_id, by=by, to=status)
    with transaction.atomic():
        appointment = transitions.lock(hold)
        if appointment.status != status:
            step = step_to(appointment.status, status)
            step = transitions.allowed(step, appointment, by=actor, version=version)
            transitions.make(step, appointment, by=actor, now=now)
    return appointment
