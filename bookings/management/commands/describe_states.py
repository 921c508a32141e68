"""`manage.py describe_states`: writes what can become of an appointment into docs/states.md."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand

from bookings.states import (
    ACTIVE,
    PATIENT_SIDE,
    PRACTICE,
    SYSTEM,
    TRANSITIONS,
    AppointmentStatus,
    Transition,
)

_GROUPS = {"patient": PATIENT_SIDE, "practice": PRACTICE, "system": SYSTEM}

_HEAD = """# What can become of an appointment

Written by `make states` from `bookings/states.py`. The trigger
`appointment_status_follows_the_state_machine` refuses every other step, no matter who asks.

*Patient* is the patient, or the guest who has just booked in this browser; until the doctor's
notice for changes. *Practice* is the doctor, their secretary and staff; always, and it says why it
cancels or moves a visit.
"""


class Command(BaseCommand):
    help = "Prints the states of an appointment as docs/states.md has them."
    requires_system_checks = ()

    def handle(self, **_options: Any) -> None:
        for part in (_HEAD.strip(), _diagram(), _table()):
            self.stdout.write(f"{part}\n\n")
        self.stdout.write(_time())


def _diagram() -> str:
    return "\n".join(["```mermaid", "stateDiagram-v2", *_arrows(), "```"])


def _arrows() -> Iterator[str]:
    yield f"    [*] --> {AppointmentStatus.CONFIRMED.value}: the right code"
    for step in TRANSITIONS:
        note = "undo" if step.is_undo else _who(step)
        yield f"    {step.before.value} --> {step.after.value}: {note}"
    ends = set(AppointmentStatus) - {step.before for step in TRANSITIONS}
    for status in sorted(ends, key=lambda each: each.value):
        yield f"    {status.value} --> [*]"


def _table() -> str:
    rows = [
        f"| {step.before.value} | {step.after.value} | {_who(step)} | {_what(step)} |"
        for step in TRANSITIONS
    ]
    return "\n".join(["| from | to | by | when |", "|---|---|---|---|", *rows])


def _who(step: Transition) -> str:
    return ", ".join(name for name, kinds in _GROUPS.items() if kinds <= step.by)


def _what(step: Transition) -> str:
    return f"Undo: {step.what}" if step.is_undo else step.what


def _time() -> str:
    names = ", ".join(status.value for status in ACTIVE)
    return f"The time belongs to the patient while the status is one of: {names}."
