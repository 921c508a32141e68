"""What the clients work with: doctors with free times, and signed-in patients."""

import json
from dataclasses import dataclass

from proof.plan import Calendar, Patient
from proof.stack import Stack


@dataclass(frozen=True)
class Fixture:
    seed: int
    calendars: list[Calendar]
    patients: list[Patient]


def make_fixture(
    stack: Stack,
    *,
    doctors: int,
    slots: int,
    patients: int,
    seed: int = 1,
    signed_in: int | None = None,
) -> Fixture:
    """Fills the stack's empty database with `slots` per doctor. The fixture's patients are the
    first `signed_in` of them, or all; their tokens are valid for ten minutes.
    """
    counts = {"doctors": doctors, "slots": slots, "patients": patients, "seed": seed}
    arguments = [part for name, n in counts.items() for part in (f"--{name}", str(n))]
    found = json.loads(stack.run("-m", "proof.seeding", *arguments))
    stack.let_planner_look("accounts_user", "doctors_doctor", "doctors_visittype", "doctors_slot")
    return Fixture(
        seed=seed,
        calendars=[Calendar(**each) for each in found["calendars"]],
        patients=sign_in(stack, ids=found["patients"][:signed_in]),
    )


def sign_in(stack: Stack, *, ids: list[int]) -> list[Patient]:
    """Without a login for each: logins have limits and cost a slow hash."""
    tokens = stack.manage("demo_tokens", "--count", str(len(ids))).split()
    return [
        Patient(id=pk, token=token, address=_address(number))
        for number, (pk, token) in enumerate(zip(ids, tokens, strict=True), 1)
    ]


def renewed(stack: Stack, fixture: Fixture) -> Fixture:
    """The same, with tokens that are valid for another ten minutes."""
    ids = [patient.id for patient in fixture.patients]
    return Fixture(fixture.seed, fixture.calendars, sign_in(stack, ids=ids))


def _address(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
