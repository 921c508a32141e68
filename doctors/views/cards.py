"""A doctor in the results: one visit type, and its free times on the days shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from doctors.models import Doctor, VisitType
from doctors.rules import Place, VisitTime, by_day, instants_of_days
from doctors.selectors.search import DoctorSearch
from doctors.selectors.slots import free_times_of_doctors, place_of
from doctors.selectors.visit_types import active_visit_types, fitting_visit_types
from doctors.templatetags.clinic_time import (
    clock,
    date_long,
    days_in_a_row,
    money,
    today_or_weekday,
)
from doctors.views.addresses import day_url, doctor_url, others_url

TIMES_A_DAY = 4
# A narrow card has room for this many of its five days: see results.css.
DAYS_OF_A_NARROW_CARD = 4
# How far behind the days shown a card looks for the next free time.
LOOK_AHEAD = timedelta(days=21)


@dataclass(frozen=True)
class CardTime:
    """As it is read by the clock of `place`, whose city is named where the card has several."""

    label: str
    spoken: str
    place: Place
    city: str
    url: str


@dataclass(frozen=True)
class DayHead:
    """What stands above the times of a day, like "Today", "30 Nov"."""

    weekday: str
    label: str


@dataclass(frozen=True)
class CardDay:
    """Up to four times; when there are more, the last place says how many, and in which cities
    where the card names several clinics.
    """

    head: DayHead
    times: list[CardTime]
    more: int
    more_label: str
    more_spoken: str
    more_cities: str
    url: str


@dataclass(frozen=True)
class DoctorCard:
    """`places` are the clinics of the times shown; the main one where there are none. `next_free`
    is given when the days of a narrow card have no time; None with `is_empty`: not soon.
    """

    doctor: Doctor
    places: list[Place]
    visit_type: VisitType | None
    url: str
    days: list[CardDay]
    is_empty: bool
    others_url: str
    next_free: VisitTime | None = None
    next_free_url: str = ""

    @property
    def facts(self) -> str:
        """Ways of meeting and the lowest price, where there is more than the visit type shown."""
        modes = modes_of(self.doctor)
        cheapest = _price_from(self.doctor, self.visit_type)
        if len(modes) < 2 and cheapest is None:
            return ""
        facts = capfirst(", ".join(modes))
        if cheapest is None:
            return facts
        return f"{facts} · {_('from %(price)s') % {'price': money(cheapest)}}"


def modes_of(doctor: Doctor) -> list[str]:
    visit_types = active_visit_types(doctor)
    return list(dict.fromkeys(str(each.get_mode_display()) for each in visit_types))


def _price_from(doctor: Doctor, shown: VisitType | None) -> VisitType | None:
    """The cheapest visit type in the same currency, where that is not the one shown."""
    if shown is None:
        return None
    alike = [each for each in active_visit_types(doctor) if each.currency == shown.currency]
    cheapest = min(alike, key=lambda each: each.price_cents, default=shown)
    return cheapest if cheapest.price_cents < shown.price_cents else None


@dataclass(frozen=True)
class _Choice:
    """A visit type, and its free times within the days that were looked at."""

    visit_type: VisitType
    times: list[VisitTime]


def local_today(doctor: Doctor, *, now: datetime) -> date:
    """Where the doctor is free next; else at the main clinic. `doctor` comes from a search."""
    zone = getattr(doctor, "next_free_zone", None)
    return now.astimezone(ZoneInfo(zone) if zone else doctor.clinic.zone).date()


def common_today(doctors: Iterable[Doctor], *, now: datetime) -> date | None:
    """Today, when it is the same day at all the clinics and by the clock of the site."""
    days = {local_today(doctor, now=now) for doctor in doctors} | {timezone.localdate(now)}
    return days.pop() if len(days) == 1 else None


def day_heads(days: Sequence[date], *, today: date | None) -> list[DayHead]:
    return [
        DayHead(today_or_weekday(day, today=today), label)
        for day, label in zip(days, days_in_a_row(days), strict=True)
    ]


def doctor_cards(
    doctors: Sequence[Doctor], *, days: Sequence[date], search: DoctorSearch, now: datetime
) -> list[DoctorCard]:
    """One query for the times of all of them, and one more when some have none on these days.

    A card shows the visit type for which its doctor was found: one that can start on the day asked
    for, else the one that can start first.
    """
    start, end = instants_of_days(days[0], days[-1])
    choices = _choices(doctors, search=search, start=start, end=end, now=now)
    asked = [day for day in days if day == search.available_on] or days
    shown = {pk: _chosen(found, days=asked) for pk, found in choices.items()}
    without = [doctor for doctor in doctors if _is_empty(shown[doctor.pk], days=days)]
    later = (
        _choices(without, search=search, start=start, end=end + LOOK_AHEAD, now=now)
        if without
        else {}
    )
    for pk, found in later.items():
        shown[pk] = _chosen(_after(found, days[-1]), days=None)
    return [_card(doctor, shown[doctor.pk], days=days, now=now) for doctor in doctors]


def _choices(
    doctors: Sequence[Doctor],
    *,
    search: DoctorSearch,
    start: datetime,
    end: datetime,
    now: datetime,
) -> dict[int, list[_Choice]]:
    """For each doctor, the visit types that fit the search, in the doctor's order. One query."""
    by_doctor = {
        doctor.pk: fitting_visit_types(
            doctor, mode=search.mode, max_fee=search.max_fee, currency=search.currency
        )
        for doctor in doctors
    }
    found = free_times_of_doctors(
        visit_types=[each for group in by_doctor.values() for each in group],
        start=start,
        end=end,
        now=now,
    )
    times: dict[int, list[VisitTime]] = {}
    for time, visit_type in found:
        if not search.city or time.place.city.casefold() == search.city.casefold():
            times.setdefault(visit_type.pk, []).append(time)
    return {
        pk: [_Choice(each, times.get(each.pk, [])) for each in group]
        for pk, group in by_doctor.items()
    }


def _chosen(choices: list[_Choice], *, days: Sequence[date] | None) -> _Choice | None:
    """The one with the earliest time on these days, or at all; the first of those that tie."""
    firsts = [
        (time.starts_at, number)
        for number, choice in enumerate(choices)
        for time in choice.times
        if days is None or time.local_day in days
    ]
    return choices[min(firsts)[1]] if firsts else next(iter(choices), None)


def _is_empty(choice: _Choice | None, *, days: Sequence[date]) -> bool:
    return choice is None or not any(time.local_day in days for time in choice.times)


def _after(choices: list[_Choice], day: date) -> list[_Choice]:
    return [
        _Choice(each.visit_type, [time for time in each.times if time.local_day > day])
        for each in choices
    ]


def _card(
    doctor: Doctor, choice: _Choice | None, *, days: Sequence[date], now: datetime
) -> DoctorCard:
    visit_type = choice.visit_type if choice else None
    visit_type_id = visit_type.pk if visit_type else None
    times = choice.times if choice else []
    per_day = by_day(times)
    shown = [time for day in days for time in per_day.get(day, [])]
    is_late = not any(day in per_day for day in days[:DAYS_OF_A_NARROW_CARD])
    first = next(iter(shown or times), None) if is_late else None
    places = list(dict.fromkeys(time.place for time in shown or filter(None, [first])))
    heads = day_heads(days, today=common_today([doctor], now=now))
    return DoctorCard(
        doctor=doctor,
        places=places or [place_of(doctor.clinic)],
        visit_type=visit_type,
        url=doctor_url(doctor),
        days=[
            _card_day(
                per_day.get(day, []),
                head=head,
                url=day_url(doctor, visit_type_id=visit_type_id, day=day),
                about=_About(doctor.name, visit_type.name if visit_type else "", places),
            )
            for day, head in zip(days, heads, strict=True)
        ],
        is_empty=not shown,
        others_url=others_url(doctor, city=doctor.clinic.city),
        next_free=first,
        next_free_url=day_url(doctor, visit_type_id=visit_type_id, day=first.local_day)
        if first
        else doctor_url(doctor, visit_type=visit_type_id) + "#times",
    )


class _About(NamedTuple):
    """What is said aloud with each time of a card."""

    doctor: str
    visit: str
    places: Sequence[Place]


def _card_day(times: list[VisitTime], *, head: DayHead, url: str, about: _About) -> CardDay:
    names_places = len(about.places) > 1
    shown = times if len(times) <= TIMES_A_DAY else times[: TIMES_A_DAY - 1]
    rest = times[len(shown) :]
    cities = ", ".join(dict.fromkeys(time.place.city for time in rest)) if names_places else ""
    return CardDay(
        head=head,
        times=[_card_time(time, url=url, about=about, named=names_places) for time in shown],
        more=len(rest),
        more_label=_("%(more)s more") % {"more": len(rest)} if rest else "",
        more_spoken=_more_in_words(rest, about=about, cities=cities) if rest else "",
        more_cities=cities,
        url=url,
    )


def _card_time(time: VisitTime, *, url: str, about: _About, named: bool) -> CardTime:
    place = time.place
    start = clock(time.starts_at, time.zone)
    spoken = _("%(day)s, %(start)s to %(end)s, %(visit)s, %(name)s") % {
        "day": date_long(time.local_day, time.zone),
        "start": start,
        "end": clock(time.ends_at, time.zone),
        "visit": about.visit,
        "name": about.doctor,
    }
    if named:
        spoken = f"{spoken}, {place.name}, {place.city}"
    return CardTime(start, spoken, place, place.city if named else "", url)


def _more_in_words(rest: Sequence[VisitTime], *, about: _About, cities: str) -> str:
    words = _("%(more)s more: %(date)s, %(name)s") % {
        "more": len(rest),
        "date": date_long(rest[0].local_day, rest[0].zone),
        "name": about.doctor,
    }
    return f"{words}, {cities}" if cities else words
