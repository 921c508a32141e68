"""Changes how early and how late patients can book a doctor, for the pages of the practice."""

from typing import NamedTuple

from django.db import transaction

from accounts.models import User
from docbook.audit import services as audit
from docbook.errors import VersionMismatch
from doctors.models import Doctor
from doctors.services.hours import lock_hours
from doctors.services.slot_expansions import ask_for_expansion


class BookingRules(NamedTuple):
    """`most_visits_a_day` is None for as many as there are times. Named as in Doctor."""

    min_notice_minutes: int
    horizon_days: int
    change_notice_minutes: int
    most_visits_a_day: int | None

    @classmethod
    def of(cls, doctor: Doctor) -> "BookingRules":
        return cls(*(getattr(doctor, name) for name in cls._fields))

    @property
    def version(self) -> str:
        return "-".join(str(value or 0) for value in self)


def change_booking_rules(
    *, doctor: Doctor, rules: BookingRules, seen: str, by: audit.Actor, user: User
) -> None:
    """`seen` is the version that the caller has seen. Raises VersionMismatch if the rules have
    changed since. After another horizon, a worker makes or takes away the times at its end.
    """
    with transaction.atomic():
        lock_hours(doctor)
        present = BookingRules.of(Doctor.objects.get(pk=doctor.pk))
        if present.version != seen:
            raise VersionMismatch
        if rules == present:
            return
        Doctor.objects.filter(pk=doctor.pk).update(**rules._asdict())
        audit.record(
            action="booking_rules.changed",
            by=by,
            on=("doctor", doctor.pk),
            before=present._asdict(),
            after=rules._asdict(),
        )
        if rules.horizon_days != present.horizon_days:
            ask_for_expansion(doctor_ids=[doctor.pk], by=user)
