"""What the picker of a doctor shows: the page and its fragment render from these."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from doctors.models import VisitType
from doctors.rules import Place


@dataclass(frozen=True)
class PickerQuery:
    """What the address asks for. `month` is the first day of a month.

    `visit_type` is given where the address does not say it: what was agreed for a visit that moves.
    `page` is the page around the picker, where that is not the doctor's: the one on which the
    appointment `replaces`, which begins at `moves_from`, is moved, as the same visit type.
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
    """A time that one press of its button holds; `instead_of` is a hold that it gives back, and
    `replaces` an appointment that moves there once it is confirmed.
    """

    label: str
    slot_id: int
    visit_type_id: int
    instead_of: UUID | None = None
    replaces: UUID | None = None


@dataclass(frozen=True)
class KeptTime:
    """A hold that is in the way: to go on with, or to give back."""

    hold_id: UUID
    label: str
    url: str


@dataclass(frozen=True)
class Notice:
    """Why a time could not be kept, and where to go from here.

    `next_url` is where giving back one of the `kept` leads to, and `address` where the page around
    it would be found without the press that was refused.
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
    """One time of the chosen day, by the clock of `place`. `state`: free, on_hold, just_taken or
    yours. `spoken` is said aloud where it can be held.
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
    """The chosen day at one clinic. `is_named` where that is not clear without its name: then the
    parts of the day without times stand in one line, `without`.
    """

    place: Place
    is_named: bool
    parts: list[PartOfDay]
    without: str = ""


@dataclass(frozen=True)
class DayCell:
    """`url` and `spoken` only where a time is free."""

    number: int
    iso: str
    free: int
    chosen: bool
    css: str
    spoken: str
    url: str


@dataclass(frozen=True)
class Month:
    first_day: dt.date
    label: str
    weeks: list[list[DayCell | None]]


@dataclass(frozen=True)
class DayLink:
    date: dt.date
    url: str


@dataclass(frozen=True)
class VisitTypeChoice:
    visit_type: VisitType
    selected: bool
    url: str


@dataclass(frozen=True)
class Picker:
    visit_types: list[VisitTypeChoice]
    visit_type: VisitType | None
    months: list[Month] = field(default_factory=list)
    previous_url: str = ""
    next_url: str = ""
    next_month_label: str = ""
    date: dt.date | None = None
    places: list[TimesAt] = field(default_factory=list)
    next_free_day: DayLink | None = None
    notice: Notice | None = None
    replaces: UUID | None = None

    @property
    def is_long(self) -> bool:
        """Whether a visit takes several slots."""
        return self.visit_type is not None and self.visit_type.slots > 1

    @property
    def free_count(self) -> int:
        """On the chosen day."""
        return sum(part.free_count for each in self.places for part in each.parts)

    @property
    def weekday_names(self) -> list[dict[str, str]]:
        return [{"short": str(WEEKDAYS_ABBR[n])[:2], "long": str(WEEKDAYS[n])} for n in range(7)]


@dataclass(frozen=True)
class NextFree:
    """`where` names the clinic; it is empty for a doctor who works at one only."""

    starts_at: dt.datetime
    zone: ZoneInfo
    url: str
    where: str = ""
