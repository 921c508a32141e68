"""What clients asked and what they were answered, one JSON line each, written as it happens.

{"process": 3, "op": "3-17", "type": "invoke", "f": "hold", "slot": 41, "slots": [41, 42], …}

`type` is `invoke` (about to be sent), `ok`, `fail` (refused: nothing has changed) or `info` (no
answer: it may have happened, or may happen yet). After `info`, the request is sent again with the
same key under the same `op`. So an operation lasts from its first `invoke` to its one definite
answer. `code` is the problem's code of a refusal, otherwise the status of the booking in the
answer. `at` counts nanoseconds of this machine's monotonic clock, which all its processes share.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Self

from proof.client import Answer

Kind = Literal["invoke", "ok", "fail", "info"]
Act = Literal["hold", "confirm", "release", "cancel", "move", "read"]

UNKNOWN = frozenset({500, 502, 503, 504})
# The first request with this key is still running.
NOT_YET = "idempotency-key-in-progress"


@dataclass(frozen=True, kw_only=True)
class Event:
    """`replaces` is the attempt whose visit moves with a hold or its confirmation."""

    process: int
    op: str
    type: Kind
    f: Act
    slots: tuple[int, ...]
    patient: int
    key: str = ""
    attempt: str = ""
    replaces: str = ""
    status: int = 0
    code: str = ""
    version: int = 0
    body_sha: str = ""
    at: int = 0

    def line(self) -> str:
        return json.dumps({**asdict(self), "slot": self.slots[0]}) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Self:
        values: dict[str, Any] = json.loads(line)
        values.pop("slot")
        return cls(**{**values, "slots": tuple(values["slots"])})


class Recorder:
    """Appends events of one process to its own file. Each line is flushed before it continues."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)

    def note(self, event: Event) -> None:
        self._file.write(event.line())

    def close(self) -> None:
        self._file.close()


def clock() -> int:
    return time.monotonic_ns()


def told(event: Event, answer: Answer) -> Event:
    """What the client learned. It does not know the result if nobody answered for DocBook."""
    at, data = clock(), answer.data
    code = str(data.get("code") or data.get("status") or "")
    open_end = answer.status in UNKNOWN or code == NOT_YET
    return replace(
        event,
        type="info" if open_end else "ok" if answer.status < 400 else "fail",
        status=answer.status,
        code=code,
        attempt=str(data.get("attemptId") or event.attempt),
        version=int(data.get("version") or 0),
        body_sha=sha256(answer.body).hexdigest()[:16],
        at=at,
    )


def read_history(paths: Iterable[Path]) -> list[Event]:
    """All events of these files in order of time."""
    events = [Event.from_line(line) for path in paths for line in path.open()]
    return sorted(events, key=lambda event: event.at)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that a client wanted. `ended` is None while the result is unknown.

    A refusal after a lost try leaves the result open too: the try may still be under way.
    """

    op: str
    f: Act
    outcome: Kind
    slots: tuple[int, ...]
    attempt: str
    replaces: str
    code: str
    begun: int
    ended: int | None


def operations(events: Iterable[Event]) -> Iterator[Operation]:
    """From the events in order of time, one for each `op`."""
    tries: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        tries[event.op].append(event)
    for op, its in tries.items():
        begun, answer = its[0], next((each for each in its if each.type in ("ok", "fail")), its[-1])
        was_lost = any(each.type == "info" for each in its)
        known = answer.type == "ok" or (answer.type == "fail" and not was_lost)
        yield Operation(
            op=op,
            f=begun.f,
            outcome=answer.type if known else "info",
            slots=begun.slots,
            attempt=answer.attempt or begun.attempt,
            replaces=begun.replaces,
            code=answer.code if known else "",
            begun=begun.at,
            ended=answer.at if known else None,
        )
