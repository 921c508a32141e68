"""Records in the audit who asked for somebody else's objects: bounded, and by ids only."""

from typing import Any

from docbook.audit import services as audit
from docbook.errors import DomainError, NotYours
from docbook.http.addresses import client_address
from docbook.http.throttling import count, limit_of
from docbook.observability import metrics


def note(request: Any, error: DomainError) -> None:
    """`request` is Django's or DRF's. Runs after the refused request was rolled back."""
    if isinstance(error, NotYours):
        user_id = getattr(request.user, "pk", None)
        address = client_address(getattr(request, "_request", request))
        write(error, user_id=user_id, asker=str(user_id or address))


def write(error: NotYours, *, user_id: int | None, asker: str) -> None:
    metrics.count("docbook_strangers_refused")
    if count(limit_of("audit-strangers", named=asker)):
        return
    by = audit.Actor("stranger", user_id)
    audit.record(action=f"{error.object_type}.refused", by=by, on=(error.object_type, error.pk))
