"""Tries its share of the mutants: `python -m proof.mutation.nursery FOUND NUMBER OF WANTED`.

Django and the tests are imported once; then a process is forked for each mutant. The test that has
noticed most mutants so far runs first, then the fastest ones.
"""

import difflib
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection as django_connection

from devstack.functions import PLACES, written
from devstack.refusals import Refusal
from proof.mutation.operators import Mutation, mutations
from proof.mutation.verdicts import Fate, Mutant

# Tests that wait for a clash to happen by chance, that use pages, or that live through whole days
# check the same and would take days.
TESTS = (
    "tests/bookings/engine/test_one_call.py",
    "tests/bookings/holding/test_confirmation.py",
    "tests/bookings/engine/test_engine_edges.py",
    "tests/bookings/engine/test_small_functions.py",
    "tests/bookings/engine/test_locks_of_a_call.py",
    "tests/doctors/test_first_start.py",
    "tests/bookings/holding/test_holds.py",
    "tests/bookings/appointments/test_moving.py",
    "tests/bookings/appointments/test_moving_by_less.py",
    "tests/bookings/holding/test_late_code.py",
    "tests/bookings/engine/test_slot_gate.py",
    "tests/bookings/holding/test_code_by_sms.py",
    "tests/bookings/upkeep/test_partitions.py",
    "tests/constraints/test_state_machine.py",
    "tests/constraints/test_records.py",
    "tests/api/test_bookings.py",
    "tests/api/test_idempotency.py",
    "tests/bookings/waitlist/test_offers.py",
    "tests/bookings/waitlist/test_moving.py",
    "tests/bookings/waitlist/test_look_over.py",
    "tests/bookings/test_shown_is_bookable.py",
    "tests/concurrency/test_one_slot.py",
    "tests/concurrency/test_lock_order.py",
    "tests/concurrency/test_month_end.py",
    "tests/bookings/test_trail.py",
    "tests/bookings/test_bystanders.py",
    "tests/bookings/engine/test_gate_after_refusal.py",
    "tests/bookings/holding/test_who_comes.py",
    "tests/bookings/holding/test_whose_hold.py",
    "tests/bookings/holding/test_wrong_codes.py",
    "tests/bookings/holding/test_details_of_a_move.py",
    "tests/bookings/appointments/test_what_was_agreed.py",
    "tests/bookings/appointments/test_changes.py",
    "tests/bookings/appointments/test_moves_by_the_practice.py",
    "tests/concurrency/test_calls_together.py",
    "tests/concurrency/test_changes_at_once.py",
    "tests/concurrency/test_moves_at_once.py",
    "tests/concurrency/test_exchanges.py",
    "tests/constraints/test_bookings.py",
    "tests/constraints/test_slots.py",
    "tests/constraints/test_partitioned_table.py",
    "tests/api/test_one_booking.py",
)
# Compares the text of a function, which no mutant survives.
COMPARES = "test_the_function_in_the_database_is_the_one_that_the_states_write"
PYTEST = ("-x", "-q", "--reuse-db", "-p", "no:cacheprovider", "-k", f"not {COMPARES}", *TESTS)
# A mutant that takes this many times as long as the original hangs, or waits for a lock.
PATIENCE = 5

# By pytest's exit code; any other is a fault of this run.
ENDS: dict[int, Fate] = {
    pytest.ExitCode.OK: Fate.SURVIVED,
    pytest.ExitCode.TESTS_FAILED: Fate.KILLED,
}

# Of several with one name, the newest: older ones are for processes of the last release.
FUNCTIONS = """
    SELECT DISTINCT ON (proname) proname, pg_get_functiondef(oid) FROM pg_proc
    WHERE proname = ANY(%s) ORDER BY proname, oid DESC
"""


def main(found: str, number: str, of: str, wanted: str) -> None:
    pytest.main(["--collect-only", "-qq", *PYTEST])
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("ALTER ROLE CURRENT_USER SET track_functions = 'all'")
    order, began = Order(learnt=Path(found).with_suffix(".learnt")), time.monotonic()
    if _run_tests(order=order, longest=3600) is not Fate.SURVIVED:
        raise Refusal("The tests fail without a mutant: try `make test`.")
    longest = PATIENCE * (time.monotonic() - began)
    choice = Wanted(**json.loads(Path(wanted).read_text()))
    functions = _functions(choice.functions)
    mutants = [
        (name, mutation)
        for name, text in functions.items()
        for mutation in mutations(text)
        if choice.includes(_mutant(name, text, mutation))
    ]
    with Path(found).open("w", buffering=1) as report:
        report.write(f"{len(mutants)}\n")
        for name, mutation in mutants[int(number) :: int(of)]:
            order.function = name
            fate = _try(mutation.definition, functions[name], order=order, longest=longest)
            mutant = replace(_mutant(name, functions[name], mutation), fate=fate)
            report.write(json.dumps(asdict(mutant)) + "\n")


@dataclass(frozen=True)
class Wanted:
    """Every mutant of these functions, and of others only those with this name and change. All, if
    nothing is named.
    """

    functions: Sequence[str] = ()
    mutants: Sequence[Sequence[str]] = ()

    def includes(self, mutant: Mutant) -> bool:
        if not self.functions and not self.mutants:
            return True
        return mutant.place in self.functions or [mutant.name, mutant.change] in self.mutants


@dataclass(eq=False)
class Order:
    """A pytest plugin that chooses and sorts the tests for a mutant of this function. It works in
    the child, which writes what it has learned for the next one into `learnt`.

    A test that is not in `calls` may call every function: its transaction was lost before we could
    ask. No test shows functions that PostgreSQL inlines.
    """

    learnt: Path
    function: str = ""
    kills: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    calls: dict[str, set[str]] = field(default_factory=dict)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(filter(self._may_notice, items), key=self._place)

    def _may_notice(self, test: pytest.Item) -> bool:
        is_seen = any(self.function in functions for functions in self.calls.values())
        return not is_seen or self.function in self.calls.get(test.nodeid, {self.function})

    def _place(self, test: pytest.Item) -> tuple[int, float]:
        return (-self.kills[test.nodeid], self.seconds.get(test.nodeid, 0.0))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        database = item.get_closest_marker("django_db")
        is_lost = django_connection.needs_rollback or (
            database and database.kwargs.get("transaction")
        )
        if not self.function and not is_lost:
            calls = _calls_of_this_transaction() if database else []
            self._write({"test": item.nodeid, "calls": calls})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        seconds, failed = report.duration, report.failed
        self._write({"test": report.nodeid, "seconds": seconds, "failed": failed})

    def _write(self, fact: dict[str, object]) -> None:
        with self.learnt.open("a") as learnt:
            learnt.write(json.dumps(fact) + "\n")

    def learn(self) -> None:
        for line in self.learnt.read_text().splitlines():
            fact = json.loads(line)
            test = fact["test"]
            if "calls" in fact:
                self.calls[test] = set(fact["calls"])
            else:
                self.seconds[test] = max(fact["seconds"], self.seconds.get(test, 0.0))
                self.kills[test] += fact["failed"]
        self.learnt.write_text("")


def _calls_of_this_transaction() -> list[str]:
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT funcname FROM pg_stat_xact_user_functions")
        return [name for (name,) in cursor.fetchall()]


def _functions(names: Sequence[str]) -> dict[str, str]:
    """The definition of each function of the files, by name. Raises Refusal for an unknown name."""
    ours = [name for app in PLACES for name in written(app).functions]
    with _connection() as connection:
        found: dict[str, str] = dict(connection.execute(FUNCTIONS.encode(), [ours]).fetchall())
    if unknown := set(names) - set(found):
        raise Refusal(f"There is no function {', '.join(unknown)}. There are: {', '.join(found)}.")
    return found


def _mutant(name: str, text: str, mutation: Mutation) -> Mutant:
    """Its fate is still open."""
    return Mutant(
        place=name,
        name=f"{name}, line {mutation.line}: {mutation.slip}",
        fate=Fate.SURVIVED,
        change=_changed_lines(text, mutation.definition),
    )


def _try(definition: str, present: str, *, order: Order, longest: float) -> Fate:
    try:
        _replace(definition)
    except psycopg.Error:
        return Fate.REFUSED
    fate = _run_tests(order=order, longest=longest)
    _replace(present)
    if fate is Fate.TIMEOUT:  # its rows are still there
        _run_tests("--create-db", order=order, longest=longest)
    return fate


def _replace(definition: str) -> None:
    with _connection() as connection:
        connection.execute(definition.encode())


def _connection() -> psycopg.Connection:
    address = urlsplit(os.environ["DATABASE_URL"])
    return psycopg.connect(address._replace(path="/test_" + address.path[1:]).geturl())


def _run_tests(*arguments: str, order: Order, longest: float) -> Fate:
    child = os.fork()
    if child == 0:
        os._exit(_quietly([*PYTEST, *arguments], order))
    deadline = time.monotonic() + longest
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            order.learn()
            return _fate(os.waitstatus_to_exitcode(status))
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return Fate.TIMEOUT


def _fate(code: int) -> Fate:
    if code not in ENDS:
        raise Refusal(f"The tests could not run; the exit code of pytest was {code}.")
    return ENDS[code]


def _quietly(arguments: list[str], order: Order) -> int:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())
    os.dup2(silence, sys.stderr.fileno())
    try:
        return pytest.main(arguments, plugins=[order])
    except BaseException:  # noqa: BLE001 - a child must not continue as its parent
        return pytest.ExitCode.INTERNAL_ERROR


def _changed_lines(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in lines if line[:3] not in ("---", "+++") and line[0] != "@")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Refusal as refusal:
        sys.exit(str(refusal))
