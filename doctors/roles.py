"""Tells accounts that doctors and secretaries work here."""

from accounts import roles
from accounts.models import User
from doctors.selectors.doctors import doctors_run_by


@roles.register
def runs_a_day(user: User) -> bool:
    return doctors_run_by(user).exists()
