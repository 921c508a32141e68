"""A doctor in the results: one visit type, and its free times on the shown days."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from doctors.models import Doctor, VisitType
from doctors.models.schedule import Mode
from doctors.names import initials_of
from doctors.rules import Place, VisitTime
from doctors.selectors.search import DoctorSearch
from doctors.selectors.shown_times import ShownTimes, shown_times
from doctors.selectors.slots import place_of
from doctors.selectors.visit_types import active_visit_types
from doctors.templatetags.clinic_time import (
    avatar,
    clock,
    date_long,
    day_of_month,
    days_in_a_row,
    money,
    today_or_weekday,
)
from doctors.views.addresses import doctor_url, on_day, others_url, with_query

TIMES_A_DAY = 4
# A narrow card has room for this many of its five days: see results.css.
DAYS_OF_A_NARROW_CARD = 4
_MODE_ICONS = {"video": "video", "phone": "phone"}


@dataclass(frozen=True)
class CardTime:
    """A time on the clock of `place`. Its city is named if the card has several."""

    label: str
    spoken: str
    place: Place
    city: str
    url: str


@dataclass(frozen=True)
class DayHead:
    """The head above the times of a day, like "Today", "30 Nov"."""

    weekday: str
    label: str


@dataclass(frozen=True)
class CardDay:
    """Up to four times. If there are more, the last place says how many, and in which cities if the
    card names several clinics.
    """

    head: DayHead
    times: list[CardTime]
    more: int
    more_label: str
    more_spoken: str
    more_cities: str
    url: str


@dataclass(frozen=True)
class LaterTime:
    """The next free time, if the days of a narrow card have none."""

    words: str
    label: str
    spoken: str
    url: str


@dataclass(frozen=True)
class DoctorCard:
    """`addresses` are the clinics of the shown times, or the main clinic if there are none.
    `calendar_url` is set if times are free, but not soon; `others_url` if none are.
    """

    id: int
    name: str
    url: str
    avatar: str
    initials: str
    practitioner: str
    addresses: list[str]
    languages: str
    facts: str
    visit_type: VisitType | None
    visit_icon: str
    visit_words: str
    days: list[CardDay]
    is_empty: bool
    later: LaterTime | None
    calendar_url: str
    others_url: str
    others: str


def local_today(doctor: Doctor, *, now: datetime) -> date:
    """At the clinic of the doctor's next free time, otherwise at the main clinic. `doctor` comes
    from a search.
    """
    zone = getattr(doctor, "next_free_zone", None)
    return now.astimezone(ZoneInfo(zone) if zone else doctor.clinic.zone).date()


def common_today(doctors: Iterable[Doctor], *, now: datetime) -> date | None:
    """Today, if all the clinics and the site have the same date."""
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
    """One query for the times of all of them, and one more if some have none on these days."""
    shown = shown_times(doctors, days=days, search=search, now=now)
    words = _Words(days)
    return [
        _card(doctor, shown[doctor.pk], today=common_today([doctor], now=now), words=words)
        for doctor in doctors
    ]


class _Words:
    """The words of one list. Its cards share days, hours, fees and sentences, and each is worked
    out once.
    """

    def __init__(self, days: Sequence[date]) -> None:
        self.days = days
        self.heads = cache(lambda today: day_heads(days, today=today))
        self.clock = cache(clock)
        self.date = cache(date_long)
        self.money = cache(money)
        self.mode = cache(lambda mode: str(Mode(mode).label))
        self.visit = _(
            "Times for: <strong>{name}</strong>, {minutes} min, {mode} · <strong>{price}</strong>"
        )
        self.time = _("%(day)s, %(start)s to %(end)s, %(visit)s, %(name)s")
        self.more = _("%(more)s more")
        self.more_spoken = _("%(more)s more: %(date)s, %(name)s")

    def price(self, visit_type: VisitType) -> str:
        return self.money(visit_type.price_cents, visit_type.currency)


def _card(doctor: Doctor, found: ShownTimes, *, today: date | None, words: _Words) -> DoctorCard:
    visit_type, later = found.visit_type, found.later
    times = [time for each in found.days.values() for time in each]
    if times and not any(day in found.days for day in words.days[:DAYS_OF_A_NARROW_CARD]):
        later = times[0]
    places = {time.place.id: time.place for time in times or filter(None, [later])}
    page = doctor_url(doctor)
    calendar = with_query(page, visit_type=visit_type.pk if visit_type else None)
    is_far = later is None and not times
    has_any = getattr(doctor, "next_free_at", None) is not None
    about = _About(doctor.name, visit_type.name if visit_type else "", len(places) > 1)
    return DoctorCard(
        id=doctor.pk,
        name=doctor.name,
        url=page,
        avatar=avatar(doctor.pk),
        initials=initials_of(doctor.name),
        practitioner=capfirst(doctor.specialty.practitioner),
        addresses=[
            f"{place.name}, {place.street}, {place.city}"
            for place in places.values() or [place_of(doctor.clinic)]
        ],
        languages=", ".join(doctor.language_names),
        facts=_facts(doctor, visit_type, words=words),
        visit_type=visit_type,
        visit_icon=_MODE_ICONS.get(visit_type.mode, "building-2") if visit_type else "",
        visit_words=_visit_in_words(visit_type, words=words) if visit_type else "",
        days=[
            _card_day(
                found.days.get(day, []),
                head=head,
                url=on_day(calendar, day),
                about=about,
                words=words,
            )
            for day, head in zip(words.days, words.heads(today), strict=True)
        ],
        is_empty=not times,
        later=_later(later, doctor=doctor, url=calendar, words=words) if later else None,
        calendar_url=f"{calendar}#times" if is_far and has_any else "",
        others_url=others_url(doctor, city=doctor.clinic.city) if is_far and not has_any else "",
        others=f"{doctor.specialty.name}, {doctor.clinic.city}",
    )


def _facts(doctor: Doctor, shown: VisitType | None, *, words: _Words) -> str:
    """The modes and the lowest price, if there is more than the shown visit type."""
    visit_types = active_visit_types(doctor)
    modes = dict.fromkeys(each.mode for each in visit_types)
    cheapest = _price_from(visit_types, shown)
    if len(modes) < 2 and cheapest is None:
        return ""
    facts = capfirst(", ".join(map(words.mode, modes)))
    if cheapest is None:
        return facts
    return f"{facts} · {_('from %(price)s') % {'price': words.price(cheapest)}}"


def _price_from(visit_types: Sequence[VisitType], shown: VisitType | None) -> VisitType | None:
    """The cheapest visit type in the same currency, unless it is the shown one."""
    if shown is None:
        return None
    alike = [each for each in visit_types if each.currency == shown.currency]
    cheapest = min(alike, key=lambda each: each.price_cents, default=shown)
    return cheapest if cheapest.price_cents < shown.price_cents else None


def _visit_in_words(visit_type: VisitType, *, words: _Words) -> SafeString:
    return format_html(
        words.visit,
        name=visit_type.name,
        minutes=visit_type.minutes,
        mode=words.mode(visit_type.mode).lower(),
        price=words.price(visit_type),
    )


def _later(time: VisitTime, *, doctor: Doctor, url: str, words: _Words) -> LaterTime:
    day = day_of_month(time.local_day, time.zone)
    return LaterTime(
        words=_("Next availability on %(day)s, %(start)s")
        % {
            "day": words.date(time.local_day, time.zone),
            "start": words.clock(time.starts_at, time.zone),
        },
        label=_("Go to %(day)s") % {"day": day},
        spoken=_("Go to %(day)s, %(name)s") % {"day": day, "name": doctor.name},
        url=on_day(url, time.local_day),
    )


class _About(NamedTuple):
    """What screen readers say with each time of a card."""

    doctor: str
    visit: str
    names_places: bool


def _card_day(
    times: list[VisitTime], *, head: DayHead, url: str, about: _About, words: _Words
) -> CardDay:
    shown = times if len(times) <= TIMES_A_DAY else times[: TIMES_A_DAY - 1]
    rest = times[len(shown) :]
    cities = ", ".join(dict.fromkeys(time.place.city for time in rest if about.names_places))
    return CardDay(
        head=head,
        times=[_card_time(time, url=url, about=about, words=words) for time in shown],
        more=len(rest),
        more_label=words.more % {"more": len(rest)} if rest else "",
        more_spoken=_more_in_words(rest, about=about, cities=cities, words=words) if rest else "",
        more_cities=cities,
        url=url,
    )


def _card_time(time: VisitTime, *, url: str, about: _About, words: _Words) -> CardTime:
    place, zone = time.place, time.zone
    start = words.clock(time.starts_at, zone)
    spoken = words.time % {
        "day": words.date(time.local_day, zone),
        "start": start,
        "end": words.clock(time.ends_at, zone),
        "visit": about.visit,
        "name": about.doctor,
    }
    if about.names_places:
        spoken = f"{spoken}, {place.name}, {place.city}"
    return CardTime(start, spoken, place, place.city if about.names_places else "", url)


def _more_in_words(rest: Sequence[VisitTime], *, about: _About, cities: str, words: _Words) -> str:
    said = words.more_spoken % {
        "more": len(rest),
        "date": words.date(rest[0].local_day, rest[0].zone),
        "name": about.doctor,
    }
    return f"{said}, {cities}" if cities else said
