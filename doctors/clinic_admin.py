"""Admin pages of rows that happen at a clinic. They show instants by its clock."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from doctors.templatetags.clinic_time import moment_in_full


class AtTheClinic(admin.ModelAdmin):
    """A mixin that goes before the other bases. The row has a `time_zone` that was agreed, or
    otherwise a `clinic`, which its lists then select as well.
    """

    class Media:
        css: ClassVar = {"all": ["admin/docbook.css"]}

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return _by_the_clinic(self.model, super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        return _by_the_clinic(self.model, super().get_fields(request, obj))


def _by_the_clinic(model: Any, names: Iterable[Any]) -> list[Any]:
    return [_column(model, name) for name in names]


@cache
def _column(model: Any, name: str) -> str | Callable[[Any], str | None]:
    """A column that shows this instant in full and sorts by it. Other columns stay as they are."""
    field = model._meta.get_field(name)
    if not isinstance(field, models.DateTimeField):
        return name

    def column(row: Any) -> str | None:
        moment = getattr(row, name)
        return moment_in_full(moment, _zone_of(row)) if moment else None

    column.__name__ = name
    return admin.display(column, description=str(field.verbose_name), ordering=name)


def _zone_of(row: Any) -> str:
    zone: str = row.time_zone if hasattr(row, "time_zone") else row.clinic.time_zone
    return zone
