"""Where the practice can move a visit, and what speaks against a time."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bookings.appointments.selectors.appointments import busy_periods, visit_type_as_agreed
from bookings.models import Appointment
from bookings.schedule.day_schedule import lines_of_day
from doctors.models import Doctor
from doctors.recurrence import Period
from doctors.rules import VisitTime, instants_of_days
from doctors.selectors.slots import practice_times_on_day, window_of
from doctors.templatetags.clinic_time import clock

# Rules for patients that the practice may override, by the names that the audit uses.
RULES = {
    "notice": _("Too soon for patients to book"),
    "horizon": _("Too far ahead for patients to book"),
}


@dataclass(frozen=True)
class MoveTime:
    """A free time of the doctor. `rule` is the one of RULES that it breaks, or empty. Nobody can
    choose it while the patient is busy elsewhere.
    """

    time: VisitTime
    rule: str
    is_patient_busy: bool

    @property
    def warning(self) -> str:
        return str(RULES[self.rule]) if self.rule else ""


def times_to_choose(visit: Appointment, *, day: date, now: datetime) -> list[MoveTime]:
    """Every free time of the day for what was agreed, with all that speaks against it. The visit's
    own start is left out. Two queries.
    """
    visit_type = visit_type_as_agreed(visit)
    times = practice_times_on_day(visit_type=visit_type, day=day, now=now, moves=visit.pk)
    busy = _busy(visit, day=day)
    return [
        MoveTime(
            time=each,
            rule=rule_broken_by(each.starts_at, doctor=visit.doctor, zone=each.zone, now=now),
            is_patient_busy=any(
                starts < each.ends_at and each.starts_at < ends for starts, ends in busy
            ),
        )
        for each in times
        if each.starts_at != visit.starts_at
    ]


def conflicts_at(starts_at: datetime, *, visit: Appointment, now: datetime) -> list[str]:
    """Everything that keeps the visit from this time of its place, in whole sentences; empty if
    nothing does. Four queries.
    """
    day, zone = starts_at.astimezone(visit.zone).date(), visit.zone
    ends_at = starts_at + (visit.ends_at - visit.starts_at)
    lines = lines_of_day(visit.doctor, day=day, now=now)
    there = [each for each in lines if each.starts_at < ends_at and starts_at < each.ends_at]
    others = [each for each in there if each.visit is None or each.visit.id != visit.pk]
    found = [
        _TAKEN[each.kind]
        % {"from": clock(each.starts_at, zone), "until": clock(each.ends_at, zone)}
        for each in others
        if each.kind in _TAKEN
    ]
    if any(each.visit for each in others):
        found.append(gettext("The doctor has another visit then."))
    covered = sum(
        (min(each.ends_at, ends_at) - max(each.starts_at, starts_at) for each in there),
        timedelta(),
    )
    if covered < ends_at - starts_at or any(each.kind == "gap" for each in there):
        found.append(gettext("It is outside the doctor’s hours."))
    if any(begin < ends_at and starts_at < end for begin, end in _busy(visit, day=day)):
        found.append(gettext("The patient has another visit then."))
    if starts_at <= now:
        found.append(gettext("It is over."))
    return found


def _busy(visit: Appointment, *, day: date) -> list[Period]:
    """When the patient cannot come on this day, or later."""
    since, _end = instants_of_days(day, day)
    return busy_periods(visit.patient_id, since=since, apart_from=visit.pk)


_TAKEN = {
    "held": _("%(from)s–%(until)s is on hold for somebody else."),
    "blocked": _("%(from)s–%(until)s is blocked."),
}


def rule_broken_by(starts_at: datetime, *, doctor: Doctor, zone: ZoneInfo, now: datetime) -> str:
    """One of RULES, or empty. `zone` is that of the clinic."""
    window = window_of(doctor, now=now)
    if starts_at < window.earliest:
        return "notice"
    return "horizon" if starts_at.astimezone(zone).date() > window.last_day(zone) else ""
