"""Pages of a search for doctors."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet, Window, prefetch_related_objects
from django.db.models.fields import CharField, DateField, DateTimeField

from docbook.postgres.kept_query import Given, KeptQuery
from doctors.models import Doctor
from doctors.selectors.search import DoctorSearch, search_doctors

PAGE_SIZE = 10

_NOW = Given("now", DateTimeField())
# The values that a kept query leaves open. City, language and words change the SQL itself.
_GIVEN: Mapping[str, Given] = MappingProxyType(
    {
        "specialty": Given("specialty", CharField()),
        "mode": Given("mode", CharField()),
        "currency": Given("currency", CharField()),
        "available_on": Given("available_on", DateField()),
    }
)


@dataclass(frozen=True)
class ResultPage:
    """`number` counts from 1; `total` doctors match, on all pages together."""

    doctors: list[Doctor]
    number: int
    total: int

    @property
    def first(self) -> int:
        """The position of its first doctor among all of them, from 1."""
        return (self.number - 1) * PAGE_SIZE + 1

    @property
    def last(self) -> int:
        return self.first + len(self.doctors) - 1

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def has_next(self) -> bool:
        return self.last < self.total


def find_page(*, search: DoctorSearch, now: datetime, asked: str) -> ResultPage:
    """The requested page. The first one if that is no number, the last one if it does not exist.

    Two queries for the first page, because it counts the doctors that it finds; otherwise three.
    """
    if asked in ("", "1"):
        doctors = _first_page(search, now=now)
        total: int = doctors[0].total if doctors else 0  # type: ignore[attr-defined]  # annotated
        return ResultPage(doctors, 1, total)
    page = Paginator(search_doctors(search=search, now=now), PAGE_SIZE).get_page(asked)
    return ResultPage(list(page.object_list), page.number, page.paginator.count)


def _first_page(search: DoctorSearch, *, now: datetime) -> list[Doctor]:
    if search.q or search.city or search.language or search.max_fee is not None:
        return list(_counted(search, now=now))
    asked = {name: getattr(search, name) for name in _GIVEN}
    given: dict[str, Any] = {name: _GIVEN[name] for name, value in asked.items() if value}
    doctors = _kept(replace(search, **given)).all(now=now, **asked)
    prefetch_related_objects(doctors, "visit_types")
    return doctors


def _counted(search: DoctorSearch, *, now: Any) -> QuerySet[Doctor]:
    return search_doctors(search=search, now=now).annotate(total=Window(Count("*")))[:PAGE_SIZE]


@lru_cache(maxsize=64)
def _kept(search: DoctorSearch) -> KeptQuery[Doctor]:
    return KeptQuery(lambda: _counted(search, now=_NOW))
