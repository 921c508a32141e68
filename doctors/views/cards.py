"""A doctor in the results: one reason to come, and its free times on the days shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from doctors.models import Doctor, VisitType
from doctors.rules import GridSlot, VisitTime, booking_window, by_day, day_bounds, visit_times
from doctors.selectors.search import DoctorSearch
from doctors.selectors.slots import grid_of_doctors
from doctors.selectors.visit_types import active_visit_types, first_visit_type
from doctors.views.addresses import day_url, doctor_url

TIMES_A_DAY = 4
# How far behind the days shown a card looks for the next free time.
LOOK_AHEAD = timedelta(days=21)


@dataclass(frozen=True)
class CardTime:
    starts_at: datetime
    ends_at: datetime
    url: str


@dataclass(frozen=True)
class CardDay:
    """Up to four times; when there are more, the last place says how many."""

    date: date
    is_today: bool
    times: list[CardTime]
    more: int
    more_url: str


@dataclass(frozen=True)
class DoctorCard:
    """`next_free` is looked for only when the days shown have no time; None: not soon."""

    doctor: Doctor
    zone: str
    visit_type: VisitType | None
    url: str
    days: list[CardDay]
    next_free: datetime | None = None
    next_free_url: str = ""

    @property
    def price_from(self) -> VisitType | None:
        """The cheapest reason, where that is not the one whose times are shown."""
        cheapest = min(
            active_visit_types(self.doctor), key=lambda each: each.price_cents, default=None
        )
        if cheapest is None or self.visit_type is None:
            return None
        return cheapest if cheapest.price_cents < self.visit_type.price_cents else None

    @property
    def modes(self) -> list[str]:
        visit_types = active_visit_types(self.doctor)
        return list(dict.fromkeys(str(each.get_mode_display()) for each in visit_types))


def local_today(doctor: Doctor, *, now: datetime) -> date:
    return now.astimezone(doctor.clinic.zone).date()


def doctor_cards(
    doctors: Sequence[Doctor], *, days: Sequence[date], search: DoctorSearch, now: datetime
) -> list[DoctorCard]:
    """One query for the times of all of them, and one more when some have none on these days."""
    reasons = {
        doctor.pk: first_visit_type(doctor, mode=search.mode, max_fee=search.max_fee)
        for doctor in doctors
    }
    # A day wider at both ends: local days of all zones lie within.
    start, end = _instants(days[0] - timedelta(days=1), days[-1] + timedelta(days=1))
    shown = _free_times(doctors, reasons, start=start, end=end, now=now)
    on_days = {doctor.pk: by_day(shown[doctor.pk], zone=doctor.clinic.zone) for doctor in doctors}
    without = [doctor for doctor in doctors if not any(day in on_days[doctor.pk] for day in days)]
    later = _free_times(without, reasons, start=start, end=end + LOOK_AHEAD, now=now)
    return [
        _card(
            doctor,
            reasons[doctor.pk],
            per_day=on_days[doctor.pk],
            later=later.get(doctor.pk, []),
            days=days,
            now=now,
        )
        for doctor in doctors
    ]


def _instants(first: date, last: date) -> tuple[datetime, datetime]:
    zone = timezone.get_current_timezone()
    return day_bounds(first, zone=zone)[0], day_bounds(last, zone=zone)[1]


def _free_times(
    doctors: Iterable[Doctor],
    reasons: dict[int, VisitType | None],
    *,
    start: datetime,
    end: datetime,
    now: datetime,
) -> dict[int, list[VisitTime]]:
    doctors = list(doctors)
    if not doctors:
        return {}
    grids = grid_of_doctors(doctor_ids=[doctor.pk for doctor in doctors], start=start, end=end)
    return {
        doctor.pk: _free(doctor, reasons[doctor.pk], grid=grids.get(doctor.pk, []), now=now)
        for doctor in doctors
    }


def _free(
    doctor: Doctor, visit_type: VisitType | None, *, grid: list[GridSlot], now: datetime
) -> list[VisitTime]:
    if visit_type is None:
        return []
    earliest, latest = booking_window(
        now=now, min_notice_minutes=doctor.min_notice_minutes, horizon_days=doctor.horizon_days
    )
    free, _held = visit_times(
        grid,
        length=visit_type.slots,
        kept_free=visit_type.buffer_slots,
        mode=visit_type.mode,
        now=now,
    )
    return [time for time in free if earliest <= time.starts_at < latest]


def _card(
    doctor: Doctor,
    visit_type: VisitType | None,
    *,
    per_day: dict[date, list[VisitTime]],
    later: list[VisitTime],
    days: Sequence[date],
    now: datetime,
) -> DoctorCard:
    today, zone = local_today(doctor, now=now), doctor.clinic.zone
    visit_type_id = visit_type.pk if visit_type else None
    next_free = next(
        (time.starts_at for time in later if time.starts_at.astimezone(zone).date() > days[-1]),
        None,
    )
    return DoctorCard(
        doctor=doctor,
        zone=doctor.clinic.time_zone,
        visit_type=visit_type,
        url=doctor_url(doctor),
        days=[
            _card_day(doctor, visit_type_id, day, per_day.get(day, []), is_today=day == today)
            for day in days
        ],
        next_free=next_free,
        next_free_url=day_url(
            doctor, visit_type_id=visit_type_id, day=next_free.astimezone(zone).date()
        )
        if next_free
        else doctor_url(doctor, visit_type=visit_type_id) + "#times",
    )


def _card_day(
    doctor: Doctor,
    visit_type_id: int | None,
    day: date,
    times: list[VisitTime],
    *,
    is_today: bool,
) -> CardDay:
    url = day_url(doctor, visit_type_id=visit_type_id, day=day)
    shown = times if len(times) <= TIMES_A_DAY else times[: TIMES_A_DAY - 1]
    return CardDay(
        date=day,
        is_today=is_today,
        times=[CardTime(time.starts_at, time.ends_at, url) for time in shown],
        more=len(times) - len(shown),
        more_url=url,
    )
