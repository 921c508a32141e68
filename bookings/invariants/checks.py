"""All promises about the data, checked in one go."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from bookings.invariants import claims, history, messages, trail
from bookings.invariants.history import Event
from bookings.invariants.invariant import Finding, Invariant, Violation, found
from bookings.invariants.recent import Look

FROM_THE_DATABASE: tuple[Invariant, ...] = (
    claims.ONE_CLAIM,
    claims.NO_DOCTOR_TWICE,
    claims.NO_PATIENT_TWICE,
    claims.AS_ITS_SLOTS,
    claims.SLOTS_SAY_SO,
    messages.ONE_CONFIRMATION,
    messages.NO_EVENT_WITHOUT_ITS_FACT,
    messages.ALL_IS_TOLD,
    messages.ONE_EFFECT_PER_KEY,
    trail.MOVES_ARE_WHOLE,
    trail.CONFIRMED_BY_CODE,
    claims.NO_HOLD_LASTS,
    trail.AUDIT_IS_COMPLETE,
    claims.TIMES_OF_PATIENTS,
)


@dataclass(frozen=True)
class FromHistory:
    """A promise that only the clients' own record can prove."""

    code: str
    sentence: str
    look: Callable[[list[Event]], Iterable[Violation]]


FROM_A_HISTORY = (
    FromHistory("I10", "Every success that was answered is in the database.", history.not_kept),
    FromHistory("I11", "Nothing is there that nobody asked for.", history.not_asked),
    FromHistory("I12", "A retry gets the same status and body.", history.not_the_same),
)

_ALL: list[Invariant | FromHistory] = [*FROM_THE_DATABASE, *FROM_A_HISTORY]
_ALL.sort(key=lambda each: each.code)
CODES = tuple(each.code for each in _ALL)


@dataclass(frozen=True)
class Result:
    """`finding` is None if the promise needs a history and there is none."""

    code: str
    sentence: str
    finding: Finding | None
    seconds: float

    @property
    def is_broken(self) -> bool:
        return self.finding is not None and self.finding.count > 0


def check_invariants(
    *,
    events: list[Event] | None = None,
    only: Collection[str] = CODES,
    since: Look | None = None,
    newest_seals: int | None = None,
) -> Iterator[Result]:
    """In order of code. Run it in one snapshot, so no check sees unfinished work. `events` is the
    clients' history. With `since`, only changes since that look are read. With `newest_seals`, only
    that many seals at the end of the audit chain are recomputed.
    """
    for each in (each for each in _ALL if each.code in only):
        begun = time.perf_counter()
        finding = _finding(each, events=events, since=since, newest_seals=newest_seals)
        yield Result(each.code, each.sentence, finding, time.perf_counter() - begun)


def _finding(
    each: Invariant | FromHistory,
    *,
    events: list[Event] | None,
    since: Look | None,
    newest_seals: int | None,
) -> Finding | None:
    if isinstance(each, Invariant):
        return each.check(since=since, newest_seals=newest_seals)
    return None if events is None else found(each.look(events))
