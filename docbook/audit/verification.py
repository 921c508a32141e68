"""Recomputes the chain of seals and reports where it breaks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection

from docbook.audit.models import AuditEvent, AuditSeal
from docbook.audit.seals import (
    BEGINNING,
    END,
    NOTHING_BEFORE,
    digest_of_events,
    digest_of_seal,
    events_between,
)

NAMED = 10

# Every visible event was written below this number, by another transaction or by this one.
_NEXT_TRANSACTION = """
SELECT greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
                pg_current_xact_id_if_assigned()::text::bigint + 1)
"""


@dataclass(frozen=True)
class Break:
    """`seal` is the number of the seal where the break was found."""

    seal: int
    sentence: str


@dataclass(frozen=True)
class _End:
    """The current end of the chain. The first seal follows nothing."""

    number: int = 0
    until: int = BEGINNING
    digest: str = NOTHING_BEFORE


class _Trail:
    """All events from one transaction on, read once, in order."""

    def __init__(self, *, since: int) -> None:
        self._events = events_between(since=since, until=END)
        self._next = next(self._events, None)

    def between(self, *, since: int, until: int) -> Iterator[AuditEvent]:
        """The events of the transactions [since, until). Call it in the order of the chain."""
        while (event := self._next) is not None and event.xact < until:
            self._next = next(self._events, None)
            if event.xact >= since:
                yield event


def breaks(*, newest: int | None = None) -> Iterator[Break]:
    """Returns all faults, in the order of the chain. Run it in one snapshot.

    Reads everything that is sealed, one event at a time. With `newest`, it reads only that many of
    the last seals and trusts the ones before them.
    """
    end = _start(newest)
    trail = _Trail(since=end.until)
    for seal in AuditSeal.objects.filter(number__gt=end.number).order_by("number").iterator(100):
        yield from _breaks_of_link(seal, end=end)
        if digest_of_seal(seal) == seal.digest:
            yield from _breaks_of_events(seal, trail=trail)
        else:
            yield Break(seal.number, f"Seal {seal.number} was changed.")
        end = _End(seal.number, seal.until, seal.digest)
    yield from _breaks_after(end)


def contradicts(*, number: int, digest: str) -> bool:
    """Whether the chain lacks this seal or has another digest than a witness has seen."""
    return not AuditSeal.objects.filter(number=number, digest=digest).exists()


def unsealed_events() -> int:
    last = AuditSeal.objects.order_by("-number").first()
    return AuditEvent.objects.filter(xact__gte=last.until if last else BEGINNING).count()


def _start(newest: int | None) -> _End:
    if newest is None:
        return _End()
    before = AuditSeal.objects.order_by("-number")[newest : newest + 1].first()
    return _End(before.number, before.until, before.digest) if before else _End()


def _breaks_of_link(seal: AuditSeal, *, end: _End) -> Iterator[Break]:
    first, last = end.number + 1, seal.number - 1
    if first <= last:
        which = f"Seal {first} is" if first == last else f"Seals {first} to {last} are"
        yield Break(first, f"{which} missing.")
    elif (seal.since, seal.previous_digest) != (end.until, end.digest):
        yield Break(seal.number, f"Seal {seal.number} does not follow seal {end.number}.")


def _breaks_of_events(seal: AuditSeal, *, trail: _Trail) -> Iterator[Break]:
    present, digest = digest_of_events(trail.between(since=seal.since, until=seal.until))
    missing = sorted(set(seal.event_ids) - set(present))
    added = sorted(set(present) - set(seal.event_ids))
    if missing:
        yield Break(seal.number, f"Missing since seal {seal.number}: {_named(missing)}.")
    if added:
        yield Break(seal.number, f"Added after seal {seal.number}: {_named(added)}.")
    if not missing and not added and digest != seal.events_digest:
        ids = f"event {present[0]}" if len(present) == 1 else f"one of {_named(present)}"
        yield Break(seal.number, f"Changed since seal {seal.number}: {ids}.")


def _breaks_after(end: _End) -> Iterator[Break]:
    """Finds events of transactions that have not begun yet. Somebody made them up: such an event
    would wait for its seal until it is forgotten.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_TRANSACTION)
        (following,) = cursor.fetchone()
    ahead = AuditEvent.objects.filter(xact__gte=following).order_by("xact", "id")
    if ids := list(ahead.values_list("pk", flat=True)[: NAMED + 1]):
        yield Break(end.number, f"From a transaction that never existed: {_named(ids)}.")


def _named(ids: Sequence[int]) -> str:
    names = ", ".join(map(str, ids[:NAMED]))
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return f"event{'s' if len(ids) > 1 else ''} {names}{more}"
