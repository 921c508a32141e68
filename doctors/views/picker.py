"""The date and time picker of one doctor, for the page and its fragment."""

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import groupby
from uuid import UUID

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from doctors.models import Doctor, VisitType
from doctors.rules import PARTS_OF_DAY, Place, VisitTime, by_day, part_of_day
from doctors.selectors.hours import Closure, closures_of
from doctors.selectors.slots import place_of, times_of_doctor, window_of
from doctors.selectors.visit_types import active_visit_types, choose_visit_type
from doctors.templatetags.clinic_time import (
    clock,
    date_long,
    date_short,
    dates_long,
    money,
    month_name,
    when,
    zone_label,
)
from doctors.views.addresses import doctor_url, with_query
from doctors.views.picker_page import (
    ClosedDays,
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
_MODE_ICONS = {"video": "video", "phone": "phone"}


def build_picker(
    *,
    doctor: Doctor,
    query: PickerQuery,
    now: dt.datetime,
    own_holds: Mapping[UUID, int],
    notice: Notice | None = None,
) -> Picker:
    """One query for times."""
    visit_type = query.visit_type or choose_visit_type(doctor, wanted=query.visit_type_id)
    if visit_type is None:
        return Picker(notice=notice)
    builder = _PickerBuilder(
        doctor=doctor, visit_type=visit_type, query=query, now=now, own_holds=own_holds
    )
    return builder.build(notice=notice)


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
        self.page = query.page or doctor_url(doctor)
        self.days_url = with_query(self.page, visit_type=visit_type.pk)
        window = window_of(doctor, now=now)
        free, self.held = times_of_doctor(
            doctor=doctor,
            visit_type=visit_type,
            start=now,
            end=window.latest,
            now=now,
            moves=query.replaces,
        )
        if query.moves_from:
            free = [time for time in free if time.starts_at != query.moves_from]
        self.first_free = next(iter(free), None)
        self.free_days = by_day(free)
        self.main = place_of(doctor.clinic)
        slots = (time.slots[0] for time in [*free, *self.held])
        self.places = {slot.place.id: slot.place for slot in slots}
        zones = {place.zone for place in self.places.values()} or {self.main.zone}
        self.today = min(now.astimezone(zone).date() for zone in zones)
        self.last_day = max(window.last_day(zone) for zone in zones)
        self.month = self._month(query)
        self.date = self._date(query)

    def build(self, *, notice: Notice | None) -> Picker:
        months = self._months()
        following = _next_month(months[-1].first_day)
        closures = self._closures(until=following - dt.timedelta(days=1))
        return Picker(
            url=self.page,
            visit_types=[] if self.query.replaces else self._visit_types(),
            visit_type=self.visit_type,
            months=months,
            previous_url=self._month_url(_previous_month(self.month))
            if self.month > self.today.replace(day=1)
            else "",
            next_url=self._month_url(following) if following <= self.last_day else "",
            next_month_label=month_name(following, self.main.zone),
            date=self.date,
            day_label=date_long(self.date, self.main.zone) if self.date else "",
            places=self._places(self.date, notice) if self.date else [],
            next_free=self._next_free(),
            next_free_day=self._next_free_day(),
            closures=[self._closed_days(each) for each in closures],
            why_closed=self._why_closed(closures),
            notice=notice,
            replaces=self.query.replaces,
        )

    def _next_free(self) -> NextFree | None:
        first = self.first_free
        if first is None:
            return None
        words = [_("Next free: %(at)s") % {"at": when(first.starts_at, first.zone)}]
        words += filter(None, [self._name_of(first.place)])
        return NextFree(", ".join(words), self._day_url(first.local_day))

    def _name_of(self, place: Place) -> str:
        """The city, or the clinic if several are in that city."""
        places = {self.main.id: self.main} | self.places
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
        """The month, and the next one if at most two weeks of it remain."""
        months = [self._build_month(self.month)]
        following = _next_month(self.month)
        if len(months[0].weeks) <= 2 and following <= self.last_day:
            months.append(self._build_month(following))
        return months

    def _build_month(self, first_day: dt.date) -> Month:
        weeks = [
            week
            for week in calendar.Calendar().monthdatescalendar(first_day.year, first_day.month)
            if week[-1] >= self.today
        ]
        days = [day for week in weeks for day in week if day.month == first_day.month]
        cells = dict(zip(days, self._cells(days), strict=True))
        return Month(
            first_day,
            date_format(first_day, "F Y"),
            month_name(first_day, self.main.zone),
            [[cells.get(day) for day in week] for week in weeks],
        )

    def _cells(self, days: Sequence[dt.date]) -> Iterable[DayCell]:
        free = [len(self.free_days.get(day, ())) for day in days]
        said = dates_long(days, self.main.zone)
        words = {
            n: ngettext("%(day)s, %(free)s free time", "%(day)s, %(free)s free times", n)
            for n in set(free)
        }
        for day, count in zip(days, free, strict=True):
            chosen = day == self.date
            css = "day"
            if count:
                css += " day-free day-few" if count <= FEW else " day-free"
            if day == self.today:
                css += " day-today"
            if chosen:
                css += " day-chosen"
            yield DayCell(
                number=day.day,
                iso=day.isoformat(),
                free=count,
                chosen=chosen,
                css=css,
                spoken=words[count] % {"day": said[day], "free": count} if count else "",
                url=self._day_page(day) if count else "",
            )

    def _places(self, day: dt.date, notice: Notice | None) -> list[TimesAt]:
        """A list for each clinic with times on this day."""
        chips = sorted(self._chips(day, notice), key=lambda chip: chip.starts_at)
        here: dict[int, list[TimeChip]] = {}
        for chip in chips:
            here.setdefault(chip.place.id, []).append(chip)
        is_named = self._is_named(here)
        return [_times_at(chips, day=day, is_named=is_named) for chips in here.values()]

    def _is_named(self, here: Iterable[int]) -> bool:
        """Whether the clinics must be named, because it is not clear that these are the ones."""
        return len(self.places) > 1 or list(here) != [self.main.id]

    def _chips(self, day: dt.date, notice: Notice | None) -> list[TimeChip]:
        chips = self._free_chips(day)
        chips += [self._held_chip(time) for time in self._held_starts() if time.local_day == day]
        taken = notice and notice.taken_at
        if notice and taken and all(chip.starts_at != taken for chip in chips):
            place = notice.taken_in or self.main
            chips.append(TimeChip(None, taken, clock(taken, place.zone), place, "just_taken"))
        return chips

    def _free_chips(self, day: dt.date) -> list[TimeChip]:
        """Words that several times share are worked out once."""
        words = _("%(day)s, %(start)s to %(end)s, %(name)s")
        day_at, clock_at, where_at = cache(date_long), cache(clock), cache(self._where)
        chips = []
        for time in self.free_days.get(day, []):
            place, zone = time.place, time.zone
            start = clock_at(time.starts_at, zone)
            spoken = words % {
                "day": day_at(day, zone),
                "start": start,
                "end": clock_at(time.ends_at, zone),
                "name": self.doctor.name,
            }
            spoken += where_at(place)
            chips.append(TimeChip(time.slot_id, time.starts_at, start, place, "free", spoken))
        return chips

    def _where(self, place: Place) -> str:
        return f", {place.name}, {place.city}" if self._is_named([place.id]) else ""

    def _held_starts(self) -> list[VisitTime]:
        """Times at which a held visit begins. A time that would only run into one is not shown.

        A hold of one's own may begin with a slot of the visit that it moves, which is not held.
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
        """The day to jump to if the chosen day has no free time."""
        if self.date is None or self.date in self.free_days:
            return None
        later = [day for day in self.free_days if day > self.date]
        day = later[0] if later else next(iter(self.free_days), None)
        if day is None:
            return None
        return DayLink(date_long(day, self.main.zone), self._day_page(day))

    def _closures(self, *, until: dt.date) -> list[Closure]:
        """Of the shown months, from today on."""
        return closures_of(
            self.doctor,
            clinics={self.main.id, *self.places},
            first=max(self.month, self.today),
            last=min(until, self.last_day),
        )

    def _closed_days(self, closure: Closure) -> ClosedDays:
        first, last, reason, clinic_id = closure
        zone = self.main.zone
        if first == last:
            days = date_long(first, zone)
        else:
            words = {"first": date_short(first, zone), "last": date_short(last, zone)}
            days = _("%(first)s to %(last)s") % words
        place = ({self.main.id: self.main} | self.places).get(clinic_id or 0)
        return ClosedDays(days, reason, self._name_of(place) if place else "")

    def _why_closed(self, closures: Sequence[Closure]) -> str:
        if self.date is None or self.date in self.free_days:
            return ""
        of_the_day = (each for each in closures if each.first_day <= self.date <= each.last_day)
        return next((each.reason for each in of_the_day), "")

    def _visit_types(self) -> list[VisitTypeChoice]:
        words = _("%(minutes)s min · %(mode)s")
        return [
            VisitTypeChoice(
                id=str(each.pk),
                name=each.name,
                mode=each.mode,
                icon=_MODE_ICONS.get(each.mode, "building-2"),
                how=words % {"minutes": each.minutes, "mode": each.get_mode_display().lower()},
                price=money(each),
                selected=each.pk == self.visit_type.pk,
                url=self._visit_type_url(each),
            )
            for each in active_visit_types(self.doctor)
        ]

    def _visit_type_url(self, visit_type: VisitType) -> str:
        """Another visit type keeps the chosen day. Before a choice, it finds its own day."""
        day = self.query.date
        date = day.isoformat() if day else None
        return with_query(self.page, visit_type=visit_type.pk, date=date)

    def _day_url(self, day: dt.date) -> str:
        return self._day_page(day) + "#times"

    def _day_page(self, day: dt.date) -> str:
        """Without the fragment: with one, htmx would scroll there, even if all is in view."""
        return f"{self.days_url}&date={day.isoformat()}"

    def _month_url(self, month: dt.date) -> str:
        return f"{self.days_url}&month={month:%Y-%m}"


def _chip(time: VisitTime, *, state: str, url: str = "") -> TimeChip:
    label = clock(time.starts_at, time.zone)
    return TimeChip(time.slot_id, time.starts_at, label, time.place, state, url=url)


def _times_at(chips: list[TimeChip], *, day: dt.date, is_named: bool) -> TimesAt:
    """The chips of one clinic."""
    place, parts = chips[0].place, _parts(chips)
    without = ""
    if is_named:
        empty = ", ".join(part.label.lower() for part in parts if not part.times)
        without = _("%(parts)s: none") % {"parts": capfirst(empty)} if empty else ""
        parts = [part for part in parts if part.times]
    return TimesAt(place, is_named, zone_label(place.zone, day), parts, without)


def _parts(chips: list[TimeChip]) -> list[PartOfDay]:
    """Times of one clinic, in order of time."""
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
