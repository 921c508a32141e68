"""Checks whether honest slots could have given these answers.

Each slot is a register: free, held by an attempt, or booked by it. A history is linearizable if
every operation can be given one instant between its call and its answer, such that the register
gives exactly these answers in that order (Herlihy and Wing 1990). The search is that of Wing and
Gong with Lowe's cache: at each answer it keeps every possible state of the register.

The clock alone ends the five minutes of a hold. This is an operation that nobody called. It may
happen at any time after the term, or never. The same is true of a hold that would move a visit,
once something else was asked for that visit, and of operations that never got an answer.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from proof.history import Operation

HOLD_TERM = 300 * 10**9  # nanoseconds, counted from before the hold was requested


class State(NamedTuple):
    """`over` are the attempts whose visit here was cancelled or moved."""

    what: str = "free"
    attempt: str = ""
    over: frozenset[str] = frozenset()

    def is_of(self, attempt: str) -> bool:
        return self.attempt == attempt


FREE = State()
Effect = Callable[[State, str], State | None]


@dataclass(frozen=True, eq=False)
class Step:
    """What an operation does to one slot: the state after it, or None if it was impossible.

    `takes_from` is the visit whose slot a move takes over, because old and new time share it.
    """

    op: Operation
    attempt: str
    effect: Effect
    begun: int
    ended: int | None
    takes_from: str = ""

    def after(self, state: State) -> State | None:
        return self.effect(state, self.attempt)


@dataclass(frozen=True)
class Violation:
    """No order explains the answer of `op`; the register could only be in one of `possible`."""

    slot: int
    op: Operation
    possible: tuple[State, ...]

    def __str__(self) -> str:
        seen = " or ".join(f"{each.what} {each.attempt}".strip() for each in self.possible)
        answer = f"{self.op.outcome} {self.op.code}".strip()
        return (
            f"slot {self.slot}: {self.op.f} {self.op.attempt} ({self.op.op}) was answered"
            f" {answer}, but the slot could only be {seen}"
        )


def violations(operations: Iterable[Operation]) -> list[Violation]:
    """At most one per slot: the first answer that nothing explains."""
    slots: dict[int, list[Step]] = defaultdict(list)
    for slot, step in _steps(list(operations)):
        slots[slot].append(step)
    found = (_first_violation(slot, steps) for slot, steps in sorted(slots.items()))
    return [violation for violation in found if violation]


# -- what an operation does to a slot


def _hold(state: State, attempt: str) -> State | None:
    return State("held", attempt, state.over) if state.what == "free" else None


def _book(state: State, attempt: str) -> State | None:
    """A repeat gets the same appointment."""
    if not state.is_of(attempt):
        return None
    return state._replace(what="booked")


def _give_back(state: State, attempt: str) -> State | None:
    """A hold that has already ended stays as it is."""
    if state.is_of(attempt):
        return State(over=state.over) if state.what == "held" else None
    return None if attempt in state.over else state


def _expire(state: State, attempt: str) -> State | None:
    return State(over=state.over) if state == ("held", attempt, state.over) else None


def _end_visit(state: State, attempt: str) -> State | None:
    """Cancelled, or moved away."""
    if state == ("booked", attempt, state.over):
        return State(over=state.over | {attempt})
    return state if attempt in state.over else None


def _hold_beside(visit: str) -> Effect:
    """For a move whose old and new time share the slot: the visit keeps it until the code."""

    def effect(state: State, attempt: str) -> State | None:
        return state if state == ("booked", visit, state.over) else _hold(state, attempt)

    return effect


def _take_over(visit: str) -> Effect:
    """The code of such a move. A repeat gets the same appointment."""

    def effect(state: State, attempt: str) -> State | None:
        if state == ("booked", visit, state.over):
            return State("booked", attempt, state.over | {visit})
        return _book(state, attempt)

    return effect


def _seen(test: Callable[[State, str], bool]) -> Effect:
    return lambda state, attempt: state if test(state, attempt) else None


_booked_by_anybody = _seen(lambda state, _attempt: state.what == "booked")
_is_booked = _seen(lambda state, attempt: state.what == "booked" and state.is_of(attempt))
_is_over = _seen(lambda state, attempt: attempt in state.over)
_was_booked = _seen(
    lambda state, attempt: (
        attempt in state.over or (state.what == "booked" and state.is_of(attempt))
    )
)
_not_booked = _seen(
    lambda state, attempt: (
        attempt not in state.over and not (state.what == "booked" and state.is_of(attempt))
    )
)
_has_nothing = _seen(lambda state, attempt: not state.is_of(attempt))

_CHANGES: dict[str, Effect] = {
    "hold": _hold,
    "confirm": _book,
    "move": _book,
    "release": _give_back,
    "cancel": _end_visit,
}
_REFUSALS: dict[tuple[str, str], Effect] = {
    ("hold", "slot-taken"): _booked_by_anybody,
    ("confirm", "hold-expired"): _has_nothing,
    ("move", "hold-expired"): _has_nothing,
    ("release", "already-confirmed"): _was_booked,
    ("read", "not-found"): _not_booked,
}
_VISIT_IS_OVER = ("cancelled", "rescheduled")


def _effect(operation: Operation) -> Effect | None:
    """None for answers that say nothing about the slot, such as a limit."""
    if operation.outcome == "fail":
        # Which of several slots was taken?
        says_which = operation.f != "hold" or len(operation.slots) == 1
        return _REFUSALS.get((operation.f, operation.code)) if says_which else None
    if operation.f == "read":
        if operation.outcome == "info":
            return None
        return _is_over if operation.code in _VISIT_IS_OVER else _is_booked
    if operation.f in ("confirm", "move") and operation.code in _VISIT_IS_OVER:
        return _is_over
    return _CHANGES[operation.f]


def _steps(operations: list[Operation]) -> Iterator[tuple[int, Step]]:
    slots_of = {
        each.attempt: each.slots for each in operations if each.f == "hold" and each.attempt
    }
    changes = _changes_of_visits(operations)
    for operation in operations:
        effect = _effect(operation)
        if effect is None:
            continue
        # A hold without an answer still has an attempt, but nobody ever learned its name.
        attempt = operation.attempt or f"of {operation.op}"
        step = Step(operation, attempt, effect, operation.begun, operation.ended)
        old = slots_of.get(operation.replaces, ())
        shared = set(old) & set(operation.slots) if effect in (_hold, _book) else set()
        beside = _beside(step, visit=operation.replaces)
        for slot in operation.slots:
            yield slot, beside if slot in shared else step
        if operation.f == "hold" and operation.outcome != "fail":
            others = [each.begun for each in changes[operation.replaces] if each.attempt != attempt]
            for begun in (operation.begun + HOLD_TERM, *sorted(others)[:1]):
                end = Step(operation, attempt, _expire, begun, None)
                for slot in operation.slots:
                    yield slot, end
        if operation.f == "move" and operation.outcome != "fail":
            leave = Step(
                operation, operation.replaces, _end_visit, operation.begun, operation.ended
            )
            for slot in old:
                if slot not in shared:
                    yield slot, leave


def _changes_of_visits(operations: Iterable[Operation]) -> dict[str, list[Operation]]:
    """Cancellations and moves, by the visit that they end or would have ended."""
    changes: dict[str, list[Operation]] = defaultdict(list)
    for each in operations:
        visit = {"cancel": each.attempt, "move": each.replaces}.get(each.f)
        if visit and each.outcome != "fail":
            changes[visit].append(each)
    return changes


def _beside(step: Step, *, visit: str) -> Step:
    if step.effect is _book:
        return replace(step, effect=_take_over(visit), takes_from=visit)
    return replace(step, effect=_hold_beside(visit))


# -- the search


class Configuration(NamedTuple):
    """A possible state of the register, with two sets of calls that have happened by then: calls
    that will be answered, and calls that never were.
    """

    state: State
    done: frozenset[Step] = frozenset()
    spent: frozenset[Step] = frozenset()

    def then(self, step: Step, state: State) -> "Configuration":
        if step.ended is None:
            return self._replace(state=state, spent=self.spent | {step})
        return self._replace(state=state, done=self.done | {step})


class Called:
    """Steps that were called and not answered yet."""

    def __init__(self) -> None:
        self.to_be_answered: list[Step] = []
        self._lost_holds: list[Step] = []
        self._of_attempt: dict[str, list[Step]] = defaultdict(list)

    def add(self, step: Step) -> None:
        if step.ended is not None:
            self.to_be_answered.append(step)
        elif step.op.f == "hold" and step.effect is not _expire:
            self._lost_holds.append(step)
        else:
            for attempt in filter(None, (step.attempt, step.takes_from)):
                self._of_attempt[attempt].append(step)

    def that_may_change(self, state: State) -> Iterator[Step]:
        yield from self.to_be_answered
        yield from self._lost_holds if state.what == "free" else self._of_attempt[state.attempt]


def _first_violation(slot: int, steps: list[Step]) -> Violation | None:
    possible = [Configuration(FREE)]
    called = Called()
    for _at, is_answer, _number, step in sorted(_calls_and_answers(steps)):
        if not is_answer:
            called.add(step)
            continue
        reached = _reachable(possible, called, until=step)
        possible = [each._replace(done=each.done - {step}) for each in reached if step in each.done]
        if not possible:
            return Violation(slot, step.op, tuple(dict.fromkeys(each.state for each in reached)))
        called.to_be_answered.remove(step)
    return None


def _calls_and_answers(steps: list[Step]) -> Iterator[tuple[int, bool, int, Step]]:
    """At the same instant, calls come first, which excuses more."""
    for number, step in enumerate(steps):
        yield step.begun, False, number, step
        if step.ended is not None:
            yield step.ended, True, number, step


def _reachable(
    possible: Iterable[Configuration], called: Called, *, until: Step
) -> list[Configuration]:
    """Everything possible by now, except what another state does equally well with fewer lost
    calls.

    Configurations in which `until` has happened need no further search.
    """
    found: dict[tuple[State, frozenset[Step]], list[Configuration]] = defaultdict(list)
    waiting = deque(possible)
    while waiting:
        configuration = _with_what_changes_nothing(waiting.popleft(), called)
        alike = found[configuration.state, configuration.done]
        if any(each.spent <= configuration.spent for each in alike):
            continue
        alike.append(configuration)
        if until not in configuration.done:
            waiting.extend(_one_step_on(configuration, called))
    return [each for alike in found.values() for each in alike]


def _one_step_on(configuration: Configuration, called: Called) -> Iterator[Configuration]:
    for step in called.that_may_change(configuration.state):
        if step not in configuration.done and step not in configuration.spent:
            after = step.after(configuration.state)
            if after is not None:
                yield configuration.then(step, after)


def _with_what_changes_nothing(configuration: Configuration, called: Called) -> Configuration:
    """A step that is possible now and changes nothing may as well happen now: an attempt that has
    ended never comes back, so waiting would not help it. This keeps the search narrow.
    """
    state, done, _spent = configuration
    idle = {step for step in called.to_be_answered if step.after(state) == state}
    return configuration._replace(done=done | idle) if idle else configuration
