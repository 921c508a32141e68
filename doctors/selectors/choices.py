"""The values that people can search for. Every page of results needs them; they rarely change."""

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import CharField, F, Func
from django.db.models.signals import post_delete, post_save

from docbook.lock_keys import SEARCH_CHOICES
from doctors.models import Clinic, Doctor, Specialty, VisitType

# A page served during a change may keep the old list for this long.
SECONDS = 60


@dataclass(frozen=True)
class Choices:
    """Specialties as (slug, name), cities, ISO codes of languages, and currencies; unordered."""

    specialties: list[tuple[str, str]]
    cities: list[str]
    languages: list[str]
    currencies: list[str]


def search_choices() -> Choices:
    """Four queries a minute, however many searches there are. Without Redis, four each time."""
    choices: Choices | None = cache.get_or_set(SEARCH_CHOICES, _read, SECONDS)
    return choices if choices is not None else _read()


def find_specialty(slug: str) -> Specialty | None:
    return Specialty.objects.filter(slug=slug).first()


def _read() -> Choices:
    doctors = Doctor.objects.order_by().filter(is_active=True)
    spoken = Func(F("languages"), function="unnest", output_field=CharField())
    visit_types = VisitType.objects.order_by().filter(is_active=True, doctor__is_active=True)
    return Choices(
        specialties=list(Specialty.objects.values_list("slug", "name")),
        cities=list(Clinic.objects.order_by().values_list("city", flat=True).distinct()),
        languages=list(doctors.annotate(code=spoken).values_list("code", flat=True).distinct()),
        currencies=list(visit_types.values_list("currency", flat=True).distinct()),
    )


def forget_choices(**_kwargs: Any) -> None:
    """Makes new values searchable at once."""
    cache.delete(SEARCH_CHOICES)


for _model in (Clinic, Doctor, Specialty, VisitType):
    for _change in (post_save, post_delete):
        _change.connect(forget_choices, sender=_model)
