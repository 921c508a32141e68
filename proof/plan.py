"""What client processes get: DocBook's address, who they are, and how often to do what."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

API = "/api/v1"

# How often a client does each act, if there is an object for it.
MIX = {"hold": 40, "confirm": 34, "release": 8, "cancel": 14, "read": 14}

SLOTS_A_DAY = 24
DAYS_AHEAD = 2  # the first free times: further away than any notice for changes


@dataclass(frozen=True)
class Patient:
    """Signed in. `address` is what their proxy reports, so limits see many addresses."""

    id: int
    token: str
    address: str


@dataclass(frozen=True)
class Calendar:
    """A doctor's free slots in order of time, and the visits of one and of two slots."""

    doctor: int
    single: int
    double: int
    slots: list[int]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`until` is an instant of the monotonic clock, in nanoseconds.

    `move` is the share of holds that move a visit. `lose` is the share of requests whose answer the
    client does not wait for, as if the line had been cut. `repeat` is the share of holds that are
    sent twice with one key. After `patience` seconds without an answer, a request's result counts
    as unknown.
    """

    url: str
    otp_key: str
    folder: str
    processes: int
    until: int
    seed: int
    calendars: list[Calendar]
    patients: list[Patient]
    mix: dict[str, int] = field(default_factory=lambda: dict(MIX))
    move: float = 0.25
    lose: float = 0.02
    repeat: float = 0.05
    patience: float = 90.0

    @property
    def history(self) -> Path:
        return Path(self.folder)

    def patients_of(self, process: int) -> list[Patient]:
        """Every patient belongs to one process, which so knows everything done in their name."""
        return self.patients[process :: self.processes]

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Self:
        values: dict[str, Any] = json.loads(path.read_text())
        values["calendars"] = [Calendar(**each) for each in values["calendars"]]
        values["patients"] = [Patient(**each) for each in values["patients"]]
        return cls(**values)
