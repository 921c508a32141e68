"""What was explored, as it stands in docs/results/races.json and on the page made of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Way:
    """What both were told, why that is right (or empty), and a schedule that led there."""

    results: tuple[str, str]
    why: str
    schedule: str


@dataclass(frozen=True)
class Met:
    """A meeting, with how many switches at most it was explored."""

    first: str
    second: str
    over: str
    switches: int
    schedules: int
    ways: list[Way]
    faults: list[str]

    @property
    def name(self) -> str:
        return f"{self.first} + {self.second}: {self.over}"

    def as_row(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        ways = [Way(tuple(way["results"]), way["why"], way["schedule"]) for way in row["ways"]]
        return cls(**{**row, "ways": ways})


@dataclass(frozen=True)
class Control:
    """A guard that was taken away, and what went wrong: none means that nobody would notice."""

    guard: str
    meeting: str
    schedules: int
    faults: list[str]

    def as_row(self) -> dict[str, Any]:
        return asdict(self)
