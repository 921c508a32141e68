"""What a refusal offers instead: the next free times of the same doctor.

In a rush, everybody who is refused needs the same answer. So this process keeps it for two seconds.
If several need it at once, one asks the database and the others wait for its answer.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from uuid import UUID

from bookings.appointments.selectors.appointments import visit_type_as_agreed
from bookings.models import Hold
from doctors.models import Slot, VisitType
from doctors.rules import VisitTime
from doctors.selectors.slots import times_of_doctor

MOST = 3
LOOKS_AHEAD = timedelta(days=14)
FRESH_SECONDS = 2.0
_REMEMBERED = 1024


@dataclass(frozen=True)
class Alternatives:
    """Free times from the wanted one on; the wanted one itself is left out."""

    wanted_at: datetime
    times: list[VisitTime]


_Key = tuple[int, int, UUID | None]
_kept: OrderedDict[_Key, tuple[float, Alternatives | None]] = OrderedDict()
_guard = Lock()
_turns = [Lock() for _ in range(64)]


def next_free_times(
    *, slot_id: int, visit_type_id: int, now: datetime, moves: UUID | None = None
) -> Alternatives | None:
    """At most three within two weeks. A visit that `moves` may get times that overlap its own. None
    if slot and visit type do not belong together.
    """
    key = (slot_id, visit_type_id, moves)
    with _turns[hash(key) % len(_turns)]:
        kept = _kept.get(key)
        if kept is not None and time.monotonic() - kept[0] < FRESH_SECONDS:
            return kept[1]
        found = _look(slot_id=slot_id, visit_type_id=visit_type_id, now=now, moves=moves)
        with _guard:
            _kept[key] = (time.monotonic(), found)
            while len(_kept) > _REMEMBERED:
                _kept.popitem(last=False)
        return found


def _look(
    *, slot_id: int, visit_type_id: int, now: datetime, moves: UUID | None
) -> Alternatives | None:
    visit_type = VisitType.objects.select_related("doctor").filter(pk=visit_type_id).first()
    slot = visit_type and Slot.objects.filter(pk=slot_id, doctor=visit_type.doctor).first()
    if not (visit_type and slot):
        return None
    of_it = Hold.objects.select_related("doctor", "visit_type__doctor")
    own = of_it.filter(pk=moves).first() if moves else None
    if own is not None and own.visit_type_id == visit_type.pk:
        visit_type = visit_type_as_agreed(own)
    free, _on_hold = times_of_doctor(
        doctor=visit_type.doctor,
        visit_type=visit_type,
        start=slot.starts_at,
        end=slot.starts_at + LOOKS_AHEAD,
        now=now,
        moves=moves,
    )
    not_these = {slot.starts_at, own.starts_at if own else None}
    others = [each for each in free if each.starts_at not in not_these]
    return Alternatives(wanted_at=slot.starts_at, times=others[:MOST])


def first_free_from(hold: Hold, *, now: datetime) -> VisitTime | None:
    """For an ended hold: the first free time from its own time on, within two weeks. Times that the
    doctor no longer offers are not free.
    """
    if not (hold.visit_type.is_active and hold.doctor.is_active):
        return None
    free, _on_hold = times_of_doctor(
        doctor=hold.doctor,
        visit_type=visit_type_as_agreed(hold) if hold.replaces else hold.visit_type,
        start=hold.starts_at,
        end=hold.starts_at + LOOKS_AHEAD,
        now=now,
        moves=hold.replaces,
    )
    # A visit that moves sees its own time as free, but does not move there.
    moves = [hold.replaces] if hold.replaces else []
    kept = set(Hold.objects.filter(pk__in=moves).values_list("starts_at", flat=True))
    return next((time for time in free if time.starts_at not in kept), None)
