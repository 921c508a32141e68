"""Compares the answers that clients got with the database.

Clients outside the system record a history: files of JSON lines, one object before each request and
one after its answer, with at least

    {"op": "3-17", "type": "invoke", "f": "hold", "slot": 41, "patient": 7, "key": "…",
     "attempt": "…", "replaces": "…", "status": 201, "code": "", "body_sha": "…"}

`type` is invoke, ok, fail (refused) or info (nobody knows); `f` is hold, confirm, move (a
confirmation that moves the visit `replaces`), cancel, release or read. It must be complete:
everything its patients did since its first attempt, through the API or elsewhere.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from bookings.invariants.invariant import Violation
from bookings.models import Appointment, Hold, HoldState
from bookings.states import PATIENT_SIDE, AppointmentStatus

# Answers that the same request may get today but not tomorrow.
_PASSING_STATUSES = frozenset({401, 408, 429, 500, 502, 503, 504})
_PASSING_CODES = frozenset(
    {"slot-held", "hold-limit", "appointment-limit", "idempotency-key-in-progress"}
)
_CHUNK = 5_000


class BrokenHistory(ValueError):
    """A line that is no event. The message says which."""


@dataclass(frozen=True)
class Event:
    """One line. Unused numbers are 0 and unused texts are empty."""

    type: str
    f: str
    op: str
    patient: int
    slot: int = 0
    key: str = ""
    attempt: str = ""
    replaces: str = ""
    status: int = 0
    code: str = ""
    body_sha: str = ""


def read_history(paths: Iterable[Path]) -> list[Event]:
    """Raises BrokenHistory, or OSError for a file that cannot be read."""
    return [event for path in paths for event in _events(path)]


def not_kept(events: list[Event]) -> Iterator[Violation]:
    """I10: the client got a success that is not in the database."""
    answered = [event for event in events if event.type == "ok" and event.attempt]
    holds = _holds({event.attempt for event in answered})
    visits = _visits({each for event in answered for each in (event.attempt, event.replaces)})
    for event in answered:
        if what := _loss(event, holds=holds, visits=visits):
            yield Violation(f"attempt {event.attempt}", f"{event.f} was answered, and {what}")


def not_asked(events: list[Event]) -> Iterator[Violation]:
    """I11: a hold, an appointment or a cancellation of these patients that nobody asked for."""
    attempts = {event.attempt for event in events if event.attempt}
    if not attempts:
        return
    asked = _asked(events)
    # Ids are UUIDv7 and so in order of time: older ones were there before.
    holds = Hold.objects.filter(
        patient__in={event.patient for event in events},
        pk__gte=UUID(min(attempts)),
        waitlist_entry=None,
    )
    made: Counter[tuple[int, int]] = Counter()
    for hold in holds.order_by("pk").iterator(_CHUNK):
        made[hold.patient_id or 0, hold.slot_ids[0]] += 1
        if (
            made[hold.patient_id or 0, hold.slot_ids[0]]
            > asked.holds[hold.patient_id or 0, hold.slot_ids[0]]
        ):
            yield Violation(f"hold {hold.pk}", "nobody asked for it")
    yield from _visits_not_asked(holds.filter(state=HoldState.CONFIRMED), asked=asked)


def not_the_same(events: list[Event]) -> Iterator[Violation]:
    """I12: a retry got another answer than its first try."""
    answers: dict[tuple[int, str], set[tuple[int, str]]] = defaultdict(set)
    for event in events:
        if event.key and event.type in ("ok", "fail") and not _passes(event):
            answers[event.patient, event.key].add((event.status, event.body_sha))
    for (patient, key), different in sorted(answers.items()):
        if len(different) > 1:
            statuses = ", ".join(str(status) for status, _body in sorted(different))
            yield Violation(f"key {key} of patient {patient}", f"different answers: {statuses}")


@dataclass(frozen=True)
class _Asked:
    """How often a patient asked for a slot, and which attempts they confirmed and cancelled."""

    holds: Counter[tuple[int, int]]
    confirmed: set[str]
    cancelled: set[str]


def _asked(events: Iterable[Event]) -> _Asked:
    invoked = [event for event in events if event.type == "invoke"]
    wishes = {
        (event.patient, event.slot, event.key or event.op) for event in invoked if event.f == "hold"
    }
    return _Asked(
        holds=Counter((patient, slot) for patient, slot, _key in wishes),
        confirmed={event.attempt for event in invoked if event.f in ("confirm", "move")},
        cancelled={event.attempt for event in invoked if event.f == "cancel"},
    )


def _visits_not_asked(holds: Any, *, asked: _Asked) -> Iterator[Violation]:
    visits = _visits({str(pk) for pk in holds.values_list("pk", flat=True)})
    for pk, visit in visits.items():
        if pk not in asked.confirmed:
            yield Violation(f"appointment {pk}", "nobody confirmed it")
        elif (
            visit.status == AppointmentStatus.CANCELLED
            and visit.changed_by_kind in PATIENT_SIDE
            and pk not in asked.cancelled
        ):
            yield Violation(f"appointment {pk}", "nobody cancelled it")


def _loss(event: Event, *, holds: dict[str, Hold], visits: dict[str, Appointment]) -> str:
    """What is wrong; empty if nothing is."""
    match event.f:
        case "hold":
            hold = holds.get(event.attempt)
            if hold is None:
                return "there is no hold"
            of_this = hold.patient_id == event.patient and event.slot in hold.slot_ids
            return "" if of_this else "the hold is of something else"
        case "release":
            hold = holds.get(event.attempt)
            ended = hold is None or hold.state in (HoldState.RELEASED, HoldState.EXPIRED)
            return "" if ended else "the hold has not ended"
        case "confirm" | "move":
            return _loss_of_visit(event, visits=visits)
        case "cancel":
            visit = visits.get(event.attempt)
            cancelled = visit is not None and visit.status == AppointmentStatus.CANCELLED
            return "" if cancelled else "the visit is not cancelled"
    return ""


def _loss_of_visit(event: Event, *, visits: dict[str, Appointment]) -> str:
    visit = visits.get(event.attempt)
    if visit is None or visit.patient_id != event.patient:
        return "there is no appointment"
    if event.f == "move":
        old = visits.get(event.replaces)
        if old is None or str(old.replaced_by) != event.attempt:
            return "the old one stands"
    return ""


def _passes(event: Event) -> bool:
    return event.status in _PASSING_STATUSES or event.code in _PASSING_CODES


def _events(path: Path) -> Iterator[Event]:
    names = Event.__dataclass_fields__
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                given = json.loads(line)
                yield Event(**{name: given[name] for name in names if name in given})
            except (ValueError, TypeError) as error:
                raise BrokenHistory(f"{path}, line {number}: no event of a history") from error


def _holds(ids: set[str]) -> dict[str, Hold]:
    return {
        str(hold.pk): hold for chunk in _chunks(ids) for hold in Hold.objects.filter(pk__in=chunk)
    }


def _visits(ids: set[str]) -> dict[str, Appointment]:
    return {
        str(visit.pk): visit
        for chunk in _chunks(ids)
        for visit in Appointment.objects.filter(pk__in=chunk)
    }


def _chunks(ids: set[str]) -> Iterator[list[str]]:
    ordered = sorted(ids - {""})
    for first in range(0, len(ordered), _CHUNK):
        yield ordered[first : first + _CHUNK]
