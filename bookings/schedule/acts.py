"""What the practice does with a visit, by the names that both doors use."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import (
    cancel_appointment,
    mark_arrived,
    mark_completed,
    mark_no_show,
    undo,
)
from bookings.appointments.services.transitions import Seen
from bookings.models import Appointment
from bookings.states import PRACTICE, TRANSITIONS, AppointmentStatus, step_to, undo_of


class Act(StrEnum):
    ARRIVED = "arrived"
    COMPLETED = "completed"
    NO_SHOW = "no-show"
    UNDO = "undo"
    CANCEL = "cancel"


_MARKS: dict[Act, Callable[..., Appointment]] = {
    Act.ARRIVED: mark_arrived,
    Act.COMPLETED: mark_completed,
    Act.NO_SHOW: mark_no_show,
    Act.UNDO: undo,
}
_LEADS_TO = {
    AppointmentStatus.ARRIVED: Act.ARRIVED,
    AppointmentStatus.COMPLETED: Act.COMPLETED,
    AppointmentStatus.NO_SHOW: Act.NO_SHOW,
    AppointmentStatus.CANCELLED: Act.CANCEL,
}


def acts_on(status: str) -> list[Act]:
    """What the practice can do now, in the order of the states; to undo is the last."""
    steps = [each for each in TRANSITIONS if each.before == status and not each.is_undo]
    found = [_LEADS_TO[each.after] for each in steps if _is_offered(each.after, by=each.by)]
    return [*found, Act.UNDO] if undo_of(status) else found


def can_be_moved(status: str) -> bool:
    return step_to(status, AppointmentStatus.RESCHEDULED) is not None


def _is_offered(status: AppointmentStatus, *, by: frozenset[str]) -> bool:
    return status in _LEADS_TO and bool(PRACTICE & by)


def perform(
    act: Act,
    *,
    appointment_id: UUID,
    by: PracticeMember,
    version: Seen,
    now: datetime,
    reason: str = "",
) -> Appointment:
    """Raises what the services raise: NotFound, VersionMismatch, NotChangeable, and FieldError for
    a cancellation without a reason.
    """
    if act is not Act.CANCEL:
        return _MARKS[act](appointment_id=appointment_id, by=by, version=version, now=now)
    return cancel_appointment(
        appointment_id=appointment_id, by=by, version=version, now=now, reason=reason
    )
