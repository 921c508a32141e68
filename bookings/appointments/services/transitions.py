"""One step of an appointment: who may make it, from which status, and what is recorded.

Slots are locked before the appointment, as in a confirmation that moves it. Status, version, who
and when, and the audit are written together.
"""

from collections.abc import Container
from datetime import datetime
from uuid import UUID

from bookings.actors.holder import Holder
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.appointments import PARTS
from bookings.errors import ChangeWindowPassed, NotChangeable
from bookings.models import Appointment, Hold, HoldState
from bookings.states import (
    PATIENT_SIDE,
    PRACTICE,
    AppointmentStatus,
    Transition,
    may_make,
)
from docbook.audit import services as audit
from docbook.errors import FieldError, NotFound, NotYours, VersionMismatch

# The version that the caller has seen, or a set that contains it.
Seen = int | Container[int]


def find(
    appointment_id: UUID, *, by: Holder | PracticeMember, to: AppointmentStatus | None = None
) -> tuple[Hold, audit.Actor]:
    """The confirmed hold, which knows the slots and the month, and the actor's role.

    Raises NotFound for a stranger, and for anyone who may not act on visits of that status.
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
        raise NotYours("appointment", appointment_id)
    return hold, actor


def lock(hold: Hold) -> Appointment:
    """Makes simultaneous changes follow each other. The second sees what the first has done."""
    visits = Appointment.objects.select_for_update(of=("self",)).select_related(*PARTS)
    try:
        return visits.get(pk=hold.pk, starts_at=hold.starts_at)
    except Appointment.DoesNotExist:
        # A merge gave the visit another account while this waited: the row no longer belongs to
        # the patient that was read beside it. The next look finds both.
        return visits.get(pk=hold.pk, starts_at=hold.starts_at)


def allowed(
    step: Transition | None, appointment: Appointment, *, by: audit.Actor, version: Seen
) -> Transition:
    if appointment.version not in ((version,) if isinstance(version, int) else version):
        raise VersionMismatch
    if step is None:
        raise NotChangeable(status=appointment.status)
    if by.kind not in step.by:
        raise NotFound
    return step


def check_window(appointment: Appointment, *, by: audit.Actor, now: datetime) -> None:
    if by.kind in PATIENT_SIDE and now >= appointment.changeable_until:
        notice = appointment.doctor.change_notice_minutes
        raise ChangeWindowPassed(notice_minutes=notice, phone=appointment.clinic.phone)


def spoken(reason: str, *, by: audit.Actor) -> str:
    """The text for the other side. The practice must give a reason: raises FieldError."""
    reason = reason.strip()
    if by.kind in PRACTICE and not reason:
        raise FieldError("reason", "Say why: the patient is told.", field_code="required")
    return reason


def make(
    step: Transition,
    appointment: Appointment,
    *,
    by: audit.Actor,
    now: datetime,
    reason: str = "",
    replaced_by: UUID | None = None,
) -> None:
    """Writes the step and its actor into the locked row. Names the start: see the model."""
    before = {"status": appointment.status, "version": appointment.version}
    changed = {
        "status": step.after,
        "version": appointment.version + 1,
        "changed_at": now,
        "changed_by_kind": by.kind,
        "changed_by": by.user_id,
        "change_reason": reason,
        "replaced_by": replaced_by,
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
        after={
            "status": appointment.status,
            "version": appointment.version,
            **({"replaced_by": str(replaced_by)} if replaced_by else {}),
        },
    )
