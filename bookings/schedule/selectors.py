"""What the availability pages read before they calculate a preview."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property

from bookings.appointments.selectors.outside_hours import BookedVisit, coming_visits
from bookings.appointments.selectors.undecided import OutsideVisit, Standing, outside_visits
from doctors.hours import Hours, Override
from doctors.models import AvailabilityRule, Clinic, Doctor, VisitType
from doctors.recurrence import ONE_DAY
from doctors.selectors.hours import clinics_with_hours, hours_of, rules_of, version_of


@dataclass(frozen=True)
class PresentHours:
    """A doctor's hours now, and everything that may change with them. Six queries, however many
    rules and visits there are.
    """

    doctor: Doctor
    now: datetime

    @cached_property
    def clinics(self) -> list[Clinic]:
        return clinics_with_hours(self.doctor)

    @cached_property
    def rules(self) -> list[AvailabilityRule]:
        return rules_of(self.doctor)

    @cached_property
    def version(self) -> str:
        return version_of(self.rules)

    @cached_property
    def hours(self) -> Hours:
        since = self.now.date() - ONE_DAY
        return hours_of([self.doctor], since=since, also_at=self.clinics)[self.doctor.pk]

    @cached_property
    def visit_types(self) -> list[VisitType]:
        """Those that hours can be for: also one that is switched off, if hours are for it."""
        chosen = {pk for rule in self.rules for pk in rule.visit_types}
        return [
            each for each in self.doctor.visit_types.all() if each.is_active or each.pk in chosen
        ]

    @cached_property
    def visits(self) -> list[BookedVisit]:
        return coming_visits(self.doctor, now=self.now)

    @cached_property
    def outside(self) -> list[OutsideVisit]:
        """Booked visits outside these hours. One more query if there are any."""
        return outside_visits(self.doctor, hours=self.hours, visits=self.visits, now=self.now)

    @property
    def undecided(self) -> list[OutsideVisit]:
        return [each for each in self.outside if each.standing == Standing.OPEN]

    @property
    def today(self) -> date:
        """Of the clinic where the day ends last."""
        return min(self.now.astimezone(clinic.zone).date() for clinic in self.clinics)

    def with_rules(self, rules: list[AvailabilityRule]) -> Hours:
        minutes = self.doctor.slot_minutes
        weekly = [rule.hours(rule.weekly(slot_minutes=minutes)) for rule in rules]
        return replace(self.hours, weekly=weekly)

    def with_override(self, override: Override) -> Hours:
        return replace(self.hours, overrides=[*self.hours.overrides, override])
