"""Fills the database in DATABASE_URL with patients of one practice, searches, and prints JSON.

Started as `python -m proof.desk_searches --patients N --searches N --seed N`. Each search is timed
as the service makes it: the transaction, all its statements, and what is read from them.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import NamedTuple

import django

django.setup()

# Models can be imported only after Django's setup.
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.db import connection  # noqa: E402
from uuid_utils.compat import uuid7  # noqa: E402

from accounts.models import User  # noqa: E402
from bookings.schedule.desk.selectors.patients import find_callers  # noqa: E402
from bookings.schedule.desk.typed_words import typed_words  # noqa: E402
from devstack.demo.bulk import copy_rows, unhurried  # noqa: E402
from devstack.demo.names import draw_name  # noqa: E402
from doctors.models import Clinic, Doctor, Specialty, VisitType  # noqa: E402

SLOT = timedelta(minutes=20)
FIRST_BIRTHDAY = date(1930, 1, 1)
DAYS_OF_BIRTH = 90 * 365


class Patient(NamedTuple):
    first_name: str
    last_name: str
    phone: str
    born_on: date


def main(*, patients: int, searches: int, seed: int) -> dict[str, dict[str, list[float]]]:
    rng = Random(seed)
    people = [_patient(rng) for _ in range(patients)]
    doctor = _practice()
    with unhurried():
        _add(people)
    _let_planner_look()
    return {
        kind: _timed(ask, people=people, doctor=doctor, searches=searches, rng=rng)
        for kind, ask in KINDS.items()
    }


def _patient(rng: Random) -> Patient:
    name = draw_name(rng, origins=("dutch", "german", "french", "polish"))
    born_on = FIRST_BIRTHDAY + timedelta(days=rng.randrange(DAYS_OF_BIRTH))
    return Patient(name.first, name.last, f"+31 6 {rng.randrange(10**8):08d}", born_on)


def _slip(word: str, rng: Random) -> str:
    """One letter is missing, but not the first."""
    at = rng.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


KINDS: dict[str, Callable[[Patient, Random], str]] = {
    "first and last name": lambda who, _rng: f"{who.first_name} {who.last_name}",
    "last name": lambda who, _rng: who.last_name,
    "three letters of it": lambda who, _rng: who.last_name[:3],
    "last name with a slip": lambda who, rng: _slip(who.last_name, rng),
    "name and part of the number": lambda who, _rng: f"{who.last_name} {who.phone[-4:]}",
    "end of the number": lambda who, _rng: who.phone[-6:],
    "whole number": lambda who, _rng: who.phone,
    "birthday": lambda who, _rng: f"{who.born_on:%d.%m.%Y}",
}


def _timed(
    ask: Callable[[Patient, Random], str],
    *,
    people: Sequence[Patient],
    doctor: Doctor,
    searches: int,
    rng: Random,
) -> dict[str, list[float]]:
    """Milliseconds of each search, and how many it found."""
    took: list[float] = []
    found: list[float] = []
    for _ in range(searches):
        typed = typed_words(ask(rng.choice(people), rng))
        begun = time.perf_counter()
        found.append(len(find_callers(typed, doctors=[doctor])))
        took.append(1000 * (time.perf_counter() - begun))
    return {"ms": took, "found": found}


def _practice() -> Doctor:
    now = datetime.now(UTC)
    specialty = Specialty.objects.create(
        name="Proof", slug="proof", practitioner="prover", icon="sun"
    )
    clinic = Clinic.objects.create(
        name="Proof", street="Weg 1", city="Utrecht", country="NL", time_zone="UTC"
    )
    doctor = Doctor.objects.create(
        slug="proof", name="Dr Proof", specialty=specialty, clinic=clinic, created_at=now
    )
    VisitType.objects.create(doctor=doctor, name="Visit", slots=1)
    return doctor


def _add(people: Sequence[Patient]) -> None:
    now, nobody_signs_in = datetime.now(UTC), make_password(None)
    columns = (
        "first_name", "last_name", "phone", "born_on", "password",
        "is_active", "is_staff", "is_superuser", "created_at",
    )  # fmt: skip
    rows = ((*who, nobody_signs_in, True, False, False, now) for who in people)
    copy_rows(table="accounts_user", columns=columns, rows=rows)
    ids = list(User.objects.values_list("pk", flat=True))
    visit_type = VisitType.objects.select_related("doctor").get()
    of_visits = (
        "id", "doctor_id", "clinic_id", "visit_type_id", "slot_ids", "starts_at", "ends_at",
        "patient_id", "first_name", "last_name", "email", "phone", "reason", "state", "expires_at",
        "otp_attempts", "otp_resends", "created_at",
    )  # fmt: skip
    copy_rows(table="bookings_hold", columns=of_visits, rows=_visits(visit_type, ids, now=now))


def _visits(
    visit_type: VisitType, patients: Sequence[int], *, now: datetime
) -> Iterator[tuple[object, ...]]:
    """One for each patient, long ago. No query may run here: COPY has the connection."""
    doctor = visit_type.doctor
    for number, patient_id in enumerate(patients, 1):
        start = now - number * SLOT
        yield (
            uuid7(), doctor.pk, doctor.clinic_id, visit_type.pk, [number], start, start + SLOT,
            patient_id, "", "", "", "", "", "confirmed", start, 0, 0, start,
        )  # fmt: skip


def _let_planner_look() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '5min'")
        cursor.execute("VACUUM ANALYZE accounts_user, bookings_hold")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("patients", "searches", "seed"):
        parser.add_argument(f"--{name}", type=int, required=True)
    print(json.dumps(main(**vars(parser.parse_args()))))
