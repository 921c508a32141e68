"""The date and time picker of one doctor: what the page and its fragment show."""

import calendar
import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import groupby
from uuid import UUID

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from doctors.models import Doctor, VisitType
from doctors.rules import PARTS_OF_DAY, Place, VisitTime, by_day, part_of_day
from doctors.selectors.slots import place_of, times_of_doctor, window_of
from doctors.selectors.visit_types import active_visit_types, choose_visit_type
from doctors.templatetags.clinic_time import clock, date_long, month_name
from doctors.views.addresses import doctor_url, with_query
from doctors.views.picker_page import (
    DayCell,
    DayLink,
    Month,
    NextFree,
    Notice,
    PartOfDay,
    Picker,
    PickerQuery,
    TimeChip,
    TimesAt,
    VisitTypeChoice,
)

FEW = 3
_PARTS = {
    "morning": (gettext_lazy("Morning"), "coffee"),
    "afternoon": (gettext_lazy("Afternoon"), "sun"),
    "evening": (gettext_lazy("Evening"), "moon"),
}


def build_picker(
    *,
    doctor: Doctor,
    query: PickerQuery,
    now: dt.datetime,
    own_holds: Mapping[UUID, int],
    notice: Notice | None = None,
) -> tuple[Picker, NextFree | None]:
    """The picker, and the first free time for the chosen visit type. One query for times."""
    visit_type = query.visit_type or choose_visit_type(doctor, wanted=query.visit_type_id)
    if visit_type is None:
        return Picker(visit_types=[], visit_type=None, notice=notice), None
    builder = _PickerBuilder(
        doctor=doctor, visit_type=visit_type, query=query, now=now, own_holds=own_holds
    )
    return builder.build(notice=notice), builder.next_free()


class _PickerBuilder:
    def __init__(
        self,
        *,
        doctor: Doctor,
        visit_type: VisitType,
        query: PickerQuery,
        now: dt.datetime,
        own_holds: Mapping[UUID, int],
    ) -> None:
        self.doctor, self.visit_type, self.own_holds = doctor, visit_type, own_holds
        self.query, self.now = query, now
        window = window_of(doctor, now=now)
        free, self.held = times_of_doctor(
            doctor=doctor,
            visit_type=visit_type,
            start=now,
            end=window.latest,
            now=now,
            moves=query.replaces,
        )
        self.free = [time for time in free if time.starts_at != query.moves_from]
        self.free_days = by_day(self.free)
        self.places = list(dict.fromkeys(time.place for time in [*self.free, *self.held]))
        self.main = place_of(doctor.clinic)
        zones = {place.zone for place in self.places} or {self.main.zone}
        self.today = min(now.astimezone(zone).date() for zone in zones)
        self.last_day = max(window.last_day(zone) for zone in zones)
        self.month = self._month(query)
        self.date = self._date(query)

    def build(self, *, notice: Notice | None) -> Picker:
        months = self._months()
        following = _next_month(months[-1].first_day)
        return Picker(
            visit_types=self._visit_types(),
            visit_type=self.visit_type,
            months=months,
            previous_url=self._month_url(_previous_month(self.month))
            if self.month > self.today.replace(day=1)
            else "",
            next_url=self._month_url(following) if following <= self.last_day else "",
            next_month_label=month_name(following, self.main.zone),
            date=self.date,
            places=self._places(notice) if self.date else [],
            next_free_day=self._next_free_day(),
            notice=notice,
            replaces=self.query.replaces,
        )

    def next_free(self) -> NextFree | None:
        if not self.free:
            return None
        first = self.free[0]
        url = self._day_url(first.local_day)
        return NextFree(first.starts_at, first.zone, url, self._name_of(first.place))

    def _name_of(self, place: Place) -> str:
        """The city, or the clinic where several are in that city."""
        places = {self.main.id: self.main} | {each.id: each for each in self.places}
        if len(places) == 1:
            return ""
        alike = [each for each in places.values() if each.city == place.city]
        return place.name if len(alike) > 1 else place.city

    def _month(self, query: PickerQuery) -> dt.date:
        wanted = (
            query.month or (query.date and query.date.replace(day=1)) or self._first_free_month()
        )
        return min(max(wanted, self.today.replace(day=1)), self.last_day.replace(day=1))

    def _first_free_month(self) -> dt.date:
        day = next(iter(self.free_days), self.today)
        return day.replace(day=1)

    def _date(self, query: PickerQuery) -> dt.date | None:
        if query.date and self.today <= query.date <= self.last_day:
            return query.date
        if query.month:
            return None
        return next(iter(self.free_days), None)

    def _months(self) -> list[Month]:
        """The month; and the one after it where two weeks or fewer of it remain."""
        months = [self._build_month(self.month)]
        following = _next_month(self.month)
        if len(months[0].weeks) <= 2 and following <= self.last_day:
            months.append(self._build_month(following))
        return months

    def _build_month(self, first_day: dt.date) -> Month:
        weeks = [
            [self._cell(day, first_day) for day in week]
            for week in calendar.Calendar().monthdatescalendar(first_day.year, first_day.month)
            if week[-1] >= self.today
        ]
        return Month(first_day, date_format(first_day, "F Y"), weeks)

    def _cell(self, day: dt.date, first_day: dt.date) -> DayCell | None:
        if day.month != first_day.month:
            return None
        free = len(self.free_days.get(day, []))
        marks = {
            "day-free": free > 0,
            "day-few": 0 < free <= FEW,
            "day-today": day == self.today,
            "day-chosen": day == self.date,
        }
        return DayCell(
            number=day.day,
            iso=day.isoformat(),
            free=free,
            chosen=day == self.date,
            css=" ".join(["day", *(name for name, is_so in marks.items() if is_so)]),
            spoken=self._spoken_day(day, free) if free else "",
            url=self._day_page(day) if free else "",
        )

    def _spoken_day(self, day: dt.date, free: int) -> str:
        words = ngettext("%(day)s, %(free)s free time", "%(day)s, %(free)s free times", free)
        return words % {"day": date_long(day, self.main.zone), "free": free}

    def _places(self, notice: Notice | None) -> list[TimesAt]:
        """A list for each clinic with times on this day."""
        chips = sorted(self._chips(notice), key=lambda chip: chip.starts_at)
        here = list(dict.fromkeys(chip.place for chip in chips))
        is_named = self._is_named(here)
        return [
            _times_at(place, [chip for chip in chips if chip.place == place], is_named=is_named)
            for place in here
        ]

    def _is_named(self, here: Sequence[Place]) -> bool:
        """Whether it is not clear without their names that these are the clinics."""
        return len(self.places) > 1 or list(here) != [self.main]

    def _chips(self, notice: Notice | None) -> list[TimeChip]:
        chips = [
            _chip(time, state="free", spoken=self._spoken(time))
            for time in (self.free_days.get(self.date, []) if self.date else [])
        ]
        chips += [
            self._held_chip(time) for time in self._held_starts() if time.local_day == self.date
        ]
        taken = notice and notice.taken_at
        if notice and taken and all(chip.starts_at != taken for chip in chips):
            place = notice.taken_in or self.main
            chips.append(TimeChip(None, taken, clock(taken, place.zone), place, "just_taken"))
        return chips

    def _spoken(self, time: VisitTime) -> str:
        words = _("%(day)s, %(start)s to %(end)s, %(name)s") % {
            "day": date_long(time.local_day, time.zone),
            "start": clock(time.starts_at, time.zone),
            "end": clock(time.ends_at, time.zone),
            "name": self.doctor.name,
        }
        if self._is_named([time.place]):
            return f"{words}, {time.place.name}, {time.place.city}"
        return words

    def _held_starts(self) -> list[VisitTime]:
        """Times at which a held visit begins; one that would only run into it is not offered.

        An own one may begin with a slot of the visit that it moves, which is not held.
        """
        first: dict[UUID, int] = {}
        for time in self.held:
            for hold_id, slot_id in self._held_slots(time):
                first.setdefault(hold_id, self.own_holds.get(hold_id, slot_id))
        starts = set(first.values())
        return [time for time in self.held if time.slot_id in starts]

    def _held_slots(self, time: VisitTime) -> list[tuple[UUID, int]]:
        return [
            (slot.hold_id, slot.id)
            for slot in time.slots
            if slot.hold_id and slot.is_on_hold(now=self.now)
        ]

    def _held_chip(self, time: VisitTime) -> TimeChip:
        holds = (hold_id for hold_id, _slot_id in self._held_slots(time))
        own = next((each for each in holds if self.own_holds.get(each) == time.slot_id), None)
        if own is None:
            return _chip(time, state="on_hold")
        url = reverse("bookings:code", args=[own])  # or the step before it
        return _chip(time, state="yours", url=url)

    def _next_free_day(self) -> DayLink | None:
        """Where to jump when the chosen day has nothing."""
        if self.date is None or self.date in self.free_days:
            return None
        later = [day for day in self.free_days if day > self.date]
        day = later[0] if later else next(iter(self.free_days), None)
        return DayLink(day, self._day_url(day)) if day else None

    def _visit_types(self) -> list[VisitTypeChoice]:
        return [
            VisitTypeChoice(each, each.pk == self.visit_type.pk, self._visit_type_url(each))
            for each in active_visit_types(self.doctor)
        ]

    def _visit_type_url(self, visit_type: VisitType) -> str:
        """Another visit type keeps the day that was chosen; before a choice it finds its own."""
        day = self.query.date
        return self._url(visit_type=visit_type.pk, date=day.isoformat() if day else None)

    def _day_url(self, day: dt.date) -> str:
        return self._day_page(day) + "#times"

    def _day_page(self, day: dt.date) -> str:
        """Without the fragment: with one, htmx would scroll there, also where all is in view."""
        return self._url(visit_type=self.visit_type.pk, date=day.isoformat())

    def _month_url(self, month: dt.date) -> str:
        return self._url(visit_type=self.visit_type.pk, month=f"{month:%Y-%m}")

    def _url(self, **query: str | int | None) -> str:
        return with_query(self.query.page or doctor_url(self.doctor), **query)


def _chip(time: VisitTime, *, state: str, spoken: str = "", url: str = "") -> TimeChip:
    label = clock(time.starts_at, time.zone)
    return TimeChip(time.slot_id, time.starts_at, label, time.place, state, spoken, url)


def _times_at(place: Place, chips: list[TimeChip], *, is_named: bool) -> TimesAt:
    parts = _parts(chips)
    if not is_named:
        return TimesAt(place, is_named, parts)
    empty = ", ".join(part.label.lower() for part in parts if not part.times)
    without = _("%(parts)s: none") % {"parts": capfirst(empty)} if empty else ""
    return TimesAt(place, is_named, [part for part in parts if part.times], without)


def _parts(chips: list[TimeChip]) -> list[PartOfDay]:
    """Of one clinic, in the order of time."""
    groups = {
        key: list(group)
        for key, group in groupby(
            chips, key=lambda chip: part_of_day(chip.starts_at.astimezone(chip.place.zone))
        )
    }
    return [
        PartOfDay(key, str(_PARTS[key][0]), _PARTS[key][1], groups.get(key, []))
        for key in PARTS_OF_DAY
    ]


def _next_month(first_day: dt.date) -> dt.date:
    return (first_day + dt.timedelta(days=32)).replace(day=1)


def _previous_month(first_day: dt.date) -> dt.date:
    return (first_day - dt.timedelta(days=1)).replace(day=1)
