"""Histories for tests of the checker: written by hand, or drawn from a faultless model."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random

from proof.checker import HOLD_TERM
from proof.history import Operation

SECOND = 10**9


def told(
    f: str,
    attempt: str = "",
    *,
    at: float,
    until: float | None = None,
    code: str = "",
    outcome: str = "ok",
    slots: tuple[int, ...] = (1,),
    replaces: str = "",
) -> Operation:
    """An operation between two seconds; without `until` it lasts half a second."""
    known = outcome != "info"
    return Operation(
        op=f"{f} {attempt} at {at}",
        f=f,
        outcome=outcome,
        slots=slots,
        attempt=attempt,
        replaces=replaces,
        code=code,
        begun=round(at * SECOND),
        ended=round((at + 0.5 if until is None else until) * SECOND) if known else None,
    )


def refused(f: str, attempt: str = "", *, code: str, at: float, **more: object) -> Operation:
    return told(f, attempt, at=at, code=code, outcome="fail", **more)


def lost(f: str, attempt: str = "", *, at: float, **more: object) -> Operation:
    return told(f, attempt, at=at, outcome="info", **more)


@dataclass
class Register:
    what: str = "free"
    attempt: str = ""
    held_at: float = 0


@dataclass
class Honest:
    """Some slots that do everything right, and clients whose calls overlap freely."""

    random: Random
    slots: int = 2
    now: float = 0.0
    registers: dict[int, Register] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    homes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    replaces: dict[str, str] = field(default_factory=dict)
    known_at: dict[str, float] = field(default_factory=dict)

    def history(self, length: int) -> list[Operation]:
        self.registers = {slot: Register() for slot in range(1, self.slots + 1)}
        names = (f"a{number}" for number in count(1))
        told = (self.step(names) for _ in range(length))
        return sorted(told, key=lambda operation: operation.begun)

    def step(self, names: Iterator[str]) -> Operation:
        """Takes effect at this very moment; called before and answered after it."""
        self.now += self.random.expovariate(1.0)
        if self.random.random() < 0.02:
            self.now += HOLD_TERM / SECOND
        self._expire()
        attempts = [each for each in self.homes if self.known_at[each] < self.now]
        act = self.random.choice(["hold", "confirm", "release", "cancel", "move", "read"])
        if act == "hold" or not attempts:
            return self._hold(next(names))
        attempt = self.random.choice(attempts[-4:])
        return {
            "confirm": self._confirm,
            "move": self._confirm,
            "release": self._release,
            "cancel": self._cancel,
            "read": self._read,
        }[act](attempt)

    def _expire(self) -> None:
        for register in self.registers.values():
            if register.what == "held" and self.now > register.held_at + HOLD_TERM / SECOND:
                register.what, register.attempt = "free", ""

    def _hold(self, attempt: str) -> Operation:
        slots = (self.random.randint(1, self.slots),)
        register = self.registers[slots[0]]
        if register.what != "free":
            code = {"booked": "slot-taken", "held": "slot-held"}[register.what]
            return self._answer("hold", "", slots, outcome="fail", code=code)
        register.what, register.attempt, register.held_at = "held", attempt, self.now
        booked = [each.attempt for each in self.registers.values() if each.what == "booked"]
        operation = self._answer("hold", attempt, slots, code="held")
        if operation.outcome == "ok":
            self.homes[attempt] = slots
            self.known_at[attempt] = operation.ended / SECOND + 1e-6
            if booked and self.random.random() < 0.5:
                self.replaces[attempt] = self.random.choice(booked)
        return replace(operation, replaces=self.replaces.get(attempt, ""))

    def _confirm(self, attempt: str) -> Operation:
        old = self.replaces.get(attempt, "")
        return replace(self._book(attempt, old, "move" if old else "confirm"), replaces=old)

    def _book(self, attempt: str, old: str, f: str) -> Operation:
        slots = self.homes[attempt]
        register = self.registers[slots[0]]
        if attempt in self.over:
            return self._answer(f, attempt, slots, code="cancelled")
        if register.attempt != attempt or (register.what == "held" and old in self.over):
            code = "hold-expired" if register.attempt != attempt else "version-mismatch"
            return self._answer(f, attempt, slots, outcome="fail", code=code)
        if old and register.what == "held":
            self._end_visit(old)
        register.what = "booked"
        return self._answer(f, attempt, slots, code="confirmed")

    def _release(self, attempt: str) -> Operation:
        slots = self.homes[attempt]
        register = self.registers[slots[0]]
        if attempt in self.over or (register.attempt == attempt and register.what == "booked"):
            return self._answer("release", attempt, slots, outcome="fail", code="already-confirmed")
        if register.attempt == attempt:
            register.what, register.attempt = "free", ""
        return self._answer("release", attempt, slots)

    def _cancel(self, attempt: str) -> Operation:
        slots = self.homes[attempt]
        register = self.registers[slots[0]]
        if attempt in self.over:
            return self._answer("cancel", attempt, slots, code="cancelled")
        if (register.what, register.attempt) != ("booked", attempt):
            return self._answer("cancel", attempt, slots, outcome="fail", code="not-found")
        self._end_visit(attempt)
        return self._answer("cancel", attempt, slots, code="cancelled")

    def _end_visit(self, attempt: str) -> None:
        register = self.registers[self.homes[attempt][0]]
        register.what, register.attempt = "free", ""
        self.over.add(attempt)

    def _read(self, attempt: str) -> Operation:
        slots = self.homes[attempt]
        register = self.registers[slots[0]]
        if attempt in self.over:
            return self._answer("read", attempt, slots, code="cancelled")
        if (register.what, register.attempt) == ("booked", attempt):
            return self._answer("read", attempt, slots, code="confirmed")
        return self._answer("read", attempt, slots, outcome="fail", code="not-found")

    def _answer(
        self,
        f: str,
        attempt: str,
        slots: tuple[int, ...],
        *,
        outcome: str = "ok",
        code: str = "",
    ) -> Operation:
        """One answer in twelve never arrives."""
        if self.random.random() < 1 / 12:
            outcome, code = "info", ""
            attempt = "" if f == "hold" else attempt
        begun = max(self.now - self._delay(), self.known_at.get(attempt, 0.0))
        ended = None if outcome == "info" else round((self.now + self._delay()) * SECOND)
        return Operation(
            op=f"{f} {attempt} {self.now}",
            f=f,
            outcome=outcome,
            slots=slots,
            attempt=attempt,
            replaces="",
            code=code,
            begun=round(begun * SECOND),
            ended=ended,
        )

    def _delay(self) -> float:
        return self.random.expovariate(0.5)
