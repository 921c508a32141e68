"""`Idempotency-Key`: the same request twice has one effect and one answer.

Follows draft-ietf-httpapi-idempotency-key-header. The record is written in the transaction of the
effect. A second request with the key waits for the first one, then finds its answer. There is no
record without its effect, and no effect without its record.

If the first request dies, its claim ends too: the database ends the transaction of a connection
that is gone, or silent for a minute (idle_in_transaction_session_timeout). The retry then has the
key to itself.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.http import HttpResponse
from django.utils import timezone
from psycopg.errors import LockNotAvailable
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from docbook.batches import delete_in_batches
from docbook.errors import DomainError, NotYours
from docbook.http import strangers
from docbook.http.keyed_digest import digest
from docbook.http.models import IdempotencyRecord
from docbook.http.problems import CONTENT_TYPE, problem_of
from docbook.http.rate_headers import add_headers, headers_of, wait_of

_HEADER = "HTTP_IDEMPOTENCY_KEY"
KEPT = timedelta(hours=24)
PASSING = (
    "slot-held",
    "hold-limit",
    "waitlist-limit",
    "appointment-limit",
    "booking-disabled",
    "rate-limited",
    "unavailable",
    # These refuse the version that the client has seen, which the key does not cover.
    "version-mismatch",
    "precondition-required",
)
# These refuse the request itself, not what it asks for.
_NO_ANSWER = ("idempotency-key-reused", "idempotency-key-in-progress", "unauthenticated")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))"
_CLAIM = """
INSERT INTO http_idempotencyrecord
    (user_id, key, route, fingerprint, created_at, body, location)
VALUES (%s, %s, %s, %s, %s, '', '')
ON CONFLICT (user_id, key) DO NOTHING
RETURNING id
"""
_KEEP = """
UPDATE http_idempotencyrecord SET status = %s, body = %s, location = %s
WHERE user_id = %s AND key = %s
"""


class IdempotencyKeyMissing(DomainError):
    """No header, or one that is empty, longer than 255 characters, or not printable ASCII."""

    code = "idempotency-key-missing"


class IdempotencyKeyReused(DomainError):
    code = "idempotency-key-reused"


class IdempotencyKeyInProgress(DomainError):
    code = "idempotency-key-in-progress"


@dataclass(frozen=True)
class IdempotencyKey:
    """One intent of one user. `fingerprint` distinguishes its body from others."""

    user_id: int
    key: str
    route: str
    fingerprint: str

    @property
    def mark(self) -> str:
        """Stands for user and key when neither may be named."""
        return digest(f"{self.user_id} {self.key}")


@dataclass(frozen=True)
class Answer:
    """An answer as it is sent and recorded; `body` is JSON."""

    status: int
    body: str
    location: str = ""
    is_replay: bool = False


def has_key(request: Request) -> bool:
    return _HEADER in request.META


def key_of(request: Request, *, route: str) -> IdempotencyKey:
    """The key of a signed-in caller's request. Raises IdempotencyKeyMissing."""
    key = request.META.get(_HEADER, "")
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyMissing
    return IdempotencyKey(
        user_id=int(request.user.pk or 0),
        key=key,
        route=route,
        fingerprint=_fingerprint(request, route=route),
    )


def answer_once(
    request: Request, *, route: str, act: Callable[[], Response], required: bool = True
) -> HttpResponse:
    """Runs `act` once for the user and key of the request. A repeat gets the first answer again,
    byte for byte, with `Idempotent-Replayed: true`. Refusals are answers too, except those that
    time cures. Without a header, and if it is not `required`, `act` just runs.

    Raises IdempotencyKeyMissing, IdempotencyKeyReused (another body) or, after two seconds of
    waiting for the first request, IdempotencyKeyInProgress.
    """
    if not required and not has_key(request):
        return http_response(_answer_of(act()))
    key = key_of(request, route=route)
    with transaction.atomic():
        with waiting_for_the_first(whatever=True):
            if not _claim(key):
                return http_response(_recorded(key))
        response = _run(act, key=key)
        if response.data.get("code") in PASSING:
            # Not recorded as the answer: the same request may succeed in a minute.
            transaction.set_rollback(True)
        else:
            _keep(key, _answer_of(response))
        return http_response(_answer_of(response), headers=wait_of(response.headers))


@contextmanager
def waiting_for_the_first(*, whatever: bool = False) -> Iterator[None]:
    """Raises IdempotencyKeyInProgress for a caller who waits too long for the first request with
    the same key. With `whatever`, every wait counts: the block waits for nothing else.
    """
    try:
        yield
    except OperationalError as error:
        cause = error.__cause__
        if isinstance(cause, LockNotAvailable) and (whatever or _waited_for_the_key(cause)):
            raise IdempotencyKeyInProgress from error
        raise


def _waited_for_the_key(error: LockNotAvailable) -> bool:
    """Whether the wait was for the key, not for a row or another request of the same holder."""
    context = error.diag.context or ""
    return "http_idempotencyrecord" in context or "http_has_its_key" in context


def refusal_once(key: IdempotencyKey, error: DomainError) -> HttpResponse:
    """Answers with a refusal of an act that records its own success. The act changed nothing, so
    the refusal may be recorded afterwards. The first answer wins.
    """
    if error.code in _NO_ANSWER:
        raise error
    answer = _answer_of(problem_of(error))
    if error.code in PASSING:
        return http_response(answer, headers=headers_of(error))
    with transaction.atomic():
        if not _claim(key):
            return http_response(_recorded(key))
        _keep(key, answer)
    return http_response(answer)


def recorded_answer(record: IdempotencyRecord | None) -> Answer:
    """An answer that was kept as text. Raises IdempotencyKeyReused if there is none: another kind
    of request has used the key.
    """
    if record is None or record.status is None:
        raise IdempotencyKeyReused
    return Answer(record.status, record.body, record.location, is_replay=True)


def http_response(answer: Answer, *, headers: Mapping[str, str] | None = None) -> HttpResponse:
    content_type = CONTENT_TYPE if answer.status >= 400 else "application/json"
    response = HttpResponse(answer.body, status=answer.status, content_type=content_type)
    if answer.location:
        response.headers["Location"] = answer.location
    if answer.is_replay:
        response.headers["Idempotent-Replayed"] = "true"
    if answer.status in (429, 503):
        response.headers["Retry-After"] = "1"
    add_headers(response, headers or {})
    return response


def purge_records(*, now: datetime) -> int:
    """Deletes records that are older than a day; returns how many."""
    return delete_in_batches(IdempotencyRecord.objects.filter(created_at__lt=now - KEPT))


def _fingerprint(request: Request, *, route: str) -> str:
    canonical = json.dumps(request.data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{route}\n{canonical}".encode()).hexdigest()


def _claim(key: IdempotencyKey) -> bool:
    """False if the key exists already. Waits while the first request is still running.

    It takes the same lock as bookings_hold, before it locks anything else. Otherwise somebody who
    holds slots would wait for the record's unique constraint.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [key.key, key.user_id])
        cursor.execute(_CLAIM, [key.user_id, key.key, key.route, key.fingerprint, timezone.now()])
        return cursor.fetchone() is not None


def _run(act: Callable[[], Response], *, key: IdempotencyKey) -> Response:
    """Services are atomic: a refusal has already been rolled back."""
    try:
        return act()
    except DomainError as error:
        if isinstance(error, NotYours):
            strangers.write(error, user_id=key.user_id, asker=str(key.user_id))
        return problem_of(error)


def _keep(key: IdempotencyKey, answer: Answer) -> None:
    with connection.cursor() as cursor:
        given: Any = [answer.status, answer.body, answer.location, key.user_id, key.key]
        cursor.execute(_KEEP, given)


def _recorded(key: IdempotencyKey) -> Answer:
    first = IdempotencyRecord.objects.get(user_id=key.user_id, key=key.key)
    if first.fingerprint != key.fingerprint:
        raise IdempotencyKeyReused
    return recorded_answer(first)


def _answer_of(response: Response) -> Answer:
    body = "" if response.data is None else JSONRenderer().render(response.data).decode()
    return Answer(response.status_code, body, response.headers.get("Location", ""))
