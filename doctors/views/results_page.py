"""The page objects of a list of doctors. The page and its fragment render from these."""

from collections.abc import Sequence
from dataclasses import dataclass

from doctors.views.cards import DayHead, DoctorCard


@dataclass(frozen=True)
class OrderLink:
    label: str
    url: str
    is_current: bool


@dataclass(frozen=True)
class ActiveFilter:
    """A filter in words, and the address of the same search without it."""

    label: str
    remove_url: str


@dataclass(frozen=True)
class Alternative:
    """A search like this one that finds somebody."""

    label: str
    url: str
    count: int


@dataclass(frozen=True)
class Moves:
    """Addresses of earlier and later days, and of the previous and next pages. Empty if there are
    none.
    """

    earlier_days: str
    later_days: str
    previous_page: str
    next_page: str


@dataclass(frozen=True)
class Results:
    """`total` doctors match. The cards show those from `first` to `last`."""

    heading: str
    announcement: str
    total: int
    first: int
    last: int
    cards: list[DoctorCard]
    day_heads: list[DayHead]
    orders: list[OrderLink]
    filters: list[ActiveFilter]
    alternatives: Sequence[Alternative]
    moves: Moves
