"""The content of a doctor's picker: the page and its fragment render from these objects."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from doctors.models import VisitType
from doctors.rules import Place


@dataclass(frozen=True)
class PickerQuery:
    """What the address asks for. `month` is the first day of a month.

    `visit_type` is set if the address does not name one: the agreed one of a visit that moves.
    `page` is the page around the picker if it is not the doctor's: there the appointment
    `replaces`, which begins at `moves_from`, moves as the same visit type.
    """

    visit_type_id: int | None = None
    month: dt.date | None = None
    date: dt.date | None = None
    page: str = ""
    visit_type: VisitType | None = None
    replaces: UUID | None = None
    moves_from: dt.datetime | None = None


@dataclass(frozen=True)
class TimeInstead:
    """A time that one press of its button holds. `instead_of` is a hold that it gives back.
    `replaces` is an appointment that moves there once it is confirmed.
    """

    label: str
    slot_id: int
    visit_type_id: int
    instead_of: UUID | None = None
    replaces: UUID | None = None


@dataclass(frozen=True)
class KeptTime:
    """A hold that is in the way: to continue with, or to give back."""

    hold_id: UUID
    label: str
    url: str


@dataclass(frozen=True)
class Notice:
    """Why a time could not be held, and what to do next.

    `next_url` is where giving back one of the `kept` leads to. `address` is the address of the
    surrounding page, without the refused press.
    """

    kind: str
    title: str
    text: str = ""
    links: Sequence[Mapping[str, str]] = ()
    offers_label: str = ""
    offers: Sequence[TimeInstead] = ()
    kept: Sequence[KeptTime] = ()
    next_url: str = ""
    address: str = ""
    taken_at: dt.datetime | None = None
    taken_in: Place | None = None


@dataclass(frozen=True)
class TimeChip:
    """One time of the chosen day, on the clock of `place`. `state`: free, on_hold, just_taken or
    yours. Screen readers say `spoken` if it can be held.
    """

    slot_id: int | None
    starts_at: dt.datetime
    label: str
    place: Place
    state: str
    spoken: str = ""
    url: str = ""


@dataclass(frozen=True)
class PartOfDay:
    key: str
    label: str
    icon: str
    times: list[TimeChip]

    @property
    def free_count(self) -> int:
        return self._count("free")

    @property
    def summary(self) -> str:
        """Like "5 free", "0 free, 1 on hold", "none"."""
        if not self.times:
            return _("none")
        free = ngettext("%(count)d free", "%(count)d free", self.free_count)
        words = [free % {"count": self.free_count}]
        if not self.free_count and (held := self._count("on_hold")):
            words.append(ngettext("%(count)d on hold", "%(count)d on hold", held) % {"count": held})
        if not self.free_count and (yours := self._count("yours")):
            words.append(ngettext("%(count)d yours", "%(count)d yours", yours) % {"count": yours})
        return ", ".join(words)

    def _count(self, state: str) -> int:
        return sum(time.state == state for time in self.times)


@dataclass(frozen=True)
class TimesAt:
    """The chosen day at one clinic, on the clock `zone_label`. `is_named` if the clinic is not
    clear without its name. Then the parts of the day without times are in one line, `without`.
    """

    place: Place
    is_named: bool
    zone_label: str
    parts: list[PartOfDay]
    without: str = ""


class DayCell(NamedTuple):
    """`url` and `spoken` are set only if a time is free."""

    number: int
    iso: str
    free: int
    chosen: bool
    css: str
    spoken: str
    url: str


@dataclass(frozen=True)
class Month:
    """`label` is like "November 2026", `name` like "November". Both include a new year."""

    first_day: dt.date
    label: str
    name: str
    weeks: list[list[DayCell | None]]


@dataclass(frozen=True)
class DayLink:
    label: str
    url: str


@dataclass(frozen=True)
class ClosedDays:
    """`days` is like "Monday 27 April" or "Mon 4 May to Fri 8 May". `place` names the clinic if
    others may be open.
    """

    days: str
    reason: str
    place: str = ""


@dataclass(frozen=True)
class VisitTypeChoice:
    """`how` is like "20 min · in person"."""

    id: str
    name: str
    mode: str
    icon: str
    how: str
    price: str
    selected: bool
    url: str


@dataclass(frozen=True)
class NextFree:
    """The label names the clinic, unless the doctor works at one only."""

    label: str
    url: str


@dataclass(frozen=True)
class Picker:
    """`visit_types` is empty if no other one can be chosen: for a visit that moves.

    `date` is the chosen day, in words in `day_label`. `next_free` is the first time of all, and
    `next_free_day` a day to go to from a chosen day without times. `closures` are days of the shown
    months on which nobody is seen, and `why_closed` is the reason of the chosen one.
    """

    url: str = ""
    visit_types: list[VisitTypeChoice] = field(default_factory=list)
    visit_type: VisitType | None = None
    months: list[Month] = field(default_factory=list)
    previous_url: str = ""
    next_url: str = ""
    next_month_label: str = ""
    date: dt.date | None = None
    day_label: str = ""
    places: list[TimesAt] = field(default_factory=list)
    next_free: NextFree | None = None
    next_free_day: DayLink | None = None
    closures: list[ClosedDays] = field(default_factory=list)
    why_closed: str = ""
    notice: Notice | None = None
    replaces: UUID | None = None

    @property
    def is_long(self) -> bool:
        """Whether a visit takes several slots."""
        return self.visit_type is not None and self.visit_type.slots > 1

    @property
    def announcement(self) -> str:
        """What screen readers say once the picker has changed."""
        if self.date is None:
            return self.months[0].label if self.months else ""
        free = sum(part.free_count for each in self.places for part in each.parts)
        words = ngettext("%(day)s, %(free)s free time", "%(day)s, %(free)s free times", free)
        return words % {"day": self.day_label, "free": free}

    @property
    def offers_video(self) -> bool:
        return any(each.mode == "video" for each in self.visit_types)
