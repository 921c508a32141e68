"""Which caller goes on at each step, and all the ways in which that can go.

A schedule begins with one caller. It goes on until it is done or must wait, except that before some
steps the turn goes to the other. Few such switches find nearly every race (Musuvathi and Qadeer,
"Iterative context bounding", 2007), so the number of switches is the bound. A switch only matters
before a statement that shares a table with something that the other does.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from proof.races.callers import Director, Stand, Stop
from proof.races.footprints import NOTHING, Footprint


@dataclass(frozen=True)
class Schedule:
    """`switches` are the numbers of the steps before which the turn goes to the other caller."""

    first: int
    switches: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.first}:{','.join(map(str, self.switches))}"

    @classmethod
    def read(cls, text: str) -> "Schedule":
        first, _, switches = text.partition(":")
        return cls(int(first), tuple(map(int, filter(None, switches.split(",")))))


@dataclass(frozen=True)
class Step:
    """One caller passes one stop. `may_switch`: the other could have gone on instead, and the order
    may matter.
    """

    caller: int
    stop: Stop
    may_switch: bool


@dataclass
class Trace:
    """What happened. `had_deadlock`: both waited for each other."""

    steps: list[Step] = field(default_factory=list)
    had_deadlock: bool = False

    def story(self) -> Iterator[str]:
        """For people: each statement, in the column of its caller."""
        for number, step in enumerate(self.steps):
            if step.stop.label != "begin":
                yield f"{number:>4}  {' ' * 44 * step.caller}{step.stop.label}"


@dataclass
class Meanings:
    """What each caller does, as far as it has been seen: that decides which steps matter."""

    seen: list[Footprint] = field(default_factory=lambda: [NOTHING, NOTHING])

    def matters(self, caller: int, footprint: Footprint) -> bool:
        return footprint.meets(self.seen[1 - caller])

    def add(self, caller: int, footprint: Footprint) -> None:
        self.seen[caller] |= footprint


def follow(
    schedule: Schedule,
    *,
    director: Director,
    acts: tuple[Callable[[], object], Callable[[], object]],
    meanings: Meanings,
) -> Trace:
    """Lets both act in the order of the schedule."""
    trace = Trace()
    director.begin(acts)
    current = director.callers[schedule.first]
    while any(each.stand is Stand.STOPPED for each in director.callers):
        other = director.callers[1 - current.number]
        could = current.stand is Stand.STOPPED and other.stand is Stand.STOPPED
        switches = len(trace.steps) in schedule.switches
        if current.stand is not Stand.STOPPED or (could and switches):
            current, could = other, False
        stop = current.stop
        assert stop is not None  # noqa: S101 - it stands there
        meanings.add(current.number, stop.footprint)
        may_switch = could and meanings.matters(current.number, stop.footprint)
        trace.steps.append(Step(current.number, stop, may_switch))
        director.pass_stop(current)
        trace.had_deadlock |= director.settle()
    if any(each.stand is not Stand.DONE for each in director.callers):
        raise RuntimeError(f"A caller is stuck in schedule {schedule}.")
    return trace


def explore(run: Callable[[Schedule], Trace], *, most_switches: int) -> Iterator[Schedule]:
    """Runs every schedule with that many switches or fewer, the ones with the fewest first. Skips a
    switch that leads to a state which was reached before with as many switches left.
    """
    waiting = deque([Schedule(0), Schedule(1)])
    known: set[object] = set()
    while waiting:
        schedule = waiting.popleft()
        trace = run(schedule)
        yield schedule
        if len(schedule.switches) == most_switches:
            continue
        begin = schedule.switches[-1] + 1 if schedule.switches else 0
        for number, state in enumerate(_states(trace.steps)):
            step = trace.steps[number]
            if number < begin or not step.may_switch:
                continue
            key = (1 - step.caller, state, len(schedule.switches))
            if key not in known:
                known.add(key)
                waiting.append(Schedule(schedule.first, (*schedule.switches, number)))


def _states(steps: Sequence[Step]) -> Iterator[object]:
    """What has happened before each step: how far each caller is, and for each statement, which
    statement of the other that it shares something with came last before it. Two orders with the
    same answer have the same effect.
    """
    done: tuple[list[Step], list[Step]] = ([], [])
    last: tuple[list[int], list[int]] = ([], [])
    for step in steps:
        yield (tuple(last[0]), tuple(last[1]))
        others = done[1 - step.caller]
        shared = (
            number
            for number in range(len(others) - 1, -1, -1)
            if others[number].stop.footprint.meets(step.stop.footprint)
        )
        last[step.caller].append(next(shared, -1))
        done[step.caller].append(step)
