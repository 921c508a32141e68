"""`Idempotency-Key`: the same request twice has one effect and one answer.

Follows draft-ietf-httpapi-idempotency-key-header. The record is inserted first, in the transaction
of the effect: a second request with the key waits for the first one at the unique constraint, then
finds its answer. Nothing is recorded without its effect, and no effect without its record.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import OperationalError, transaction
from django.http import HttpResponse
from psycopg.errors import LockNotAvailable
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from docbook.errors import DomainError
from docbook.http.models import IdempotencyRecord
from docbook.http.problems import CONTENT_TYPE, problem_of

KEPT = timedelta(hours=24)
PASSING = ("slot-held", "hold-limit", "waitlist-limit", "rate-limited", "unavailable")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class IdempotencyKeyMissing(DomainError):
    """No header, or one that is empty, longer than 255 characters, or not printable ASCII."""

    code = "idempotency-key-missing"


class IdempotencyKeyReused(DomainError):
    code = "idempotency-key-reused"


class IdempotencyKeyInProgress(DomainError):
    code = "idempotency-key-in-progress"


def answer_once(request: Request, *, route: str, act: Callable[[], Response]) -> HttpResponse:
    """Runs `act` once for the user and key of the request; a repeat gets the first answer again,
    byte for byte, with `Idempotent-Replayed: true`. Refusals are answers too, but for those that
    time cures.

    Raises IdempotencyKeyMissing, IdempotencyKeyReused (another body) or, after two seconds of
    waiting for the first request, IdempotencyKeyInProgress.
    """
    record = IdempotencyRecord(
        user_id=_user_id(request),
        key=_key(request),
        route=route,
        fingerprint=_fingerprint(request, route=route),
    )
    try:
        with transaction.atomic():
            if not _insert(record):
                return _replay(record)
            answer = _answer(act)
            if answer.data.get("code") in PASSING:
                # Not an answer for a day: the same request may succeed in a minute.
                transaction.set_rollback(True)
            else:
                _keep(record, answer)
            return _http(answer)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise IdempotencyKeyInProgress from error
        raise


def purge_records(*, now: datetime) -> int:
    """Deletes the records that are older than a day; returns how many."""
    return IdempotencyRecord.objects.filter(created_at__lt=now - KEPT).delete()[0]


def _user_id(request: Request) -> int:
    """Only signed-in callers get this far; see the view's permissions."""
    return int(request.user.pk or 0)


def _key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyMissing
    return key


def _fingerprint(request: Request, *, route: str) -> str:
    canonical = json.dumps(request.data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{route}\n{canonical}".encode()).hexdigest()


def _insert(record: IdempotencyRecord) -> bool:
    """False when the key is there already. Waits while the first request is still running."""
    IdempotencyRecord.objects.bulk_create([record], ignore_conflicts=True)
    return IdempotencyRecord.objects.filter(
        user_id=record.user_id, key=record.key, status=None
    ).exists()


def _answer(act: Callable[[], Response]) -> Response:
    """Services are atomic by themselves: a refusal has already undone what it must undo."""
    try:
        return act()
    except DomainError as error:
        return problem_of(error)


def _keep(record: IdempotencyRecord, answer: Response) -> None:
    IdempotencyRecord.objects.filter(user_id=record.user_id, key=record.key).update(
        status=answer.status_code, body=_text(answer), location=answer.headers.get("Location", "")
    )


def _replay(record: IdempotencyRecord) -> HttpResponse:
    first = IdempotencyRecord.objects.get(user_id=record.user_id, key=record.key)
    if first.fingerprint != record.fingerprint or first.status is None:
        raise IdempotencyKeyReused
    response = _bytes(status=first.status, body=first.body, location=first.location)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _http(answer: Response) -> HttpResponse:
    location = answer.headers.get("Location", "")
    return _bytes(status=answer.status_code, body=_text(answer), location=location)


def _text(answer: Response) -> str:
    return JSONRenderer().render(answer.data).decode()


def _bytes(*, status: int, body: str, location: str) -> HttpResponse:
    content_type = CONTENT_TYPE if status >= 400 else "application/json"
    response = HttpResponse(body, status=status, content_type=content_type)
    if location:
        response.headers["Location"] = location
    return response
