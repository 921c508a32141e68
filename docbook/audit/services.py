"""Writes the audit trail, in the transaction of the change itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from docbook.audit.models import AuditEvent
from docbook.observability import request_id


@dataclass(frozen=True)
class Actor:
    """Who did it: `kind` is patient, guest, doctor, secretary, staff or system."""

    kind: str
    user_id: int | None = None


SYSTEM = Actor("system")


class Change(NamedTuple):
    """What one of many changes did, and to what."""

    on: tuple[str, object]
    before: dict[str, Any]
    after: dict[str, Any]


def record(
    *,
    action: str,
    by: Actor,
    on: tuple[str, object],
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """Adds one event. `before` and `after` hold ids, states and times, never names or reasons."""
    object_type, object_id = on
    return AuditEvent.objects.create(
        action=action,
        actor_kind=by.kind,
        actor_id=by.user_id,
        object_type=object_type,
        object_id=str(object_id),
        before=before or {},
        after=after or {},
        request_id=request_id.current(),
    )


def record_all(*, action: str, by: Actor, changes: Iterable[Change]) -> None:
    """Adds an event for each change, with few statements."""
    AuditEvent.objects.bulk_create(
        (
            AuditEvent(
                action=action,
                actor_kind=by.kind,
                actor_id=by.user_id,
                object_type=object_type,
                object_id=str(object_id),
                before=before,
                after=after,
                request_id=request_id.current(),
            )
            for (object_type, object_id), before, after in changes
        ),
        batch_size=1_000,
    )
