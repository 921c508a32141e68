"""Two callers, each a thread with its own database connection, that stop before each statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from threading import Condition, Thread
from typing import Any

from django.db import connection

from proof.races.footprints import NOTHING, Catalogue, Footprint
from proof.races.instruments import KEY, NOTICE, SETTING, Place

# A caller that waits for a row must wait as long as the director wants, and the director must see a
# deadlock before the database resolves it.
PATIENCE = "SET lock_timeout = '60s'; SET statement_timeout = '90s'; SET deadlock_timeout = '300ms'"


Change = Callable[[str, object], str]


class Stand(Enum):
    """Where a caller is. Only RUNNING ends by itself."""

    IDLE = "idle"
    STOPPED = "stopped"  # before a statement
    RUNNING = "running"
    WAITING = "waiting"  # for a lock that the other one has
    DONE = "done"


@dataclass(frozen=True)
class Stop:
    """Before what a caller stands."""

    label: str
    footprint: Footprint
    in_database: bool = False


@dataclass
class Result:
    """What an act returned or raised."""

    value: object = None
    error: Exception | None = None

    @property
    def name(self) -> str:
        return type(self.value if self.error is None else self.error).__name__


@dataclass(eq=False)
class Caller:
    """The director reads and writes the fields under `moved`; a thread changes its own."""

    number: int
    moved: Condition
    catalogue: Catalogue
    places: Mapping[str, Place]
    change: Change
    stand: Stand = Stand.IDLE
    stop: Stop | None = None
    pid: int = 0
    result: Result = field(default_factory=Result)
    _may_go: bool = False
    _act: Callable[[], object] | None = None
    _is_over: bool = False
    # What the open transaction has changed: its commit shows that to the other.
    _unseen: Footprint = NOTHING

    def begin(self, act: Callable[[], object]) -> None:
        """Lets the thread begin; it stops before the first statement."""
        with self.moved:
            self._act, self.stand, self.stop = act, Stand.RUNNING, None
            self.result, self._unseen, self._may_go = Result(), NOTHING, False
            self.moved.notify_all()

    def go(self) -> None:
        """Passes a stop in Python; the director opens those in the database."""
        with self.moved:
            self.stand, self._may_go = Stand.RUNNING, True
            self.moved.notify_all()

    def live(self) -> None:
        """The thread: act after act, on one connection."""
        try:
            self._connect()
            with connection.execute_wrapper(self._before_statement):
                while self._has_act():
                    self._perform()
        finally:
            connection.close()

    def end(self) -> None:
        with self.moved:
            self._is_over = True
            self.moved.notify_all()

    def _has_act(self) -> bool:
        with self.moved:
            self.moved.wait_for(lambda: self._act is not None or self._is_over)
            return not self._is_over

    def _perform(self) -> None:
        act, self._act = self._act, None
        assert act is not None  # noqa: S101 - _has_act has waited for it
        self._wait(Stop("begin", NOTHING))
        result = Result()
        try:
            result.value = act()
        except Exception as error:  # noqa: BLE001 - what an act raises is its result
            result.error = error
        with self.moved:
            self.result, self.stand, self.stop = result, Stand.DONE, None
            self.moved.notify_all()

    def _connect(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(PATIENCE)
            cursor.execute("SELECT set_config(%s, %s, false)", [SETTING, str(self.number)])
            cursor.execute("SELECT pg_backend_pid()")
            (self.pid,) = cursor.fetchone()
        connection.connection.add_notice_handler(self._on_notice)
        # Django sends them past the wrapper of statements.
        wrapper: Any = connection
        wrapper._commit = self._ending("commit", wrapper._commit)
        wrapper._rollback = self._ending("rollback", wrapper._rollback)

    def _ending(self, label: str, end: Callable[[], None]) -> Callable[[], None]:
        def ending() -> None:
            unseen, self._unseen = self._unseen, NOTHING
            self._wait(Stop(label, unseen))
            end()

        return ending

    def _before_statement(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        sql = self.change(sql, params)
        footprint = self.catalogue.footprint(sql)
        if sql.startswith("ROLLBACK TO"):
            footprint |= self._unseen
        self._wait(Stop(_shortened(sql), footprint))
        calls_function = any(f"{name}(" in sql for name in self.catalogue.instrumented)
        self._unseen |= Footprint(changes=footprint.changes)
        if connection.in_atomic_block or not (footprint.changes or calls_function):
            return execute(sql, params, many, context)
        # A statement that is its own transaction: a stop before its commit as well.
        with connection.connection.transaction():
            found = execute(sql, params, many, context)
            unseen, self._unseen = self._unseen, NOTHING
            self._wait(Stop("commit", unseen))
        return found

    def _wait(self, stop: Stop) -> None:
        with self.moved:
            self.stop, self.stand = stop, Stand.STOPPED
            self.moved.notify_all()
            self.moved.wait_for(lambda: self._may_go)
            self._may_go = False

    def _on_notice(self, diagnostic: Any) -> None:
        message = diagnostic.message_primary or ""
        if not message.startswith(NOTICE):
            return
        place = self.places[message.removeprefix(NOTICE)]
        self._unseen |= Footprint(changes=place.footprint.changes)
        with self.moved:
            self.stop = Stop(str(place), place.footprint, in_database=True)
            self.stand = Stand.STOPPED
            self.moved.notify_all()


def _shortened(sql: str) -> str:
    """Enough to recognize a statement: its verb and its tables."""
    text = re.sub(r"\s+", " ", sql.replace('"', "")).strip()
    text = re.sub(r"^SELECT (?:(?!SELECT).)*? FROM ", "SELECT … FROM ", text)
    return text if len(text) <= 60 else f"{text[:59]}…"


@contextmanager
def two_callers(
    catalogue: Catalogue, places: Mapping[str, Place], *, change: Change
) -> Iterator[Director]:
    """Their threads live as long as the block. `change` is made to each statement, by its values,
    that they send.
    """
    moved = Condition()
    callers = (
        Caller(0, moved, catalogue, places, change),
        Caller(1, moved, catalogue, places, change),
    )
    threads = [Thread(target=caller.live, daemon=True) for caller in callers]
    for thread in threads:
        thread.start()
    control = connection.copy()
    try:
        yield Director(callers, control)
    finally:
        for caller in callers:
            caller.end()
        for thread in threads:
            thread.join(60)
        control.close()


class Director:
    """Says who goes on, and notices when one waits for the other."""

    def __init__(self, callers: tuple[Caller, ...], control: Any) -> None:
        self.callers = callers
        self.moved = callers[0].moved
        self.control = control
        self._open = {0: 1, 1: 1}  # the lock of each caller that we do not hold
        with control.cursor() as cursor:
            cursor.execute(PATIENCE)
            for number in (0, 1):
                cursor.execute("SELECT pg_advisory_lock(%s, %s)", [KEY, _lock(number, 0)])

    def begin(self, acts: tuple[Callable[[], object], Callable[[], object]]) -> None:
        for caller, act in zip(self.callers, acts, strict=True):
            caller.begin(act)
        self.settle()

    def pass_stop(self, caller: Caller) -> None:
        stop = caller.stop
        assert stop is not None  # noqa: S101 - only callers that stand are let go
        if not stop.in_database:
            caller.go()
            return
        with self.moved:
            caller.stand = Stand.RUNNING
        shut = self._open[caller.number]
        opened = self._open[caller.number] = 1 - shut
        # Before its next stop, for which it takes the other one.
        self._sql(
            "SELECT pg_advisory_lock(%s, %s), pg_advisory_unlock(%s, %s)",
            [KEY, _lock(caller.number, shut), KEY, _lock(caller.number, opened)],
        )

    def settle(self) -> bool:
        """Waits until each caller stands, waits or is done. Returns whether both were waiting for
        each other; then the database has ended one of the statements.
        """
        had_deadlock = False
        with self.moved:
            for caller in self.callers:
                if caller.stand is Stand.WAITING:
                    caller.stand = Stand.RUNNING
        while not self._all_stand():
            waiting = self._who_waits()
            had_deadlock |= len(waiting) == len(self.callers)
            with self.moved:
                for caller, other in waiting:
                    # It stood still when we looked, so it has released nothing since.
                    if other in (Stand.STOPPED, Stand.DONE) and caller.stand is Stand.RUNNING:
                        caller.stand = Stand.WAITING
        return had_deadlock

    def _all_stand(self) -> bool:
        with self.moved:
            return self.moved.wait_for(
                lambda: all(each.stand is not Stand.RUNNING for each in self.callers),
                timeout=0.003,
            )

    def _who_waits(self) -> list[tuple[Caller, Stand]]:
        """Callers that wait for the other, and where the other was before we looked."""
        found = []
        for caller, other in (self.callers, self.callers[::-1]):
            with self.moved:
                is_running, before = caller.stand is Stand.RUNNING, other.stand
            if is_running:
                [(blockers,)] = self._sql("SELECT pg_blocking_pids(%s)", [caller.pid])
                if other.pid in blockers:
                    found.append((caller, before))
        return found

    def _sql(self, sql: str, values: list[object]) -> list[tuple[Any, ...]]:
        with self.control.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())


def _lock(number: int, turn: int) -> int:
    return KEY + 10 * number + turn
