"""Promises after a load: each one is a number that must be nought, or a pair that must agree."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from proof.checker import violations
from proof.history import Event, Operation, clock, operations
from proof.stack import Stack

# What the rows themselves must never show.
_ACTIVE = """
WITH active AS (
    SELECT *, tstzrange(starts_at, ends_at) AS period FROM bookings_appointment
    WHERE status IN ('confirmed', 'arrived', 'completed', 'no_show'))"""

_NEVER = {
    "doctors with two visits at once": """
        SELECT count(*) FROM active AS a JOIN active AS b
        ON a.doctor_id = b.doctor_id AND a.id < b.id AND a.period && b.period""",
    "patients with two visits at once": """
        SELECT count(*) FROM active AS a JOIN active AS b
        ON a.patient_id = b.patient_id AND a.id < b.id AND a.period && b.period""",
    "visits whose slots are not booked for them": """
        SELECT count(*) FROM active AS a JOIN bookings_hold AS h USING (id) WHERE EXISTS (
            SELECT FROM unnest(h.slot_ids) AS slot_id LEFT JOIN doctors_slot AS s ON s.id = slot_id
            WHERE s.state IS DISTINCT FROM 'booked' OR s.hold_id IS DISTINCT FROM a.id)""",
    "booked slots without a visit": """
        SELECT count(*) FROM doctors_slot AS s WHERE s.state = 'booked'
        AND NOT EXISTS (SELECT FROM active AS a WHERE a.id = s.hold_id)""",
    "visits without exactly one message": """
        SELECT count(*) FROM bookings_appointment AS a WHERE 1 <> (
            SELECT count(*) FROM outbox_outboxmessage AS m WHERE m.aggregate_id = a.id::text
            AND m.topic IN ('appointment.confirmed', 'appointment.moved'))""",
    "messages without their fact": """
        SELECT count(*) FROM outbox_outboxmessage AS m WHERE m.topic LIKE 'appointment.%'
        AND NOT EXISTS (SELECT FROM bookings_appointment AS a WHERE a.id::text = m.aggregate_id)""",
    "moves of which both visits stand, or neither": """
        SELECT count(*) FROM bookings_appointment AS new LEFT JOIN bookings_appointment AS old
        ON old.id = new.replaces
        WHERE new.replaces IS NOT NULL AND old.replaced_by IS DISTINCT FROM new.id""",
}


@dataclass(frozen=True)
class Finding:
    """A promise in words, and how often it was broken."""

    promise: str
    broken: int
    examples: tuple[str, ...] = ()


def findings(stack: Stack, history: Sequence[Event]) -> list[Finding]:
    """All promises, in the rows and in what the clients were told."""
    told = list(operations(history))
    statuses = _statuses(stack)
    return [
        *_in_the_rows(stack),
        _counted("acknowledged bookings that are not there", _lost(told, statuses)),
        _counted("bookings that nobody asked for", _unasked(told, statuses)),
        _counted("answers with status 500", (e.op for e in history if e.status == 500)),
        _counted("repeats with another answer", _other_answers(history)),
        _counted(
            "slots whose answers no order explains",
            map(str, violations([*told, *_last_look(told, statuses)])),
        ),
    ]


def _counted(promise: str, broken: Iterable[str]) -> Finding:
    examples = tuple(broken)
    return Finding(promise, len(examples), examples[:5])


def _in_the_rows(stack: Stack) -> Iterator[Finding]:
    for promise, sql in _NEVER.items():
        [(count,)] = stack.rows(f"{_ACTIVE} {sql}")
        yield Finding(promise, count)


def _statuses(stack: Stack) -> dict[str, str]:
    return dict(stack.rows("SELECT id::text, status FROM bookings_appointment"))


def _acknowledged(told: Iterable[Operation]) -> Iterator[str]:
    confirmed = (each for each in told if each.f in ("confirm", "move"))
    yield from (each.attempt for each in confirmed if each.outcome == "ok")


def _lost(told: Sequence[Operation], statuses: dict[str, str]) -> Iterator[str]:
    yield from (attempt for attempt in _acknowledged(told) if attempt not in statuses)


def _unasked(told: Sequence[Operation], statuses: dict[str, str]) -> Iterator[str]:
    """Every visit was answered with success, or its confirmation never got an answer."""
    open_ends = {each.attempt for each in told if each.outcome == "info"}
    yield from statuses.keys() - set(_acknowledged(told)) - open_ends


def _other_answers(history: Iterable[Event]) -> Iterator[str]:
    """One key, two answers; a refusal that time cures is none (see `idempotency_key.PASSING`)."""
    answers: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for event in history:
        if event.key and event.type == "ok":
            answers[event.key].add((event.status, event.body_sha))
    yield from (key for key, seen in answers.items() if len(seen) > 1)


def _last_look(told: Iterable[Operation], statuses: dict[str, str]) -> Iterator[Operation]:
    """What the rows say of every attempt in the end, as if one more client had asked."""
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
