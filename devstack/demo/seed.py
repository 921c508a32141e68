"""The demo from beginning to end. The same seed at the same minute gives the same data."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from random import Random

from django.db import connection

from accounts.models import User
from bookings.models import Appointment
from bookings.schedule.numbers.services import count_days
from bookings.upkeep.partitions import make_partitions
from devstack.demo.bulk import unhurried
from devstack.demo.calendars import HISTORY_DAYS, fill_calendars
from devstack.demo.cast import ADMIN, DOCTOR, DOMAIN, RUN_BY_SECRETARY, SECRETARY, address
from devstack.demo.desk import run_the_desk
from devstack.demo.people import Login, Passwords, add_logins, add_visitors, numbered_patients
from devstack.demo.practices import Practice, add_practices
from doctors.models import Doctor, SecretaryAssignment, Slot

_FILLED = (
    "accounts_user, account_emailaddress, doctors_clinic, doctors_doctor, doctors_visittype,"
    " doctors_availabilityrule, doctors_slot, bookings_hold, bookings_appointment,"
    " audit_auditevent, bookings_doctorday"
)


# Of visits: from the first one of the demo to more than a year ahead.
MONTHS = 20

_NEVER_EMPTIED = {
    "audit_auditevent": "audit_events_are_never_emptied",
    "audit_auditseal": "audit_seals_are_never_emptied",
}


class DemoState(Enum):
    EMPTY = "empty"
    INTERRUPTED = "interrupted"
    IN_USE = "in use"


@dataclass(frozen=True)
class DemoResult:
    doctors: int
    users: int
    slots: int
    appointments: int


def demo_state() -> DemoState:
    """The demo's admin is made last. So patients without an admin are left from an interruption."""
    demo_users = User.objects.filter(email__endswith=f"@{DOMAIN}")
    if demo_users.exists() and not demo_users.filter(email=address("admin")).exists():
        return DemoState.INTERRUPTED
    in_use = demo_users.exists() or Doctor.objects.exists()
    return DemoState.IN_USE if in_use else DemoState.EMPTY


def clear_interrupted_demo() -> None:
    """No doctor or secretary could sign in yet, so no person made anything here."""
    audit = ", ".join(_NEVER_EMPTIED)
    with unhurried(), connection.cursor() as cursor:
        # Otherwise the audit would report visits that are gone. It refuses to be emptied, so the
        # owner of its tables confirms this twice, in this transaction only.
        for table, trigger in _NEVER_EMPTIED.items():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        cursor.execute(f"TRUNCATE doctors_specialty, doctors_clinic, {audit} CASCADE")
        for table, trigger in _NEVER_EMPTIED.items():
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
        User.objects.filter(email__endswith=f"@{DOMAIN}").delete()


def make_demo(
    *,
    doctors: int,
    days: int,
    seed: int,
    now: datetime,
    progress: Callable[[int], None] | None = None,
) -> DemoResult:
    """Fills an empty database. `progress` gets the number of doctors with slots and visits.

    Everything is drawn as of the midnight (UTC) before `now`. Until `now`, practices have marked
    who came today, so the same seed gives the same data at the same minute.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    history = timedelta(days=HISTORY_DAYS)
    make_partitions(now=midnight - history, months_ahead=MONTHS)
    passwords = Passwords.make()
    with unhurried():
        patients = numbered_patients(Random(f"{seed} patients"))
        add_logins(logins=list(patients), passwords=passwords, now=midnight)
        practices = add_practices(
            count=doctors, days=days, rng=Random(f"{seed} doctors"), today=midnight.date()
        )
        visitors = add_visitors(
            doctors_by_city=Counter(practice.city for practice in practices),
            rng=Random(f"{seed} visitors"),
            passwords=passwords,
            now=midnight,
        )
    fill_calendars(
        practices,
        visitors=visitors,
        seed=seed,
        now=midnight,
        marked_until=now,
        progress=progress,
    )
    _open_the_doors(practices[0], passwords=passwords, now=midnight, seed=seed, moment=now)
    # Before beat deletes the old slots.
    count_days(first=(midnight - history).date(), last=now.date() + timedelta(days=1), now=now)
    return _counts()


def _open_the_doors(
    practice: Practice, *, passwords: Passwords, now: datetime, seed: int, moment: datetime
) -> None:
    """The people who run a practice come last, and then statistics for good query plans."""
    logins = [
        Login("doctor", DOCTOR),
        Login("secretary", SECRETARY),
        Login("admin", ADMIN, is_admin=True),
    ]
    with unhurried(), connection.cursor() as cursor:
        add_logins(logins=logins, passwords=passwords, now=now)
        doctor, secretary = (
            User.objects.get(email=address(name)) for name in ("doctor", "secretary")
        )
        Doctor.objects.filter(pk=practice.doctor.pk).update(user=doctor)
        SecretaryAssignment.objects.bulk_create(
            SecretaryAssignment(secretary=secretary, doctor=each)
            for each in Doctor.objects.filter(slug__in=[name.slug for name in RUN_BY_SECRETARY])
        )
        run_the_desk(secretary, rng=Random(f"{seed} desk"), now=moment)
        cursor.execute(f"ANALYZE {_FILLED}")


def _counts() -> DemoResult:
    return DemoResult(
        doctors=Doctor.objects.count(),
        users=User.objects.count(),
        slots=Slot.objects.count(),
        appointments=Appointment.objects.count(),
    )
