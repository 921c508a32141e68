"""The same meeting of a few callers, two hundred times."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

from django.db import connection

from bookings.invariants.checks import check_invariants
from tests.concurrency.rush import connect_with_patience

ROUNDS = 200

Act = Callable[[], object]
Meet = Callable[[Sequence[Act]], list[object]]


@contextmanager
def callers(count: int = 2) -> Iterator[Meet]:
    """`meet(acts)` lets that many callers act at one instant, and returns what each returned or
    raised. As in tests.concurrency.rush, but their database connections last for all rounds.
    """
    gate = Barrier(count, timeout=60)

    def one(act: Act) -> object:
        try:
            if connection.connection is None:
                connect_with_patience()
            gate.wait()
            return act()
        except Exception as error:  # noqa: BLE001 - the outcome is what the test looks at
            return error

    with ThreadPoolExecutor(max_workers=count) as pool:
        yield lambda acts: list(pool.map(one, acts))
        list(pool.map(one, [lambda: connection.close()] * count))  # noqa: PLW0108 - each its own


def ends(results: Sequence[object]) -> list[str]:
    """The classes of what was returned or raised, in no order of callers."""
    return sorted(type(each).__name__ for each in results)


def broken_promises() -> list[str]:
    """Everything visible in the rows, after all rounds. Nobody sends the messages here, and on a
    slow machine the rounds take longer than a message may wait.
    """
    broken = (each for each in check_invariants() if each.is_broken)
    return [f"{each.code} {each.finding}" for each in broken if each.code != "I08"]
