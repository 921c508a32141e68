"""Explores a meeting: every schedule within the bound, and what is wrong with its end."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, combinations, permutations
from typing import NamedTuple

from django.http import HttpResponse
from django.test import override_settings

from bookings.engine.calls import HoldCall
from bookings.invariants.checks import check_invariants
from bookings.models import Appointment, Hold, WaitlistEntry
from docbook.errors import DomainError
from proof.races import rows
from proof.races.callers import Director, Result, two_callers
from proof.races.clock import (
    RUNNING,
    by_our_clock,
    clock_of_ours,
    let_time_pass,
    set_clock,
    stop_clock,
)
from proof.races.footprints import Catalogue, read_catalogue
from proof.races.guards import Guard, gone
from proof.races.instruments import slot_by_slot, stopping_functions
from proof.races.meetings import Meeting
from proof.races.schedules import Meanings, Schedule, Trace, explore, follow
from proof.races.stage import (
    Act,
    AfterAWhile,
    Stage,
    Together,
    alone,
    as_two_processes,
    forget,
)

# Turned away because the other one works on the row just now: allowed whatever the other one does
# with it then.
TURNED_AWAY = "SlotHeld"
# So many switches show what each guard is for.
ENOUGH = 1
# Between what is said to several who asked together.
_AND = " & "


@dataclass(frozen=True)
class End:
    """What both were told, and what anybody could see afterwards."""

    results: tuple[str, str]
    picture: tuple[str, ...]

    def __str__(self) -> str:
        return " / ".join(self.results)


@dataclass(frozen=True)
class Fault:
    """A schedule whose end is wrong, with its statements."""

    what: str
    schedule: Schedule
    end: End
    story: tuple[str, ...]


@dataclass
class Explored:
    """`ends` are the ways in which the meeting ended, each with the first schedule that led there
    and why it is right.
    """

    meeting: Meeting
    schedules: int = 0
    ends: dict[End, tuple[Schedule, str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class Explorer:
    catalogue: Catalogue
    director: Director

    def judge(self, meeting: Meeting) -> "Judge":
        """Who knows how the meeting may end."""
        with self._prepared(meeting) as play:
            return play.judge()

    def explore(
        self,
        meeting: Meeting,
        *,
        most_switches: int,
        judge: "Judge | None" = None,
        until_fault: bool = False,
    ) -> Explored:
        """All schedules with so many switches, or only up to the first fault. A `judge` from before
        a guard was taken away knows how the meeting should end.
        """
        with self._prepared(meeting) as play:
            own = play.judge()
            judge = judge or own
            found = Explored(meeting)

            def run(schedule: Schedule) -> Trace:
                played = play.run(schedule)
                found.schedules += 1
                found.ends.setdefault(played.end, (schedule, judge.reason(played.end)))
                story = tuple(played.trace.story())
                found.faults += [
                    Fault(what, schedule, played.end, story) for what in judge.faults(played)
                ]
                return played.trace

            for _schedule in explore(run, most_switches=most_switches):
                if until_fault and found.faults:
                    break
        return found

    def play(self, meeting: Meeting, schedule: Schedule) -> tuple[End, Trace]:
        """One schedule again, as it was printed."""
        with self._prepared(meeting) as play:
            play.in_turn()
            played = play.run(schedule)
        return played.end, played.trace

    @contextmanager
    def _prepared(self, meeting: Meeting) -> Iterator["_Play"]:
        rows.empty(self.catalogue.tables)
        set_clock(RUNNING)
        forget()
        stage = Stage()
        acts = meeting.prepare(stage)
        with override_settings(**meeting.settings):
            saved = rows.save(self.catalogue.tables)
            yield _Play(self.director, stage, acts, saved, stop_clock())


@contextmanager
def exploring(*, without: Guard | None = None) -> Iterator[Explorer]:
    """In the connection's database, which must be thrown away afterwards or emptied. `without` a
    guard, to show what happens then.
    """
    catalogue = read_catalogue()
    with ExitStack() as running:
        running.enter_context(as_two_processes())
        running.enter_context(clock_of_ours())
        taken = running.enter_context(gone(without)) if without else None

        def change(statement: str, values: object = None) -> str:
            left = taken.change(statement, values) if taken else statement
            return slot_by_slot(by_our_clock(left))

        places = running.enter_context(stopping_functions(catalogue, change=change))
        director = running.enter_context(two_callers(catalogue, places, change=change))
        running.callback(lambda: rows.empty(catalogue.tables))
        yield Explorer(catalogue, director)


def explore_without(guard: Guard, meeting: Meeting) -> Explored:
    """Up to the first fault, judged by how it should end."""
    with exploring() as explorer:
        judge = explorer.judge(meeting)
    with exploring(without=guard) as explorer:
        return explorer.explore(meeting, most_switches=ENOUGH, judge=judge, until_fault=True)


@dataclass(frozen=True)
class Judge:
    legal: set[End]
    alone: tuple[set[End], set[End]]
    turned_away: set[End]

    def reason(self, end: End) -> str:
        """Why this end is right; empty for one that is wrong."""
        if end in self.legal:
            return "one after the other"
        if end in self.turned_away:
            return "turned away"
        for number in (0, 1):
            other = 1 - number
            as_alone = any(
                end.picture == alone.picture and end.results[other] == alone.results[other]
                for alone in self.alone[other]
            )
            if end.results[number] == TURNED_AWAY and as_alone:
                return "turned away"
        return ""

    def faults(self, played: "_Played") -> Iterator[str]:
        yield from (f"leaked {leak}" for leak in played.leaks)
        yield from played.broken
        if played.trace.had_deadlock:
            yield "deadlock"
        if not self.reason(played.end):
            yield "an end that neither order has"


class Call(NamedTuple):
    """One of those that a caller makes: the caller's number, and its own among that caller's."""

    caller: int
    number: int
    act: Act


@dataclass(frozen=True)
class _Played:
    end: End
    trace: Trace
    leaks: tuple[str, ...]
    broken: tuple[str, ...]


@dataclass
class _Play:
    director: Director
    stage: Stage
    acts: tuple[Act, Act]
    saved: rows.SavedRows
    begins: int  # by our clock
    meanings: Meanings = field(default_factory=Meanings)
    _looked_at: dict[End, tuple[str, ...]] = field(default_factory=dict)

    def run(self, schedule: Schedule) -> _Played:
        return self._run(schedule, self.acts)

    def judge(self) -> Judge:
        return Judge(self.in_turn(), self.alone(), self.with_some_turned_away())

    def in_turn(self) -> set[End]:
        """One after the other; twice, because the first time nobody knows what the other does. Each
        of several calls that go together may come before or after each of the other caller's.
        """
        ends = {self.run(Schedule(first)).end for first in (0, 1, 0, 1)}
        if any(isinstance(act, Together) for act in self.acts):
            ends |= {self._call_by_call(order) for order in permutations(self._all_calls())}
        return ends

    def with_some_turned_away(self) -> set[End]:
        """The same, but some holds of a batch find that the other works on their time just now."""
        calls = self._all_calls()
        together = [each for each in calls if _may_be_turned_away(self.acts, each)]
        some = chain.from_iterable(
            combinations(together, count) for count in range(1, len(together) + 1)
        )
        return {
            self._call_by_call(order, turned_away=away)
            for away in some
            for order in permutations(each for each in calls if each not in away)
        }

    def _all_calls(self) -> list[Call]:
        return [
            Call(caller, number, call)
            for caller, act in enumerate(self.acts)
            for number, call in enumerate(_calls_of(act))
        ]

    def _call_by_call(self, order: Sequence[Call], *, turned_away: Sequence[Call] = ()) -> End:
        self._begin()
        said_to: tuple[dict[int, str], dict[int, str]] = ({}, {})
        for caller, number, _call in turned_away:
            said_to[caller][number] = "slot-held"
        for caller, number, call in order:
            acts: list[Act] = [_nothing, _nothing]
            acts[caller] = call
            follow(
                Schedule(caller),
                director=self.director,
                acts=(acts[0], acts[1]),
                meanings=self.meanings,
            )
            said_to[caller][number] = said(self.director.callers[caller].result)
        first, second = (_AND.join(each[n] for n in sorted(each)) for each in said_to)
        return End((first, second), rows.picture(self.stage.people))

    def alone(self) -> tuple[set[End], set[End]]:
        """How it ends if only the first acts, and if only the second; time passes all the same."""
        first, second = self.acts
        orders = (Schedule(0), Schedule(1))
        return (
            {self._run(order, (first, _nothing_but_time(second))).end for order in orders},
            {self._run(order, (_nothing_but_time(first), second)).end for order in orders},
        )

    def _begin(self) -> None:
        self.saved.restore()
        set_clock(self.begins)
        forget()

    def _run(self, schedule: Schedule, acts: tuple[Act, Act]) -> _Played:
        self._begin()
        trace = follow(schedule, director=self.director, acts=acts, meanings=self.meanings)
        results = [each.result for each in self.director.callers]
        end = End((said(results[0]), said(results[1])), rows.picture(self.stage.people))
        if end not in self._looked_at:
            self._looked_at[end] = tuple(broken_promises())
        leaks = tuple(type(each.error).__name__ for each in results if is_leak(each))
        return _Played(end, trace, leaks, self._looked_at[end])


def said(result: Result) -> str:
    """What the caller was told, in a word or two."""
    match result.value:
        case None if result.error is not None:
            word = type(result.error).__name__
        case Hold(state=word) | WaitlistEntry(state=word) | Appointment(status=word):
            pass
        case HttpResponse(status_code=status, content=content):
            word = f"{status} {json.loads(content).get('code', '')}".strip()
        case list() as offers:
            word = f"{len(offers)} offered"
        case tuple() as outcomes:
            word = _AND.join(outcomes)
        case str() as word:
            pass
        case int() as count:
            word = f"{count} ended"
        case other:
            word = type(other).__name__
    return str(word)


def is_leak(result: Result) -> bool:
    """Anything but a refusal in words is a fault."""
    return result.error is not None and not isinstance(result.error, DomainError)


def broken_promises() -> Iterator[str]:
    """Nobody delivers messages here."""
    for each in check_invariants():
        if each.is_broken and each.code != "I08":
            yield f"{each.code}: {each.sentence}"


def _nothing_but_time(act: Act) -> Act:
    return let_time_pass if isinstance(act, AfterAWhile) else _nothing


def _nothing() -> None:
    pass


def _may_be_turned_away(acts: Sequence[Act], call: Call) -> bool:
    act = acts[call.caller]
    return isinstance(act, Together) and isinstance(act.calls[call.number], HoldCall)


def _calls_of(act: Act) -> list[Act]:
    return [partial(alone, call) for call in act.calls] if isinstance(act, Together) else [act]
