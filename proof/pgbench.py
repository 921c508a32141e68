"""The same two statements with nothing around them: the most that PostgreSQL could do.

pgbench sends what the API sends, with prepared plans, from eight connections. Each booking uses its
own slot and patient, so nobody is refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from devstack.postgres import binary
from devstack.processes import Program
from devstack.refusals import Refusal
from proof.plan import Calendar, Patient
from proof.stack import Stack

CLIENTS = 8
THREADS = 2

_SCRIPT = """
\\set k :k + 1
\\set i :k * {clients} + :client_id
\\set doctor :i % {doctors}
\\set slot {first_slot} + :doctor * {slots} + :i / {doctors}
\\set visit_type {first_type} + :doctor * 2
\\set patient {first_patient} + :i % {patients}
SELECT outcome FROM bookings_hold(
    may_wait => true, calls => jsonb_build_array(jsonb_build_object(
    'hold_id', '00000000-0000-7000-8000-' || lpad(to_hex(:i::bigint), 12, '0'),
    'slot_id', :slot::bigint, 'visit_type_id', :visit_type::bigint, 'patient_id', :patient::bigint,
    'holder_key', 'patient' || :patient::text, 'actor_kind', 'patient', 'address', :patient::bigint,
    'seconds', 300, 'most_of_holder', 3, 'most_of_address', 10, 'most_visits', 1000000,
    'with_code', true, 'reason', '', 'phone', '', 'request_id', 'pgbench',
    'key', 'key-' || :i::text, 'route', 'startBooking', 'fingerprint', 'f', 'status', 201)));
SELECT outcome FROM bookings_confirm(
    may_wait => true, calls => jsonb_build_array(jsonb_build_object(
    'hold_id', '00000000-0000-7000-8000-' || lpad(to_hex(:i::bigint), 12, '0'),
    'patient_id', :patient::bigint, 'matching', jsonb_build_array(0), 'most_attempts', 5,
    'most_visits', 1000000, 'request_id', 'pgbench', 'own_target', 'own-' || :patient::text,
    'guessers', jsonb_build_array('owner'), 'most_guesses', jsonb_build_array(10),
    'is_long', false)));
"""


@dataclass(frozen=True)
class Pool:
    """Doctors with their slots, and patients, with consecutive ids."""

    calendars: Sequence[Calendar]
    patients: Sequence[Patient]

    def script(self) -> str:
        first = self.calendars[0]
        slots = len(first.slots)
        _require_rows_in_order([slot for each in self.calendars for slot in each.slots])
        _require_rows_in_order([patient.id for patient in self.patients])
        _require_rows_in_order([each.single // 2 for each in self.calendars])
        return _SCRIPT.format(
            clients=CLIENTS,
            doctors=len(self.calendars),
            slots=slots,
            first_slot=first.slots[0],
            first_type=first.single,
            first_patient=self.patients[0].id,
            patients=len(self.patients),
        )


def _require_rows_in_order(ids: Sequence[int]) -> None:
    if list(ids) != list(range(ids[0], ids[0] + len(ids))):
        raise Refusal("The ids of the fixture do not follow each other.")


def run_pgbench(stack: Stack, script: Path, *, seconds: int, begin: int) -> float:
    """Bookings per second. `begin` is how many each client leaves to earlier runs."""
    return speed_of(
        stack, "--no-vacuum", f"--define=k={begin}", f"--file={script}", seconds=seconds
    )


def speed_of(stack: Stack, *arguments: str, seconds: int, database: str = "") -> float:
    """Transactions per second, from eight connections with prepared plans."""
    load = ("--protocol=prepared", f"--client={CLIENTS}", f"--jobs={THREADS}", f"--time={seconds}")
    words = pgbench(stack, *load, *arguments, database=database)
    found = re.search(r"tps = ([0-9.]+)", words)
    if not found:
        raise Refusal(f"pgbench failed:\n{words[-2000:]}")
    return float(found[1])


def pgbench(stack: Stack, *arguments: str, database: str = "") -> str:
    """What it prints. `database` is on the stack's server, and the stack's own if not given."""
    parts = urlsplit(stack.database_url)
    log = stack.workshop.logs / "pgbench.log"
    log.unlink(missing_ok=True)
    program = Program(
        name="pgbench",
        command=[
            binary("pgbench"),
            *arguments,
            *(f"--host={parts.hostname}", f"--port={parts.port}", f"--username={parts.username}"),
            database or parts.path.lstrip("/"),
        ],
        environment={"PGPASSWORD": parts.password or ""},
    )
    code = stack.workshop.run(program)
    words = log.read_text()
    if code:
        raise Refusal(f"pgbench failed:\n{words[-2000:]}")
    return words
