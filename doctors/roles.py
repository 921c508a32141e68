"""Tells accounts that doctors and secretaries work here."""

from accounts import roles
from doctors.selectors.doctors import runs_a_day

roles.register(runs_a_day)
