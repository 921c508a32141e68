"""What can become of an appointment, defined once, as data.

The rules in Python, the trigger in the database (`trigger_function`, installed by a migration) and
docs/states.md (`make states`) come from TRANSITIONS. Tests compare them.
"""

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _


class AppointmentStatus(models.TextChoices):
    CONFIRMED = "confirmed", _("confirmed")
    ARRIVED = "arrived", _("arrived")
    COMPLETED = "completed", _("completed")
    NO_SHOW = "no_show", _("did not come")
    CANCELLED = "cancelled", _("cancelled")
    RESCHEDULED = "rescheduled", _("moved")


# Who acts, by the names that the audit uses.
PATIENT_SIDE = frozenset({"patient", "guest"})
PRACTICE = frozenset({"doctor", "secretary", "staff"})
SYSTEM = frozenset({"system"})


@dataclass(frozen=True)
class Transition:
    """One step of an appointment, and who may make it. An undo takes back a mistake."""

    before: AppointmentStatus
    after: AppointmentStatus
    by: frozenset[str]
    what: str
    is_undo: bool = False


_S = AppointmentStatus

TRANSITIONS: tuple[Transition, ...] = (
    Transition(_S.CONFIRMED, _S.ARRIVED, PRACTICE, "The patient is here."),
    Transition(_S.CONFIRMED, _S.NO_SHOW, PRACTICE | SYSTEM, "The patient did not come."),
    Transition(_S.CONFIRMED, _S.CANCELLED, PATIENT_SIDE | PRACTICE, "The visit is cancelled."),
    Transition(
        _S.CONFIRMED,
        _S.RESCHEDULED,
        PATIENT_SIDE | PRACTICE,
        "Another time replaces this one.",
    ),
    Transition(_S.ARRIVED, _S.COMPLETED, PRACTICE, "The visit is over."),
    Transition(_S.NO_SHOW, _S.ARRIVED, PRACTICE, "The patient came late."),
    Transition(_S.ARRIVED, _S.CONFIRMED, PRACTICE, "Not here after all.", is_undo=True),
    Transition(_S.COMPLETED, _S.ARRIVED, PRACTICE, "Not over after all.", is_undo=True),
    Transition(_S.NO_SHOW, _S.CONFIRMED, PRACTICE, "Not missed after all.", is_undo=True),
)

# The statuses in which the time belongs to the patient.
ACTIVE: tuple[AppointmentStatus, ...] = (_S.CONFIRMED, _S.ARRIVED, _S.COMPLETED, _S.NO_SHOW)
# The statuses in which nobody comes, and the time is open to others.
CALLED_OFF: tuple[AppointmentStatus, ...] = (_S.CANCELLED, _S.RESCHEDULED)


def step_to(before: str, after: str) -> Transition | None:
    """The step forward between the two, if there is one."""
    steps = (each for each in TRANSITIONS if (each.before, each.after) == (before, after))
    return next((each for each in steps if not each.is_undo), None)


def undo_of(status: str) -> Transition | None:
    """The step back from this status; None if nothing can be taken back."""
    return next((each for each in TRANSITIONS if each.is_undo and each.before == status), None)


def may_make(kind: str, status: str) -> bool:
    """Whether this kind of actor can bring any appointment into this status, other than by
    an undo.
    """
    return any(each.after == status and kind in each.by for each in TRANSITIONS if not each.is_undo)


def trigger_function() -> str:
    """The body (PL/pgSQL) of the trigger `appointment_status_follows_the_state_machine`.

    A change of TRANSITIONS needs a migration that replaces the function with this text. A test
    compares it with the result of the migrations.
    """
    pairs = ",\n".join(
        f"        ('{each.before.value}', '{each.after.value}')" for each in TRANSITIONS
    )
    return _TRIGGER.replace("PAIRS", pairs)


_TRIGGER = """
BEGIN
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
PAIRS
    ) THEN
        RAISE EXCEPTION 'an appointment cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'appointment_status_follows_the_state_machine';
    END IF;
    RETURN NEW;
END """
