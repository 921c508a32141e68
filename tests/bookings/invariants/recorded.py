"""What the clients of a busy database would have recorded."""

from dataclasses import replace

from bookings.invariants.history import Event
from bookings.models import Appointment, Hold
from tests.bookings.invariants.busy import Busy


def recorded(world: Busy) -> list[Event]:
    """Everything that the patients of a confirmed, a cancelled and a moved visit have done."""
    return [
        *_booked(world.confirmed),
        *_booked(world.cancelled),
        *_pair("cancel", world.cancelled),
        *_booked(world.moved),
        *_held(world.moved_to, replaces=world.moved),
        *_pair("move", world.moved_to, replaces=str(world.moved.pk)),
        *_released(world.released),
    ]


def told(invoke: Event, **answer: object) -> list[Event]:
    """A request and its answer; a success unless said otherwise."""
    return [invoke, replace(invoke, **({"type": "ok", "status": 200} | answer))]


def _booked(visit: Appointment) -> list[Event]:
    return [*_held(visit), *_pair("confirm", visit)]


def _held(visit: Appointment, *, replaces: Appointment | None = None) -> list[Event]:
    hold = Hold.objects.get(pk=visit.pk)
    moves = {"replaces": str(replaces.pk)} if replaces else {}
    invoke = Event("invoke", "hold", f"hold {hold.pk}", visit.patient_id, hold.slot_ids[0])
    invoke = replace(invoke, key=f"key of {hold.pk}", **moves)
    return told(invoke, attempt=str(hold.pk), status=201, body_sha="a")


def _pair(f: str, visit: Appointment, **more: str) -> list[Event]:
    invoke = Event("invoke", f, f"{f} {visit.pk}", visit.patient_id, attempt=str(visit.pk), **more)
    return told(invoke)


def _released(hold: Hold) -> list[Event]:
    invoke = Event("invoke", "hold", f"hold {hold.pk}", hold.patient_id, hold.slot_ids[0], "k")
    release = Event("invoke", "release", f"r {hold.pk}", hold.patient_id, attempt=str(hold.pk))
    return [*told(invoke, attempt=str(hold.pk)), *told(release, status=204)]
