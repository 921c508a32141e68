"""Users of the demo: the logins, the numbered patients, and visitors who fill the calendars."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from random import Random
from typing import NamedTuple

from django.contrib.auth.hashers import make_password
from django.db import connection

from accounts.models import User
from devstack.demo.bulk import copy_rows
from devstack.demo.cast import DOMAIN, NUMBERED_PATIENTS, PASSWORD, PATIENT, address
from devstack.demo.names import PersonName, draw_name
from devstack.demo.places import CITIES, COUNTRIES, City

_USER_COLUMNS = (
    "email", "first_name", "last_name", "phone", "password",
    "is_active", "is_staff", "is_superuser", "created_at",
)  # fmt: skip


VISITORS_A_DOCTOR = 8
VISITORS_A_CITY = 25


class Patient(NamedTuple):
    id: int
    email: str
    first_name: str
    last_name: str
    phone: str


class Login(NamedTuple):
    """Somebody who signs in with the demo's password."""

    name: str
    person: PersonName
    phone: str = ""
    is_admin: bool = False


class Passwords(NamedTuple):
    """Hashed once and shared: hashing is slow on purpose, and these passwords protect nothing."""

    known: str
    unusable: str

    @classmethod
    def make(cls) -> "Passwords":
        return cls(known=make_password(PASSWORD), unusable=make_password(None))


def add_logins(*, logins: Iterable[Login], passwords: Passwords, now: datetime) -> None:
    """Users who can sign in at once; their addresses are proven."""
    rows = [
        (
            address(login.name), login.person.first, login.person.last, login.phone,
            passwords.known, True, login.is_admin, login.is_admin, now,
        )
        for login in logins
    ]  # fmt: skip
    copy_rows(table="accounts_user", columns=_USER_COLUMNS, rows=rows)
    _prove_addresses([address(login.name) for login in logins])


def numbered_patients(rng: Random) -> Iterator[Login]:
    """patient@, and patient-1@ … patient-2000@, whose calendars stay free for load tests."""
    yield Login("patient", PATIENT, "+31 6 555 01 42")
    for number in range(1, NUMBERED_PATIENTS + 1):
        city = rng.choice(CITIES)
        person = draw_name(rng, origins=COUNTRIES[city.country].origins)
        yield Login(f"patient-{number}", person, draw_digits(rng, city.phone))


def add_visitors(
    *, doctors_by_city: dict[City, int], rng: Random, passwords: Passwords, now: datetime
) -> dict[City, list[Patient]]:
    """People who cannot sign in and have the other appointments; several for each doctor."""
    homes = [
        city
        for city, doctors in doctors_by_city.items()
        for _ in range(VISITORS_A_CITY + VISITORS_A_DOCTOR * doctors)
    ]
    rows = [_visitor(rng, number, city, passwords, now) for number, city in enumerate(homes, 1)]
    copy_rows(table="accounts_user", columns=_USER_COLUMNS, rows=rows)
    emails = [str(row[0]) for row in rows]
    _prove_addresses(emails)
    patients = {patient.email: patient for patient in _patients_named("visitor")}
    visitors: dict[City, list[Patient]] = {city: [] for city in doctors_by_city}
    for city, email in zip(homes, emails, strict=True):
        visitors[city].append(patients[email])
    return visitors


def demo_patient() -> Patient:
    [patient] = _patients_named("patient@")
    return patient


def draw_digits(rng: Random, pattern: str) -> str:
    """`pattern` with a digit for each # and a capital letter for each @."""
    draw = {"#": "0123456789", "@": "ABCDEFGHJKLMNPRSTUVWXYZ"}
    return "".join(rng.choice(draw.get(character, character)) for character in pattern)


def _visitor(
    rng: Random, number: int, city: City, passwords: Passwords, now: datetime
) -> tuple[object, ...]:
    person = draw_name(rng, origins=COUNTRIES[city.country].origins)
    return (
        address(f"visitor-{number}"), person.first, person.last, draw_digits(rng, city.phone),
        passwords.unusable, True, False, False, now,
    )  # fmt: skip


def _prove_addresses(emails: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO account_emailaddress (user_id, email, verified, "primary")'
            " SELECT id, email, true, true FROM accounts_user WHERE email = ANY(%s)",
            [emails],
        )


def _patients_named(prefix: str) -> list[Patient]:
    users = User.objects.filter(email__startswith=prefix, email__endswith=f"@{DOMAIN}")
    columns = ("pk", "email", "first_name", "last_name", "phone")
    return [Patient(*row) for row in users.order_by("pk").values_list(*columns)]
