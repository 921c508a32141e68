"""Read-only admin pages, and pages for tables that keep growing."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import DateTimeField, Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property


class DaysOfUtc(admin.DateFieldListFilter):
    """A filter whose "today" is a UTC day. It says so."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = f"{self.title} (UTC)"


admin.FieldListFilter.register(
    lambda field: isinstance(field, DateTimeField), DaysOfUtc, take_priority=True
)

MOST_ROWS = 10_000


class CappedPaginator(Paginator):
    """Counts and shows only the first 10,000 rows. To see more, people filter.

    Counting a million rows takes longer than showing a hundred of them.
    """

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Model] = self.object_list  # type: ignore[assignment]
        return rows.order_by()[:MOST_ROWS].count()

    @property
    def is_cut(self) -> bool:
        return self.count >= MOST_ROWS


# What Django's filters append to the name of a field.
_LOOKUPS = ("exact", "id__exact", "in", "isnull", "gte", "lt")


class OwnFiltersAdmin(admin.ModelAdmin):
    """A mixin for every list of the admin: the address narrows it by its own filters alone.

    Django lets an address name any column, for example `?reason__icontains=rash`. The number of
    rows then tells staff what the list does not show them.
    """

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        names = {"pk", str(self.opts.pk.name)}
        for each in self.get_list_filter(request):
            if isinstance(each, str):
                names.add(each)
            elif isinstance(each, type) and issubclass(each, admin.SimpleListFilter):
                names.add(str(each.parameter_name))
        return any(lookup in (name, *(f"{name}__{end}" for end in _LOOKUPS)) for name in names)


class LargeTableAdmin(OwnFiltersAdmin):
    """Never counts or sorts the whole table. A pasted id is looked up as an id."""

    paginator = CappedPaginator
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        identifier = _uuid(search_term)
        if identifier is None:
            return super().get_search_results(request, queryset, search_term)
        return self.filter_by_uuid(queryset, identifier), False

    def filter_by_uuid(self, queryset: QuerySet[Any], identifier: UUID) -> QuerySet[Any]:
        return queryset.filter(pk=identifier)


class ReadOnlyAdmin(LargeTableAdmin):
    """Rows that a service writes. Here they can be read but not changed."""

    actions: Sequence[str] | None = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None
