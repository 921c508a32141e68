"""Hours → slot rows, for each doctor's rolling horizon of local days.

May run any number of times: it adds missing slots and removes slots outside the hours. It never
touches the past, or a slot that is held, booked or blocked.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import IntegrityError, connection, transaction

from docbook.lock_keys import EXPANSION_OF_A_DOCTOR
from doctors.hours import Hours
from doctors.models import Doctor
from doctors.recurrence import ONE_DAY, instant
from doctors.selectors.hours import hours_of

# Small enough for a transaction of about a second: waiting for one of its rows takes less than the
# lock timeout of a web request. Large enough that round trips do not matter.
DOCTORS_A_CHUNK = 20

# How long a slot stays after its end, for schedules that look back.
KEPT_FOR = timedelta(days=30)
PURGED_A_BATCH = 5_000

_LOCK_DOCTORS = """
SELECT pg_advisory_xact_lock(%(lock_class)s, (id %% 2147483647)::int)
FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS doctor (id, position) ORDER BY position
"""

# Instants as numbers: they are only compared, and parsing a million of them takes long.
_PRESENT = """
SELECT id, state = 'open' OR state = 'held' AND held_until <= clock_timestamp(),
       doctor_id, clinic_id, mode, coalesce(array_to_string(visit_types, '+'), 'all'),
       extract(epoch FROM starts_at)::bigint, extract(epoch FROM ends_at)::bigint
FROM doctors_slot
WHERE doctor_id = ANY(%(doctors)s) AND starts_at > %(now)s
  AND starts_at < coalesce(%(until)s::timestamptz, 'infinity')
"""

# Locked in order of id, like every lock on slots: this statement and a claim of two neighbouring
# slots never wait for each other. `state` is checked again once the row is locked.
_REMOVE = """
DELETE FROM doctors_slot WHERE id IN (
    SELECT id FROM doctors_slot
    WHERE id = ANY(%(ids)s)
      AND (state = 'open' OR state = 'held' AND held_until <= clock_timestamp())
    ORDER BY id FOR UPDATE)
"""

_ADD = """
INSERT INTO doctors_slot (doctor_id, clinic_id, mode, visit_types, starts_at, ends_at)
SELECT doctor_id, clinic_id, mode, string_to_array(nullif(types, 'all'), '+')::bigint[],
       to_timestamp(starts), to_timestamp(ends)
FROM unnest(%(doctors)s::bigint[], %(clinics)s::bigint[], %(modes)s::text[], %(types)s::text[],
            %(starts)s::bigint[], %(ends)s::bigint[])
    AS candidate (doctor_id, clinic_id, mode, types, starts, ends)
ORDER BY doctor_id, starts, ends, clinic_id, mode
"""

# Without a conflict target, both the unique and the exclusion constraint apply. A candidate that
# overlaps a booked slot of another length is skipped.
_ADD_WHERE_FREE = f"{_ADD} ON CONFLICT DO NOTHING"

_PURGE = """
DELETE FROM doctors_slot WHERE id IN (
    SELECT id FROM doctors_slot WHERE starts_at < %(before)s AND ends_at < %(before)s
    ORDER BY starts_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True)
class ExpansionResult:
    """Numbers of doctors checked and of slot rows changed."""

    doctors: int = 0
    added: int = 0
    removed: int = 0

    def __add__(self, other: "ExpansionResult") -> "ExpansionResult":
        return ExpansionResult(
            doctors=self.doctors + other.doctors,
            added=self.added + other.added,
            removed=self.removed + other.removed,
        )


class Candidate(NamedTuple):
    """A slot that the rules want. Instants are in whole seconds since 1970. `types` is
    "all", or the ids of the visit types with "+" between them.
    """

    doctor_id: int
    clinic_id: int
    mode: str
    types: str
    starts: int
    ends: int


class _Present(NamedTuple):
    pk: int
    is_open: bool


def expand_slots(
    *,
    doctor_ids: Sequence[int] | None,
    now: datetime,
    days: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> ExpansionResult:
    """Brings the future slots of these doctors (None: of all) in line with their rules.

    A doctor's horizon is `horizon_days` local days, today included. `days` replaces that number,
    and slots beyond it stay. Doctors who cannot be booked lose their open future slots. One
    transaction per chunk of doctors; after each, `progress` gets the number of doctors.
    """
    result = ExpansionResult()
    for chunk in _chunks(_ids_in_order(doctor_ids)):
        result += _expand_chunk(doctor_ids=chunk, now=now, days=days)
        if progress:
            progress(result.doctors)
    return result


def purge_old_slots(*, now: datetime) -> int:
    """Deletes slots that ended more than 30 days ago, a limited number per transaction."""
    total = 0
    while True:
        deleted = _run(_PURGE, before=now - KEPT_FOR, limit=PURGED_A_BATCH)
        total += deleted
        if deleted < PURGED_A_BATCH:
            return total


def _ids_in_order(doctor_ids: Sequence[int] | None) -> list[int]:
    doctors = Doctor.objects.order_by("pk")
    if doctor_ids is not None:
        doctors = doctors.filter(pk__in=doctor_ids)
    return list(doctors.values_list("pk", flat=True))


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for first in range(0, len(ids), DOCTORS_A_CHUNK):
        yield ids[first : first + DOCTORS_A_CHUNK]


def _expand_chunk(*, doctor_ids: list[int], now: datetime, days: int | None) -> ExpansionResult:
    with transaction.atomic():
        _begin(doctor_ids)
        doctors = list(Doctor.objects.filter(pk__in=doctor_ids, is_active=True))
        hours = hours_of(doctors, since=now.date() - ONE_DAY)
        wanted = {
            candidate
            for doctor in doctors
            for candidate in _candidates(doctor, hours[doctor.pk], now=now, days=days)
        }
        until = None if days is None else _end_of_window(hours.values(), now=now, days=days)
        present = _present(doctor_ids, now=now, until=until)
        stale = [slot.pk for key, slot in present.items() if slot.is_open and key not in wanted]
        removed = _remove(stale)
        added = _add([candidate for candidate in wanted if candidate not in present])
    return ExpansionResult(doctors=len(doctor_ids), added=added, removed=removed)


def _begin(doctor_ids: list[int]) -> None:
    """Allows more time for a bulk statement, and only one expansion of a doctor at a time.

    The lock closes this race: of two expansions, the one that read the rules before an admin
    changed them could write last and bring back what the admin removed. So rules are read after the
    lock is taken. It is no row lock: saving a doctor never waits for it.
    """
    _run("SET LOCAL statement_timeout = '5min'")
    _run("SET LOCAL lock_timeout = '1min'")
    _run(_LOCK_DOCTORS, lock_class=EXPANSION_OF_A_DOCTOR, ids=doctor_ids)


def _candidates(
    doctor: Doctor, hours: Hours, *, now: datetime, days: int | None
) -> Iterator[Candidate]:
    for clinic_id, mode, period, visit_types in hours.slots(
        now=now, days=days or doctor.horizon_days
    ):
        if period.starts_at > now:
            starts, ends = int(period.starts_at.timestamp()), int(period.ends_at.timestamp())
            types = "+".join(map(str, visit_types)) or "all"
            yield Candidate(doctor.pk, clinic_id, mode, types, starts, ends)


def _end_of_window(hours: Iterable[Hours], *, now: datetime, days: int) -> datetime:
    """The earliest end of the last day among the zones. Everything before it was considered."""
    zones = {zone for each in hours for zone in each.zones.values()} or {ZoneInfo("UTC")}
    return min(
        instant(day=now.astimezone(zone).date() + timedelta(days=days), at=time.min, zone=zone)
        for zone in zones
    )


def _present(
    doctor_ids: list[int], *, now: datetime, until: datetime | None
) -> dict[Candidate, _Present]:
    """The existing future slots, by their values."""
    with connection.cursor() as cursor:
        cursor.execute(_PRESENT, {"doctors": doctor_ids, "now": now, "until": until})
        return {Candidate(*what): _Present(pk, is_open=is_open) for pk, is_open, *what in cursor}


def _remove(slot_ids: list[int]) -> int:
    return _run(_REMOVE, ids=slot_ids) if slot_ids else 0


def _add(candidates: list[Candidate]) -> int:
    """Conflicts are rare. Asking first would search the index over periods twice, and that index
    takes most of the time.
    """
    if not candidates:
        return 0
    names = ("doctors", "clinics", "modes", "types", "starts", "ends")
    columns = dict(zip(names, map(_array, zip(*candidates, strict=True)), strict=True))
    try:
        with transaction.atomic():
            return _run(_ADD, **columns)
    except IntegrityError:
        return _run(_ADD_WHERE_FREE, **columns)


def _array(values: Iterable[int | str]) -> str:
    """An array in PostgreSQL's notation. Numbers and the names of modes need no quoting.

    psycopg would inspect the type of each of a million values, which takes longer than the rest.
    """
    return "{" + ",".join(map(str, values)) + "}"


def _run(sql: str, **parameters: Any) -> int:
    """Runs one statement; returns the number of affected rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: int = cursor.rowcount
        return rows
