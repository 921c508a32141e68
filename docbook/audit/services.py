"""Writes the audit trail, in the transaction of the change itself."""

from dataclasses import dataclass
from typing import Any

from docbook.audit.models import AuditEvent
from docbook.observability import request_id


@dataclass(frozen=True)
class Actor:
    """Who did it: `kind` is patient, guest, doctor, secretary, staff or system."""

    kind: str
    user_id: int | None = None


SYSTEM = Actor("system")


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
