"""What is checked after a load: how often each promise was broken, which must be never."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from proof.checker import violations
from proof.history import Event, Operation, clock, operations
from proof.stack import Stack


@dataclass(frozen=True)
class Finding:
    """A promise in words, and how often it was broken."""

    promise: str
    broken: int
    examples: tuple[str, ...] = ()


def findings(stack: Stack, history: Sequence[Event]) -> list[Finding]:
    """From the clients' answers, from the rows, and from both compared."""
    told = list(operations(history))
    statuses = _statuses(stack)
    return [
        _counted("acknowledged bookings that are not there", _lost(told, statuses)),
        _counted("bookings that nobody asked for", _unasked(told, statuses)),
        _counted("answers with status 500", (e.op for e in history if e.status == 500)),
        _counted(
            "slots whose answers no order explains",
            map(str, violations([*told, *_last_look(told, statuses)])),
        ),
        *invariants(stack, history),
    ]


def _counted(promise: str, broken: Iterable[str]) -> Finding:
    examples = tuple(broken)
    return Finding(promise, len(examples), examples[:5])


def invariants(stack: Stack, history: Sequence[Event] | None) -> Iterator[Finding]:
    """As `manage.py check_invariants` finds them. Without a worker, no messages are sent."""
    arguments = ["check_invariants", "--json"]
    if history is not None:
        path = stack.workshop.folder / "history.jsonl"
        path.write_text("".join(event.line() for event in history))
        arguments += ["--history", str(path)]
    found = json.loads(stack.manage(*arguments, may_fail=True))["invariants"]
    for each in found:
        unasked = each["violations"] is None  # needs the clients' record, and there is none
        if not unasked and (each["code"] != "I08" or "worker" in stack.parts):
            examples = tuple(f"{one['where']}: {one['what']}" for one in each["examples"])
            yield Finding(f"{each['code']} {each['sentence']}", each["violations"], examples[:5])


def _statuses(stack: Stack) -> dict[str, str]:
    return dict(stack.rows("SELECT id::text, status FROM bookings_appointment"))


def _acknowledged(told: Iterable[Operation]) -> Iterator[str]:
    confirmed = (each for each in told if each.f in ("confirm", "move"))
    yield from (each.attempt for each in confirmed if each.outcome == "ok")


def _lost(told: Sequence[Operation], statuses: dict[str, str]) -> Iterator[str]:
    yield from (attempt for attempt in _acknowledged(told) if attempt not in statuses)


def _unasked(told: Sequence[Operation], statuses: dict[str, str]) -> Iterator[str]:
    """Visits that no client confirmed: no confirmation succeeded, and none is still open."""
    open_ends = {each.attempt for each in told if each.outcome == "info"}
    yield from statuses.keys() - set(_acknowledged(told)) - open_ends


def _last_look(told: Iterable[Operation], statuses: dict[str, str]) -> Iterator[Operation]:
    """The final state of every attempt in the rows, as if one more client had asked."""
    now = clock()
    attempts = {each.attempt: each.slots for each in told if each.f == "hold" and each.attempt}
    for attempt, slots in attempts.items():
        status = statuses.get(attempt)
        yield Operation(
            op=f"last look at {attempt}",
            f="read",
            outcome="ok" if status else "fail",
            slots=slots,
            attempt=attempt,
            replaces="",
            code=status or "not-found",
            begun=now,
            ended=now + 1,
        )
