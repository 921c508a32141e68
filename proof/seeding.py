"""Fills the database in DATABASE_URL for the clients, and prints the ids of the rows as JSON.

Started as `python -m proof.seeding --doctors N --slots N --patients N --seed N`. The same seed on
the same day gives the same rows. Patients are patient-1, patient-2, … of the demo.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import django

django.setup()

# Models can be imported only after Django's setup.
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.db import connection  # noqa: E402

from accounts.models import User  # noqa: E402
from bookings.upkeep.partitions import make_partitions  # noqa: E402
from devstack.demo.bulk import copy_rows, unhurried  # noqa: E402
from devstack.demo.cast import address  # noqa: E402
from doctors.models import Clinic, Doctor, Mode, Slot, Specialty, VisitType  # noqa: E402
from proof.plan import DAYS_AHEAD, SLOTS_A_DAY  # noqa: E402

SLOT = timedelta(minutes=20)
FIRST_HOUR = 8
AT_ONCE = 1000  # a statement takes 65,535 values
NAMES = ("Ada", "Bram", "Chiara", "Dunja", "Edda", "Filip", "Greta", "Hugo", "Ines", "Jonas")


def seed_database(*, doctors: int, slots: int, patients: int, seed: int) -> dict[str, object]:
    rng, now = Random(seed), datetime.now(UTC)
    make_partitions(now=now)
    with unhurried():
        _add_patients(count=patients, rng=rng, now=now)
        made = _add_doctors(count=doctors, now=now)
        _add_slots(made, count=slots, first=_first_day(now))
    ids = dict(User.objects.filter(email__startswith="patient-").values_list("email", "pk"))
    return {
        "calendars": list(_calendars(made)),
        "patients": [ids[address(f"patient-{number}")] for number in range(1, patients + 1)],
    }


def _first_day(now: datetime) -> datetime:
    day = now + timedelta(days=DAYS_AHEAD)
    return day.replace(hour=FIRST_HOUR, minute=0, second=0, microsecond=0)


def _add_patients(*, count: int, rng: Random, now: datetime) -> None:
    columns = (
        "email", "first_name", "last_name", "phone", "password",
        "is_active", "is_staff", "is_superuser", "created_at",
    )  # fmt: skip
    nobody_signs_in = make_password(None)
    rows = (
        (
            address(f"patient-{number}"), rng.choice(NAMES), f"Proof{number}", "", nobody_signs_in,
            True, False, False, now,
        )
        for number in range(1, count + 1)
    )  # fmt: skip
    copy_rows(table="accounts_user", columns=columns, rows=rows)
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO account_emailaddress (user_id, email, verified, "primary")'
            " SELECT id, email, true, true FROM accounts_user WHERE email LIKE 'patient-%'"
        )


def _add_doctors(*, count: int, now: datetime) -> list[Doctor]:
    specialty = Specialty.objects.create(
        name="Proof", slug="proof", practitioner="prover", icon="sun"
    )
    clinic = Clinic.objects.create(
        name="Proof", street="Weg 1", city="Utrecht", country="NL", time_zone="UTC"
    )
    doctors = Doctor.objects.bulk_create(
        (
            Doctor(
                slug=f"proof-{number}", name=f"Dr Proof {number}", specialty=specialty,
                clinic=clinic, horizon_days=365, change_notice_minutes=0, created_at=now,
            )
            for number in range(1, count + 1)
        ),
        batch_size=AT_ONCE,
    )  # fmt: skip
    VisitType.objects.bulk_create(
        (
            VisitType(doctor=doctor, name=name, slots=length, price_cents=6000)
            for doctor in doctors
            for name, length in (("Single", 1), ("Double", 2))
        ),
        batch_size=AT_ONCE,
    )
    return doctors


def _add_slots(doctors: Sequence[Doctor], *, count: int, first: datetime) -> None:
    columns = ("doctor_id", "clinic_id", "mode", "starts_at", "ends_at")
    starts = [
        first + timedelta(days=number // SLOTS_A_DAY) + number % SLOTS_A_DAY * SLOT
        for number in range(count)
    ]
    rows = (
        (doctor.pk, doctor.clinic_id, Mode.ANY.value, start, start + SLOT)
        for doctor in doctors
        for start in starts
    )
    copy_rows(table="doctors_slot", columns=columns, rows=rows)


def _calendars(doctors: Sequence[Doctor]) -> Iterator[dict[str, object]]:
    types = {
        (doctor, name): pk
        for doctor, name, pk in VisitType.objects.values_list("doctor_id", "name", "pk")
    }
    slots: dict[int, list[int]] = {doctor.pk: [] for doctor in doctors}
    in_order = Slot.objects.order_by("doctor_id", "starts_at").values_list("doctor_id", "pk")
    for doctor, pk in in_order:
        slots[doctor].append(pk)
    for doctor, ids in slots.items():
        yield {
            "doctor": doctor,
            "single": types[doctor, "Single"],
            "double": types[doctor, "Double"],
            "slots": ids,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("doctors", "slots", "patients", "seed"):
        parser.add_argument(f"--{name}", type=int, required=True)
    print(json.dumps(seed_database(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
