"""Visits outside a doctor's hours, and what became of a decision about them, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bookings.appointments.presentation import told_in_words
from bookings.appointments.selectors.outside_hours import BookedVisit
from bookings.appointments.selectors.undecided import OutsideVisit
from bookings.models import Choice, ItemState, Rearrangement
from bookings.rearranging.selectors import ItemOfDecision
from bookings.states import CALLED_OFF
from doctors.templatetags.clinic_time import day_and_clock, local_date

# Why a visit stayed as it was, by the code of the refusal, and what to do about it.
_FAILURES = {
    "slot-taken": _("The colleague no longer has this time free. Choose something else."),
    "no-such-time": _("The colleague does not work at this clinic then. Choose something else."),
    "no-such-visit": _("The colleague has no visit of this kind and length. Choose again."),
    "no-colleague": _("The colleague can no longer be booked. Choose something else."),
    "no-other-times": _("No other time was free. Choose something else, or call the patient."),
    "no-address": _("The patient has no e-mail address. Choose something else, or call them."),
    "booking-disabled": _("Booking is paused. Offer other times when it goes on."),
    "unknown-visit-type": _("Patients can no longer book this kind of visit. Choose again."),
    "patient-busy": _("The patient has another visit at that time. Call the patient."),
    "version-mismatch": _("Somebody has changed this visit meanwhile. Nothing was done with it."),
    "not-changeable": _("It is no longer booked. There is nothing left to do."),
    "outside-booking-window": _("It has begun."),
    "not-found": _("You can no longer change this doctor's visits."),
}
_OTHER_FAILURE = _("It did not work. Choose again.")


@dataclass(frozen=True)
class Row:
    """A booked visit of the list. `note` says what was tried before."""

    visit: BookedVisit
    note: str

    @property
    def id_text(self) -> str:
        return str(self.visit.id)


@dataclass(frozen=True)
class Day:
    """On the clocks of the visits' clinics."""

    date: date
    rows: list[Row]


def days_of(visits: Sequence[OutsideVisit]) -> list[Day]:
    def day_of(each: OutsideVisit) -> date:
        return local_date(each.visit.starts_at, each.visit.time_zone)

    return [
        Day(day, [Row(each.visit, _note(each)) for each in group])
        for day, group in groupby(visits, key=day_of)
    ]


def _note(outside: OutsideVisit) -> str:
    last = outside.last
    if last is None:
        return ""
    if last.state == ItemState.FAILED:
        return failure_in_words(last.failure)
    if last.offered_until:
        return gettext("Other times were offered, and the patient has not answered.")
    if last.rearrangement.choice == Choice.KEEP:
        return gettext("You kept it, and the hours of that day have changed since.")
    return ""


def failure_in_words(code: str) -> str:
    return str(_FAILURES.get(code, _OTHER_FAILURE))


@dataclass(frozen=True)
class Outcome:
    """`kind` is waiting, done, asked (the patient has not answered yet) or failed."""

    decided: ItemOfDecision
    kind: str
    text: str

    @property
    def id_text(self) -> str:
        return str(self.decided.item.visit_id)


def outcomes_of(
    decision: Rearrangement, items: Sequence[ItemOfDecision], *, now: datetime
) -> list[Outcome]:
    """Those that need somebody again come first."""
    outcomes = [_outcome(decision, each, now=now) for each in items]
    return sorted(outcomes, key=lambda each: each.kind != "failed")


def _outcome(decision: Rearrangement, decided: ItemOfDecision, *, now: datetime) -> Outcome:
    item, visit = decided.item, decided.visit
    if item.state == ItemState.WAITING:
        return Outcome(decided, "waiting", gettext("Waiting"))
    if item.state == ItemState.FAILED:
        return Outcome(decided, "failed", failure_in_words(item.failure))
    if visit.status in CALLED_OFF:
        return Outcome(decided, "done", _ended(decision, decided))
    if item.offered_until:
        return _unanswered(decided, until=item.offered_until, now=now)
    return Outcome(decided, "done", gettext("Kept."))


def _ended(decision: Rearrangement, decided: ItemOfDecision) -> str:
    told = told_in_words(decided.contact)
    if decided.new is None:
        return gettext("Cancelled.") + " " + told
    if decision.colleague is not None:
        return gettext("Now with %(name)s.") % {"name": decision.colleague.name} + " " + told
    when = day_and_clock(decided.new.starts_at, decided.new.zone)
    return gettext("Moved to %(when)s.") % {"when": when}


def _unanswered(decided: ItemOfDecision, *, until: datetime, now: datetime) -> Outcome:
    if until <= now:
        text = gettext("The patient has not answered. Decide again about this visit.")
        return Outcome(decided, "failed", text)
    text = gettext("Other times are held for the patient until %(when)s.")
    when = day_and_clock(until, decided.visit.time_zone)
    return Outcome(decided, "asked", text % {"when": when})
